"""Text beside DNA in one vocabulary: a token a base, as `families.small` has them, and a token a byte of text behind these.

A base and the letter of its name are different tokens: text can mention A without saying a base. A row is a prompt, a token
that says that the prompt is over, what is asked for (the target), and an end. Needs no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glmflow.errors import InputError

if TYPE_CHECKING:
    from glmflow.models.interface import Model

BASES = {"A": 2, "C": 3, "G": 4, "T": 5, "N": 6}
"""Ids of the bases, those of single-base families that the workflow trains."""
OVER, END, FIRST = 8, 9, 10
"""The token behind a prompt, the one behind a target, and that of byte 0."""
VOCABULARY = FIRST + 256
WITH_END = END + 1
"""Size of the vocabulary of single bases with an end."""
_IDS = np.full(256, BASES["N"], np.int64)
for _letter in "ACGT":
    _IDS[ord(_letter)] = BASES[_letter]


class Row(NamedTuple):
    """Ids of a row, ``int64[T]``; `asked` of the last ones are the target, the end token among them where it is `whole`."""

    ids: NDArray[np.int64]
    asked: int
    whole: bool


def vocabulary_of(pairs: bool, ends: bool) -> dict[str, int]:
    """Return the size of the vocabulary of a model of single bases that learns from pairs, or where sequences end; else nothing."""
    return {"vocab_size": VOCABULARY if pairs else WITH_END} if pairs or ends else {}


def reads_text(origin: Mapping[str, Any]) -> bool:
    """Return whether a model learned from rows of DNA and text, by what its record says of its training."""
    return origin.get("text") == "bytes" and bool(origin.get("row"))


def require_text(origin: Mapping[str, Any], where: Path | None = None) -> int:
    """Return how long the rows of DNA and text were that a model learned from, in tokens.

    Parameters
    ----------
    origin
        What the model's record says of its training.
    where
        Its folder, for the message.

    Raises
    ------
    InputError
        It reads no text.
    """
    if not reads_text(origin):
        what = "the model was not trained on pairs of DNA and text"
        raise InputError(what, where=where, fix="Pretrain one with `pairs`.")
    return int(origin["row"])


def end_learned(adapter: Model) -> int:
    """Return the token that a model trained here has for the end of a sequence: of its vocabulary, or `END` behind single bases."""
    known = adapter.tokenizer.vocab if adapter.tokenizer is not None else {}
    return known.get("[EOS]", END)


def text_before(origin: Mapping[str, Any], text: str | None) -> list[int]:
    """Return the tokens that stand before the bases of a sequence: of a text (none: of no text), and those that it is over.

    Nothing for models that read no text.
    """
    return [*shown(text or "", require_text(origin)).tolist(), OVER] if reads_text(origin) else []


def text_ids(text: str) -> NDArray[np.int64]:
    """Return the ids of the bytes of a text (UTF-8)."""
    return np.frombuffer(text.encode(), np.uint8).astype(np.int64) + FIRST


def shown(text: str, length: int) -> NDArray[np.int64]:
    """Return the ids of a text in a row of `length` tokens: its last half a row of bytes at most.

    What a line of tags says of a feature stands behind what it says of the organism, which can be as long as a row.
    """
    words = text_ids(text)
    return words[max(0, len(words) - length // 2) :]


def base_ids(dna: str) -> NDArray[np.int64]:
    """Return the ids of bases; what is not A, C, G or T is N."""
    return _IDS[np.frombuffer(dna.encode("latin-1", "replace"), np.uint8)]


def row_of(text: str, dna: str, to_dna: bool, length: int) -> Row:
    """Return a row of at most `length` tokens: text and the DNA asked for, or DNA and the text asked for.

    Text has half of a row at most, its end (`shown`), and DNA the room that is left, its beginning.
    """
    words = shown(text, length)
    bases = base_ids(dna)
    whole = len(bases) + len(words) + 2 <= length
    bases = bases[: length - len(words) - 2]
    prompt, target = (words, bases) if to_dna else (bases, words)
    whole = whole or not to_dna
    parts = [prompt, np.array([OVER]), target, np.array([END] if whole else [], np.int64)]
    return Row(np.concatenate(parts), len(target) + whole, whole)


def bases_of_row(row: int) -> int:
    """Return how many bases of a row are scored at most: those that fit behind the longest text."""
    return row - row // 2 - 2
