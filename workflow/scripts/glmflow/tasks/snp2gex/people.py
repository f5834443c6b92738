"""Who takes part."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pandas as pd

from glmflow.errors import InputError


def read_people(path: str | os.PathLike[str] | None, genotyped: Sequence[str]) -> pd.DataFrame:
    """Return the genotyped people, with what a table says of them.

    Parameters
    ----------
    path
        TSV with `sample` and, where known, `population` and `family`; people it does not name are left out. None:
        everyone with genotypes.
    genotyped
        People of the cohort.

    Raises
    ------
    InputError
        The table lacks `sample`, names someone twice, or names nobody with genotypes.
    """
    if path is None:
        return pd.DataFrame({"sample": list(genotyped)}, dtype=str)
    try:
        table = pd.read_csv(path, sep="\t", dtype=str)
    except FileNotFoundError:
        raise InputError("no such file", where=path, mend="Check the path.") from None
    if "sample" not in table:
        raise InputError("no column sample", where=path, mend=f"It has {', '.join(table.columns[:6])}.")
    twice = table.loc[table["sample"].duplicated(), "sample"]
    if len(twice):
        raise InputError(f"{twice.iloc[0]} comes twice", where=path, mend="Give one line a person.")
    known = table[table["sample"].isin(set(genotyped))]
    if known.empty:
        raise InputError("nobody in it has genotypes", where=path, mend="Name people as the VCF does.")
    return known[[name for name in ("sample", "population", "family") if name in known]].reset_index(drop=True)
