"""Baselines of kind `populations`: what a linear model, a look-up and a count of the alleles themselves reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.config.tasks import task_block
from glmflow.genome.gene_windows import GeneWindows
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.reference import Reference
from glmflow.genome.store import open_store
from glmflow.tasks.populations.distinctness import window_alleles

from . import sequence_predictors as simple
from .fitting_data import Apply, Fit, FittingData
from .labelled_fits import predicted_table, sequence_data
from .sequence_lookups import fit_alleles, fit_alt_count, fit_nearest_haplotype

OfAlleles = Callable[..., simple.Predicted]


def window_by_window(fit: OfAlleles, settings: Callable[[FittingData], dict[str, Any]] = lambda _: {}) -> Fit:
    """Return a fit to the alleles of each window by themselves: a model a window, as its variants are its own.

    Held-out windows (`splits.by: loci`) have nothing to learn from and get the shares of the classes.
    """

    def fitted(data: FittingData) -> Apply:
        own, names = sequence_data(data)
        values = np.zeros((len(own.target), len(names)))
        shares = np.bincount(own.target[own.of("train")], minlength=len(names)) / len(own.of("train"))
        for _, rows in own.rows.groupby("window", sort=False):
            at = rows.index.to_numpy()
            part = simple.SequenceData(rows.reset_index(drop=True), None, own.target[at], own.classes, own.split[at])
            if len(np.unique(part.target[part.of("train")])) < 2:
                values[at] = shares
                continue
            values[at] = fit(part, alleles_of(data, rows), **settings(data)).values
        held_out = np.flatnonzero(own.split != "train")
        found = predicted_table(own.rows.iloc[held_out], values[held_out], names)
        return lambda folder: found

    return fitted


def alleles_of(data: FittingData, rows: pd.DataFrame) -> NDArray[np.uint8]:
    """Return which variants of their window haplotypes carry, `[n, variants]`; a column without variants where there is none.

    Where everyone carries the reference (`control: reference`) no haplotype carries any.
    """
    task = task_block(data.settings["task"])
    reader = GeneWindows(
        HaplotypeReader(open_store(data.files["store"]), Reference(data.files["fasta"]), task.variants)
    )
    first = rows.iloc[0]
    samples = rows["sample"].drop_duplicates().tolist()
    found = window_alleles(reader, first["chrom"], int(first["start"]), int(first["end"]), samples)
    place = {name: number for number, name in enumerate(samples)}
    at = 2 * rows["sample"].map(place).to_numpy(np.int64) + rows["haplotype"].to_numpy(np.int64) - 1
    if task.control == "reference" or not found.shape[1]:
        return np.zeros((len(rows), 1), np.uint8)
    return found[at]


FITS = {
    "allele_logistic": window_by_window(
        fit_alleles, lambda data: {"c": data.baseline.c, "seed": int(data.settings["seed"])}
    ),
    "nearest_haplotype_class": window_by_window(fit_nearest_haplotype),
    "nearest_training": window_by_window(fit_nearest_haplotype),  # of a window, haplotypes differ at variants alone
    "alt_count": window_by_window(fit_alt_count),
}
