"""What becomes of sequences along their length, beside real ones: what a model draws may fray the longer it goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import sem

from glmflow.dna import gene_calls, kmer_tables
from glmflow.dna.inner_repeats import repeated_bases
from glmflow.dna.low_complexity import low_bases

from .group_values import GENERATED, REAL
from .pieces import readable, sampled

PARTS = 10
SHORTEST = 1000
"""Bases of a sequence that is divided: parts of fewer than 100 bases have neither words nor genes to speak of."""
COLUMNS = ["statistic", "group", "part", "value", "error", "n"]


def whole_sequences(generated: Sequence[str], source: Sequence[str], most: int, seed: int) -> dict[str, list[str]]:
    """Return at most so many generated sequences, whole, and real ones of their lengths, or as long as there are."""
    own = [text for text in generated if readable(text)][:most]
    longest = max(map(len, source))
    lengths = [min(len(text), longest) for text in own]
    return {GENERATED: own, REAL: sampled(source, lengths, np.random.default_rng([seed, 1]))}


def along_length(groups: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return the means of statistics over the sequences of each group, in ten parts from the first base to the last.

    Returns
    -------
    DataFrame
        `statistic`: G + C; `entropy` of trinucleotides in bits; and the shares of bases in windows of `low complexity`, in
        `repeats` (of 50 bases and more, of what stands before in the same sequence) and in `genes` (where they can be found).
        `group`, `part` (1 to 10), `value`, its standard `error` over sequences, and their number `n`. Sequences of fewer than
        `SHORTEST` bases are left out.
    """
    rows = []
    for group, sequences in groups.items():
        own = [measured(sequence) for sequence in sequences if len(sequence) >= SHORTEST]
        for name in own[0] if own else ():
            table = np.array([one[name] for one in own])
            for part, values in enumerate(table.T, start=1):
                known = values[np.isfinite(values)]
                if len(known):
                    error = float(sem(known)) if len(known) > 1 else float("nan")
                    rows.append((name, group, part, float(known.mean()), error, len(known)))
    return pd.DataFrame(rows, columns=COLUMNS)


def measured(sequence: str) -> dict[str, NDArray[np.float64]]:
    """Return the statistics of a sequence in its ten parts, ``float64[10]`` each; NaN where a part has no known base."""
    edges = np.linspace(0, len(sequence), PARTS + 1).astype(int)
    parts = [sequence[start:end] for start, end in pairwise(edges)]
    found = {
        "G + C": np.array([kmer_tables.gc_share(part) for part in parts]),
        "entropy": np.array([kmer_tables.entropy(kmer_tables.counts([part], 3)) for part in parts]),
    }
    shares = {"low complexity": low_bases(sequence), "repeats": repeated_bases(sequence)}
    if gene_calls.genes_known():
        shares["genes"] = gene_calls.in_genes(gene_calls.genes(sequence), len(sequence))
    lengths = np.diff(edges)
    return found | {name: np.add.reduceat(inside, edges[:-1], dtype=float) / lengths for name, inside in shares.items()}
