"""The reference genome, fetched from at random."""

from __future__ import annotations

import logging
import os
import re
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyfaidx
import pysam

from glmflow.errors import InputError
from glmflow.genome.contigs import match_contigs, some
from glmflow.genome.fasta import (
    N,
    bases_of,
    check_head,
    contig_twice,
    no_bases,
    prepare_reference,
    read_pieces,
)
from glmflow.genome.htslib_messages import heard
from glmflow.genome.remembered_lengths import remember, remembered
from glmflow.text_files import check_complete, compression, damaged, open_bytes

log = logging.getLogger(__name__)

__all__ = ["Reference", "contig_lengths", "match_contigs", "prepare_reference"]


class Reference:
    """A genome in a FASTA file, plain or bgzip, fetched from by coordinates.

    A window of a plain file costs microseconds; one of a bgzip file ten times as much. A file without an index
    (`.fai`) is indexed in memory: reading never writes beside the user's data. Every process opens its own
    handles, so an instance can be pickled and shared with workers.

    Parameters
    ----------
    path
        The FASTA file.

    Attributes
    ----------
    path : Path
        The FASTA file.
    contigs : dict[str, int]
        Length in bases of every contig, in the order of the file.

    Raises
    ------
    InputError
        The file is missing, empty, not FASTA, compressed with something other than bgzip, has lines of
        unequal length or a contig twice.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path)
        self._records = _index(self.path)
        self.contigs = {name: record.length for name, record in self._records.items()}
        self._packed = compression(self.path) == "bgzip"
        self._handle: _Plain | _Bgzip | None = None
        self._owner = -1

    def fetch(self, chrom: str, start: int, end: int) -> np.ndarray:
        """Return the bases of an interval.

        Parameters
        ----------
        chrom
            Contig.
        start, end
            0-based half-open; may reach past either end of the contig.

        Returns
        -------
        uint8[end - start]
            ASCII codes of upper case A C G T N; N past the ends and for ambiguous codes.

        Raises
        ------
        InputError
            The genome has no such contig, or the interval holds a character that is no nucleotide.
        """
        if end < start:
            raise ValueError(f"interval ends before it starts: {chrom}:{start}-{end}")
        length = self.contigs.get(chrom)
        if length is None:
            raise InputError(f"no contig {chrom!r}", where=self.path, fix=f"The genome has {some(self.contigs)}.")
        left, right = max(start, 0), min(end, length)
        if left >= right:
            return np.full(end - start, N, np.uint8)
        raw = self._open().raw(self._records[chrom], chrom, left, right)
        bases = bases_of(raw, chrom, self.path)
        inside = np.frombuffer(bases, np.uint8)
        if len(inside) != right - left:
            what = f"contig {chrom!r} has other lines than the first ones at {chrom}:{left + 1}-{right}"
            raise InputError(what, where=self.path, fix="Give its lines one length a contig, and delete its .fai.")
        if len(inside) == end - start:
            return inside
        padded = np.full(end - start, N, np.uint8)
        padded[left - start : right - start] = inside
        return padded

    def fetch_string(self, chrom: str, start: int, end: int) -> str:
        """Return the bases of an interval as text; as `fetch` otherwise."""
        return self.fetch(chrom, start, end).tobytes().decode("ascii")

    def __repr__(self) -> str:
        return f"Reference({str(self.path)!r})"

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_handle": None, "_owner": -1}

    def _open(self) -> _Plain | _Bgzip:
        """Return this process's own handle."""
        if self._handle is None or self._owner != os.getpid():
            self._handle = (_Bgzip if self._packed else _Plain)(self.path)
            self._owner = os.getpid()
        return self._handle


class _Record(NamedTuple):
    """One line of a `.fai` file: where a contig's bases lie."""

    length: int
    offset: int
    line_bases: int
    line_width: int

    def byte(self, position: int) -> int:
        """Return where in the file a base lies."""
        line, column = divmod(position, self.line_bases)
        return self.offset + line * self.line_width + column


class _Plain:
    """An uncompressed FASTA file."""

    def __init__(self, path: Path):
        self.file = path.open("rb", buffering=0)

    def raw(self, record: _Record, chrom: str, start: int, end: int) -> bytearray:
        """Return the characters of an interval, line ends among them."""
        first, last = record.byte(start), record.byte(end - 1)
        return bytearray(os.pread(self.file.fileno(), last + 1 - first, first))


class _Bgzip:
    """A FASTA file compressed in blocks."""

    def __init__(self, path: Path):
        with tempfile.TemporaryDirectory() as folder:
            fai = Path(folder) / "fai"
            _write_fai(path, "bgzip", fai)
            with heard():
                self.file = pysam.FastaFile(str(path), filepath_index=str(fai), filepath_index_compressed=f"{fai}.gzi")
        self.path = path

    def raw(self, record: _Record, chrom: str, start: int, end: int) -> bytearray:
        try:
            return bytearray(self.file.fetch(chrom, start, end), "ascii")
        except (OSError, ValueError) as error:
            raise damaged(self.path, error) from error


