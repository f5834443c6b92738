"""Who of a cohort takes part."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from glmflow.errors import InputError
from glmflow.genome.column_names import SAMPLES, known_columns, plain_name
from glmflow.genome.contigs import some
from glmflow.text_files import text_lines

log = logging.getLogger(__name__)

COLUMNS = ("sample", "population", "family")
"""What is read of a table of samples."""
ALSO_NAMED = {name: SAMPLES[name] for name in COLUMNS}
"""Usual names of these columns."""
UNKNOWN = ("", ".", "na", "nan", "n/a", "-", "?", "none", "null", "unknown", "unk", "missing", "not available", "-9")
"""What stands for a population or a family that is not known, in small letters (-9: of PLINK)."""


def read_people(path: str | os.PathLike[str] | None, genotyped: Sequence[str]) -> pd.DataFrame:
    """Return the people who take part, with what a table says of them.

    Parameters
    ----------
    path
        TSV with `sample` and, where known, `population` and `family` (or as `ALSO_NAMED` has them); samples it does not
        name are left out, further columns are logged. None: everyone with genotypes.
    genotyped
        Samples of the cohort.

    Returns
    -------
    DataFrame
        `sample` and what the table has of `population` and `family`, as text (NaN: not known), in the order of the table.

    Raises
    ------
    InputError
        The table cannot be read, lacks `sample`, names no sample, one twice, or someone without genotypes.
    """
    if path is None:
        return pd.DataFrame({"sample": list(genotyped)}, dtype=str)
    table = _read_table(Path(path))
    names = table["sample"]
    if names.empty:
        raise InputError("a table of samples that names none", where=path, fix="Give a line a sample.")
    twice = names[names.duplicated()]
    if len(twice):
        raise InputError(f"{twice.iloc[0]!r} comes twice", where=path, fix="Give one line a sample.")
    absent = names[~names.isin(set(genotyped))].tolist()
    if absent:
        raise InputError(
            f"{len(absent)} of its {len(names)} samples have no genotypes: {some(map(repr, absent))}",
            where=path,
            fix=f"The cohort has {some(genotyped)}; name samples as its VCF does, and leave out who is not in it.",
        )
    return table


def _read_table(path: Path) -> pd.DataFrame:
    """Return the columns of a table that are read, under their names here, as text."""
    lines = text_lines(path)
    _, head = next(lines, (0, ""))
    if not head:
        fix = "Give a column `sample`, or leave the table out for everyone."
        raise InputError("an empty table of samples", where=path, fix=fix)
    header = [cell.strip(' "') for cell in head.split("\t")]
    used, notes = _columns(header, path)
    rows, longer = [], 0
    for _, line in lines:
        cells = [cell.strip(' "') for cell in line.split("\t")]
        longer += any(cells[len(header) :])
        cells += [""] * (len(header) - len(cells))
        rows.append([cells[place] for place in used.values()])
    if notes:
        log.warning("%s: %s", path, "; ".join(notes))
    if longer:
        log.warning(
            "%s: %d lines have more cells than the header has names: the further cells are not read", path, longer
        )
    unused = [name for place, name in enumerate(header) if name and place not in used.values()]
    if unused:
        log.warning("%s: columns that are not read: %s", path, some(unused))
    table = pd.DataFrame(rows, columns=list(used), dtype=object)
    for name in set(COLUMNS[1:]) & set(used):
        table[name] = table[name].where(~table[name].str.lower().isin(UNKNOWN))
    if "family" in table:  # as PLINK has it
        table["family"] = table["family"].where(table["family"] != "0")
    return table


def _columns(header: list[str], path: Path) -> tuple[dict[str, int], list[str]]:
    """Return the place of each column that is read, and what was taken under another name."""
    names = [name for name in header if name]
    if not any(plain_name(name) in map(plain_name, SAMPLES["sample"]) for name in names):
        found = f"its first line is {some(map(repr, header))}"
        fix = "Give names of columns in the first line"
        fix += ", and put tabs between them." if len(header) == 1 and re.search("[,; ]", header[0]) else "."
        raise InputError(f"no column `sample`: {found}", where=path, fix=fix)
    found = known_columns(names, ALSO_NAMED, where=str(path))
    if found.taken["sample"] not in COLUMNS:  # a table of several ids does not say which the VCF has
        others = [name for name in names if plain_name(name) in map(plain_name, SAMPLES["sample"])]
        if len(others) > 1:
            what = f"{some(map(repr, others))}: which is the sample?"
            raise InputError(what, where=path, fix="Name one of them sample.")
    return {name: header.index(found.taken[name]) for name in COLUMNS if name in found.taken}, found.notes
