"""Folders of TFRecord files, some of each split: `train-0.tfr`, `train-1.tfr`, `valid-0.tfr` ..."""

from __future__ import annotations

import re
from pathlib import Path

from glmflow.errors import InputError
from glmflow.genome.splits import SPLITS
from glmflow.labelled.given_splits import split_name

FILE = re.compile(r"([A-Za-z]+)-(\d+)\.(?:tfr|tfrecords?)")


def has_records(folder: Path) -> bool:
    """Return whether a folder has TFRecord files of splits."""
    return folder.is_dir() and any(FILE.fullmatch(path.name) for path in folder.iterdir())


def record_files(folder: Path) -> dict[str, list[Path]]:
    """Return the files of each split (train, validation, test), in the order of their numbers, which begin with 0.

    Raises
    ------
    InputError
        There are none, a name begins with no split, or a number is missing or there twice.
    """
    found: dict[str, dict[int, Path]] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if not (name := FILE.fullmatch(path.name)):
            continue
        split = split_name(name[1])
        if split is None:
            fix = "Name files of records train-0.tfr, valid-0.tfr, test-0.tfr ..."
            raise InputError(f"{name[1]!r} is no split", where=path, fix=fix)
        files = found.setdefault(split, {})
        if int(name[2]) in files:
            what = f"the same split and number as {files[int(name[2])].name}"
            raise InputError(what, where=path, fix="Keep one of them.")
        files[int(name[2])] = path
    if not found:
        what = "no folder of {split}-{number}.tfr"
        raise InputError(what, where=folder, fix="Give the folder of the TFRecord files (train-0.tfr ...).")
    for files in found.values():
        for number in range(len(files)):
            if number not in files:
                last = files[max(files)].name
                what = f"no file of number {number} of the split of {last}, so that what follows would be misplaced"
                raise InputError(what, where=folder, fix="Fetch all files.")
    return {split: [files[number] for number in sorted(files)] for split in SPLITS if (files := found.get(split))}
