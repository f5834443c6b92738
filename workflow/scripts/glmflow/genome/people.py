"""Who of a cohort takes part."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pandas as pd

from glmflow.errors import InputError
from glmflow.genome.contigs import some

COLUMNS = ("sample", "population", "family")
"""What is read of a table of people; further columns are left alone."""


def read_people(path: str | os.PathLike[str] | None, genotyped: Sequence[str]) -> pd.DataFrame:
    """Return the people who take part, with what a table says of them.

    Parameters
    ----------
    path
        TSV with `sample` and, where known, `population` and `family`; people it does not name are left out. None:
        everyone with genotypes.
    genotyped
        People of the cohort.

    Returns
    -------
    DataFrame
        `sample` and what the table has of `population` and `family`, as text, in the order of the table.

    Raises
    ------
    InputError
        The table cannot be read, lacks `sample`, names nobody, someone twice, or someone without genotypes.
    """
    if path is None:
        return pd.DataFrame({"sample": list(genotyped)}, dtype=str)
    table = _read_table(path)
    if "sample" not in table:
        found = f"its first line is {some(map(repr, map(str, table.columns)))}"
        raise InputError(f"no column `sample`: {found}", where=path, mend="Give names of columns in the first line.")
    names = table["sample"].fillna("")
    if names.empty:
        raise InputError("a table of people that names nobody", where=path, mend="Give a line a person.")
    twice = names[names.duplicated()]
    if len(twice):
        raise InputError(f"{twice.iloc[0]!r} comes twice", where=path, mend="Give one line a person.")
    absent = names[~names.isin(set(genotyped))].tolist()
    if absent:
        raise InputError(
            f"{len(absent)} of its {len(names)} people have no genotypes: {some(map(repr, absent))}",
            where=path,
            mend=f"The cohort has {some(genotyped)}; name people as its VCF does, and leave out who is not in it.",
        )
    return table[[name for name in COLUMNS if name in table]].reset_index(drop=True)


def _read_table(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a table with a header as text."""
    try:
        return pd.read_csv(path, sep="\t", dtype=str, index_col=False)
    except FileNotFoundError:
        raise InputError("no such file", where=path, mend="Check the path.") from None
    except pd.errors.EmptyDataError:
        raise InputError(
            "an empty table of people", where=path, mend="Give a column `sample`, or leave the table out for everyone."
        ) from None
    except (OSError, UnicodeDecodeError, pd.errors.ParserError) as error:
        raise InputError(f"not a table of people ({error})", where=path, mend="Give a TSV.") from None
