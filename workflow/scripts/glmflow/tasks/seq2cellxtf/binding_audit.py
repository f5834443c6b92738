"""What gives labels away without any biology: widths of regions, a universe of test labels, motif twins, neighbours, copies."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.binding.binding_data import BindingData, region_names
from glmflow.binding.key_scores import column_parts, ranked_scores
from glmflow.genome.packed import pack
from glmflow.labelled.copied_examples import COLUMNS, copied_examples
from glmflow.labelled.near_pairs import near_pairs, suited_k
from glmflow.tasks.tables import Checks

TELLING = 0.6
"""Mean AUROC of the width of regions above which it is a leak."""
COPIED = 0.9
"""Jaccard index of the bound regions of two keys above which one is a copy of the other: replicates agree less."""
NEIGHBOURS = 10_000
"""Bases between a test region and a training region below which they are neighbours."""


def binding_checks(data: BindingData, keys: pd.DataFrame, split: NDArray[np.object_], copies: pd.DataFrame) -> Checks:
    """Return the checks of a task.

    Parameters
    ----------
    keys
        `key`, `tf`, `family`, `cluster`, `split`, `kind`, `relation`.
    split
        Split of each region.
    copies
        Held-out regions that are copies of regions of training (`copied_regions`).
    """
    checks = Checks()
    test_keys, test = np.flatnonzero(keys["split"] == "test"), np.flatnonzero(split == "test")
    training_keys = np.flatnonzero(keys["split"] == "train")
    areas = width_areas(data, test_keys, test)
    everywhere = width_areas(data, np.arange(len(keys)), np.arange(len(split)))
    mean, whole = (float(np.mean(own)) if len(own) else 0.5 for own in (areas, everywhere))
    checks.add(
        "test keys whose binding the width of regions alone orders (AUROC above .6)",
        int((areas > TELLING).sum()),
        len(areas),
        f"AUROC of the width alone {mean:.3f}, mean over test keys ({whole:.3f} of all keys in all regions); 0.5 where all regions "
        "have one width",
        leak=mean > TELLING,
    )
    bound, known, held_out = (
        data.labels[np.ix_(own, test)].any(axis=0)
        for own in (test_keys, training_keys, np.flatnonzero(keys["split"] != "train"))
    )
    alone = ~known
    given = bool(bound[alone].any() and held_out[alone].all())
    checks.add(
        "test regions that no training key binds",
        int(alone.sum()),
        len(test),
        f"{float(bound[alone].mean()) if alone.any() else 0:.2f} of them are bound by a test key"
        + (
            ": each is there because a held-out key binds it; universe.made_from: train leaves them out"
            if given
            else ""
        ),
        leak=given,
        status="WARN" if given else "PASS",
    )
    new = keys[(keys["split"] == "test") & keys["kind"].isin(["b", "d"])]
    twins = new[new["relation"] == "sibling"]
    checks.add(
        "test keys of a new TF whose family or motif cluster is in training",
        len(twins),
        len(new),
        "they are scored apart from those of new families",
        leak=False,
    )
    checks.add(
        "held-out keys that bind what a training key binds (Jaccard index above .9)",
        *copied_keys(data, keys),
        "replicates of one experiment under two names of a cell or TF: give them one name, or group cells (keys.cell_groups)",
    )
    near = neighbours(data.regions, split)
    found = int(near.sum())
    status = "WARN" if found else "PASS"
    checks.add(
        f"test regions within {NEIGHBOURS // 1000} kb of a training region", found, len(test), leak=False, status=status
    )
    found = int((copies["split"] == "test").sum())
    checks.add("test regions with a near copy in training (21-mers)", found, len(test))
    return checks


def width_areas(data: BindingData, keys: NDArray[np.int64], regions: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the AUROC of the width of regions for each key with both classes; nothing where all have one width."""
    width = (data.regions["end"] - data.regions["start"]).to_numpy(np.float64)[regions]
    areas = []
    if not len(width) or not np.ptp(width):
        return np.array(areas)
    for key in keys:
        known = np.ones(len(regions), bool) if data.ambiguous is None else ~data.ambiguous[key, regions]
        areas.append(ranked_scores(data.labels[key, regions][known], width[known])["auroc"])
    return np.array([area for area in areas if np.isfinite(area)])


def copied_keys(data: BindingData, keys: pd.DataFrame) -> tuple[int, int]:
    """Return how many held-out keys bind nearly the regions that some training key binds, and how many are held out."""
    learned, held_out = (np.flatnonzero((keys["split"] == "train") == own) for own in (True, False))
    shared = np.zeros((len(held_out), len(learned)), np.float32)
    for part in column_parts(data.labels.shape):
        own, other = (data.labels[rows, part].astype(np.float32) for rows in (held_out, learned))
        shared += own @ other.T
    count = data.labels.sum(axis=1)
    union = count[held_out, None] + count[learned] - shared
    return int((shared > COPIED * union).any(axis=1).sum()), len(held_out)


def neighbours(regions: pd.DataFrame, split: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Return of each test region whether a training region is near."""
    found = []
    for chrom, own in regions[split == "test"].groupby("chrom", sort=False):
        train = regions[(split == "train") & (regions["chrom"] == chrom).to_numpy()].sort_values("start")
        if train.empty:
            found.append(np.zeros(len(own), bool))
            continue
        starts, reach = train["start"].to_numpy(), np.maximum.accumulate(train["end"].to_numpy())
        last = np.searchsorted(starts, own["end"].to_numpy() + NEIGHBOURS, "left") - 1
        found.append((last >= 0) & (reach[np.maximum(last, 0)] > own["start"].to_numpy() - NEIGHBOURS))
    return np.concatenate(found) if found else np.zeros(0, bool)


def copied_regions(regions: pd.DataFrame, split: NDArray[np.object_]) -> pd.DataFrame:
    """Return the held-out regions that share half of their k-mers with a region of training (`copied_examples`)."""
    packed = pack(regions["sequence"])
    found = copied_examples(region_names(regions), split, near_pairs(packed, suited_k(packed.lengths)))
    return pd.DataFrame(columns=COLUMNS) if found is None else found
