"""The two trees of a bigWig file, written: its contigs, and where the data of a stretch lie."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping

import numpy as np

from glmflow.bigwig.layout import CHROM_TREE, INDEX, LEAF, NODE

FAN_OUT = 256
_LEAF, _NODE = LEAF.newbyteorder("<"), NODE.newbyteorder("<")
NO_LEAVES = np.zeros(0, _LEAF)


def leaves_of(places: Iterable[tuple[int, int, int, int]], sizes: list[int], offset: int) -> np.ndarray:
    """Return the index of sections that lie one behind another from an offset on.

    `places` are the contig and base where each begins and ends, `sizes` their bytes.
    """
    leaves = np.zeros(len(sizes), _LEAF)
    if len(sizes):
        columns = np.array(list(places), np.int64).T
        for name, column in zip(("first_chrom", "first", "last_chrom", "last"), columns):
            leaves[name] = column
    leaves["offset"], leaves["size"] = offset + np.cumsum(sizes, dtype=np.int64) - sizes, sizes
    return leaves


def contig_tree(contigs: Mapping[str, int], offset: int) -> bytes:
    """Return names, numbers and lengths of contigs as a tree, to be written at an offset: its head, then the nodes."""
    values = {name.encode(): struct.pack("<II", *value) for name, value in zip(contigs, enumerate(contigs.values()))}
    key = max(map(len, values))
    member = key + 8
    levels = [sorted(values)]
    while len(levels[0]) > FAN_OUT:
        levels.insert(0, levels[0][::FAN_OUT])
    parts = [struct.pack("<IIIIQQ", CHROM_TREE, FAN_OUT, key, 8, len(values), 0)]
    at = offset + len(parts[0])
    for level in levels:
        is_leaf = level is levels[-1]
        at += len(level) * member + 4 * -(-len(level) // FAN_OUT)  # where the next level begins
        for first in range(0, len(level), FAN_OUT):
            names = level[first : first + FAN_OUT]
            parts.append(struct.pack("<BBH", is_leaf, 0, len(names)))
            for number, name in enumerate(names, first):
                # All nodes but the last of a level are full, so that those of the next lie a node's size apart.
                value = values[name] if is_leaf else struct.pack("<Q", at + number * (4 + FAN_OUT * member))
                parts.append(name.ljust(key, b"\0") + value)
    return b"".join(parts)


def section_tree(leaves: np.ndarray, offset: int, items: int) -> bytes:
    """Return the R-tree over sections, to be written at an offset: its head, then its nodes from the root down."""
    bounds = [0, 0, 0, 0]
    if len(leaves):
        bounds = [leaves["first_chrom"][0], leaves["first"][0], leaves["last_chrom"][-1], leaves["last"][-1]]
    end = int(leaves["offset"][-1] + leaves["size"][-1]) if len(leaves) else offset
    head = struct.pack("<IIQIIIIQII", INDEX, FAN_OUT, len(leaves), *map(int, bounds), end, items, 0)
    levels = [leaves]
    while len(levels[0]) > FAN_OUT:
        below = levels[0]
        first = np.arange(0, len(below), FAN_OUT)
        last = np.minimum(first + FAN_OUT, len(below)) - 1
        above = np.zeros(len(first), _NODE)
        above["first_chrom"], above["first"] = below["first_chrom"][first], below["first"][first]
        above["last_chrom"], above["last"] = below["last_chrom"][last], below["last"][last]
        levels.insert(0, above)
    parts = [head]
    at = offset + len(head)
    for number, level in enumerate(levels):
        at += level.nbytes + 4 * -(-max(len(level), 1) // FAN_OUT)
        if level is not leaves:
            # Nodes are full but for the last of a level, so that the next level's nodes lie a node's size apart.
            node = 4 + FAN_OUT * levels[number + 1].itemsize
            level["offset"] = at + node * np.arange(len(level))
        for first in range(0, max(len(level), 1), FAN_OUT):
            members = level[first : first + FAN_OUT]
            parts.append(struct.pack("<BBH", level is leaves, 0, len(members)) + members.tobytes())
    return b"".join(parts)
