"""FASTA as a format: recognised by its first bytes, checked, and copied into the form the workflow reads."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from glmflow.errors import InputError
from glmflow.files import atomic_path
from glmflow.text_files import open_bytes

N = ord("N")
LINE = 60
_BLOCK = 16 << 20
_AMBIGUOUS = b"RYSWKMBDHV"  # IUPAC codes that stand for several bases


def _alphabet() -> bytes:
    """Return the translation to upper case A C G T N; what is no nucleotide code becomes a zero byte."""
    table = bytearray(256)
    for code in b"ACGTN":
        table[code] = table[ord(chr(code).lower())] = code
    for code in _AMBIGUOUS:
        table[code] = table[ord(chr(code).lower())] = N
    return bytes(table)


ALPHABET = _alphabet()


def check_head(head: bytes, path: Path) -> None:
    """Stop when a file's first bytes are not those of a FASTA file."""
    start = head.lstrip()
    if not start:
        raise InputError("the FASTA file is empty", where=path, fix="Fetch it again.")
    if start[:1] == b"<":
        raise InputError("a web page (HTML or XML), not FASTA", where=path, fix="Fetch the file itself.")
    if start[:1] != b">":
        raise InputError("not FASTA: it does not begin with '>'", where=path, fix="Give a FASTA file.")


def bases_of(raw: bytes | bytearray, chrom: str, path: Path) -> bytes | bytearray:
    """Return the bases of raw lines of a contig: upper case, ambiguous ones as N, without line breaks.

    Raises
    ------
    InputError
        A character is no nucleotide; the first one is named.
    """
    bases = raw.translate(ALPHABET, b"\r\n")
    if 0 not in bases:
        return bases
    found = next(code for code in raw.translate(None, b"\r\n") if not ALPHABET[code])
    raise InputError(
        f"contig {chrom!r} holds {chr(found)!r}, which is no nucleotide",
        where=path,
        fix="Give a DNA FASTA file (A C G T N and IUPAC codes).",
    )


def contig_twice(name: str, path: Path) -> InputError:
    """Return the error for two contigs of one name."""
    return InputError(f"contig {name!r} comes twice", where=path, fix="Give every contig a name of its own.")


def no_bases(name: str, path: Path) -> InputError:
    """Return the error for a contig without a sequence."""
    return InputError(f"contig {name!r} has no bases", where=path, fix="Remove its header.")


def prepare_reference(fasta: str | os.PathLike[str], output: str | os.PathLike[str]) -> dict[str, int]:
    """Write a checked copy of a genome: uncompressed, upper case, A C G T N only, lines of 60, indexed.

    Parameters
    ----------
    fasta
        FASTA file, plain, gzip or bgzip.
    output
        The copy; its index is written beside it as `{output}.fai`.

    Returns
    -------
    dict[str, int]
        `contigs`, `bases`, `n_bases` (in the copy), `ambiguous` (IUPAC codes turned to N) and `soft_masked`
        (lower case turned to upper).

    Raises
    ------
    InputError
        The file is missing, empty, truncated, not FASTA, holds a contig twice or without bases, or a
        character that is no nucleotide.
    """
    fasta, output = Path(fasta), Path(output)
    counts = Counter(dict.fromkeys(("contigs", "bases", "n_bases", "ambiguous", "soft_masked"), 0))
    with atomic_path(output) as copy, atomic_path(Path(f"{output}.fai")) as index:
        with open_bytes(fasta) as source, copy.open("wb") as target:
            lines = _Lines(target)
            for name, raw in read_pieces(source, fasta):
                bases = bases_of(raw, name, fasta)
                lines.write(name, bases)
                counts["n_bases"] += bases.count(b"N")
                counts["ambiguous"] += bases.count(b"N") - raw.count(b"N") - raw.count(b"n")
                counts["soft_masked"] += sum(map(raw.count, (b"a", b"c", b"g", b"t", b"n")))
            lines.close()
        for name, (length, _) in lines.contigs.items():
            if not length:
                raise no_bases(name, fasta)
        index.write_text("".join(f"{name}\t{n}\t{at}\t{LINE}\t{LINE + 1}\n" for name, (n, at) in lines.contigs.items()))
    counts["contigs"] = len(lines.contigs)
    counts["bases"] = sum(length for length, _ in lines.contigs.values())
    return dict(counts)


def read_pieces(source: BinaryIO, path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every contig's name and bases, in one or more pieces a contig."""
    seen: set[str] = set()
    name = ""
    while block := source.read(_BLOCK):
        block += source.readline()
        if not seen:
            check_head(block, path)
            block = block.lstrip()
        for number, piece in enumerate((b"\n" + block).split(b"\n>")):
            if number:
                header, _, piece = piece.partition(b"\n")
                name = (header.decode("utf-8", "replace").split() or [""])[0]
                if name in seen:
                    raise contig_twice(name, path)
                if not name:
                    raise InputError("a contig without a name", where=path, fix="Name it: >NAME.")
                seen.add(name)
            if number or piece.strip():
                yield name, piece
    if not seen:
        check_head(b"", path)


class _Lines:
    """Bases written in lines of 60 under one header a contig."""

    def __init__(self, handle: BinaryIO):
        self.handle = handle
        self.contigs: dict[str, tuple[int, int]] = {}  # name: (length, byte of the first base)
        self._name = ""
        self._rest = b""

    def write(self, name: str, bases: bytes) -> None:
        if name not in self.contigs:
            self.close()
            self.handle.write(f">{name}\n".encode())
            self.contigs[name] = (0, self.handle.tell())
            self._name = name
        length, offset = self.contigs[name]
        self.contigs[name] = (length + len(bases), offset)
        bases = self._rest + bases
        full = len(bases) // LINE * LINE
        lines = np.full((full // LINE, LINE + 1), ord("\n"), np.uint8)
        lines[:, :LINE] = np.frombuffer(bases, np.uint8, full).reshape(-1, LINE)
        self.handle.write(lines)
        self._rest = bases[full:]

    def close(self) -> None:
        """End the last line of the contig."""
        if self._rest:
            self.handle.write(self._rest + b"\n")
            self._rest = b""
