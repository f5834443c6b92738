"""Tokenizers that say which token covers which base.

Every tokenizer turns a sequence into `Pieces`: the token ids without special tokens and, for each base, the
index of the token that covers it. `Tokenizer.prefix` and `Tokenizer.suffix` are the special tokens the family
puts around them.

`clean` is applied to what a user gives, once and for every family: lower case (soft-masked repeats) is
upper-cased, U becomes T, IUPAC ambiguity letters become N, and anything else is an error. A tokenizer alone
(`Tokenizer.encode`) does what the original tokenizer does, lower case included, so that it can be compared
with it.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glmflow.errors import InputError

BASES = "ACGT"

_IUPAC = "RYSWKMBDHV"
_CLEAN = np.zeros(256, np.uint8)
for _given, _kept in zip("ACGTUN" + _IUPAC, "ACGTTN" + "N" * len(_IUPAC)):
    _CLEAN[ord(_given)] = _CLEAN[ord(_given.lower())] = ord(_kept)


class Pieces(NamedTuple):
    """A tokenized sequence without special tokens: `ids` int64[T], `token_of_base` int64[L] with values in
    0..T-1.
    """

    ids: np.ndarray
    token_of_base: np.ndarray


def clean(sequence: str | np.ndarray) -> np.ndarray:
    """Return a sequence as upper-case ASCII codes ``uint8[L]`` of A, C, G, T and N.

    Parameters
    ----------
    sequence
        Text, or ASCII codes ``uint8[L]``.

    Raises
    ------
    InputError
        The sequence is empty, or holds a character that is no nucleotide code.
    """
    codes = _codes(sequence)
    if codes.size == 0:
        raise InputError("empty sequence", fix="Leave it out, or give at least one base.")
    cleaned = _CLEAN[codes]
    if not cleaned.all():
        position = int(np.argmin(cleaned))
        raise InputError(
            f"character {chr(codes[position])!r} at position {position} (0-based) is no nucleotide code",
            fix="Use A, C, G, T, N and IUPAC letters, in upper or lower case.",
        )
    return cleaned


class Tokenizer:
    """What all tokenizers share.

    Attributes
    ----------
    vocab
        Token to id.
    prefix, suffix
        Ids of the special tokens before and after a sequence.
    pad_id, mask_id, unknown_id
        Ids of the padding, mask and unknown tokens, or None where the family has none.
    bases
        ``int8[V, k]``: index in ``ACGT`` of the base that token v has at offset j; -1 where it has none. A
        token with any letter but A, C, G and T has -1 throughout. None for BPE, whose tokens do not sit on a
        grid of bases.
    """

    def __init__(
        self,
        vocab: Mapping[str, int],
        *,
        prefix: Iterable[int] = (),
        suffix: Iterable[int] = (),
        pad_id: int | None = None,
        mask_id: int | None = None,
        unknown_id: int | None = None,
    ):
        self.vocab = dict(vocab)
        self.prefix = tuple(prefix)
        self.suffix = tuple(suffix)
        self.pad_id = pad_id
        self.mask_id = mask_id
        self.unknown_id = unknown_id
        self.bases: np.ndarray | None = None

    def pieces(self, codes: np.ndarray) -> Pieces:
        """Tokenize ASCII codes ``uint8[L]`` without special tokens."""
        raise NotImplementedError

    def encode(self, sequence: str, special: bool = True) -> list[int]:
        """Ids of a sequence as the original tokenizer gives them, with or without special tokens; nothing is
        cleaned.
        """
        ids = self.pieces(_codes(sequence)).ids.tolist()
        return [*self.prefix, *ids, *self.suffix] if special else ids

    def save(self, folder: Path) -> None:
        """Write what `folder` needs for the tokenizer to be made again; nothing where the configuration is
        enough.
        """


class CharacterTokenizer(Tokenizer):
    """One token a base.

    Parameters
    ----------
    vocab
        Token to id; the characters are its one-letter entries.
    upper
        The original upper-cases what it gets.
    special
        `prefix`, `suffix`, `pad_id`, `mask_id`, `unknown_id` as in `Tokenizer`. Without an unknown id a
        character that is not in the vocabulary is an error.
    """

    def __init__(self, vocab: Mapping[str, int], *, upper: bool = False, **special):
        super().__init__(vocab, **special)
        self._ids = np.full(256, -1 if self.unknown_id is None else self.unknown_id, np.int64)
        for token, index in self.vocab.items():
            if len(token) == 1:
                self._ids[ord(token)] = index
        if upper:
            self._ids[ord("a") : ord("z") + 1] = self._ids[ord("A") : ord("Z") + 1]
        self.bases = _bases_of(self.vocab, 1)

    def pieces(self, codes: np.ndarray) -> Pieces:
        """Tokenize ASCII codes ``uint8[L]``: one token each."""
        ids = self._ids[codes]
        if codes.size and ids.min() < 0:
            raise InputError(f"character {chr(codes[int(np.argmin(ids))])!r} is not in the model's vocabulary")
        return Pieces(ids, np.arange(len(codes)))


class KmerTokenizer(Tokenizer):
    """Consecutive k-mers that do not overlap, from the left.

    With ``single_bases`` (Nucleotide Transformer) what cannot be part of a k-mer of A, C, G and T, before an
    N or at the end, becomes one token a base, the k-mers start again after it, and a run of other characters
    is one unknown token. Without (GENERator) the grid of k-mers is kept: a k-mer with an N, and a shorter
    remainder, is one unknown token.
    """

    def __init__(self, vocab: Mapping[str, int], k: int, *, single_bases: bool, **special):
        super().__init__(vocab, **special)
        self.k = k
        pattern = rf"[ACGT]{{{k}}}|[ACGTN]|[^ACGTN]+" if single_bases else rf"[A-Z]{{{k}}}|[A-Z]+|[^A-Z]"
        self._pattern = re.compile(pattern)
        self.bases = _bases_of(self.vocab, k)

    def pieces(self, codes: np.ndarray) -> Pieces:
        """Tokenize ASCII codes ``uint8[L]``."""
        tokens = self._pattern.findall(codes.tobytes().decode("latin-1"))
        ids = np.array([self.vocab.get(token, self.unknown_id) for token in tokens], np.int64)
        return Pieces(ids, np.repeat(np.arange(len(tokens)), [len(token) for token in tokens]))


class FileTokenizer(Tokenizer):
    """A ``tokenizer.json`` of the `tokenizers` library: BPE, whose tokens are mapped to bases by their
    offsets.

    A base that no offset covers (GENA-LM writes a run of ten or more N as one ``-``, whose offset has one
    character) belongs to the token of the run it stands in.
    """

    def __init__(self, path: Path, **special):
        from tokenizers import Tokenizer as Library

        self.text = path.read_text()
        self._library = Library.from_str(self.text)
        self._library.no_truncation()
        self._library.no_padding()
        vocab = self._library.get_vocab()
        inner = self._library.encode("A", add_special_tokens=False).ids
        outer = self._library.encode("A").ids
        start = next(i for i in range(len(outer)) if outer[i : i + len(inner)] == inner)
        names = {
            "pad_id": ("[PAD]", "<pad>", "<|padding|>", "PAD"),
            "mask_id": ("[MASK]", "<mask>", "MASK"),
            "unknown_id": ("[UNK]", "<unk>", "<oov>", "UNK"),
        }
        found = {key: next((vocab[name] for name in options if name in vocab), None) for key, options in names.items()}
        super().__init__(vocab, **{"prefix": outer[:start], "suffix": outer[start + len(inner) :], **found, **special})

    def pieces(self, codes: np.ndarray) -> Pieces:
        """Tokenize ASCII codes ``uint8[L]``."""
        encoded = self._library.encode(codes.tobytes().decode("latin-1"), add_special_tokens=False)
        token_of_base = np.full(len(codes), -1)
        for token, (start, end) in enumerate(encoded.offsets):
            token_of_base[start:end] = token
        return Pieces(np.array(encoded.ids, np.int64), _fill_gaps(token_of_base, codes))

    def save(self, folder: Path) -> None:
        """Write ``tokenizer.json``."""
        (folder / "tokenizer.json").write_text(self.text)


class MissingTokenizer(Tokenizer):
    """Stands in where a checkpoint folder has no tokenizer file and the family's ids cannot be known without
    it.
    """

    def __init__(self, where: Path | None, needs: str = "tokenizer.json"):
        super().__init__({})
        self.where = where
        self.needs = needs

    def pieces(self, codes: np.ndarray) -> Pieces:
        """Refuse."""
        raise InputError(
            f"the checkpoint has no {self.needs}, so its token ids are not known",
            where=self.where,
            fix=f"Put the published {self.needs} into the folder.",
        )


def tokenizer_from_file(folder: Path | None, **special) -> Tokenizer:
    """Read ``tokenizer.json`` of a folder, or of its folder ``tokenizer``; one whose tokens are single letters becomes a
    `CharacterTokenizer`.

    Parameters
    ----------
    folder
        The checkpoint folder, or None.
    special
        Overrides of what the file says: `prefix`, `suffix`, `pad_id`, `mask_id`, `unknown_id`.
    """
    places = () if folder is None else (folder / "tokenizer.json", folder / "tokenizer" / "tokenizer.json")
    path = next((place for place in places if place.exists()), None)
    if path is None:
        return MissingTokenizer(folder)
    tokenizer = FileTokenizer(path, **special)
    if any(set(token) <= set("ACGTN") and len(token) > 1 for token in tokenizer.vocab):
        return tokenizer
    ids = {base: tokenizer.encode(base, special=False) for base in "ACGTN"}
    one_each = all(len(found) == 1 for found in ids.values())
    if not one_each or tokenizer.encode("ACGTN", special=False) != list(itertools.chain(*ids.values())):
        return tokenizer
    return _CharactersOfFile(tokenizer)


class _CharactersOfFile(CharacterTokenizer):
    """A character tokenizer whose ids come from a ``tokenizer.json``: a table look-up instead of the
    library.
    """

    def __init__(self, file: FileTokenizer):
        super().__init__(
            file.vocab,
            prefix=file.prefix,
            suffix=file.suffix,
            pad_id=file.pad_id,
            mask_id=file.mask_id,
            unknown_id=file.unknown_id,
        )
        self.save = file.save


def kmers(k: int, alphabet: str) -> list[str]:
    """All k-mers over an alphabet in its own order: the last letter changes fastest."""
    return ["".join(letters) for letters in itertools.product(alphabet, repeat=k)]


def read_vocabulary(path: Path) -> dict[str, int]:
    """Read ``vocab.txt`` (a token a line, in the order of the ids; or token and id) or ``vocab.json``."""
    text = path.read_text()
    if path.suffix == ".json":
        return json.loads(text)
    rows = [line.split() for line in text.splitlines() if line.strip()]
    return {row[0]: int(row[1]) if len(row) > 1 else index for index, row in enumerate(rows)}


def _codes(sequence: str | np.ndarray) -> np.ndarray:
    """Return ASCII codes ``uint8[L]`` of text, or the codes that were given."""
    if isinstance(sequence, str):
        return np.frombuffer(sequence.encode("latin-1", "replace"), np.uint8)
    return np.asarray(sequence, np.uint8)


def _bases_of(vocab: Mapping[str, int], k: int) -> np.ndarray:
    """Return the table `Tokenizer.bases` of a vocabulary whose longest base tokens are k-mers."""
    bases = np.full((max(vocab.values(), default=-1) + 1, k), -1, np.int8)
    for token, index in vocab.items():
        if len(token) <= k and set(token) <= set(BASES):
            bases[index, : len(token)] = [BASES.index(letter) for letter in token]
    return bases


def _fill_gaps(token_of_base: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Give bases without a token (-1) the token of the run of N around them, else of the base to their
    left.
    """
    if token_of_base.min(initial=0) >= 0:
        return token_of_base
    runs = np.cumsum(np.diff(codes == ord("N"), prepend=False) != 0)
    for run in np.unique(runs[token_of_base < 0]):
        inside = runs == run
        covered = token_of_base[inside & (token_of_base >= 0)]
        if covered.size:
            token_of_base[inside & (token_of_base < 0)] = covered[-1]
    last = np.maximum.accumulate(np.where(token_of_base >= 0, np.arange(len(codes)), 0))
    return token_of_base[last]
