"""Open reading frames of both strands, and the genetic code."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glmflow.genome.canonical import Sequence, as_bases, opposite_strand

from .kmer_tables import CODE, index_of_codes

AMINO_ACIDS = "KNKNTTTTRSRSIIMIQHQHPPPPRRRRLLLLEDEDAAAAGGGGVVVV*Y*YSSSS*CWCLFLF"
"""What each codon, AAA, AAC ... TTT, stands for in the standard code, which the bacterial one (table 11) shares."""
ATG = 14
STOPS = np.array([48, 50, 56])
"""TAA, TAG, TGA."""
_LETTERS = np.frombuffer((AMINO_ACIDS + "X").encode(), np.uint8)  # the last: a codon with an N
_RESIDUE = np.array([sorted(set(AMINO_ACIDS)).index(letter) - 1 for letter in AMINO_ACIDS])  # -1: "*", the first


class Frame(NamedTuple):
    """An open reading frame, 0-based half-open on the forward strand, with its stop codon; strand 1 or -1."""

    start: int
    end: int
    strand: int


def strand_of(bases: NDArray[np.uint8], frame: Frame) -> NDArray[np.uint8]:
    """Return the bases of a frame of a sequence in the direction in which it is read, all ASCII codes in upper case."""
    own = bases[frame.start : frame.end]
    return own if frame.strand > 0 else opposite_strand(own)


def open_frames(sequence: Sequence, least: int = 90) -> list[Frame]:
    """Return the open reading frames from ATG to a stop codon, sorted; of each stop codon the longest.

    The sequence is linear: a frame without its stop codon is none. Frames with letters other than A, C, G and T are read
    over.

    Parameters
    ----------
    least
        Nucleotides of the shortest, the stop codon included.
    """
    bases = as_bases(sequence)
    found = [Frame(start, end, 1) for start, end in _one_strand(CODE[bases], least)]
    length = len(bases)
    found += [
        Frame(length - end, length - start, -1) for start, end in _one_strand(CODE[opposite_strand(bases)], least)
    ]
    return sorted(found)


def _one_strand(codes: NDArray[np.int64], least: int) -> list[tuple[int, int]]:
    """Return start and end of the frames of one strand."""
    found = []
    codons = index_of_codes(codes, 3)
    for phase in range(3):
        own = codons[phase::3]
        stops = np.flatnonzero(np.isin(own, STOPS))
        starts = np.flatnonzero(own == ATG)
        first = np.searchsorted(starts, np.append(0, stops[:-1] + 1)) if len(stops) else np.zeros(0, np.int64)
        for stop, place in zip(stops, first):
            if place < len(starts) and starts[place] < stop and 3 * (stop + 1 - starts[place]) >= least:
                found.append((int(phase + 3 * starts[place]), int(phase + 3 * (stop + 1))))
    return found


def translation(sequence: Sequence) -> str:
    """Return the protein of a sequence from its first base, `*` for stop codons, X where a codon holds an N.

    A remainder of one or two bases is left out.
    """
    codons = index_of_codes(CODE[as_bases(sequence)], 3)[::3]
    return _LETTERS[codons[: len(as_bases(sequence)) // 3]].tobytes().decode("ascii")


def peptide_index(bases: NDArray[np.uint8], residues: int) -> NDArray[np.int64]:
    """Return the number of the peptide that is read from each base of one strand, `[L - 3 residues + 1]`.

    Residues are digits of base 20 in the order of the alphabet, the first one most significant; -1 where a codon is a stop
    or holds a letter other than A, C, G and T.

    Parameters
    ----------
    bases
        ASCII codes in upper case.
    """
    codons = index_of_codes(CODE[bases], 3)
    amino = np.where(codons >= 0, _RESIDUE[codons], -1)
    length = max(0, len(bases) - 3 * residues + 1)
    number, known = np.zeros(length, np.int64), np.ones(length, bool)
    for place in range(residues):
        own = amino[3 * place : 3 * place + length]
        number = 20 * number + own
        known &= own >= 0
    return np.where(known, number, -1)


def six_frames(sequence: Sequence) -> list[str]:
    """Return the translations of the three frames of each strand: +0, +1, +2, -0, -1, -2."""
    bases = as_bases(sequence)
    return [translation(strand[phase:]) for strand in (bases, opposite_strand(bases)) for phase in range(3)]
