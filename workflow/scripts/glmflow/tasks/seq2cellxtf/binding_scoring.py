"""Scores of a run on held-out keys in held-out regions, by what training knows of the key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.binding.binding_matrix import BindingMatrix
from glmflow.binding.binding_tables import Binding
from glmflow.binding.concordance import pair_counts
from glmflow.binding.key_scores import (
    best_threshold,
    calibration_slope,
    column_scores,
    f1,
    log_loss,
    matched_auroc,
    ranked_scores,
)
from glmflow.binding.keys import some_of
from glmflow.errors import InputError
from glmflow.statistics.bootstrap import Interval
from glmflow.statistics.group_draws import group_weights
from glmflow.tasks.comparable import cell
from glmflow.tasks.tables import CLEAN, Scored, metric_row, metrics_table, run_keys

from .binding_units import KeyUnits
from .official_binding import official_scores

RANKED = ("auroc", "auprc", "lift", "recall_fdr10", "recall_fdr50")
GC_STEP = 0.02
"""Width of the strata of GC within which bound regions are compared with others."""
UNLABELLED = "site_scores.parquet"
"""What a model as it is says of sites, by region and TF (`glmflow.training.inputs.unlabelled_sites`)."""
TERCILES = ("narrow_regions", "middle_regions", "wide_regions")
FEWEST_PARTS = 1.05
"""Ratio of the widest to the narrowest tercile of regions below which they are not scored apart."""


def score(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    predictions: pd.DataFrame,
    predicted: Path,
    files: Mapping[str, Any],
) -> Scored:
    """Score test keys in test regions and validation keys in validation regions.

    A row of metrics is of all keys, of all keys in regions without a near copy in training (`no_near_copy`), of a kind (a to
    d, by what training knows), or of a kind whose family or motif cluster training has seen (`kind_b_sibling`) or not
    (`kind_b_new_family`). Intervals are over blocks of the
    genome and TFs (`binding_units`; of concordances by drawing both).

    Parameters
    ----------
    predictions
        `example`, and `prediction_{key}` for every held-out key.
    files
        `tables`: the folder with the tables of the task.

    Raises
    ------
    InputError
        A key or region has no finite prediction.
    """
    binding = Binding(examples, files["tables"])
    draws = int(settings["task"]["bootstrap"])
    parts = {split: part_of(binding, predictions, split) for split in ("validation", "test")}
    threshold = None
    if parts["validation"] is not None:
        own = parts["validation"]
        threshold = best_threshold(own.labels[own.known], own.scores[own.known])
    rows, tables, units = [], [], {}
    length = int(settings["task"]["length"])
    for split, part in parts.items():
        if part is None:
            continue
        own = part.key_table(threshold)
        tables.append(own.assign(split=split))
        weights = Weights(part, draws)
        of_keys = part.units()
        for subset, keys in subsets_of(part.keys):
            units |= {cell(name, split, subset, context_bp=length): one for name, one in of_keys.mean(keys).items()}
            rows += [row | {"split": split, "subset": subset} for row in rows_of(part, own, keys, weights)]
        if (clean := without_copies(binding, part, split)) is not None:
            every = np.arange(len(clean.keys))
            found = rows_of(clean, clean.key_table(threshold), every, Weights(clean, draws))
            rows += [row | {"split": split, "subset": CLEAN} for row in found]
            of_clean = clean.units().mean(every)
            units |= {cell(name, split, CLEAN, context_bp=length): one for name, one in of_clean.items()}
        if split == "test":
            rows += [row | {"split": split} for row in by_width(part)]
            rows += [row | {"split": split} for row in as_the_hackathon(part)]
    keys = {**run_keys(settings), "context_bp": length}
    rows = [{"protocol": "strict", **row} for row in rows]
    written = {"keys.tsv": pd.concat(tables, ignore_index=True)}
    if (predicted / UNLABELLED).exists():
        written["unlabelled.tsv"] = unlabelled(binding, pd.read_parquet(predicted / UNLABELLED))
    if settings["task"].get("hackathon"):
        written["submission.csv"] = submission(binding, parts["test"])
    return Scored(metrics_table(rows, **keys), written, units)


def submission(binding: Binding, part: Part) -> pd.DataFrame:
    """Return what the hackathon takes: test keys x test regions, which are named by their place in the trial's FASTA."""
    places = np.flatnonzero(binding.split_of_regions == "test")
    table = pd.DataFrame(part.scores, columns=[str(place) for place in places])
    return pd.concat([part.keys[["key"]].rename(columns={"key": ""}), table], axis=1)


