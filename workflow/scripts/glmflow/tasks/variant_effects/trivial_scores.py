"""Scores that know no model: each has to stand beside every model, since some beat them (spec 4.5).

All are oriented as a task reads a risk: higher means more likely to matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from glmflow.bigwig import BigWig, Runs

MEMORY = 1 << 26
"""Bytes of a track that are remembered: variants of a table are often neighbours."""

BASE = np.full(256, -1, np.int64)
BASE[np.frombuffer(b"ACGT", np.uint8)] = np.arange(4)
SEVERITY: tuple[tuple[str, ...], ...] = (
    ("nonsense", "stop_gained", "frameshift", "start_lost", "stop_lost"),
    ("canonical_splice", "splice_acceptor", "splice_donor"),
    ("missense", "inframe_insertion", "inframe_deletion"),
    ("splice_region",),
    ("synonymous",),
    ("utr", "intron", "intergenic", "upstream", "downstream", "distal", "non_coding"),
)
"""Consequences from the most to the least severe, by a part of their names, in the order of Ensembl's VEP."""


def constant(n: int) -> NDArray[np.float64]:
    """Return zeros: AUROC .5, average precision the base rate."""
    return np.zeros(n)


def allele_frequency(frequency: pd.Series) -> NDArray[np.float64]:
    """Return minus the allele frequency; what was never seen has frequency 0."""
    return -pd.to_numeric(frequency, errors="coerce").fillna(0).to_numpy(float)


def consequence_rank(consequence: pd.Series, severity: Sequence[Sequence[str]] = SEVERITY) -> NDArray[np.float64]:
    """Return the severity of each consequence, from the number of classes down to 1; 0 where it is in none."""
    plain = consequence.astype(str).str.lower().str.replace(r"[^a-z0-9]+", "_", regex=True)
    found = np.zeros(len(plain))
    for rank, names in enumerate(reversed(list(severity)), 1):
        found[plain.str.contains("|".join(names)).to_numpy()] = rank
    return found


