"""The part of the training contigs whose labels may be learned from; the rest is sequence alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd


def labelled_part(regions: pd.DataFrame, labelled: Mapping[str, Any] | None) -> pd.DataFrame:
    """Return training regions cut to their labelled part: the first `bp` bases of each of some contigs.

    Parameters
    ----------
    regions
        `chrom`, `start`, `end` of training regions (0-based, half-open).
    labelled
        `contigs` and `bp` (None: whole contigs), or None where all is labelled.
    """
    if labelled is None:
        return regions
    kept = regions[regions["chrom"].isin(labelled["contigs"])]
    if labelled["bp"] is not None:
        kept = kept.assign(end=kept["end"].clip(upper=labelled["bp"]))
    return kept[kept["end"] > kept["start"]].reset_index(drop=True)


def is_labelled(windows: pd.DataFrame, labelled: Mapping[str, Any] | None) -> pd.Series:
    """Return which windows lie whole in the labelled part; held-out windows are all labelled."""
    inside = pd.Series(True, index=windows.index)
    if labelled is not None:
        inside = windows["chrom"].isin(labelled["contigs"])
        if labelled["bp"] is not None:
            inside &= windows["end"] <= labelled["bp"]
    return inside | (windows["split"] != "train")
