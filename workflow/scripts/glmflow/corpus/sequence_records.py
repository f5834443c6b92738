"""Sequences of FASTA and GenBank files, with what the file says of where they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.fasta_records import fasta_records
from glmflow.genome.fasta import ALPHABET
from glmflow.text_files import text_lines

UNKNOWN = 4
MASKED = 8
"""Added to the code of a base in lower case."""
GENBANK = (".gb", ".gbk", ".gbff")
HOST = re.compile(r'\s+/host="([^"]*)')


@dataclass(frozen=True)
class Record:
    """One sequence.

    Attributes
    ----------
    name, assembly
        Accession with version, and the file it is part of: its records stay together.
    codes : uint8[L]
        0 to 3 for A, C, G, T, 4 for anything else; 8 more for lower case.
    species, genus, family, taxid
        Empty where the file does not say.
    circular
        Whether the end goes on at the start.
    title, lineage, host, code
        What FASTA says behind the name or GenBank as DEFINITION; names of taxa from the highest on; host; GenBank's
        division (`BCT`, `VRL`, `PHG` ...).
    """

    name: str
    assembly: str
    codes: NDArray[np.uint8]
    species: str = ""
    genus: str = ""
    family: str = ""
    taxid: str = ""
    circular: bool = False
    title: str = ""
    lineage: tuple[str, ...] = ()
    host: str = ""
    code: str = ""


def _codes() -> NDArray[np.uint8]:
    table = np.full(256, 255, np.uint8)
    for letter in range(256):
        if ALPHABET[letter]:
            base = b"ACGTN".index(bytes([ALPHABET[letter]]))
            table[letter] = base + (MASKED if chr(letter).islower() else 0)
    return table


CODE = _codes()
LETTERS = np.frombuffer(b"ACGTN", np.uint8)


def encode(text: str, name: str, path: Path) -> NDArray[np.uint8]:
    """Return the codes of a sequence.

    Raises
    ------
    InputError
        It holds a character that is no nucleotide.
    """
    raw = np.frombuffer(text.encode("latin-1", "replace"), np.uint8)
    codes = CODE[raw]
    if len(codes) and codes.max() == 255:
        found = chr(raw[int(np.argmax(codes == 255))])
        raise InputError(f"{name} holds {found!r}, which is no nucleotide", where=path, fix="Give DNA sequences.")
    return codes


def letters(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return codes as upper-case ASCII letters."""
    return LETTERS[np.minimum(codes & 7, UNKNOWN)]


def stem(path: Path) -> str:
    """Return the name of a file without its endings."""
    return re.sub(r"(\.(fa|fna|fasta|ffn|gb|gbk|gbff|gz|bgz))+$", "", path.name)


def read_records(path: Path, form: str | None = None) -> Iterator[Record]:
    """Yield the sequences of a file, plain or gzip.

    Parameters
    ----------
    form
        `fasta` or `genbank`; by the file's name where None.

    Raises
    ------
    InputError
        It is neither, or broken.
    """
    yield from (_genbank if form_of(path, form) == "genbank" else _fasta)(path)


def form_of(path: Path, form: str | None = None) -> str:
    """Return `fasta` or `genbank`: what is asked, else by the file's name."""
    plain = path.with_suffix("") if path.suffix in (".gz", ".bgz") else path
    return form or ("genbank" if plain.suffix in GENBANK else "fasta")


def _fasta(path: Path) -> Iterator[Record]:
    empty = True
    for name, title, _, sequence in fasta_records(path, fix="Give FASTA or GenBank."):
        empty = False
        # `gi|...|ref|NC_000001.1|` of old downloads names the accession last but one.
        fields = name.split("|")
        short = fields[3] if len(fields) >= 4 and fields[0] == "gi" else name
        yield Record(short, stem(path), encode(sequence, short, path), title=title.removeprefix(name).strip())
    if empty:
        raise InputError("no sequence in the FASTA file", where=path)


class Entry:
    """One GenBank entry as it is read.

    Attributes
    ----------
    lines
        Those of its table of features, where they were asked for.
    """

    def __init__(self, locus: str):
        self.name = locus.split()[1] if len(locus.split()) > 1 else ""
        self.circular = " circular " in locus
        words = locus.split()
        self.code = words[-2] if len(words) > 2 and re.fullmatch("[A-Z]{3}", words[-2]) else ""
        self.species, self.taxid, self.title, self.host = "", "", "", ""
        self.lineage: list[str] = []
        self.parts: list[str] = []
        self.lines: list[str] = []
        self.inside = ""

    def record(self, path: Path) -> Record:
        """Return its sequence and what it says of where it comes from.

        Raises
        ------
        InputError
            It has no sequence, or one that is none of nucleotides.
        """
        text = "".join(self.parts)
        if not text:
            fix = "Fetch it with its sequence (gbwithparts)."
            raise InputError(f"GenBank entry {self.name} has no sequence", where=path, fix=fix)
        # GenBank writes all bases in lower case: that is no mask.
        codes = encode(text.upper(), self.name, path)
        genus = self.lineage[-1] if self.lineage else self.species.split()[0] if self.species else ""
        family = next((taxon for taxon in reversed(self.lineage) if re.search("(aceae|idae|viridae)$", taxon)), "")
        words = self.species.split()
        species = " ".join(words[:2]) if len(words) > 1 and words[1].islower() and words[1] != "phage" else self.species
        taxa = (species, genus, family, self.taxid)
        said = (self.title.strip(), tuple(self.lineage), self.host, self.code)
        return Record(self.name, stem(path), codes, *taxa, self.circular, *said)


def _genbank(path: Path) -> Iterator[Record]:
    for entry in genbank_entries(path):
        yield entry.record(path)


def genbank_entries(path: Path, features: bool = False) -> Iterator[Entry]:
    """Yield the entries of a GenBank file; with their tables of features where asked.

    Raises
    ------
    InputError
        It is no GenBank file, or cut off.
    """
    entry: Entry | None = None
    for _, line in text_lines(path):
        key = line[:12].strip()
        if line.startswith("LOCUS"):
            entry = Entry(line + " ")
        elif entry is None:
            if line.strip():
                raise InputError("not GenBank: it does not begin with LOCUS", where=path, fix="Give FASTA or GenBank.")
        elif line.startswith("//"):
            yield entry
            entry = None
        elif key == "ORIGIN":
            entry.inside = "ORIGIN"
        elif entry.inside == "ORIGIN":
            entry.parts.append("".join(line.split()[1:]))
        elif key == "VERSION" and len(line.split()) > 1:
            entry.name = line.split()[1]
        elif key == "ORGANISM":
            entry.inside, entry.species = "ORGANISM", line[12:].strip()
        elif entry.inside == "ORGANISM" and not key:
            entry.lineage += [taxon.strip(" .") for taxon in line.split(";") if taxon.strip(" .\n")]
        elif entry.inside == "DEFINITION" and not key:
            entry.title += " " + line.strip()
        elif key and line[:1] != " ":
            entry.inside = key
            entry.title += line[12:].strip() if key == "DEFINITION" else ""
        elif entry.inside == "FEATURES" and (host := HOST.match(line)) and not entry.host:
            entry.host = host[1]
        if features and entry is not None and entry.inside == "FEATURES" and line[:1] == " ":
            entry.lines.append(line)
        if entry is not None and '/db_xref="taxon:' in line:
            entry.taxid = line.split("taxon:")[1].split('"')[0]
    if entry is not None:
        raise InputError(f"GenBank entry {entry.name} is cut off", where=path, fix="Fetch the file again.")