class Part:
    """Labels (where they are `known`) and predictions of the keys and regions that are scored together, `[keys, regions]`."""

    def __init__(self, binding: Binding, keys: NDArray, regions: NDArray, scores: NDArray):
        self.keys = binding.keys.iloc[keys].reset_index(drop=True)
        self.regions = binding.regions.iloc[regions].reset_index(drop=True)
        self.labels, self.known = (matrix[np.ix_(keys, regions)] for matrix in (binding.labels, binding.known))
        self.scores = scores
        in_cell = {
            name: binding.labels[(binding.keys["cell"] == name).to_numpy()][:, regions].sum(axis=0)
            for name in self.keys["cell"].unique()
        }
        self.others = np.stack([in_cell[name] > own for name, own in zip(self.keys["cell"], self.labels)])
        self.gc = np.floor(self.regions["gc"].to_numpy(np.float64) / GC_STEP)
        own = scores[self.known]
        self.probabilities = bool((own >= 0).all() and (own <= 1).all())

    def units(self) -> KeyUnits:
        """Return what blocks of the genome and TFs add to the scores of keys."""
        names = self.regions["example"].tolist(), self.keys["key"].tolist()
        return KeyUnits(self.labels, self.scores, self.regions["group"], self.keys["tf"].to_numpy(), names, self.known)

    def key_table(self, threshold: float | None) -> pd.DataFrame:
        """Return the scores of each key; NaN for one of one class."""
        rows = []
        for every in zip(self.labels, self.scores, self.others, self.known):
            bound, values, other = (one[every[-1]] for one in every[:-1])
            found = ranked_scores(bound, values)
            found["gc_matched_auroc"] = matched_auroc(bound, values, self.gc[every[-1]])
            found["bound"] = int(bound.sum())
            hard = other | bound
            found["hard_negative_auroc"] = ranked_scores(bound[hard], values[hard])["auroc"] if hard.any() else np.nan
            both = 0 < bound.sum() < len(bound)
            if threshold is not None:
                found["f1_at_threshold"] = f1(bound, values, threshold) if both else np.nan
            if self.probabilities:
                found["log_loss"] = log_loss(bound, values)
                found["calibration_slope"] = calibration_slope(bound, values)
            rows.append(found)
        named = self.keys[["key", "cell", "tf", "family", "cluster", "kind", "relation"]]
        return pd.concat([named, pd.DataFrame(rows)], axis=1)


def part_of(binding: Binding, predictions: pd.DataFrame, split: str) -> Part | None:
    """Return what is scored of a split; None where it has no key or region."""
    keys, regions = binding.rows(split)
    if not len(keys) or not len(regions):
        return None
    names = binding.keys["key"].to_numpy()[keys]
    lacking = [name for name in names if f"prediction_{name}" not in predictions]
    if lacking:
        raise InputError(
            f"{len(lacking)} keys are not predicted: {some_of(lacking)}", where="predictions", fix="Predict all."
        )
    wanted = binding.regions["example"].to_numpy()[regions]
    place = pd.Index(predictions["example"]).get_indexer(wanted)
    scores = np.full((len(names), len(wanted)), np.nan, np.float32)
    for row, name in zip(scores, names):  # a key at a time: a whole matrix is large
        row[place >= 0] = predictions[f"prediction_{name}"].to_numpy(np.float32)[place[place >= 0]]
    wrong = ~np.isfinite(scores)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        what = f"{int(wrong.sum()):,} predictions are missing or not finite, first {names[row]} at {wanted[column]}"
        raise InputError(what, where="predictions", fix="Predict every key in every region.")
    return Part(binding, keys, regions, scores)


def without_copies(binding: Binding, part: Part, split: str) -> Part | None:
    """Return what is scored of a split in regions that have no near copy in training; None where that is all or nothing."""
    if CLEAN not in part.regions:
        return None
    clean = part.regions[CLEAN].to_numpy(bool)
    if clean.all() or not clean.any():
        return None
    keys, regions = binding.rows(split)
    return Part(binding, keys, regions[clean], part.scores[:, clean])


