"""Byte-pair vocabularies trained on one's own sequences (Sennrich et al. 2016), by the `tokenizers` library.

A chromosome would be one word, whose pairs take memory and time without end: it is learned from in pieces. Learned from
both strands, a vocabulary is still read from the left: a sequence and its reverse complement differ in their tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer as Library
from tokenizers import models, trainers

from glmflow.bases import other_strand
from glmflow.errors import InputError

SPECIAL = ("[PAD]", "[UNK]", "[BOS]", "[EOS]", "[MASK]")
ALPHABET = "ACGTN"
PIECE = 1000
"""Bases of a piece at most."""


def pieces(sequences: Iterable[str], both_strands: bool, length: int = PIECE) -> Iterator[str]:
    """Yield what a vocabulary is learned from: sequences, and their reverse complements, in pieces of `length` bases."""
    for sequence in sequences:
        upper = sequence.upper()
        for strand in (upper, other_strand(upper)) if both_strands else (upper,):
            for start in range(0, len(strand), length):
                yield strand[start : start + length]


def train_byte_pairs(
    sequences: Iterable[str], vocabulary: int, max_token_length: int | None = None, both_strands: bool = True
) -> Library:
    """Return a byte-pair tokenizer of `vocabulary` tokens, the special ones and single letters among them.

    Parameters
    ----------
    sequences
        Text of A, C, G, T and N.
    max_token_length
        Bases of the longest token; without a bound repeats become tokens of their own.

    Raises
    ------
    InputError
        The vocabulary has no room for the letters, or there is nothing to learn from.
    """
    least = len(SPECIAL) + len(ALPHABET)
    if vocabulary < least:
        raise InputError(f"a vocabulary of {vocabulary} has no room for the letters", fix=f"Take {least} or more.")
    texts = pieces(sequences, both_strands)
    first = next(texts, None)
    if first is None:
        raise InputError("no sequence to learn a vocabulary from")
    tokenizer = Library(models.BPE(unk_token="[UNK]"))
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL),
        initial_alphabet=list(ALPHABET),
        max_token_length=max_token_length,
        show_progress=False,
    )
    tokenizer.train_from_iterator(chain([first], texts), trainer)
    return tokenizer


def describe(tokenizer: Library, sequences: Iterable[str]) -> dict[str, float]:
    """Return what a vocabulary makes of sequences.

    ``bases_per_token``; ``length_bits``: entropy in bits of the lengths of its tokens; ``unused``: share of the tokens that
    are no special ones and never occur; ``unigram_bits``: bits per base of the tokens drawn by their frequencies (an order-0
    model); ``strands``: mean share (Jaccard) of the borders between tokens that are the same on both strands; ``changed``:
    mean number of tokens that differ after one base in the middle was exchanged.
    """
    size = tokenizer.get_vocab_size()
    counts, bases = np.zeros(size, np.int64), 0
    lengths = np.zeros(1, np.int64)
    shared, changed = [], []
    for sequence in sequences:
        ids, cuts = _read(tokenizer, sequence)
        counts += np.bincount(ids, minlength=size)
        bases += len(sequence)
        own = np.bincount(np.diff([0, *cuts, len(sequence)]))
        lengths = np.pad(lengths, (0, max(0, len(own) - len(lengths))))
        lengths[: len(own)] += own
        _, turned = _read(tokenizer, other_strand(sequence))
        mirrored = len(sequence) - turned
        union = np.union1d(cuts, mirrored)
        shared.append(len(np.intersect1d(cuts, mirrored)) / len(union) if len(union) else 1.0)
        middle = len(sequence) // 2
        other = "C" if sequence[middle] == "A" else "A"
        changed.append(_differing(ids, _read(tokenizer, sequence[:middle] + other + sequence[middle + 1 :])[0]))
    total = counts.sum()
    share, of_length = counts[counts > 0] / total, lengths[lengths > 0] / lengths.sum()
    return {
        "bases_per_token": bases / total,
        "length_bits": float(-(of_length * np.log2(of_length)).sum()) + 0.0,
        "unused": float((counts[len(SPECIAL) :] == 0).mean()),
        "unigram_bits": float(-(share * np.log2(share)).sum() * total / bases),
        "strands": float(np.mean(shared)),
        "changed": float(np.mean(changed)),
    }


def _read(tokenizer: Library, sequence: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the tokens of a sequence, and the borders between them."""
    encoded = tokenizer.encode(sequence, add_special_tokens=False)
    return np.array(encoded.ids), np.array([end for _, end in encoded.offsets[:-1]], np.int64)


def _differing(one: NDArray[np.int64], other: NDArray[np.int64]) -> int:
    """Return how many tokens of the first lie between the common beginning and the common end of both."""
    most = min(len(one), len(other))
    start = int(np.argmin(np.append(one[:most] == other[:most], False)))
    end = int(np.argmin(np.append(one[::-1][: most - start] == other[::-1][: most - start], False)))
    return len(one) - start - end
