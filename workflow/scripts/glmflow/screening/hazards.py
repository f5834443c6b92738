"""A list of hazards, ready to be looked up: k-mers of bases and of amino acids, with the record each comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glmflow.dna.kmer_tables import CODE
from glmflow.dna.open_frames import AMINO_ACIDS, peptide_index
from glmflow.errors import InputError
from glmflow.fasta_records import fasta_records
from glmflow.files import sha256
from glmflow.genome.canonical import as_bases, canonical_kmers, opposite_strand

LONG, SHORT, PEPTIDE = 31, 21, 6
"""Lengths of the k-mers of bases and of the peptides."""
RESIDUES = sorted(set(AMINO_ACIDS) - {"*"})


class Table:
    """Numbers that hazards hold, each with the hazard it was first seen in."""

    def __init__(self, parts: Iterable[NDArray]):
        """Take one array a hazard."""
        parts = list(parts)
        keys = np.concatenate([np.zeros(0, np.uint64), *(np.unique(part).astype(np.uint64) for part in parts)])
        owner = np.repeat(np.arange(len(parts)), [len(np.unique(part)) for part in parts])
        self.keys, first = np.unique(keys, return_index=True)
        self.owner = owner[first] if len(first) else np.zeros(0, np.int64)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.keys)

    def owners(self, wanted: NDArray) -> NDArray[np.int64]:
        """Return the hazard that holds each number; -1 where none does."""
        if not len(self.keys):
            return np.full(len(wanted), -1)
        wanted = wanted.astype(np.uint64)
        place = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[place] == wanted, self.owner[place], -1)


class Hazards:
    """What sequences are compared with.

    Attributes
    ----------
    names
        Of the records, in the order of the files.
    bases
        The nucleotide records, as text (empty for a protein).
    long, short, peptides
        Their 31-mers and 21-mers, whatever the strand, and the peptides of six residues of all six frames and of proteins.
    digest
        SHA-256 over the files.
    """

    def __init__(self, nucleotides: Sequence[tuple[str, str]], proteins: Sequence[tuple[str, str]], digest: str):
        self.names = [name for name, _ in (*nucleotides, *proteins)]
        self.bases = [letters for _, letters in nucleotides] + [""] * len(proteins)
        self.digest = digest
        none = [np.zeros(0, np.uint64)] * len(proteins)
        own = [as_bases(letters) for _, letters in nucleotides]
        self.long = Table([kmers_of(bases, LONG)[0] for bases in own] + none)
        self.short = Table([kmers_of(bases, SHORT)[0] for bases in own] + none)
        of_frames = [np.concatenate([found[found >= 0] for found in peptides_of(bases)]) for bases in own]
        self.peptides = Table(of_frames + [_of_protein(letters) for _, letters in proteins])

    @classmethod
    def read(cls, nucleotides: Sequence[Path] = (), proteins: Sequence[Path] = ()) -> Hazards:
        """Read FASTA files of nucleotides and of proteins.

        Raises
        ------
        InputError
            There is no file, no record, or one in which nothing can be found: it is too short, or of the other alphabet.
        """
        files = [*nucleotides, *proteins]
        digest = hashlib.sha256("".join(sha256(_there(path)) for path in files).encode()).hexdigest()
        read = [
            [record for path in paths for record in _findable(path, own)]
            for paths, own in ((nucleotides, _of_bases), (proteins, _of_protein))
        ]
        found = cls(read[0], read[1], digest)
        if not found.names:
            fix = "Give records of at least 21 bases, or proteins of 6 residues."
            raise InputError("no hazard to compare with", where=", ".join(map(str, files)), fix=fix)
        return found


def kmers_of(bases: NDArray[np.uint8], k: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the canonical k-mers of bases and where each starts; those with other letters are left out."""
    if len(bases) < k:
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)
    found, _, valid = canonical_kmers(np.where(CODE[bases] < 0, 4, CODE[bases]).astype(np.uint8), k)
    return found[valid], np.flatnonzero(valid)


def peptides_of(bases: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the number of the peptide of six residues that starts at each base, on each strand, `[L - 17]`; -1: none.

    Of the opposite strand the one whose last base, on the forward strand, stands there: both lie in the same 18 bases.
    """
    one = peptide_index(bases, PEPTIDE)
    return one, peptide_index(opposite_strand(bases), PEPTIDE)[::-1]


def _of_protein(letters: str) -> NDArray[np.int64]:
    """Return the peptides of a protein."""
    place = {residue: number for number, residue in enumerate(RESIDUES)}
    codes = np.array([place.get(letter, -1) for letter in letters.upper()], np.int64)
    found = [np.zeros(0, np.int64)]
    for start in range(len(codes) - PEPTIDE + 1):
        own = codes[start : start + PEPTIDE]
        if (own >= 0).all():
            found.append(np.array([own @ (20 ** np.arange(PEPTIDE - 1, -1, -1))]))
    return np.concatenate(found)


def _of_bases(letters: str) -> NDArray[np.uint64]:
    """Return the 21-mers of a nucleotide record."""
    return kmers_of(as_bases(letters), SHORT)[0]


def _findable(path: Path, words: Callable[[str], NDArray]) -> Iterator[tuple[str, str]]:
    """Yield the records of a file.

    Raises
    ------
    InputError
        In one of them nothing can be found; a hazard that is silently none would let everything pass.
    """
    for name, letters in records(path):
        if not len(words(letters)):
            least = f"{SHORT} bases of A, C, G and T (or U)" if words is _of_bases else f"{PEPTIDE} residues"
            fix = "Leave it out; proteins belong into the list of proteins, nucleotides into that of nucleotides."
            raise InputError(f"hazard {name} has no {least} in a row: it could never be found", where=path, fix=fix)
        yield name, letters


def records(path: Path) -> Iterator[tuple[str, str]]:
    """Yield name and letters of the records of a FASTA file, of any alphabet.

    Raises
    ------
    InputError
        It is no FASTA file.
    """
    for record in fasta_records(path, errors="replace"):
        yield record.name or f"record at line {record.line}", record.sequence.upper()


def _there(path: Path) -> Path:
    if not path.is_file():
        raise InputError("no such file", where=path, fix="Give the FASTA of hazards that the gate compares with.")
    return path
