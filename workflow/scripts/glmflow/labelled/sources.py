"""A data set of labelled sequences, from whatever files a user has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from glmflow.errors import InputError
from glmflow.genome.contigs import contigs_by_core_name
from glmflow.labelled.binned_targets import read_binned_means
from glmflow.labelled.classes import Labels, read_labels
from glmflow.labelled.columns import NAMES, find_columns
from glmflow.labelled.delimited import TableFile
from glmflow.labelled.label_arrays import array_labels, is_table, read_label_array, read_label_table
from glmflow.labelled.rows import beside_roles, known_values, rows_of
from glmflow.labelled.source_files import Part, find_parts, parts_of

KEYS = ("table", "fasta", "bed", "folder")
"""What a data set is given as."""


class LabelFile(NamedTuple):
    """An HDF5 file, or a table, with a row of labels for each row of a table, in its order; or a folder of tracks in bins.

    Attributes
    ----------
    path : Path
    data_set
        Its data set, of HDF5.
    outputs
        Labels of a row, where a published set says how many.
    bin
        Bases of a bin, of a folder (`read_binned_means`); None: labels stand as they are.
    length
        Bases around the middle of an interval whose bins are averaged.
    """

    path: Path
    data_set: str = "labels"
    outputs: int | None = None
    bin: int | None = None
    length: int = 0


class Labelled(NamedTuple):
    """A data set, read.

    Attributes
    ----------
    rows : DataFrame
        `example` (unique), `sequence`, or `chrom`, `start`, `end`, `strand` (0-based half-open) alone, in which case
        nothing of the sequence is held; both where both are known. `target`, or `target_0` ...; `split`, `fold`, `group`
        where given; `lower` and `ambiguous`: soft-masked and ambiguous letters of a sequence; `named`: names that are not
        unique; `kin_{column}`, `batch_{column}`: unread columns of genes, donors ..., of plates, cell types ...
    labels : Labels
        What the targets are.
    taken : list[str]
        What was taken for what, a line a file.
    """

    rows: pd.DataFrame
    labels: Labels
    taken: list[str]


def read_source(
    source: Mapping[str, Any],
    *,
    columns: Mapping[str, Any] | None = None,
    target: str | None = None,
    classes: Mapping[Any, str] | None = None,
    one_based: bool = False,
    bed_label: str | None = None,
    only: Mapping[str, Any] | None = None,
    hdf5: LabelFile | None = None,
    arrays: Sequence[Mapping[str, str]] = (),
) -> Labelled:
    """Read a data set.

    Parameters
    ----------
    source
        One of `table` (CSV, TSV, parquet, JSON lines), `fasta`, `bed` (read from the genome) or `folder` (see
        `find_parts`). Each of the first three is a path, `{split: path}`, `{class: path}` or `{split: {class: path}}`;
        `fasta` and `table` together join records and labels by id.
    columns
        Role to column, of tables.
    target
        `classes`, `labels` or `values`; by default recognised from the labels.
    classes
        Names of whole-number labels.
    one_based
        Intervals of tables count from 1, both ends included.
    bed_label
        `name` or `score`.
    only
        Column to value: the rows of tables that are read.
    hdf5
        Where the labels of the rows of the one table are, in place of a column.
    arrays
        Where the rows of a table that is an HDF5 file of sequences stand (`one_hot_file.one_hot_rows`).

    Raises
    ------
    InputError
        A file, column, label, interval or letter is wrong: the first one, in a line.
    """
    given = [key for key in KEYS if source.get(key) is not None]
    if given == ["table", "fasta"]:
        rows, taken = _by_id(source["fasta"], Path(source["table"]), columns)
        where = str(source["table"])
    elif len(given) == 1:
        key = given[0]
        parts = find_parts(Path(source[key])) if key == "folder" else parts_of(source[key], key, key)
        rows, taken = _read(
            parts, columns, one_based, bed_label or ("score" if target == "values" else None), only, arrays
        )
        where = _where(parts)
    else:
        what = f"give one of {', '.join(KEYS)} (found {', '.join(given) or 'none'})"
        raise InputError(what, where="sequences", fix="fasta and table may stand together.")
    names = [name for name in rows if name == "label" or str(name).startswith("label_")]
    if hdf5 is not None:
        rows = rows.drop(columns=names)
        labels, names = _of_file(hdf5, Path(str(source["table"])), rows, target, classes), []
        taken.append(f"labels: {labels.why}" + _how(hdf5))
    elif not names:
        raise InputError("no labels in it", where=where, fix="Say which column: columns: {label: NAME}.")
    else:
        labels = _of_columns(rows, names, columns, target, classes, where)
    rows = pd.concat([rows.drop(columns=[*names, "row", "file"]), labels.targets.set_axis(rows.index)], axis=1)
    if "chrom" in rows:
        require_contigs_spelled_once(rows["chrom"].unique(), where)
    given_names = rows.pop("example") if "example" in rows else None
    rows.insert(0, "example", _examples(given_names, len(rows)))
    if given_names is not None and given_names.duplicated().any():
        rows["named"] = given_names
        taken.append("names are not unique: rows are called by their numbers")
    return Labelled(rows, labels, taken)


def _of_columns(
    rows: pd.DataFrame,
    names: list[str],
    columns: Mapping[str, Any] | None,
    target: Any,
    classes: Mapping[Any, str] | None,
    where: str,
) -> Labels:
    """Return the labels that stand in columns of the rows."""
    files, numbers = rows["file"], rows["row"]
    heads = (
        dict(zip(names, [columns["label"]] if isinstance(columns.get("label"), str | int) else columns["label"]))
        if columns and "label" in columns
        else {}
    )

    def place(row: int, name: str) -> str:
        return f"{files.iloc[row].partition(':')[2]}, row {numbers.iloc[row]}, column {heads.get(name, name)}"

    labels = read_labels({str(name): rows[name] for name in names}, target, classes, where, place)
    if labels.kind != "classes" and set(names) == set(heads):  # outputs are called as their columns
        own = [str(heads[name]) for name in names]
        labels = labels._replace(classes=own, found=own)
    return labels


def _of_file(
    hdf5: LabelFile, table: Path, rows: pd.DataFrame, target: Any, classes: Mapping[Any, str] | None
) -> Labels:
    """Return the labels that a file has of the rows of a table."""
    file = TableFile(table)
    count = sum(block.num_rows for block in file.blocks(file.header[:1]))
    number = rows["row"].to_numpy(np.int64)
    if hdf5.bin:
        array = read_binned_means(hdf5.path, file, hdf5.bin, hdf5.length)
    elif is_table(hdf5.path):
        array, header = read_label_table(hdf5.path, count)
        classes = classes or {str(place): name for place, name in enumerate(header)}
    else:
        array = read_label_array(hdf5.path, count, hdf5.data_set)
    return array_labels(array[number - 1], target, classes, str(hdf5.path), hdf5.outputs, number)


def _how(hdf5: LabelFile) -> str:
    """Say which labels of a file were taken."""
    if hdf5.bin:
        return f", each the mean of the bins of {hdf5.bin} bases inside of the middle {hdf5.length:,} bases"
    return "" if is_table(hdf5.path) else f", data set {hdf5.data_set}"


def _read(
    parts: list[Part],
    columns: Mapping[str, Any] | None,
    one_based: bool = False,
    bed_label: str | None = None,
    only: Mapping[str, Any] | None = None,
    arrays: Sequence[Mapping[str, str]] = (),
) -> tuple[pd.DataFrame, list[str]]:
    """Read and join the parts of a data set; all of them have the same columns."""
    tables, taken = [], []
    names = [f"{number}:{part.path}" for number, part in enumerate(parts)]
    for part in parts:
        rows, said = rows_of(part, columns, one_based, bed_label, only, arrays)
        if odd := sorted(_roles(tables[0]) ^ _roles(rows)) if tables else []:
            odd = odd[0]
            what = f"{odd} is known in one of {parts[0].path} and this file alone"
            raise InputError(what, where=part.path, fix="Give all files of a data set the same columns.")
        if len(rows):
            tables.append(rows.assign(file=pd.Categorical.from_codes(np.full(len(rows), len(taken)), names)))
        taken.append(said)
    if not tables:
        raise InputError("no rows", where=parts[0].path, fix="Give files with rows.")
    return (pd.concat(tables, ignore_index=True) if len(tables) > 1 else tables[0]), taken


def _roles(rows: pd.DataFrame) -> set[str]:
    """Return the columns that all files of a data set have to have."""
    return {str(name) for name in rows if name != "file" and not str(name).startswith(("kin_", "batch_"))}


def require_contigs_spelled_once(contigs: Iterable[str], where: str) -> None:
    """Stop if one contig goes by two names (chr1 and 1), which would part what overlaps.

    Raises
    ------
    InputError
        It does; both names are said.
    """
    for core, names in contigs_by_core_name(contigs).items():
        if len(names) > 1:
            what = f"contig {core} is called {' and '.join(map(repr, names))}: overlaps between them would not be seen"
            raise InputError(what, where=where, fix="Write every contig in one way.")


def _by_id(fasta: Any, table: Path, columns: Mapping[str, Any] | None) -> tuple[pd.DataFrame, list[str]]:
    """Join the records of FASTA files with the rows of a table that names them."""
    file = TableFile(table)
    given = dict(columns or {})
    for role in ("sequence", "chrom", "start", "end"):
        given.pop(role, None)
    header = [name for name in file.header if name.strip().lower() not in NAMES["sequence"]]
    # A column has to be found in the role of the sequence, which the records play here: the id does.
    ids = [name for name in header if name.strip().lower() in NAMES["example"]]
    key = given.pop("example", ids[0] if len(ids) == 1 else None)
    if key is None:
        what = "two columns could be the id" if ids else "no column id, name or example to find records by"
        raise InputError(what, where=table, fix="Say which: columns: {example: NAME}.")
    found = find_columns(header, {**given, "sequence": key}, table)
    found = {role: names for role, names in found.items() if role in ("label", "split", "fold", "group", "subset")}
    beside = beside_roles(header, {**found, "example": [key]})
    wanted = list(dict.fromkeys([key, *(name for names in found.values() for name in names), *beside.values()]))
    rows = pd.concat([block.to_pandas() for block in file.blocks(wanted)], ignore_index=True)
    rows = rows.assign(**{role: known_values(rows.pop(name).astype("str")) for role, name in beside.items()})
    if rows[key].duplicated().any():
        twice = rows.loc[rows[key].duplicated(), key].iloc[0]
        raise InputError(f"id {twice!r} stands twice", where=table, fix="Give every sequence one row.")
    records, taken = _read(parts_of(fasta, "fasta", "fasta"), None, False, "table")
    short = records["example"].str.split().str[0]
    ids_of = records["example"].where(records["example"].isin(set(rows[key])), short)
    absent = set(rows[key]) - set(ids_of)
    if absent:
        what = f"{len(absent)} of {len(rows)} ids have no record, such as {sorted(absent)[0]!r}"
        raise InputError(what, where=table, fix=f"Name the records of {fasta}.")
    unlabelled = int((~ids_of.isin(set(rows[key]))).sum())
    renamed = {
        name: role if len(names) == 1 else f"{role}_{i}"
        for role, names in found.items()
        for i, name in enumerate(names)
    }
    joined = records.assign(example=ids_of).merge(rows.rename(columns={key: "example", **renamed}), on="example")
    if joined["example"].duplicated().any():
        twice = joined.loc[joined["example"].duplicated(), "example"].iloc[0]
        raise InputError(f"record {twice!r} stands twice", where=fasta, fix="Give every record a name of its own.")
    if "split" in joined:
        from glmflow.labelled.given_splits import read_split_column

        joined["split"] = read_split_column(joined["split"], found["split"][0], str(table))
    said = f"{table}: {len(rows):,} rows by {key}" + (
        f"; {unlabelled:,} records without a label left out" if unlabelled else ""
    )
    return joined, [*taken, said]


def _examples(names: pd.Series | None, count: int) -> Any:
    """Return unique ids, `[n]`: the names if no two are the same, else row numbers from 0."""
    if names is not None and not names.duplicated().any() and not names.astype(str).str.strip().eq("").any():
        return names.astype("str").array
    return pd.array(pa.array(np.arange(count)).cast(pa.large_string()), dtype="str")


def _where(parts: list[Part]) -> str:
    return str(parts[0].path if len(parts) == 1 else parts[0].path.parent)
