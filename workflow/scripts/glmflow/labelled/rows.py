"""The rows of each form of file: sequences or intervals, with their labels as text."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pysam

from glmflow.errors import InputError
from glmflow.genome.contigs import some
from glmflow.genome.packed import Collected, Packed, pack, to_strings
from glmflow.labelled.classes import MISSING
from glmflow.labelled.columns import batch_columns, describe, find_columns, kin_columns, require_columns
from glmflow.labelled.delimited import BLOCK, TableFile
from glmflow.labelled.given_splits import read_split_column
from glmflow.labelled.letters import clean_letters
from glmflow.labelled.one_hot_file import is_one_hot, one_hot_rows
from glmflow.labelled.source_files import Part

REGION = re.compile(r"(?P<chrom>[^\s:]+):(?P<start>[\d,]+)-(?P<end>[\d,]+)(?:\((?P<strand>[+-])\))?")
"""An interval in the name of a sequence: `chr1:100-200`, with the strand in brackets where there is one."""
REGIONS = ("region", "regions", "interval", "intervals", "coordinates", "coords", "locus", "location", "position")
"""Headers of columns that hold such intervals, where they do."""


def table_rows(
    path: Path,
    given: Mapping[str, Any] | None = None,
    one_based: bool = False,
    only: Mapping[str, Any] | None = None,
) -> tuple[pd.DataFrame, str]:
    """Return the rows of a table and what was taken for what.

    Parameters
    ----------
    given
        Role to column. Whole numbers count the columns of a table without a header line, from 1.
    one_based
        Its intervals count from 1, both ends included.
    only
        Column to value: the rows that are read (`{task: H3K27ac}`).

    Returns
    -------
    rows : DataFrame
        `sequence` (upper case A C G T N) with `lower` and `ambiguous` (letters), or `chrom`, `start`, `end` (0-based
        half-open), `strand`; `label` or `label_0` ... as text, `split`, `fold`, `group`, `subset`, `example` where given;
        `kin_{column}` and `batch_{column}` of columns of genes, donors ..., and of plates, cell types ..., that play no role.
    taken : str
        In words.

    Raises
    ------
    InputError
        As `find_columns`, `clean_letters` and `read_split_column`; or an interval is none.
    """
    file, found, only = table_columns(path, given, only)
    beside = beside_roles(file.header, found)
    taken = [name for names in found.values() for name in names]
    places = [name for name in file.header if name.strip().lower() in REGIONS and name not in taken][:1]
    wanted = list(dict.fromkeys([*taken, *only, *beside.values(), *places]))
    parts, row, sequences = [], 0, Collected()
    for block in file.blocks(wanted):
        data: dict[str, Any] = {}
        for role, names in found.items():
            for place, name in enumerate(names):
                column = block.column(name)
                if role == "sequence":
                    letters = clean_letters(pack(pc.utf8_trim_whitespace(column)), str(path), name, row + 1)
                    data |= {"lower": letters.lower, "ambiguous": letters.ambiguous}
                else:
                    data[role if len(names) == 1 else f"{role}_{place}"] = pd.Series(column.to_pandas(), dtype="str")
        for key, name in beside.items():
            data[key] = known_values(pd.Series(block.column(name).to_pandas(), dtype="str"))
        for name in places:
            data["region"] = pd.Series(block.column(name).to_pandas(), dtype="str")
        part = pd.DataFrame({**data, "row": np.arange(row + 1, row + block.num_rows + 1)})
        keep = np.ones(len(part), bool)
        for name, value in only.items():
            keep &= (block.column(name).to_pandas() == value).to_numpy()
        parts.append(part[keep])
        if "sequence" in found:
            sequences.add(letters.packed.take(np.flatnonzero(keep)))
        row += block.num_rows
    if not sum(map(len, parts)):
        what = f"no row with {' and '.join(f'{k} = {v}' for k, v in only.items())}" if only else "a table without rows"
        raise InputError(what, where=path, fix="Give rows below its header line.")
    rows = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0].reset_index(drop=True)
    if "sequence" in found:  # in one piece, which `pack` reads where it lies: a file of 2 GB is held once
        rows.insert(rows.columns.get_loc("lower"), "sequence", pd.Series(to_strings(sequences.whole()), dtype="str"))
    if "chrom" in rows:
        rows = _numbered(rows, str(path), found, one_based)
    elif "sequence" in rows:
        named = (rows[name] for name in ("region", "example") if name in rows)
        inside = (intervals_in(text.fillna(""), rows["sequence"].str.len()) for text in named)
        rows = rows.assign(**next((one for one in inside if one), {}))
    if places:
        rows = rows.drop(columns="region")
    if "split" in rows:
        rows["split"] = read_split_column(rows["split"], found["split"][0], str(path))
    said = f"{path}: {describe(found, file.header)}"
    inferred = "chrom" in rows and "chrom" not in found
    return rows, said + (f", intervals = in {' or '.join([*places, 'the names'])}" if inferred else "")


def beside_roles(header: Sequence[str], found: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the columns that play no role and that an audit looks at, by the name that their values go by."""
    kin = {f"kin_{name}": name for name in kin_columns(header, found)}
    return kin | {f"batch_{name}": name for name in batch_columns(header, found) if f"kin_{name}" not in kin}


