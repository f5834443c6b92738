"""The two trees of a bigWig file, read: its contigs, and where the data of a stretch lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from glmflow.bigwig.layout import CHROM_TREE, INDEX, INDEX_HEAD, LEAF, NODE
from glmflow.bigwig.source import Source

_KEPT = 16  # nodes, whatever the memory: the way down to neighbouring stretches
POSITION = (1 << 32) - 1
_MEMORY_OF_NODE = 1 << 15  # bytes for each further node that is kept; a node takes a quarter of them


class Node(NamedTuple):
    """A node of the index: where the contig and the stretch of each member begin and end, and what lies there."""

    is_leaf: bool
    first: np.ndarray  # int64: contig << 32 | position
    last: np.ndarray
    offset: np.ndarray  # int64
    size: np.ndarray


def read_contigs(source: Source, offset: int) -> list[tuple[int, str, int]]:
    """Return the number, name and length of every contig, by number.

    Parameters
    ----------
    source
        The file.
    offset
        Where the tree that lists them begins.
    """
    magic, _, key, value, count = source.unpack("IIIIQ", offset)
    if magic != CHROM_TREE or value != 8:
        raise source.damaged("its list of contigs")
    member = np.dtype([("name", f"S{key}"), ("number", "u4"), ("length", "u4")]).newbyteorder(source.order)
    found: list[tuple[int, str, int]] = []
    nodes, seen = [offset + 32], set()
    while nodes:
        at = nodes.pop()
        if at in seen:
            raise source.damaged("its list of contigs")
        seen.add(at)
        is_leaf, _, items = source.unpack("BBH", at)
        members = np.frombuffer(source.read(at + 4, items * member.itemsize), member)
        if is_leaf:
            names = [name.decode() for name in members["name"].tolist()]
            found += zip(members["number"].tolist(), names, members["length"].tolist())
        else:  # the number and the length of a child are its offset
            nodes += members.view([("name", f"S{key}"), ("at", f"{source.order}u8")])["at"].tolist()
    found.sort()
    distinct = len({number for number, _, _ in found}) == len({name for _, name, _ in found}) == len(found) == count
    if not distinct or not all(name.isprintable() and name and length for _, name, length in found):
        raise source.damaged("its list of contigs")
    return found


class Index:
    """The R-tree over the sections of a file.

    Parameters
    ----------
    source
        The file.
    offset
        Where the index begins; 0 where there is none, as in files that pyBigWig writes without data.
    memory
        Bytes of decoded sections that are remembered elsewhere: nodes are kept in proportion.
    """

    def __init__(self, source: Source, offset: int, memory: int = 0):
        self._source, self._offset = source, offset
        self._root = offset + INDEX_HEAD if offset else 0
        self._nodes: dict[int, Node] = {}
        self._kept = _KEPT + memory // _MEMORY_OF_NODE
        self._leaf, self._node = LEAF.newbyteorder(source.order), NODE.newbyteorder(source.order)
        if offset and source.unpack("I", offset)[0] != INDEX:
            raise source.damaged("its index")

    def leaves(self, number: int, start: int, end: int) -> Iterator[tuple[Node, np.ndarray]]:
        """Yield the leaves over a stretch of a contig, in order, and which of their members it touches."""
        begin, stop = (number << 32) + start, (number << 32) + end
        places, seen = [(self._root, -1, (1 << 63) - 1)] if self._root else [], set()
        while places:
            at, low, high = places.pop()
            if at in seen:  # a damaged index may lead in a circle
                raise self._damaged()
            seen.add(at)
            node = self._at(at)
            if len(node.first) and (node.first[0] < low or node.last[-1] > high):
                raise self._damaged()  # a stretch that no search would come to
            touched = ((node.first < stop) & (node.last > begin)).nonzero()[0]
            if node.is_leaf:
                yield node, touched
            else:
                places.extend((int(node.offset[n]), node.first[n], node.last[n]) for n in touched[::-1])

    def check(self, lengths: Mapping[int, int]) -> None:
        """Stop where the tree has lost a section, or has one where no search comes to.

        A search for all of every contig comes to the others; what a section holds is compared with its place as it is
        read.

        Parameters
        ----------
        lengths
            Length of every contig, by number.
        """
        if not self._root:
            return
        (stated,) = self._source.unpack("Q", self._offset + 8)
        found = 0
        for node in self.all_leaves():
            found += len(node.first)
            limits = np.array([lengths.get(chrom, -1) for chrom in (node.first >> 32).tolist()])
            if ((node.first & POSITION) > limits).any():
                raise self._damaged()
        if found != stated:
            raise self._damaged()

    def all_leaves(self) -> Iterator[Node]:
        """Yield the leaves of the whole tree, in order."""
        places, seen = [self._root] if self._root else [], set()
        while places:
            at = places.pop()
            if at in seen:
                raise self._damaged()
            seen.add(at)
            node = self._at(at)
            if node.is_leaf:
                yield node
            else:
                places += node.offset[::-1].tolist()

    def first(self) -> tuple[int, int] | None:
        """Return the offset and size of the first section; None where there are no data."""
        at = self._root
        for _ in range(64):  # a tree is not as high as that
            node = self._at(at) if at else None
            if node is None or not len(node.first):
                return None
            if node.is_leaf:
                return int(node.offset[0]), int(node.size[0])
            at = int(node.offset[0])
        raise self._damaged()

    def _at(self, at: int) -> Node:
        """Read a node, or remember it: neighbouring stretches are found through the same ones."""
        if (known := self._nodes.get(at)) is not None:
            return known
        is_leaf, _, items = self._source.unpack("BBH", at)
        kind = self._leaf if is_leaf else self._node
        members = np.frombuffer(self._source.read(at + 4, items * kind.itemsize), kind)
        first, last = ((members[f"{end}_chrom"].astype(np.int64) << 32) + members[end] for end in ("first", "last"))
        if (first > last).any() or (first[1:] < first[:-1]).any() or (last[1:] < last[:-1]).any():
            raise self._damaged()
        offset = members["offset"].astype(np.int64)
        size = members["size"].astype(np.int64) if is_leaf else offset
        if len(self._nodes) == self._kept:
            self._nodes.clear()
        self._nodes[at] = Node(bool(is_leaf), first, last, offset, size)
        return self._nodes[at]

    def _damaged(self):
        return self._source.damaged("its index")
