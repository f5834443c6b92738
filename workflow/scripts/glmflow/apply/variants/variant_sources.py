"""Where variants come from: VCF and BCF files, tables with or without a genome, BED files; read in parts, in order."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.genome.column_names import ALLELES, allele_columns, known_columns, plain_name
from glmflow.genome.edits import Records
from glmflow.genome.intervals import read_intervals
from glmflow.genome.stretches import Genome
from glmflow.models.tokenizers import clean
from glmflow.text_files import as_table, text_lines

from .vcf_lines import header_of, record_lines

log = logging.getLogger(__name__)

TAB = "\t"
MOST = 2
"""How many times the asked number of records a part may hold, so that records of one place stay together."""

OWN_SEQUENCE = {
    "sequence": ("sequence", "sequences", "seq", "dna_sequence", "dna_seq", "window_sequence"),
    "offset": ("offset", "pos_in_sequence", "variant_offset"),
    **ALLELES,
}
"""Usual names of the columns of a table whose rows bring their sequences along."""
LABELS = ("name", "id", "example", "element")
"""Columns that name the sequences of such a table, best first; `element` names the contig of one without."""


@dataclass
class VcfSource:
    """A VCF or BCF file.

    Attributes
    ----------
    header
        Its header lines; none where it has no header.
    symbolic
        INFO is kept, for symbolic alleles.
    """

    path: Path
    symbolic: bool = False
    header: list[str] = field(init=False)

    def __post_init__(self):
        self.header = header_of(self.path)

    def parts(self, size: int, keep: bool = False) -> Iterator[Records]:
        """Yield the records; see `Source`."""
        records, last = Records([], [], [], []), None
        info: list[str] = []
        for number, line in record_lines(self.path):
            cells = line.split("\t", 8)
            broken = ""
            try:
                chrom, pos, ref, alt, _, _, more = cells[0], int(cells[1]) - 1, *cells[3:8]
            except (IndexError, ValueError):
                chrom, pos, ref, alt, more = "", -1, "", "", ""
                broken = f"record {number} is no VCF record ({line.count(TAB) + 1} columns, {line[:40]!r})"
            if len(records) >= size and ((chrom, pos) != last or len(records) >= MOST * size):
                yield self._closed(records, info)
                records, info = Records([], [], [], []), []
            if broken:
                records.broken[len(records)] = broken
            records.chrom.append(chrom)
            records.pos.append(pos)
            records.ref.append(ref)
            records.alt.append(alt)
            if keep:
                records.lines.append(line)
            if self.symbolic:
                info.append(more)
            last = chrom, pos
        if len(records):
            yield self._closed(records, info)

    def _closed(self, records: Records, info: list[str]) -> Records:
        records.info = info if self.symbolic else None
        return records


@dataclass
class TableSource:
    """A table (tab- or comma-separated text, or parquet) of `chrom, pos, ref, alt`, or of `sequence, offset, ref, alt`.

    `pos` counts from 1 as in a VCF; `start` may stand in its place, from 0. `offset` counts from 0; without it, `pos` and
    `start` of a sequence tell it.
    """

    path: Path
    columns: dict[str, str] = field(init=False)
    names: list[str] = field(init=False)

    def __post_init__(self):
        if not self.path.exists():
            raise InputError("no such file", where=self.path, fix="Give a table of variants.")
        self.names = list(self._read_columns())
        self.columns = _columns_of(self.names, self.path)
        has = self.columns
        placed = (
            "offset" in has or ("pos" in has and "start" in has)
            if self.own_sequences
            else ("chrom" in has and ("pos" in has or "start" in has))
        )
        if not ({"ref", "alt"} <= set(has) and placed):
            raise InputError(
                f"columns {', '.join(self.names[:12])} do not make variants",
                where=self.path,
                fix="Give chrom, pos (from 1) or start (from 0), ref and alt; or sequence, offset (from 0), ref and alt.",
            )

    @property
    def own_sequences(self) -> bool:
        """Whether each row has its own sequence, so that no genome is needed."""
        return "sequence" in self.columns

    def parts(self, size: int, keep: bool = False) -> Iterator[Records]:
        """Yield the rows; see `Source`."""
        for table in self._chunks(size):
            columns = {key: table[name].tolist() for key, name in self.columns.items()}
            ref, alt = ([str(value) for value in columns[key]] for key in ("ref", "alt"))
            pos, broken = self._positions(columns, table)
            if self.own_sequences:
                records = self._with_sequences(columns, pos, ref, alt, table)
            else:
                records = Records([str(value) for value in columns["chrom"]], pos, ref, alt)
            records.broken |= broken
            if keep:
                records.lines = table
            yield records

    def _positions(self, columns: Mapping[str, list], table: pd.DataFrame) -> tuple[list[int], dict[int, str]]:
        """Return the 0-based first base of REF of each row, in its contig or sequence; and rows without, in words."""
        has, own = self.columns, self.own_sequences
        name = "offset" if own and "offset" in has else "pos" if "pos" in has else "start"
        begins = columns["start"] if own and name == "pos" else [0] * len(table)
        found, broken = [], {}
        for row, (value, begin) in enumerate(zip(columns[name], begins)):
            try:
                found.append(_whole(value) - _whole(begin) - (name == "pos"))
            except (TypeError, ValueError):
                found.append(-1)
                broken[row] = f"row {table.index[row] + 1}: a position is no number ({has[name]} {value!r})"
        return found, broken

    def _with_sequences(
        self, columns: Mapping[str, list], pos: list[int], ref: list[str], alt: list[str], table: pd.DataFrame
    ) -> Records:
        """Return records, each on a sequence of its own."""
        rows = [str(number) for number in table.index]
        sequences = RowSequences(dict(zip(rows, columns["sequence"])))
        given = "chrom" in columns and "pos" in columns
        if given:
            numbers = pd.to_numeric(pd.Series(columns["pos"]), errors="coerce")
            numbers = numbers.where(np.isfinite(numbers), 0).astype(np.int64)
            labels = list(zip(map(str, columns["chrom"]), (numbers - 1).tolist()))
        else:
            names = columns.get("name") or columns.get("chrom") or [f"row{number + 1}" for number in table.index]
            labels = list(zip(map(str, names), pos))
        broken = {int(row) - int(rows[0]): words for row, words in sequences.broken.items()}
        return Records(rows, pos, ref, alt, genome=sequences, labels=labels, broken=broken)

    def _read_columns(self) -> Sequence[str]:
        if self.path.suffix == ".parquet":
            import pyarrow.parquet as parquet

            return parquet.read_schema(self.path).names
        return self._text(nrows=0).columns

    def _chunks(self, size: int) -> Iterator[pd.DataFrame]:
        """Yield rows of the table, numbered throughout."""
        if self.path.suffix == ".parquet":
            import pyarrow.parquet as parquet

            begin = 0
            for batch in parquet.ParquetFile(self.path).iter_batches(size):
                table = batch.to_pandas()
                table.index = range(begin, begin + len(table))
                begin += len(table)
                yield table
        else:
            with as_table(self.path):
                yield from self._text(chunksize=size)

    def _text(self, **options: Any) -> Any:
        """Read text; every field stays as it is written."""
        _, header = next(text_lines(self.path), (0, ""))
        with as_table(self.path):
            return pd.read_csv(
                self.path, sep=max("\t,;", key=header.count), dtype=str, keep_default_na=False, index_col=False,
                encoding="utf-8-sig", **options,
            )  # fmt: skip


def _whole(value: Any) -> int:
    """Return a whole number, also of `100.0` (what a table with gaps makes of 100); ValueError where it is none."""
    try:
        return int(value)
    except (ValueError, OverflowError):
        number = float(value)
        if not number.is_integer():
            raise ValueError(value) from None
        return int(number)


def _columns_of(header: Sequence[str], path: Path) -> dict[str, str]:
    """Return the columns of a table of variants by what they are; what was taken under another name is said.

    A near miss is asked about only where it would be needed: `sequence_id` of a table of places is a name, and so is
    `chromatin` of a table of sequences.
    """
    plain = {plain_name(name): name for name in reversed(header)}
    there = {name for name, usual in OWN_SEQUENCE.items() if any(plain_name(one) in plain for one in usual)}
    placed = {"chrom"} <= there and bool({"pos", "start"} & there)
    if "sequence" in there or ("offset" in there and not placed):
        needed = {"sequence", "ref", "alt"} | ({"offset"} if not {"pos", "start"} <= there else set())
        found = known_columns(
            header, {name: usual for name, usual in OWN_SEQUENCE.items() if name in needed | there}, where=str(path)
        )
        label = next((plain[name] for name in LABELS if name in plain), None)
        names = {} if label is None else {"name": label}
    else:
        if "chrom" not in there and "element" in plain:
            header = ["chrom" if name == plain["element"] else name for name in header]
        found = allele_columns(header, where=str(path))
        names = {} if "chrom" in there or "element" not in plain else {"chrom": plain["element"]}
    if found.notes:
        log.warning("%s: %s", path, "; ".join(found.notes))
    return {**found.taken, **names}


class RowSequences:
    """Sequences that rows of a table bring along, as a genome whose contigs they are.

    Attributes
    ----------
    broken
        Rows whose sequence is none, in words; their contigs have no bases.
    """

    def __init__(self, sequences: Mapping[str, str]):
        self._codes: dict[str, NDArray[np.uint8]] = {}
        self.broken: dict[str, str] = {}
        for row, sequence in sequences.items():
            try:
                self._codes[row] = clean(str(sequence))
            except InputError as error:
                self._codes[row] = np.zeros(0, np.uint8)
                self.broken[row] = f"row {int(row) + 1}: {error.what}"
        self.contigs = {row: len(codes) for row, codes in self._codes.items()}

    def fetch(self, chrom: str, start: int, end: int) -> NDArray[np.uint8]:
        """Return the bases of an interval; N past the ends."""
        codes = self._codes[chrom]
        found = np.full(end - start, ord("N"), np.uint8)
        left, right = max(start, 0), min(end, len(codes))
        if left < right:
            found[left - start : right - start] = codes[left:right]
        return found


@dataclass
class BedSource:
    """Every base of some intervals, changed into each of the three others; bases of overlapping intervals once."""

    path: Path
    genome: Genome
    header: list[str] = field(init=False)

    def __post_init__(self):
        contigs = [f"##contig=<ID={name},length={length}>" for name, length in self.genome.contigs.items()]
        self.header = ["##fileformat=VCFv4.2", *contigs]

    def parts(self, size: int, keep: bool = False) -> Iterator[Records]:
        """Yield the bases; see `Source`."""
        for chrom, start, end in union(read_intervals(self.path, self.genome.contigs)):
            for begin in range(start, end, size):
                codes = self.genome.fetch(chrom, begin, min(begin + size, end))
                known = np.flatnonzero(codes != ord("N"))
                pos, ref = (known + begin).tolist(), codes[known].tobytes().decode("ascii")
                alt = [",".join(base for base in "ACGT" if base != own) for own in ref]
                records = Records([chrom] * len(pos), pos, list(ref), alt)
                if keep:
                    rows = zip(pos, ref, alt)
                    records.lines = [f"{chrom}\t{p + 1}\t.\t{r}\t{a}\t.\t.\t." for p, r, a in rows]
                if len(records):
                    yield records


def union(intervals: Sequence[tuple]) -> list[tuple[str, int, int]]:
    """Return intervals sorted within their contigs, those that overlap or touch as one; contigs in order of appearance."""
    by_contig: dict[str, list[tuple[int, int]]] = {}
    for chrom, start, end, *_ in intervals:
        by_contig.setdefault(chrom, []).append((start, end))
    merged: list[tuple[str, int, int]] = []
    for chrom, some in by_contig.items():
        for start, end in sorted(some):
            if merged and merged[-1][0] == chrom and start <= merged[-1][2]:
                merged[-1] = chrom, merged[-1][1], max(end, merged[-1][2])
            else:
                merged.append((chrom, start, end))
    return merged