def known_values(column: pd.Series) -> pd.Series:
    """Return the values of such a column, those that mean that there is none left out."""
    values = column.str.strip()
    return values.where(~values.str.lower().isin(MISSING)).astype("category")


def table_columns(
    path: Path, given: Mapping[str, Any] | None = None, only: Mapping[str, Any] | None = None
) -> tuple[TableFile, dict[str, list[str]], dict[str, str]]:
    """Return a table, the columns that play each role, and the rows that are read, by its header alone (see `table_rows`)."""
    given, headless = _as_names(given)
    file = TableFile(path, headless)
    found = find_columns(file.header, given, path)
    only = {str(name): str(value) for name, value in (only or {}).items()}
    require_columns(only, file.header, path)
    return file, found, only


def _as_names(given: Mapping[str, Any] | None) -> tuple[dict[str, Any], bool]:
    """Return columns by name, and whether whole numbers stood for them: then the table has no header line."""
    given = dict(given or {})
    numbered = [name for name in given.values() if isinstance(name, int)]
    if numbered and len(numbered) < len(given):
        raise InputError("columns: names beside numbers", where="columns", fix="Write names, or numbers for all.")
    return {role: str(name) if isinstance(name, int) else name for role, name in given.items()}, bool(numbered)


def fasta_rows(path: Path, label_in_name: bool = False) -> tuple[pd.DataFrame, str]:
    """Return the records of a FASTA file: `example` (their names), `sequence`, `lower`, `ambiguous`.

    Intervals are read from names such as `chr1:100-200` if all of them have one that is as long as the sequence.

    Parameters
    ----------
    label_in_name
        What follows the last `|` of a name is its label (`>promoter_17|1`).

    Raises
    ------
    InputError
        The file is missing or no FASTA, a record is empty or holds a character that is no nucleotide, or has no label
        in its name where it should have.
    """
    if not path.is_file():
        raise InputError("no such file", where=path, fix="Give a FASTA file.")
    parts: list[pd.DataFrame] = []
    names: list[str] = []
    held: list[str] = []
    size = 0

    def flush() -> None:
        nonlocal size
        first = sum(map(len, parts)) + 1
        parts.append(pd.DataFrame({"example": names.copy(), **_sequences(pack(held), str(path), "sequence", first)}))
        names.clear()
        held.clear()
        size = 0

    try:
        with pysam.FastxFile(str(path)) as file:
            for record in file:
                names.append(record.name if not record.comment else f"{record.name} {record.comment}")
                held.append(record.sequence or "")
                size += len(held[-1])
                if size >= BLOCK:
                    flush()
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read ({error})", where=path, fix="Give a FASTA file.") from None
    if held:
        flush()
    if not parts:
        raise InputError("no sequence in it", where=path, fix="Give a FASTA file (lines of > and bases).")
    rows = pd.concat(parts, ignore_index=True)
    taken = f"{path}: {len(rows):,} records"
    if label_in_name:
        label = rows["example"].str.extract(r"\|\s*([^|\s]+)\s*$")[0]
        if label.isna().any():
            row = int(label.isna().to_numpy().argmax())
            what = f"record {rows['example'][row]!r} has no label behind a |"
            raise InputError(what, where=path, fix="Give a FASTA file a class, or a table of ids and labels.")
        rows["label"] = label.astype("str")
        taken += ", label = what follows | in their names"
    intervals = intervals_in(rows["example"], rows["sequence"].str.len())
    if intervals is not None:
        rows = rows.assign(**intervals)
        taken += ", intervals = in their names"
    return rows, taken


