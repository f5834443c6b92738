"""Which files a data set consists of, and what each one holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from glmflow.errors import InputError
from glmflow.genome.contigs import some
from glmflow.labelled.delimited import COMPRESSED, SUFFIXES
from glmflow.labelled.given_splits import split_name

Form = Literal["table", "fasta", "bed", "texts", "intervals"]
FASTA = (".fa", ".fasta", ".fna", ".ffn", ".fas")
BED = (".bed", ".narrowpeak", ".broadpeak")


class Part(NamedTuple):
    """One file, or one folder of sequence files.

    Attributes
    ----------
    path : Path
    form
        `table`, `fasta`, `bed`, `texts` (a folder of files with one sequence each) or `intervals` (a table of
        `id,region,start,end,strand` of one class, as Genomic Benchmarks has them).
    split
        Of all its rows; None if its rows say it, or if there is none.
    label
        Class of all its rows; None if its rows say it.
    """

    path: Path
    form: Form
    split: str | None = None
    label: str | None = None


def parts_of(source: Any, form: Form, where: str) -> list[Part]:
    """Return the parts of a path, of `{split: path}`, of `{class: path}` or of `{split: {class: path}}`.

    Keys that spell train, validation or test are splits; other keys are classes.

    Raises
    ------
    InputError
        Keys of both sorts stand side by side, or two of them spell one split.
    """
    if not isinstance(source, Mapping):
        return [Part(Path(source), form)]
    if not source:
        raise InputError("no file", where=where, fix="Name at least one.")
    splits = {key: split_name(str(key)) for key in source}
    if any(splits.values()) and not all(splits.values()):
        odd = next(key for key, split in splits.items() if split is None)
        raise InputError(f"{odd!r} beside splits", where=where, fix="Name splits, or classes, or classes in splits.")
    found: list[Part] = []
    seen: dict[str, str] = {}
    for key, value in source.items():
        split = splits[key]
        if split is None:
            found.append(Part(Path(value), form, label=str(key)))
            continue
        if split in seen:
            raise InputError(f"{seen[split]!r} and {key!r} both mean {split}", where=where, fix="Keep one of them.")
        seen[split] = str(key)
        found += [part._replace(split=split) for part in parts_of(value, form, f"{where}.{key}")]
    return require_same_classes(found, where)


def find_parts(folder: Path) -> list[Part]:
    """Return the parts of a folder as public data sets are laid out.

    `{split}/{class}/*.txt` and `{split}/{class}.csv.gz` (Genomic Benchmarks), `{split}.csv` (GUE), `{split}.fna`
    (Nucleotide Transformer), `data/{split}-00000-of-00001.parquet` (Hugging Face), `{class}/*.txt` or `{class}.fa`
    without splits.

    Raises
    ------
    InputError
        The folder is not there or laid out in none of these ways, or a class is missing in one of its splits.
    """
    if not folder.is_dir():
        raise InputError("no such folder", where=folder, fix="Give the folder that holds the data set.")
    if (folder / "data").is_dir() and not _children(folder, files=True, only_data=True):
        folder = folder / "data"
    folders = [child for child in _children(folder, files=False) if _children(child, files=True, only_data=True) or
               _children(child, files=False)]  # fmt: skip
    files = _children(folder, files=True, only_data=True)
    split_folders = {child: split for child in folders if (split := split_name(child.name))}
    if split_folders:
        odd = [child.name for child in folders if child not in split_folders]
        if odd:
            what = f"folder {odd[0]!r} beside folders of splits"
            raise InputError(what, where=folder, fix="Move it elsewhere.")
        found = [part._replace(split=split) for child, split in split_folders.items() for part in _classes_in(child)]
        return require_same_classes(found, str(folder))
    by_split = [(file, _split_of(file)) for file in files]
    if any(split for _, split in by_split):
        odd = [file.name for file, split in by_split if split is None]
        if odd:
            raise InputError(f"file {odd[0]!r} beside files of splits", where=folder, fix="Move it elsewhere.")
        return [Part(file, form_of(file), split) for file, split in by_split]
    return _classes_in(folder)


def require_same_classes(parts: list[Part], where: str) -> list[Part]:
    """Return the parts, or stop if a split lacks a class that another one has.

    Raises
    ------
    InputError
        It does; the split and the class are named.
    """
    own: dict[str | None, set[str]] = {}
    for part in parts:
        if part.label is not None:
            own.setdefault(part.split, set()).add(part.label)
    everything = set().union(*own.values()) if own else set()
    for split, classes in own.items():
        if everything - classes:
            missing = some(sorted(everything - classes))
            what = f"the {split} split has no class {missing} (it has {some(sorted(classes))})"
            raise InputError(what, where=where, fix="Give every split the same classes, spelled alike.")
    return parts


def form_of(path: Path) -> Form:
    """Return what a file holds, recognised by its name.

    Raises
    ------
    InputError
        Its name does not tell.
    """
    name = _plain(path)
    if name.endswith(FASTA):
        return "fasta"
    if name.endswith(BED):
        return "bed"
    if name.endswith(SUFFIXES):
        return "table"
    raise InputError(
        "neither table, FASTA nor BED by its name",
        where=path,
        fix=f"Name it {', '.join((*SUFFIXES[:3], *FASTA[:2]))}.",
    )


def _classes_in(folder: Path) -> list[Part]:
    """Return the parts of a folder that has a file or a folder a class."""
    folders = _children(folder, files=False)
    files = _children(folder, files=True, only_data=True)
    if folders and not files:
        return [Part(child, "texts", label=child.name) for child in folders]
    texts = [file for file in files if _plain(file).endswith(".txt")]
    if files and not folders and len(texts) < len(files):
        return [_class_file(file) for file in files]
    raise InputError(
        "no data set: neither a folder a class, a file a class, nor train and test in it",
        where=folder,
        fix="Lay it out as {split}/{class}/*.txt, or name files and columns (table, fasta, bed).",
    )


def _class_file(file: Path) -> Part:
    form = form_of(file)
    return Part(file, "intervals" if form == "table" else form, label=file.name.split(".")[0])


def _children(folder: Path, *, files: bool, only_data: bool = False) -> list[Path]:
    """Return files or folders in a folder, sorted by name, hidden ones and descriptions left out."""
    found = [
        child
        for child in sorted(folder.iterdir())
        if child.is_file() == files and not child.name.startswith((".", "_")) and child.name != "expected"
    ]
    return [child for child in found if _plain(child).endswith((*SUFFIXES, *FASTA, *BED))] if only_data else found


def _plain(path: Path) -> str:
    """Return a file's name in lower case, without the suffix of its compression."""
    name = path.name.lower()
    for suffix in COMPRESSED:
        name = name.removesuffix(suffix)
    return name


def _split_of(file: Path) -> str | None:
    """Return the split that a file's name begins with: train.csv, test-00000-of-00001.parquet."""
    return split_name(re.split(r"[-.]", file.name, maxsplit=1)[0])
