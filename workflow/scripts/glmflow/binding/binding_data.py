"""What every source of binding data is made into: regions, keys, labels, and what is known of cells and TFs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .motif_files import Motif


class BindingData(NamedTuple):
    """Binding of TFs to regions in cells.

    Attributes
    ----------
    regions
        `chrom`, `start`, `end` (0-based half-open), `sequence` (upper case).
    keys
        `key`, `cell`, `tf`, in alphabetical order of the keys.
    labels
        bool `[keys, regions]`.
    motifs
        Motifs of each TF; a TF without one is not among the keys.
    expression
        log1p of expression, cells (index) x genes (symbols); None where it is not known.
    components
        Ready features of cells (index), instead of principal components of `expression`; None where there are none.
    accessibility
        Cells (index) x regions (their numbers), NaN where it was not measured; None where it is not known.
    proteins
        Amino acids of the proteins of TFs, by TF (some may lack one); None where they are not given.
    samples
        Of each sample of peaks: `sample`, `key`, `peaks`, `regions` that it binds, `lost` (share of its peaks in no region),
        `replicates` (least Jaccard index of the key's replicates; NaN without any); None where there are no samples.
    families, clusters
        By TF; a TF without a family has its own name.
    splits
        Split of regions that the source itself gives, by region; None where the settings divide them.
    held_out
        Split (`validation`, `test`) of keys that the source itself names; None where the settings draw them.
    truth
        Probability of binding of simulated data, `[keys, regions]`.
    ambiguous
        Labels that are neither learned nor scored, bool `[keys, regions]` (not bound there); None where there are none.
    notes
        What has to be said of the data, and what was counted.
    """

    regions: pd.DataFrame
    keys: pd.DataFrame
    labels: NDArray[np.bool_]
    motifs: Mapping[str, list[Motif]]
    expression: pd.DataFrame | None = None
    components: pd.DataFrame | None = None
    accessibility: pd.DataFrame | None = None
    proteins: Mapping[str, list[str]] | None = None
    samples: pd.DataFrame | None = None
    families: Mapping[str, str] = {}
    splits: NDArray[np.object_] | None = None
    held_out: Mapping[str, str] | None = None
    truth: NDArray[np.float32] | None = None
    ambiguous: NDArray[np.bool_] | None = None
    notes: Mapping[str, int | str] = {}


def region_names(regions: pd.DataFrame) -> list[str]:
    """Return `chrom:start-end` of each region."""
    return [f"{chrom}:{start}-{end}" for chrom, start, end in zip(regions["chrom"], regions["start"], regions["end"])]
