"""From expression as it was measured to the target: what is fitted is fitted on training samples alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError

MILLION = 1e6


class Prepared(NamedTuple):
    """Expression as it is predicted.

    Attributes
    ----------
    values : DataFrame
        float64, genes x samples.
    left_out : dict[str, list[str]]
        Genes left out, by reason.
    factors : DataFrame
        Hidden factors of every sample (`sample`, `fitted`: whether the sample took part in the fit, `factor1` ...).
    """

    values: pd.DataFrame
    left_out: dict[str, list[str]]
    factors: pd.DataFrame


def preprocess(values: pd.DataFrame, training: NDArray[np.bool_], settings: Mapping[str, Any]) -> Prepared:
    """Apply the steps that the configuration names, in their order.

    Per sample to a sum of a million (RPKM to TPM); genes left out that are 0 in too many samples; natural logarithm;
    hidden factors removed; mean 0 and standard deviation 1 a gene (the steps of Rastogi et al. 2024, bioRxiv
    10.1101/2024.07.27.605449, with everything fitted on training samples only).

    Parameters
    ----------
    values
        Genes x samples, as measured: all genes, for sums and hidden factors are those of the whole transcriptome.
    training : bool[samples]
        Samples that things are fitted on.
    settings
        The `preprocessing` block of the task.

    Raises
    ------
    InputError
        Negative values before a logarithm, or fewer training samples than hidden factors.
    """
    training = np.asarray(training, dtype=bool)
    table = values.to_numpy(float)
    if settings["tpm"]:
        table = table / np.nansum(table, axis=0) * MILLION
    with np.errstate(invalid="ignore"):
        measured = np.isfinite(table).sum(axis=1)
        zeros = (table == 0).sum(axis=1)
    none = measured == 0
    silent = ~none & (zeros == measured)
    mostly = ~none & ~silent & (zeros > settings["max_zero_fraction"] * measured)
    left_out = {
        "genes without a value": values.index[none].tolist(),
        "genes that are 0 in everyone": values.index[silent].tolist(),
        "genes that are 0 in too many samples": values.index[mostly].tolist(),
    }
    kept = ~(none | silent | mostly)
    table = table[kept]
    if settings["log"]:
        if (table < 0).any():
            raise InputError(
                f"{int((table < 0).sum()):,} values below 0 have no logarithm",
                where="preprocessing.log",
                fix="Set it to false where the matrix holds logarithms already.",
            )
        table = np.log(table + settings["pseudo_count"])
    fitted = np.ones(len(training), bool) if settings["fitted_on"] == "everyone" else training
    mean, deviation = _moments(table, fitted)
    z = (table - mean) / deviation
    number = settings["hidden_factors"]
    if number >= fitted.sum():
        raise InputError(
            f"{number} hidden factors cannot be fitted on {int(fitted.sum())} samples",
            where="preprocessing.hidden_factors",
        )
    scores = hidden_factors(z, fitted, number) if number else (np.zeros((table.shape[1], 0)), np.zeros((len(z), 0)))
    z = z - scores[1] @ scores[0].T
    if settings["standardise"]:
        mean, deviation = _moments(z, fitted)
        table = (z - mean) / deviation
    else:
        table = z * deviation + mean
    factors = pd.DataFrame(scores[0], columns=[f"factor{n}" for n in range(1, number + 1)])
    factors.insert(0, "fitted", fitted)
    factors.insert(0, "sample", list(values.columns))
    return Prepared(pd.DataFrame(table, index=values.index[kept], columns=values.columns), left_out, factors)


def hidden_factors(
    z: NDArray[np.float64], fitted: NDArray[np.bool_], number: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return principal components of expression, fitted on some samples and read off everyone.

    Parameters
    ----------
    z
        Standardised expression `[genes, samples]`; what is missing counts as the mean.
    fitted : bool[samples]
        Whose expression the loadings are fitted on.
    number
        Components.

    Returns
    -------
    scores, loadings
        float64[samples, number] and float64[genes, number]; loadings are orthonormal.
    """
    filled = np.nan_to_num(z)
    loadings = np.linalg.svd(filled[:, fitted], full_matrices=False)[0][:, :number]
    return filled.T @ loadings, loadings


def _moments(table: NDArray[np.float64], fitted: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of each row over some columns, `[genes, 1]`; 1 where nothing varies."""
    part = table[:, fitted]
    here = np.isfinite(part)
    n = np.maximum(here.sum(axis=1, keepdims=True), 1)
    mean = np.where(here, part, 0).sum(axis=1, keepdims=True) / n
    variance = np.where(here, (part - mean) ** 2, 0).sum(axis=1, keepdims=True) / n
    varies = variance > 1e-20 * np.maximum(mean**2, 1e-20)
    return mean, np.sqrt(np.where(varies, variance, 1))
