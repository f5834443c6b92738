"""Letters of sequences as users write them: checked, counted, turned to upper case A C G T N."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from glmflow.errors import InputError
from glmflow.genome.packed import LETTERS, Packed, count_in

_BASES = np.zeros(256, bool)
_BASES[list(b"ACGTUacgtu")] = True
_LOWER = np.zeros(256, bool)
_LOWER[ord("a") : ord("z") + 1] = True
LONGEST = 4
"""Bytes of a character in UTF-8, at most."""


class Letters(NamedTuple):
    """Sequences in upper case, and what was changed.

    Attributes
    ----------
    packed : Packed
        A C G T N.
    lower : int64[n]
        Bases that were in lower case (soft-masked).
    ambiguous : int64[n]
        Letters that are no base: N and IUPAC codes, all of which are N now.
    """

    packed: Packed
    lower: np.ndarray
    ambiguous: np.ndarray


def clean_letters(packed: Packed, where: str, column: str = "sequence", first_row: int = 1) -> Letters:
    """Return sequences in upper case A C G T N; U is read as T.

    Parameters
    ----------
    packed
        Sequences as they stand in a file.
    where
        The file, for messages.
    column
        Where in it they stand.
    first_row
        Number of the first one in the file (from 1), for messages.

    Raises
    ------
    InputError
        An empty sequence, or a character that is no nucleotide code: the file, row and column are named.
    """
    codes = LETTERS[packed.codes]
    if not codes.all():
        place = int(np.argmin(codes))
        row = int(np.searchsorted(packed.offsets, place, "right")) - 1
        letter = packed.codes[place : packed.offsets[row + 1]][:LONGEST].tobytes().decode("utf-8", "replace")[0]
        raise InputError(
            f"{letter!r} at base {place - packed.offsets[row] + 1} is no nucleotide",
            where=f"{where}, row {first_row + row}, column {column}",
            fix=_fix(letter),
        )
    empty = np.flatnonzero(packed.lengths == 0)
    if len(empty):
        place = f"{where}, row {first_row + int(empty[0])}, column {column}"
        raise InputError("an empty sequence", where=place, fix="Leave the row out, or give at least one base.")
    ambiguous = count_in(packed, ~_BASES[packed.codes])
    return Letters(Packed(codes, packed.offsets), count_in(packed, _LOWER[packed.codes]), ambiguous)


def _fix(letter: str) -> str:
    if letter in "-.":
        return "Remove the gaps of an alignment."
    if letter == "*":
        return "Give nucleotides, not a translated protein."
    if letter in "EFILOPQZefilopqzJXjx":
        return "Give nucleotides, not amino acids."
    return "Write A, C, G, T (or U), N and IUPAC codes alone."
