"""Peaks of many experiments: narrowPeak or BED files that a sample table names."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from glmflow.errors import InputError
from glmflow.genome.contigs import match_contigs
from glmflow.genome.intervals import BedLine, bed_lines
from glmflow.text_files import read_cells

from .keys import key_of, require_once, some_of, split_key

PEAKS = re.compile(r"\.(narrowPeak|bed)(\.gz)?$", re.IGNORECASE)
"""Ends of the names of peak files."""
SAMPLE_COLUMNS = ("file", "cell", "tf")
SIGNAL, Q, SUMMIT = 3, 5, 6
"""Columns of narrowPeak behind the first three: signal, -log10 q, and the summit's distance from the start."""
BED12 = 9
"""Columns behind the first three from which a file is BED with blocks, whose columns mean something else."""


class Peaks(NamedTuple):
    """Peaks of many samples.

    Attributes
    ----------
    samples
        `sample`, `cell`, `tf`, `key`, `peaks` (all of the file), a row each.
    table
        `sample` (row of `samples`), `chrom`, `start`, `end` (0-based half-open), `summit` (position), in no order.
    """

    samples: pd.DataFrame
    table: pd.DataFrame

    def keep(self, samples: np.ndarray) -> Peaks:
        """Return the peaks of some samples, bool `[samples]`."""
        number = np.cumsum(samples) - 1
        table = self.table[samples[self.table["sample"].to_numpy()]]
        return Peaks(
            self.samples[samples].reset_index(drop=True),
            table.assign(sample=number[table["sample"].to_numpy()]).reset_index(drop=True),
        )


def read_samples(path: str | Path) -> pd.DataFrame:
    """Read a sample table: `file` (beside the table, or a path), `cell`, `tf` and, where there are several, `replicate`.

    A column `relaxed` names the peaks of a laxer threshold; a sample without them has those of `file`.

    A folder stands for a table of its files `{cell}_{tf}.narrowPeak` or `.bed`, plain or gzip.

    Raises
    ------
    InputError
        A column or value is missing, or a file is named twice.
    """
    path = Path(path)
    if path.is_dir():
        return samples_of_folder(path)
    table = read_cells(path, comments=True).replace("", np.nan)
    missing = [name for name in SAMPLE_COLUMNS if name not in table]
    if missing:
        found = ", ".join(map(str, table.columns))
        raise InputError(f"no column {', '.join(missing)}", where=path, fix=f"It has {found}.")
    empty = table[list(SAMPLE_COLUMNS)].isna().any(axis=1)
    if empty.any():
        raise InputError(
            "file, cell or tf is empty", where=f"{path}:{int(np.flatnonzero(empty)[0]) + 2}", fix="Fill it in."
        )
    files = [str(path.parent / name) for name in table["file"]]
    require_once(files, "file", str(path))
    twice = table.duplicated(["cell", "tf"], keep=False)
    if twice.any() and "replicate" not in table:
        names = [key_of(*pair) for pair in table.loc[twice, ["cell", "tf"]].drop_duplicates().itertuples(index=False)]
        raise InputError(
            f"key {some_of(names)} listed more than once",
            where=path,
            fix="Number them in a column `replicate`, or drop one.",
        )
    if "relaxed" in table:
        lax = [file if pd.isna(name) else str(path.parent / name) for name, file in zip(table["relaxed"], files)]
        table = table.assign(relaxed=lax)
    return table.assign(file=files, sample=[Path(name).name.split(".")[0] for name in table["file"]])


def samples_of_folder(folder: Path) -> pd.DataFrame:
    """Return the samples that the names of a folder's peak files say."""
    files = sorted(path for path in folder.iterdir() if PEAKS.search(path.name))
    if not files:
        raise InputError("no peak file", where=folder, fix="Name files {cell}_{tf}.narrowPeak or .bed.")
    names = [PEAKS.sub("", path.name) for path in files]
    pairs = [split_key(name, str(path)) for name, path in zip(names, files)]
    require_once(names, "key", str(folder))
    table = pd.DataFrame(pairs, columns=["cell", "tf"])
    return table.assign(file=[str(path) for path in files], sample=names)


def read_peaks(
    samples: pd.DataFrame,
    contigs: Mapping[str, int] | None = None,
    exclude: Collection[str] = (),
    min_signal: float | None = None,
    min_q: float | None = None,
) -> Peaks:
    """Read the peaks of all samples.

    Parameters
    ----------
    samples
        `file`, `cell`, `tf`, `sample`.
    contigs
        Lengths of the genome's contigs; peaks elsewhere are left out, and names may differ (1 for chr1).
    exclude
        TFs that are left out before anything else.
    min_signal, min_q
        Least signal value (column 7) and -log10 q (column 9; -1 counts as not known and is kept).

    Raises
    ------
    InputError
        A file is damaged or of another genome, or has no such column.
    """
    samples = samples[~samples["tf"].isin(set(exclude))].reset_index(drop=True)
    parts, counts = [], []
    for number, path in enumerate(samples["file"]):
        table = one_file(Path(path), min_signal, min_q)
        counts.append(len(table))
        if contigs is not None and len(table):
            theirs = match_contigs(contigs, table["chrom"].unique(), where=path)
            ours = {name: chrom for chrom, name in theirs.items()}
            table = table[table["chrom"].isin(ours)].assign(chrom=lambda rows, ours=ours: rows["chrom"].map(ours))
            beyond = table["end"].to_numpy() > table["chrom"].map(contigs).to_numpy()
            if beyond.any():
                row = table[beyond].iloc[0]
                what = f"{row.chrom}:{row.start}-{row.end} is beyond the end of {row.chrom} ({contigs[row.chrom]:,} bp)"
                raise InputError(what, where=path, fix="Give peaks of this genome.")
        parts.append(table.assign(sample=number))
    columns = ["sample", "chrom", "start", "end", "summit"]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    keys = [key_of(cell, tf) for cell, tf in zip(samples["cell"], samples["tf"])]
    return Peaks(samples[["sample", "cell", "tf"]].assign(key=keys, peaks=counts), table[columns])


def one_file(path: Path, min_signal: float | None = None, min_q: float | None = None) -> pd.DataFrame:
    """Return `chrom`, `start`, `end`, `summit` of the peaks of a file; the middle where no summit is known."""
    rows = []
    for line in bed_lines(path):
        if line.start == line.end:
            continue
        summit = -1
        known = len(line.rest) if len(line.rest) < BED12 else 0
        if known > SUMMIT:
            summit = int(_number(line, SUMMIT, "summit"))
        for least, column, name in ((min_signal, SIGNAL, "signal"), (min_q, Q, "q")):
            if least is not None and known <= column:
                raise InputError(
                    f"no column of {name}", where=line.where, fix="Give narrowPeak, or leave the limit out."
                )
        if min_signal is not None and _number(line, SIGNAL, "signal") < min_signal:
            continue
        if min_q is not None and 0 <= _number(line, Q, "q") < min_q:
            continue
        middle = (line.start + line.end) // 2
        rows.append((line.chrom, line.start, line.end, line.start + summit if summit >= 0 else middle))
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "summit"])


def _number(line: BedLine, column: int, name: str) -> float:
    """Return the number in a column of a narrowPeak line."""
    try:
        return float(line.rest[column])
    except ValueError:
        what = f"{name} holds {line.rest[column]!r}, which is no number"
        raise InputError(what, where=line.where, fix="Give narrowPeak, or BED of three columns.") from None
