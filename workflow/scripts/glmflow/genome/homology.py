"""What of a genome is alike and has to stay in one split: blocks, and windows, that share near copies on either strand."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .loci import groups_of
from .shares import came_out, require_half
from .similarity import near_copies
from .splits import SPLITS, block_edges, block_regions, require_room
from .window_sequences import PIECE, WindowSequences, cut, suited_sketch

log = logging.getLogger(__name__)

ALIKE = 0.15
"""Share of the k-mers of two pieces from which on they are copies: of 5 % of substitutions, and half a piece apart, 17 %."""
PARTLY = 0.05
"""Share of a window's bases that are copied from which on it holds copies."""
MOST_COMMON = 0.5
"""A pair of which more of the shared k-mers are those of repeats (`similarity.REPEAT`) is a repeat, and no copy."""
SHOWN = 20
"""Targets of a query that are looked at for one that is no repeat."""

Fetch = Callable[[str, int, int], NDArray[np.uint8]]


def divided(splits: Mapping[str, Any], contigs: Mapping[str, int], fetch: Fetch, size: int, cores: int = 1) -> Mapping:
    """Return `splits` ready for `split_regions`: where they are `by: homology`, with the regions that each split owns.

    Every contig is cut into blocks as by `block`. Blocks of which near copies cover as much as makes a window partly
    copied (5 % of `size`, and one piece of 1,000 bp at least) are one group, as are blocks that are alike by way of
    others; repeats such as Alu make none. Groups are drawn whole: no region of one split holds what another one learns.

    Parameters
    ----------
    splits
        The `splits` of the configuration.
    contigs
        Length of every contig that is used.
    fetch
        Returns `uint8[end - start]` of a contig (`Reference.fetch`).
    size
        Bases of the longest window.

    Raises
    ------
    InputError
        The blocks hold no window, or groups leave a split with less than half of its share: says what came out.
    """
    if splits["by"] != "homology":
        return splits
    require_room(splits, size)
    edges = block_edges(splits["block"], contigs)
    rows = [(chrom, *span) for chrom, cuts in edges.items() for span in pairwise(cuts)]
    blocks = pd.DataFrame(rows, columns=["chrom", "start", "end"])
    group = similar_windows(fetch, blocks, size, cores)
    lengths = (blocks["end"] - blocks["start"]).to_numpy(np.int64)
    drawn = draw_groups(group, lengths, splits["validation"], splits["test"], splits["seed"])
    asked = {"validation": splits["validation"], "test": splits["test"]}
    outcome = came_out(drawn, {"train": 1 - sum(asked.values()), **asked}, group, "blocks", lengths)
    require_half(outcome, "splits", "Give shorter blocks, hold out less, or say by: contig.")
    log.warning("splits by homology: %s", outcome.text)
    return {**splits, "regions": block_regions(edges, drawn.tolist(), splits["gap"])}


def similar_windows(fetch: Fetch, windows: pd.DataFrame, size: int | None = None, cores: int = 1) -> NDArray[np.int64]:
    """Return the group of each window (`chrom`, `start`, `end`): those that share near copies are one.

    Parameters
    ----------
    size
        Bases of which 5 % have to be copied, a piece at least; those of the shorter window where None.
    """
    own = windows[["chrom", "start", "end"]].reset_index(drop=True)
    pieces = cut(own.assign(split=np.arange(len(own))))
    if pieces.empty:
        return np.arange(len(own))
    sketches = suited_sketch(WindowSequences(fetch, pieces), cores=cores)
    pairs = near_copies(sketches, None, ALIKE, best=SHOWN, cores=cores, repeats=MOST_COMMON).table
    pairs = pairs[pairs["common"] <= MOST_COMMON]
    owner = pieces["split"].to_numpy(np.int64)
    one, other = owner[pairs["query"]], owner[pairs["target"]]
    sides = [(one, other, pairs["query"].to_numpy()), (other, one, pairs["target"].to_numpy())]
    copied = pd.concat([pd.DataFrame({"a": a, "b": b, "piece": piece}) for a, b, piece in sides])
    copied = copied[copied["a"] != copied["b"]].drop_duplicates()
    bases = (pieces["end"] - pieces["start"]).to_numpy(np.int64)
    shared = copied.assign(bases=bases[copied["piece"]]).groupby(["a", "b"])["bases"].sum().reset_index()
    lengths = (own["end"] - own["start"]).to_numpy(np.int64)
    shorter = np.minimum(lengths[shared["a"]], lengths[shared["b"]]) if size is None else size
    # A piece of a long window is never less than half of `PIECE`, and one copied piece of a short window is enough.
    enough = shared["bases"].to_numpy() >= np.where(PARTLY * shorter > PIECE, PARTLY * shorter, 1)
    return groups_of(len(own), shared.loc[enough, ["a", "b"]].itertuples(index=False, name=None))


def draw_groups(
    group: NDArray[np.int64], lengths: NDArray[np.int64], validation: float, test: float, seed: int
) -> NDArray[np.object_]:
    """Draw whole groups for test and validation until their shares of the bases are reached; the rest is training.

    A group that would overshoot by more than it falls short is passed over.
    """
    drawn = np.full(len(group), "train", dtype=object)
    sizes = np.bincount(group, weights=lengths)
    order = np.random.default_rng(seed).permutation(len(sizes))
    free = np.ones(len(sizes), bool)
    for split, share in ((SPLITS[2], test), (SPLITS[1], validation)):
        taken = 0.0
        for number in order:
            if free[number] and taken + sizes[number] / 2 < share * lengths.sum():
                taken += sizes[number]
                free[number] = False
                drawn[group == number] = split
    return drawn
