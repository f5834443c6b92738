"""Windows of a corpus as they are drawn for training: each a pure function of the seed and its number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.bases import reverse_complement
from glmflow.errors import InputError

from .corpus_store import Corpus
from .sequence_records import MASKED, UNKNOWN, letters

MOST_UNKNOWN = 0.05
"""Largest share of unknown bases in a window."""
ATTEMPTS = 1000
TAGS = ("division", "family", "genus", "species")
"""Columns of a corpus that models may be told."""
Window = tuple[NDArray[np.uint8], NDArray[np.bool_]]


def sampling_weights(table: pd.DataFrame, temperature: float = 0.5) -> NDArray[np.float64]:
    """Return the probability of each sequence, ``float64[n]``, summing to one.

    Divisions are drawn by their bases to the power of `temperature`, species of a division evenly, and sequences of a
    species by their lengths; a sequence of no known species is its cluster's.
    """
    species = table["species"].where(table["species"] != "", "cluster" + table["cluster"].astype(str))
    length = table["length"].astype(float)
    division = length.groupby(table["division"]).transform("sum")
    share = length.groupby(table["division"]).sum() ** temperature
    of_division = table["division"].map(share / share.sum())
    many = species.groupby(table["division"]).transform("nunique")
    of_species = length / length.groupby([table["division"], species]).transform("sum")
    return np.where(division > 0, of_division / many * of_species, 0.0)


class CorpusWindows:
    """Random windows of one split of a corpus, either strand.

    Parameters
    ----------
    length
        Bases of a window.
    both_strands
        Whether half of the windows are read off the other strand.
    short
        Length from which on sequences that are shorter than a window are drawn too, whole; None: they are not.
    tags
        Column of the corpus that is told of a window, and the share of windows of which it is not.
    pack
        Join what is drawn, short sequences whole, until a short one does not fit; else each is alone.
    whole
        Tell of each record of a window whether it is a whole sequence, with the end that linear ones have.

    Raises
    ------
    InputError
        No sequence of the split is that long.
    """

    def __init__(
        self,
        corpus: Corpus,
        split: str,
        length: int,
        both_strands: bool = True,
        short: int | None = None,
        pack: bool = False,
        tags: tuple[str, float] | None = None,
        whole: bool = False,
    ):
        rows = corpus.of(split)
        rows = rows[(rows["length"] >= min(length, short or length)) & (rows["weight"] > 0)]
        if rows.empty:
            raise InputError(
                f"no sequence of split {split} is {length} bases long", where=corpus.folder, fix="Take shorter windows."
            )
        self.corpus, self.length, self.both_strands, self.pack = corpus, length, both_strands, pack
        self.whole = whole
        self.tags, self.untagged = tags or ("", 0.0)
        self.numbers = (
            {name: number for number, name in enumerate(tag_names(corpus, self.tags), start=1)} if tags else {}
        )
        self.shortest = min(length, short or length)
        self.rows = rows.index.to_numpy()
        self.circular = circular = (rows["topology"] == "circular").to_numpy()
        lengths = rows["length"].to_numpy(np.int64)
        self.sizes = np.minimum(lengths, length)
        # A whole short sequence has one place; a circular one begins anywhere.
        self.places = np.where(circular, lengths, lengths - self.sizes + 1)
        self.cumulative = np.cumsum(rows["weight"].to_numpy(float) / rows["weight"].sum())
        self.bases = int(lengths.sum())

    def __len__(self) -> int:
        return max(1, self.bases // self.length)

    def place(self, generator: np.random.Generator, most: int | None = None) -> tuple[int, int, NDArray[np.uint8]]:
        """Draw a window: row of the corpus, start, and codes as they stand there, `most` of them where that is less.

        Raises
        ------
        InputError
            All that was drawn is rich in unknown bases.
        """
        for _ in range(ATTEMPTS):
            number = min(int(np.searchsorted(self.cumulative, generator.random(), side="right")), len(self.rows) - 1)
            size = min(int(self.sizes[number]), self.length if most is None else most)
            further = 0 if self.circular[number] else int(self.sizes[number]) - size
            start = int(generator.integers(self.places[number] + further))
            codes = self.corpus.codes(self.rows[number], start, start + size)
            if ((codes & 7) >= UNKNOWN).mean() <= MOST_UNKNOWN:
                return int(self.rows[number]), start, codes
        raise InputError(f"{ATTEMPTS} windows in a row are rich in N", where=self.corpus.folder)

    def __call__(self, index: int, generator: np.random.Generator | None) -> dict[str, Any]:
        """Return a window; without a generator the same one for the same index.

        `sequence`, `lower` (which bases are in lower case) and `noise` (for masks), all of one length; of a packed one `ends`,
        where its sequences end; with tags `tag`, its number (0: none); where asked for `whole`, a truth value a record.
        """
        generator = np.random.default_rng(index) if generator is None else generator
        first, *_, codes = self.place(generator)
        parts, whole = [self._turned(codes, generator)], [self._ends(first, len(codes))]
        while self.pack:
            room = self.length - sum(len(sequence) for sequence, _ in parts)
            more = self._joined(generator, room) if room >= self.shortest else None
            if more is None:
                break
            parts.append(more[0])
            whole.append(more[1])
        sequence, lower = (np.concatenate(part) for part in zip(*parts))
        noise = generator.random((2, len(sequence)))
        found = {"sequence": sequence.tobytes().decode("ascii"), "lower": lower, "noise": noise}
        if self.tags:
            known = self.numbers.get(self.corpus.table.loc[first, self.tags], 0)
            found["tag"] = 0 if generator.random() < self.untagged else known
        if self.whole:
            found["whole"] = whole
        return found | ({"ends": np.cumsum([len(part) for part, _ in parts]).tolist()} if self.pack else {})

    def _joined(self, generator: np.random.Generator, room: int) -> tuple[Window, bool] | None:
        """Draw a window to be joined, and whether it is whole: of a long sequence as many bases as fit; None where a short one
        does not.
        """
        row, _, codes = self.place(generator)
        if room < len(codes) < self.length:
            return None
        return self._turned(codes[:room], generator), self._ends(row, min(room, len(codes)))

    def _ends(self, row: int, bases: int) -> bool:
        """Return whether that many bases are all of a sequence, and it has an end."""
        if not self.whole:
            return False
        own = self.corpus.table.loc[row]
        return own["topology"] != "circular" and bases == int(own["length"])

    def _turned(self, codes: NDArray[np.uint8], generator: np.random.Generator) -> Window:
        """Return the letters of a window on either strand, and which are in lower case."""
        return on_strand(codes, self.both_strands and bool(generator.random() < 0.5))


def on_strand(codes: NDArray[np.uint8], turned: bool) -> Window:
    """Return the letters of codes, reverse-complemented if `turned`, and which are in lower case."""
    sequence, lower = letters(codes), codes >= MASKED
    return (reverse_complement(sequence), lower[::-1]) if turned else (sequence, lower)


def tag_names(corpus: Corpus, column: str) -> list[str]:
    """Return what the training sequences of a corpus have in a column, in order.

    Raises
    ------
    InputError
        Nothing is known of any.
    """
    found = sorted(set(corpus.of("train")[column]) - {""})
    if not found:
        fix = "Give GenBank files, which name it, or leave `tags` out."
        raise InputError(f"no training sequence has a {column}", where=corpus.folder, fix=fix)
    return found