def bed_rows(path: Path, label: str | None = None) -> tuple[pd.DataFrame, str]:
    """Return the lines of a BED file: `chrom`, `start`, `end`, `strand`, `example` and, if `label` is given, `label`.

    Parameters
    ----------
    label
        `name` (column 4) or `score` (column 5).
    """
    if not path.is_file():
        raise InputError("no such file", where=path, fix="Give a BED file.")
    try:
        with pa.input_stream(str(path), compression="detect") as stream:
            lines = stream.read().decode("utf-8-sig").splitlines()
    except (UnicodeDecodeError, OSError) as error:
        raise InputError(
            f"cannot be read as text ({error})", where=path, fix="Give a BED file, plain or gzip."
        ) from None
    records: list[list[str]] = []
    numbers: list[int] = []
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.startswith(("#", "track", "browser")):
            records.append(line.split("\t") if "\t" in line else line.split())
            numbers.append(number)
    if not records:
        raise InputError("no interval in it", where=path, fix="Give lines of chrom, start and end.")
    need = {"name": 4, "score": 5}.get(label or "", 3)
    for number, cells in zip(numbers, records):
        if len(cells) < need:
            what = f"{len(cells)} columns where {need} are needed" + (f" for the {label}" if label else "")
            raise InputError(what, where=f"{path}, line {number}", fix="Write BED: chrom, start, end, name, score.")
    rows = pd.DataFrame({name: [cells[i] for cells in records] for i, name in enumerate(("chrom", "start", "end"))})
    rows["strand"] = [cells[5] if len(cells) > 5 and cells[5] in "+-" else "+" for cells in records]
    if label:
        rows["label"] = [cells[need - 1] for cells in records]
    rows = _numbered(rows, str(path), {}, False, numbers)
    return rows, f"{path}: {len(rows):,} intervals" + (f", label = {label}" if label else "")


def text_rows(folder: Path) -> tuple[pd.DataFrame, str]:
    """Return the sequences of a folder of text files, one a file, in the order of their names."""
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if entry.is_file() and not entry.name.startswith("."))
    if not names:
        raise InputError("an empty folder", where=folder, fix="Give text files with a sequence each.")
    parts, held, first = [], [], 0
    for number, name in enumerate(names, start=1):
        held.append(b"".join((folder / name).read_bytes().split()))
        if sum(map(len, held[-1:])) * len(held) >= BLOCK or number == len(names) or len(held) == 1 << 15:
            try:
                parts.append(pd.DataFrame(_sequences(pack(held), str(folder), "sequence", first + 1)))
            except InputError as error:
                row = re.search(r", row (\d+),", error.where or "")
                where = folder / names[int(row[1]) - 1] if row else folder
                raise InputError(error.what, where=where, fix=error.fix) from None
            held, first = [], number
    rows = pd.concat(parts, ignore_index=True).assign(example=[name.removesuffix(".txt") for name in names])
    return rows, f"{folder}: {len(rows):,} files"


def interval_rows(path: Path) -> tuple[pd.DataFrame, str]:
    """Return a table of intervals of Genomic Benchmarks: `id,region,start,end,strand`, an empty strand is `+`."""
    given = {"chrom": "region", "start": "start", "end": "end", "strand": "strand", "example": "id"}
    header = TableFile(path).header
    if "region" not in header:
        given = {role: name for role, name in given.items() if name in header}
    file = TableFile(path)
    found = find_columns(file.header, given, path)
    absent = [name for name in ("chrom", "start", "end") if name not in found]
    if absent:
        what = f"no column of the {absent[0]} of intervals ({some(file.header, 8)})"
        raise InputError(
            what, where=path, fix="In folders of classes, give texts, or intervals (id, region, start, end, strand)."
        )
    blocks = [block.to_pandas() for block in file.blocks([name for names in found.values() for name in names])]
    columns = {names[0]: role for role, names in found.items()}
    if not sum(map(len, blocks)):
        return pd.DataFrame(
            {name: [] for name in ("example", "chrom", "start", "end", "strand")}
        ), f"{path}: 0 intervals"
    rows = pd.concat(blocks, ignore_index=True).rename(columns=columns)
    return _numbered(rows, str(path), found, False), f"{path}: {len(rows):,} intervals"


def intervals_in(names: pd.Series, lengths: pd.Series) -> dict[str, Any] | None:
    """Return `chrom`, `start`, `end`, `strand` from names such as `chr1:100-200`, or None if not all of them fit.

    0-based half-open if end - start is the length of the sequence, 1-based if it is one less.
    """
    found = names.str.extract(REGION)
    if not len(found) or found["chrom"].isna().any():
        return None
    start, end = (found[name].str.replace(",", "").astype(np.int64) for name in ("start", "end"))
    span = (end - start).to_numpy()
    length = lengths.to_numpy(np.int64)
    one_based = np.array_equal(span + 1, length)
    if not one_based and not np.array_equal(span, length):
        return None
    strand = found["strand"].fillna("+")
    return {"chrom": found["chrom"].astype("str"), "start": start - one_based, "end": end, "strand": strand}


