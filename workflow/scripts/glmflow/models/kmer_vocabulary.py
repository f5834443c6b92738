"""Vocabularies of consecutive k-mers that do not overlap, as the `tokenizers` library reads them.

A k-mer begins where the one before it ends: a sequence has k readings, by where it begins. Windows of a corpus begin anywhere, so
that all of them are learned; a score is of one. Bases before an N, or left over at the end, are tokens of one base.
"""

from __future__ import annotations

from tokenizers import Regex, models, pre_tokenizers
from tokenizers import Tokenizer as Library

from glmflow.models.byte_pairs import ALPHABET, SPECIAL
from glmflow.models.tokenizers import BASES, Tokenizer, kmers


def kmer_vocabulary(k: int) -> Library:
    """Return a tokenizer of k-mers, single letters and the special tokens of byte-pair vocabularies."""
    words = dict.fromkeys([*SPECIAL, *ALPHABET, *kmers(k, BASES)])
    tokenizer = Library(models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(f"[{BASES}]{{{k}}}|."), behavior="isolated")
    return tokenizer


def readings(tokenizer: Tokenizer) -> int:
    """Return k of a tokenizer of consecutive k-mers, which has as many readings of a sequence; 1 of any other."""
    lengths = [len(token) for token in tokenizer.vocab if len(token) > 1 and set(token) <= set(BASES)]
    k = max(lengths, default=1)
    return k if lengths.count(k) == len(lengths) == 4**k else 1