def subsets_of(keys: pd.DataFrame) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Yield the subsets of held-out keys that are scored, by name."""
    yield "all", np.arange(len(keys))
    for kind in sorted(set(keys["kind"]) - {""}):
        own = keys["kind"] == kind
        yield f"kind_{kind}", np.flatnonzero(own)
        for relation in sorted(set(keys["relation"][own]) - {""}):
            yield f"kind_{kind}_{relation}", np.flatnonzero(own & (keys["relation"] == relation))


def unlabelled(binding: Binding, sites: pd.DataFrame) -> pd.DataFrame:
    """Return what each score of sites orders without labels, the motif's among them: means over test keys with both classes.

    Parameters
    ----------
    sites
        `example`, `tf`, and a column a score; a region without one is last.

    Returns
    -------
    DataFrame
        `score`, `keys`, `auprc`, `auroc`, `gc_matched_auroc`.
    """
    keys, regions = binding.rows("test")
    wanted, names = binding.regions["example"].to_numpy()[regions], [*sites.columns.drop(["example", "tf"])]
    by_tf = {tf: own.set_index("example")[names].reindex(wanted) for tf, own in sites.groupby("tf")}
    rows = []
    for name in names:
        scores = []
        for key in keys:
            values = by_tf[binding.tf_names[binding.tf_of_keys[key]]][name].to_numpy(np.float64)
            scores.append(np.where(np.isfinite(values), values, -np.inf))
        table = Part(binding, keys, regions, np.stack(scores)).key_table(None)
        own = table[table["auroc"].notna()]
        means = {metric: own[metric].mean() for metric in ("auprc", "auroc", "gc_matched_auroc")}
        rows.append({"score": name, "keys": len(own), **means})
    return pd.DataFrame(rows)


class Weights:
    """How often blocks of the genome and TFs are drawn.

    Attributes
    ----------
    blocks
        Of each block, `[draws, blocks]`.
    tfs
        Of each key's TF, `[draws, keys]`.
    """

    def __init__(self, part: Part, draws: int):
        groups = part.regions["group"].to_numpy()
        names, self.block_of = np.unique(groups.astype(str), return_inverse=True)
        self.draws = draws if len(names) > 1 else 0
        self.blocks = group_weights(np.arange(len(names)), max(1, self.draws), 0)
        self.tfs = group_weights(part.keys["tf"].to_numpy().astype(str), max(1, self.draws), 1)


def limits(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 2.5 and 97.5 % quantiles of what is a number."""
    values = values[np.isfinite(values)]
    if not len(values):
        return np.nan, np.nan
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def rows_of(part: Part, table: pd.DataFrame, keys: NDArray[np.int64], weights: Weights) -> Iterator[dict[str, Any]]:
    """Yield the metrics of some keys: means over those with both classes, then those of columns and pairs."""
    own = table.iloc[keys]
    scored = own["auroc"].notna()
    others = (
        "prevalence",
        "hard_negative_auroc",
        "gc_matched_auroc",
        "f1_at_threshold",
        "log_loss",
        "calibration_slope",
    )
    for name in (*RANKED, *others):
        if name not in own:
            continue
        values = own.loc[scored, name].dropna()
        if values.empty:
            continue
        yield metric_row(name, float(values.mean()), len(values))
        if name in ("auroc", "auprc"):
            yield metric_row(f"median_{name}", float(values.median()), len(values))
    labels, scores = part.labels[keys], part.scores[keys]
    known = part.known[keys]
    columns = column_scores(labels, scores, known)
    if columns.n:
        yield metric_row("column_auroc", columns.auroc, columns.n)
        yield metric_row("column_auprc", columns.auprc, columns.n)
    cells, tfs = part.keys["cell"].to_numpy()[keys], part.keys["tf"].to_numpy()[keys]
    for name, shared, resampled in (("cell_concordance", tfs, True), ("tf_concordance", cells, False)):
        resampled_tfs = part.keys["tf"].to_numpy() if resampled else None
        found = concordance_of(pair_counts(labels, scores, shared, known), weights, resampled_tfs)
        if found is not None:
            yield metric_row(name, found)


def concordance_of(
    counts: Iterable[tuple[str, NDArray, NDArray]], weights: Weights, tfs: NDArray | None
) -> Interval | None:
    """Return the concordance of counted pairs of keys (`pair_counts`); None where labels never differ."""
    names, won, pairs = [], [], []
    blocks = weights.blocks.shape[1]
    for name, ordered, all_ in counts:
        names.append(name)
        won.append(np.bincount(weights.block_of, ordered, blocks))
        pairs.append(np.bincount(weights.block_of, all_, blocks))
    if not names or not np.sum(pairs):
        return None
    won, pairs = np.array(won), np.array(pairs)
    value = float(won.sum() / pairs.sum())
    low = high = np.nan
    if weights.draws:
        times = np.ones((weights.draws, len(names)))
        if tfs is not None:
            times = weights.tfs[:, [int(np.flatnonzero(tfs == name)[0]) for name in names]]
        up, of = (np.einsum("dg,gb,db->d", times, counts, weights.blocks) for counts in (won, pairs))
        with np.errstate(invalid="ignore", divide="ignore"):
            low, high = limits(up / of)
    return Interval(value, low, high, int(pairs.sum()))


def by_width(part: Part) -> Iterator[dict[str, Any]]:
    """Yield AUROC and AUPRC within each third of the regions by width; nothing where regions have one width."""
    width = (part.regions["end"] - part.regions["start"]).to_numpy(np.float64)
    scored = part.known.any(axis=0)
    if not scored.any():
        return
    cuts = np.quantile(width[scored], [1 / 3, 2 / 3])
    if cuts[1] < FEWEST_PARTS * width[scored].min():
        return
    third = np.searchsorted(cuts, width, "left")
    for number, subset in enumerate(TERCILES):
        here = third == number
        rows = zip(part.labels, part.scores, here & part.known)
        found = [ranked_scores(bound[scored], own[scored]) for bound, own, scored in rows]
        for name in ("auroc", "auprc"):
            values = [one[name] for one in found if np.isfinite(one[name])]
            if values:
                yield metric_row(name, float(np.mean(values)), len(values), subset=subset)


def as_the_hackathon(part: Part) -> Iterator[dict[str, Any]]:
    """Yield the scores of the hackathon's own scorer, which needs two keys at least and all labels."""
    if len(part.keys) < 2 or not part.known.all():
        return
    names = part.keys["key"].tolist(), part.regions["example"].tolist()
    truth, upload = BindingMatrix(*names, part.labels), BindingMatrix(*names, part.scores)
    for name, value in official_scores(truth, upload).items():
        yield metric_row(name, value, len(part.keys), protocol="official", subset="all")
