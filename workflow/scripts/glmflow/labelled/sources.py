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
from glmflow.genome.packed import to_strings
from glmflow.labelled.binned_targets import BinnedTargets, read_binned_means
from glmflow.labelled.classes import Labels, named, read_labels
from glmflow.labelled.columns import NAMES, find_columns
from glmflow.labelled.contact_maps import ContactMaps, read_contact_maps
from glmflow.labelled.delimited import TableFile
from glmflow.labelled.label_arrays import array_labels, is_table, read_label_array, read_label_table
from glmflow.labelled.record_files import has_records
from glmflow.labelled.record_names import told_apart
from glmflow.labelled.recorded_arrays import recorded_sequences
from glmflow.labelled.region_gene_pairs import with_genes
from glmflow.labelled.rows import beside_roles, known_values, rows_of, table_columns
from glmflow.labelled.source_files import Part, find_parts, parts_of

FEW = 4
"""Files that an error names one by one."""
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
    tracks
        Names or numbers of the tracks of a folder that are read; none: all.
    """

    path: Path
    data_set: str = "labels"
    outputs: int | None = None
    bin: int | None = None
    length: int = 0
    tracks: Sequence[str] = ()


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
    recorded : DataFrame, optional
        A few of the rows as they are in their table, with the `sequence` that records of targets hold beside them.
    """

    rows: pd.DataFrame
    labels: Labels
    taken: list[str]
    recorded: pd.DataFrame | None = None


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
    maps: ContactMaps | None = None,
    pairs: Mapping[str, Any] | None = None,
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
    maps
        What the contact maps of a folder are.
    pairs
        Columns of the genes that the regions of a table are paired with (`region_gene_pairs.with_genes`).

    Raises
    ------
    InputError
        A file, column, label, interval or letter is wrong: the first one, in a line.
    """
    given = [key for key in KEYS if source.get(key) is not None]
    recorded, array = None, None
    if maps is not None and given == ["folder"]:
        where = str(source["folder"])
        rows, array, blocks, said = read_contact_maps(Path(where), maps)
        taken = [said]
    elif given == ["table", "fasta"]:
        rows, taken = _by_id(source["fasta"], Path(source["table"]), columns)
        where = str(source["table"])
    elif len(given) == 1:
        key = given[0]
        parts = find_parts(Path(source[key])) if key == "folder" else parts_of(source[key], key, key)
        rows, taken = _read(
            parts, columns, one_based, bed_label or ("score" if target == "values" else None), only, arrays
        )
        where = _where(parts)
        if "example" in rows:
            rows["example"] = told_apart(rows["example"], rows["file"], parts)
        if pairs is not None:
            rows, said = with_genes(rows, Path(where), pairs)
            taken.append(said)
    else:
        what = f"give one of {', '.join(KEYS)} (found {', '.join(given) or 'none'})"
        raise InputError(what, where="sequences", fix="fasta and table may stand together.")
    names = [name for name in rows if name == "label" or str(name).startswith("label_")]
    if array is not None:
        labels = array_labels(array, "values", None, where)._replace(classes=blocks, found=blocks)
    elif hdf5 is not None:
        rows = rows.drop(columns=names)
        labels, recorded = _of_file(hdf5, Path(str(source["table"])), rows, columns, target, classes)
        names = []
        taken.append(f"labels: {labels.why}" + _how(hdf5))
    elif not names:
        raise InputError("no labels in it", where=where, fix="Say which column: columns: {label: NAME}.")
    else:
        labels = _of_columns(rows, names, columns, target, classes, where)
    rows = pd.concat(
        [rows.drop(columns=[*names, "row", "file"], errors="ignore"), labels.targets.set_axis(rows.index)], axis=1
    )
    if "chrom" in rows:
        require_contigs_spelled_once(rows["chrom"].unique(), where)
    given_names = rows.pop("example") if "example" in rows else None
    rows.insert(0, "example", _examples(given_names, len(rows)))
    if given_names is not None and given_names.duplicated().any():
        rows["named"] = given_names
        taken.append("names are not unique: rows are called by their numbers")
    return Labelled(rows, labels, taken, recorded)


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
    hdf5: LabelFile,
    table: Path,
    rows: pd.DataFrame,
    columns: Mapping[str, Any] | None,
    target: Any,
    classes: Mapping[Any, str] | None,
) -> tuple[Labels, pd.DataFrame | None]:
    """Return the labels that a file has of the rows of a table, and rows whose sequence it has too."""
    file, found, _ = table_columns(table, columns)
    number = rows["row"].to_numpy(np.int64)
    if hdf5.bin:
        binned = binned_targets_of(hdf5, file, found)
        array, header = read_binned_means(binned, file)
        labels = array_labels(array[number - 1], target, None, str(hdf5.path), None, number)
        recorded = _recorded(binned, file, rows) if has_records(binned.folder) else None
        return labels._replace(classes=named(header, classes), found=header), recorded
    count = sum(block.num_rows for block in file.blocks(file.header[:1]))
    if is_table(hdf5.path):
        array, header = read_label_table(hdf5.path, count)
        classes = classes or {str(place): name for place, name in enumerate(header)}
    else:
        array = read_label_array(hdf5.path, count, hdf5.data_set)
    return array_labels(array[number - 1], target, classes, str(hdf5.path), hdf5.outputs, number), None


def binned_targets_of(hdf5: LabelFile, table: TableFile, found: Mapping[str, Sequence[str]]) -> BinnedTargets:
    """Return what is read of a folder of tracks in bins beside a table whose columns are known.

    Raises
    ------
    InputError
        The table has no splits, by which arrays are found.
    """
    if "split" not in found:
        what = "no column of splits, by which its targets are found"
        raise InputError(what, where=table.path, fix="Give the table as it was published.")
    assert hdf5.bin is not None
    return BinnedTargets(hdf5.path, found["split"][0], hdf5.bin, hdf5.length, hdf5.tracks, hdf5.outputs)


def _recorded(binned: BinnedTargets, table: TableFile, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose sequence is in the first record of a split."""
    splits = [text for block in table.blocks([binned.split]) for text in block.column(binned.split).to_pylist()]
    numbers, packed = recorded_sequences(binned.folder, table, splits)
    beside = pd.DataFrame({"row": np.array(numbers, np.int64) + 1, "recorded": to_strings(packed).to_pylist()})
    return rows.merge(beside, on="row").drop(columns=["row", "file"]).rename(columns={"recorded": "sequence"})


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
    """Return the files, or, if they are many, the folder of the first."""
    if len(parts) <= FEW:
        return ", ".join(dict.fromkeys(str(part.path) for part in parts))
    return str(parts[0].path.parent)
