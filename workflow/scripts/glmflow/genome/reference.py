"""The reference genome, fetched from at random."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyfaidx
import pysam

from glmflow.errors import InputError
from glmflow.genome.contigs import match_contigs, some
from glmflow.genome.fasta import ALPHABET, N, check_head, compression, not_a_nucleotide, prepare_reference

__all__ = ["Reference", "match_contigs", "prepare_reference"]


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
        self._bgzip = compression(self.path) == "bgzip"
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
            raise InputError(f"no contig {chrom!r}", where=self.path, mend=f"The genome has {some(self.contigs)}.")
        left, right = max(start, 0), min(end, length)
        if left >= right:
            return np.full(end - start, N, np.uint8)
        raw = self._open().raw(self._records[chrom], chrom, left, right)
        bases = raw.translate(ALPHABET, b"\r\n")
        if 0 in bases:
            raise not_a_nucleotide(raw.translate(None, b"\r\n"), chrom, self.path)
        inside = np.frombuffer(bases, np.uint8)
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
            self._handle = (_Bgzip if self._bgzip else _Plain)(self.path)
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
            fai, gzi = f"{folder}/fai", f"{folder}/gzi"
            pysam.faidx(str(path), "--fai-idx", fai, "--gzi-idx", gzi)
            self.file = pysam.FastaFile(str(path), filepath_index=fai, filepath_index_compressed=gzi)

    def raw(self, record: _Record, chrom: str, start: int, end: int) -> bytearray:
        return bytearray(self.file.fetch(chrom, start, end), "ascii")


def _index(path: Path) -> dict[str, _Record]:
    """Return where every contig lies, from the `.fai` beside the file or from the file itself."""
    kind = compression(path)
    if kind == "gzip":
        raise InputError(
            "compressed with gzip, which cannot be read at random", where=path, mend="Unpack it or use bgzip."
        )
    if kind == "none":
        with path.open("rb") as handle:
            check_head(handle.read(1 << 16), path)
    beside = Path(f"{path}.fai")
    if beside.exists() and beside.stat().st_mtime >= path.stat().st_mtime:
        records = _read_fai(beside)
    else:
        with tempfile.TemporaryDirectory() as folder:
            fai = Path(folder) / "fai"
            try:
                if kind == "bgzip":
                    pysam.faidx(str(path), "--fai-idx", str(fai), "--gzi-idx", f"{folder}/gzi")
                else:
                    pyfaidx.Faidx(path, indexname=fai).close()
            except (pyfaidx.FastaIndexingError, pysam.SamtoolsError, ValueError) as error:
                raise InputError(
                    f"cannot be indexed ({error})", where=path, mend="Give its lines one length a contig."
                ) from error
            records = _read_fai(fai)
    if kind == "none":
        _check_geometry(records, path)
    return records


def _read_fai(path: Path) -> dict[str, _Record]:
    """Return the records of a `.fai` file."""
    records: dict[str, _Record] = {}
    for line in path.read_text().splitlines():
        name, *numbers = line.split("\t")
        if name in records:
            raise InputError(f"contig {name!r} twice", where=path, mend="Keep one of the two in the FASTA.")
        try:
            records[name] = _Record(*map(int, numbers[:4]))
        except (TypeError, ValueError):
            raise InputError("not a FASTA index", where=path, mend="Delete it.") from None
        if not records[name].length:
            raise InputError(f"contig {name!r} has no bases", where=path, mend="Remove it from the FASTA.")
    if not records:
        raise InputError("no contigs", where=path, mend="Give a FASTA file.")
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
                f"contig {name!r} is not where the index says", where=f"{path}.fai", mend="Delete the index."
            )