def consequence_frequency(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return the share of positives among variants with the same consequence on other chromosomes.

    On one chromosome alone, other groups (genes); a consequence not seen elsewhere gets the share of all.
    """
    column = "chrom" if table["chrom"].nunique() > 1 or "group" not in table else "group"
    found = np.zeros(len(table))
    for value in table[column].unique():
        inside = (table[column] == value).to_numpy()
        others = table[~inside]
        rates = others.groupby("consequence")["target"].mean()
        found[inside] = table["consequence"][inside].map(rates).fillna(others["target"].mean()).to_numpy(float)
    return found


def distance_to_start(table: pd.DataFrame, starts: pd.DataFrame) -> NDArray[np.float64]:
    """Return minus the distance to the nearest transcription start on the contig (`chrom`, `tss`); NaN without one."""
    found = np.full(len(table), np.nan)
    for chrom, rows in table.groupby("chrom").indices.items():
        places = np.sort(starts.loc[starts["chrom"] == chrom, "tss"].to_numpy(np.int64))
        if not len(places):
            continue
        start = table["start"].to_numpy(np.int64)[rows]
        after = np.searchsorted(places, start)
        left = np.abs(start - places[np.maximum(after - 1, 0)])
        right = np.abs(places[np.minimum(after, len(places) - 1)] - start)
        found[rows] = -np.minimum(left, right)
    return found


def distance_to_centre(table: pd.DataFrame, lengths: Mapping[str, int]) -> NDArray[np.float64]:
    """Return minus the distance to the middle of the element (contig) that a variant lies in."""
    middle = table["chrom"].map({name: (length - 1) / 2 for name, length in lengths.items()}).to_numpy(float)
    return -np.abs(table["start"].to_numpy(float) - middle)


def transition(ref: pd.Series, alt: pd.Series) -> NDArray[np.float64]:
    """Return 1 for A<->G and C<->T, 0 for transversions, NaN for other kinds of change."""
    pair = ref.astype(str).str.upper() + alt.astype(str).str.upper()
    found = pair.isin(["AG", "GA", "CT", "TC"]).to_numpy(float)
    return np.where(pair.str.len() == 2, found, np.nan)


def cpg_transition(windows: NDArray[np.uint8], alternative: pd.Series) -> NDArray[np.float64]:
    """Return 1 for C>T in CpG (and G>A on the other strand), else 0.

    Parameters
    ----------
    windows
        `uint8[n, W]`: the bases around each single-base variant, which stands at W // 2.
    """
    middle = windows.shape[1] // 2
    own = windows[:, middle - 1 : middle + 2]
    alt = alternative.astype(str).str.upper().to_numpy()
    forward = (own[:, 1] == ord("C")) & (own[:, 2] == ord("G")) & (alt == "T")
    backward = (own[:, 1] == ord("G")) & (own[:, 0] == ord("C")) & (alt == "A")
    return (forward | backward).astype(float)


def gc_content(windows: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the share of G and C among the known bases around each variant (`uint8[n, W]`, 100 bp each side)."""
    known = (BASE[windows] >= 0).sum(1)
    strong = ((windows == ord("G")) | (windows == ord("C"))).sum(1)
    return np.divide(strong, known, out=np.full(len(windows), np.nan), where=known > 0)


def track_values(table: pd.DataFrame, path: Path) -> NDArray[np.float64]:
    """Return the mean of a track (phyloP, phastCons) over the reference bases of each variant; NaN where it has none.

    Parameters
    ----------
    path
        bigWig of the genome that the variants lie on.
    """
    found = np.full(len(table), np.nan)
    with BigWig(path, MEMORY) as track:
        rows = zip(table["chrom"].astype(str), table["start"].astype(int), table["ref"].astype(str).str.len())
        for place, (chrom, start, width) in enumerate(rows):
            if start >= 0 and start + width <= track.contigs.get(chrom, -1):
                found[place] = _covered_mean(track.runs(chrom, start, start + width))
    return found


def _covered_mean(runs: Iterable[Runs]) -> float:
    """Return the mean over the bases that have a finite value; NaN where none has."""
    total, bases = 0.0, 0
    for own in runs:
        finite, width = np.isfinite(own.values), own.ends - own.starts
        total += float(own.values[finite].astype(np.float64) @ width[finite])
        bases += int(width[finite].sum())
    return total / bases if bases else np.nan


def context_counts(codes: NDArray[np.uint8], k: int) -> NDArray[np.int64]:
    """Return how often each k-mer occurs in a sequence `uint8[L]` and its reverse complement, `int64[4 ** k]`."""
    digits = BASE[codes]
    if len(digits) < k:
        return np.zeros(4**k, np.int64)
    view = np.lib.stride_tricks.sliding_window_view(digits, k)
    view = view[(view >= 0).all(1)]
    powers = 4 ** np.arange(k - 1, -1, -1)
    forward = np.bincount(view @ powers, minlength=4**k)
    return forward + np.bincount((3 - view[:, ::-1]) @ powers, minlength=4**k)


def context_llr(
    windows: NDArray[np.uint8], alternative: pd.Series, counts: NDArray[np.int64], k: int
) -> NDArray[np.float64]:
    """Return log p(alternative k-mer) - log p(reference k-mer) of the genome's own k-mers, centred on the variant.

    Half an occurrence is added to each, and the variant's own is taken away. A model's score: negative means the
    alternative is rarer in this context.

    Parameters
    ----------
    windows
        `uint8[n, W]`: the bases around each single-base variant, which stands at W // 2.
    counts
        `context_counts` of the genome.
    """
    middle = windows.shape[1] // 2
    own = BASE[windows[:, middle - k // 2 : middle - k // 2 + k]]
    changed = own.copy()
    letters = alternative.astype(str).str.upper()
    single = letters.isin(list("ACGT")).to_numpy()
    changed[single, k // 2] = BASE[np.frombuffer("".join(letters[single]).encode(), np.uint8)]
    known = single & (own >= 0).all(1)
    powers = 4 ** np.arange(k - 1, -1, -1)
    found = np.full(len(windows), np.nan)
    here = np.maximum(counts[own[known] @ powers] - 1, 0)
    found[known] = np.log(counts[changed[known] @ powers] + 0.5) - np.log(here + 0.5)
    return found


def supervised_ceiling(features: NDArray[np.float64], labels: NDArray, folds: pd.Series) -> NDArray[np.float64]:
    """Return the probability of the positive class by a logistic regression trained on the other folds.

    What labels could make of a model's states: no rival of zero-shot scores, but their ceiling (TraitGym).

    Parameters
    ----------
    features
        `float[n, D]`: distances per channel of the states with and without the variant.
    labels
        0 or 1.
    folds
        Chromosome (or gene) of each variant; NaN where the other folds have one class only.
    """
    labels = np.asarray(labels).astype(int)
    folds = folds.astype(str).to_numpy()
    known = np.isfinite(features).all(1)
    found = np.full(len(labels), np.nan)
    for fold in np.unique(folds):
        train, test = known & (folds != fold), known & (folds == fold)
        if test.any() and len(np.unique(labels[train])) == 2:
            model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000, class_weight="balanced"))
            found[test] = model.fit(features[train], labels[train]).predict_proba(features[test])[:, 1]
    return found