def _sequences(packed: Packed, where: str, column: str, first_row: int) -> dict[str, Any]:
    letters = clean_letters(packed, where, column, first_row)
    text = pd.Series(to_strings(letters.packed), dtype="str")
    return {"sequence": text, "lower": letters.lower, "ambiguous": letters.ambiguous}


def _numbered(
    rows: pd.DataFrame, where: str, found: Mapping[str, Sequence[str]], one_based: bool, lines: Sequence[int] = ()
) -> pd.DataFrame:
    """Return rows whose `start` and `end` are whole numbers, 0-based half-open, and whose strand is + or -."""
    for name in ("start", "end"):
        numbers = pd.to_numeric(rows[name], errors="coerce")
        bad = numbers.isna() | (numbers % 1 != 0)
        if bad.any():
            row = int(bad.to_numpy().argmax())
            what = f"{name} {rows[name].iloc[row]!r} is no whole number"
            raise InputError(what, where=_place(where, row, lines), fix="Give positions in bases.")
        rows[name] = numbers.astype(np.int64) - (one_based and name == "start")
    bad = (rows["start"] < 0) | (rows["end"] <= rows["start"])
    if bad.any():
        row = int(bad.to_numpy().argmax())
        what = f"{rows['chrom'].iloc[row]}:{rows['start'].iloc[row]}-{rows['end'].iloc[row]} is no interval"
        raise InputError(what, where=_place(where, row, lines), fix="Give 0 <= start < end (0-based, end excluded).")
    strand = (
        rows["strand"].astype("str").str.strip().replace({"": "+", ".": "+", "nan": "+"}) if "strand" in rows else "+"
    )
    rows["strand"] = strand
    odd = ~rows["strand"].isin(["+", "-"])
    if odd.any():
        row = int(odd.to_numpy().argmax())
        what = f"strand {rows['strand'].iloc[row]!r}"
        raise InputError(what, where=_place(where, row, lines), fix="Write + or -, or nothing.")
    return rows


def _place(where: str, row: int, lines: Sequence[int]) -> str:
    return f"{where}, line {lines[row]}" if len(lines) else f"{where}, row {row + 1}"


def rows_of(
    part: Part,
    given: Mapping[str, Any] | None,
    one_based: bool = False,
    label: str | None = None,
    only: Mapping[str, Any] | None = None,
    arrays: Sequence[Mapping[str, str]] = (),
) -> tuple[pd.DataFrame, str]:
    """Return the rows of a part of a data set, with its split and class where the part says them."""
    forms: dict[str, Any] = {
        "table": lambda: table_rows(part.path, given, one_based, only),
        "fasta": lambda: fasta_rows(part.path, label_in_name=part.label is None and label != "table"),
        "bed": lambda: bed_rows(part.path, None if part.label is not None else (label or "name")),
        "texts": lambda: text_rows(part.path),
        "intervals": lambda: interval_rows(part.path),
        "arrays": lambda: one_hot_rows(part.path, arrays),
    }
    form = "arrays" if part.form == "table" and is_one_hot(part.path) else part.form
    rows, taken = forms[form]()
    if "row" not in rows:
        rows["row"] = np.arange(1, len(rows) + 1)
    for role, value in (("split", part.split), ("label", part.label)):
        if value is not None:
            require_no_other(rows, role, value, part.path)
            rows[role] = value
    return rows, taken


def require_no_other(rows: pd.DataFrame, role: str, value: str, path: Path) -> None:
    """Stop if the rows of a file that is given as one split, or as one class, say that some are of another.

    Raises
    ------
    InputError
        A column of splits has another split than the file; a column of labels has several labels.
    """
    if role not in rows:
        return
    own = rows[role].astype(str).str.strip()
    other = own != (value if role == "split" else own.iloc[0])
    if other.any():
        row = int(other.to_numpy().argmax())
        what = f"its rows have {role}s of their own ({own.iloc[row]!r}), and the file is given as the {role} {value!r}"
        fix = f"Give the file without {value!r}, or leave the column of {role}s out."
        raise InputError(what, where=f"{path}, row {rows['row'].iloc[row]}", fix=fix)