def contig_lengths(path: str | os.PathLike[str]) -> dict[str, int]:
    """Return the bases of every contig of a FASTA file that `prepare_reference` can copy.

    What has no index, or cannot be read at random (plain gzip), is read through once and remembered as it is then.

    Raises
    ------
    InputError
        As `prepare_reference`, of the contigs.
    """
    path = Path(path)
    if path.is_file() and _has_index(path):
        try:
            return Reference(path).contigs
        except InputError:
            log.info("%s: its index cannot be used", path)
    known = remembered(path) if path.is_file() else None
    if known is None:
        try:
            known = Reference(path).contigs
        except InputError:
            known = _lengths_read_through(path)
        remember(path, known)
    return known


def _lengths_read_through(path: Path) -> dict[str, int]:
    """Return the bases of every contig of a FASTA file."""
    lengths: Counter[str] = Counter()
    with open_bytes(path) as source:
        for name, raw in read_pieces(source, path):
            lengths[name] += len(raw) - raw.count(b"\n") - raw.count(b"\r")
    for name, length in lengths.items():
        if not length:
            raise no_bases(name, path)
    return dict(lengths)


def _has_index(path: Path) -> bool:
    """Whether there is an index beside a file that is no older."""
    beside = Path(f"{path}.fai")
    return beside.exists() and beside.stat().st_mtime >= path.stat().st_mtime


def _index(path: Path) -> dict[str, _Record]:
    """Return where every contig lies, from the `.fai` beside the file or from the file itself."""
    kind = check_complete(path)
    if kind == "gzip":
        raise InputError(
            "compressed with gzip, which cannot be read at random", where=path, fix="Unpack it or use bgzip."
        )
    if kind == "none":
        with path.open("rb") as handle:
            check_head(handle.read(1 << 16), path)
    beside = Path(f"{path}.fai")
    if _has_index(path):
        records = _read_fai(beside, path)
    else:
        with tempfile.TemporaryDirectory() as folder:
            fai = Path(folder) / "fai"
            _write_fai(path, kind, fai)
            records = _read_fai(fai, path)
    if kind == "none":
        _check_geometry(records, path)
    return records


def _write_fai(path: Path, kind: str, fai: Path) -> None:
    """Index a FASTA file."""
    try:
        if kind == "bgzip":
            with heard() as said:
                pysam.faidx(str(path), "--fai-idx", str(fai), "--gzi-idx", f"{fai}.gzi")
            if again := re.search(r'[Dd]uplicate sequence "(.+)"', " ".join(said.remarks)):
                raise contig_twice(again[1], path)
        else:
            pyfaidx.Faidx(path, indexname=fai).close()
    # pyfaidx goes by the name: of plain text that is called .gz it says that BioPython is missing. Of several blank lines
    # in a row it raises a bare RuntimeError that asks for a report to its authors.
    except (
        pyfaidx.FastaIndexingError,
        pyfaidx.FastaNotFoundError,
        pysam.SamtoolsError,
        ImportError,
        RuntimeError,
        ValueError,
    ) as error:
        twice = re.search(r"[Dd]uplicate (?:key|sequence name) \W*(.+?)\W*$", str(error))
        if twice:
            raise contig_twice(twice[1], path) from error
        reason = "blank lines within it" if isinstance(error, RuntimeError) else error
        fix = "Give its lines one length a contig, the last aside, each contig a name, and leave no blank lines."
        raise InputError(f"cannot be indexed ({reason})", where=path, fix=fix) from error


def _read_fai(fai: Path, path: Path) -> dict[str, _Record]:
    """Return the records of the `.fai` file of a FASTA file."""
    records: dict[str, _Record] = {}
    for line in fai.read_text("utf-8", "replace").splitlines():
        name, *numbers = line.split("\t")
        if name in records:
            raise contig_twice(name, path)
        try:
            records[name] = _Record(*map(int, numbers[:4]))
        except (TypeError, ValueError):
            raise InputError("not a FASTA index", where=fai, fix="Delete it.") from None
        if not records[name].length:
            raise no_bases(name, path)
        if min(records[name]) < 1:
            raise InputError("not a FASTA index", where=fai, fix="Delete it.")
    if not records:
        raise InputError("no contigs", where=path, fix="Give a FASTA file.")
    return records


def _check_geometry(records: Mapping[str, _Record], path: Path) -> None:
    """Stop when an index is not that of its file: a contig starts behind a line end, within the file."""
    size = path.stat().st_size
    with path.open("rb", buffering=0) as file:
        for name, record in records.items():
            before = os.pread(file.fileno(), 1, record.offset - 1)
            if record.byte(record.length - 1) < size and before == b"\n":
                continue
            raise InputError(
                f"contig {name!r} is not where the index says", where=f"{path}.fai", fix="Delete the index."
            )
