"""What a language model is pretrained on: regions of a genome, or a corpus of many."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.corpus.consecutive_windows import ConsecutiveWindows
from glmflow.corpus.corpus_store import Corpus
from glmflow.corpus.corpus_windows import CorpusWindows, tag_names
from glmflow.corpus.training_part import spread_part, training_part
from glmflow.files import read_table
from glmflow.genome.reference import Reference

from .chance import base_composition
from .language_loss import Segments
from .loop.checkpoints import fingerprint, table_digest
from .pair_source import PairSource
from .stream import Item, spread


class Maker(Protocol):
    """Makes items of a length from their index and a generator."""

    def __len__(self) -> int:
        """Return how many items cover what is drawn from."""

    def __call__(self, index: int, generator: np.random.Generator | None) -> Item:
        """Return an item."""


class GenomeSource:
    """Regions (`chrom`, `start`, `end`, `split`) of a reference; the forward strand."""

    def __init__(self, regions: pd.DataFrame, reference: Path):
        self.regions, self.reference = regions, reference

    def training(self, length: int) -> Maker:
        """Return what training segments are drawn from."""
        return Segments(self._of("train"), Reference(self.reference), length)

    def held_out(self, length: int) -> Maker | None:
        """Return what the loss is watched on; None without a validation split."""
        regions = self._of("validation")
        return Segments(spread(regions, len(regions)), Reference(self.reference), length) if len(regions) else None

    def composition(self) -> NDArray[np.float64]:
        """Return the shares of A, C, G and T in what is learned from."""
        return base_composition(self._of("train"), Reference(self.reference))

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint has to have been trained on to be gone on with."""
        return {"regions": table_digest(self.regions), "files": fingerprint([self.reference])}

    def provenance(self) -> dict[str, Any]:
        """Return what a model's record has to say of what it learned from: nothing of a genome."""
        return {}

    def _of(self, split: str) -> pd.DataFrame:
        return self.regions[self.regions["split"] == split]


class CorpusSource:
    """A corpus.

    Parameters
    ----------
    both_strands
        Whether half of the windows are read off the other strand.
    short
        Length from which on sequences that are shorter than a window are drawn too, whole; None: they are not.
    pack
        Whether these are joined to rows.
    tags
        Column that is told of windows, and the share of those of which it is not.
    ends
        Tell which records are whole, so that their ends are learned.
    """

    def __init__(
        self,
        folder: Path,
        both_strands: bool = True,
        short: int | None = None,
        pack: bool = False,
        tags: tuple[str, float] | None = None,
        ends: bool = False,
    ):
        self.tags, self.ends = tags, ends
        self.corpus, self.both_strands, self.short, self.pack = Corpus(folder), both_strands, short, pack

    def training(self, length: int) -> Maker:
        """Return what training windows are drawn from."""
        given = (self.both_strands, self.short, self.pack, self.tags, self.ends)
        return CorpusWindows(self.corpus, "train", length, *given)

    def consecutive(self, length: int, carried: int) -> ConsecutiveWindows:
        """Return what stretches of `carried` bases are drawn from, in windows that follow one another."""
        return ConsecutiveWindows(self.corpus, "train", length, carried, self.both_strands, self.short)

    def held_out(self, length: int) -> Maker | None:
        """Return what the loss is watched on; None without a validation split."""
        long_enough = self.corpus.of("validation")["length"] >= length
        return CorpusWindows(self.corpus, "validation", length) if long_enough.any() else None

    def tag_names(self) -> list[str]:
        """Return the tags that windows may have."""
        return tag_names(self.corpus, self.tags[0]) if self.tags else []

    def texts(self, most: int) -> list[str]:
        """Return training sequences, or stretches of all of them, of `most` bases together at most."""
        return training_part(self.corpus, most).texts

    def held_out_texts(self, most: int) -> list[str]:
        """Return sequences that are not learned from, of validation and test, of `most` bases together at most."""
        table = self.corpus.table
        return spread_part(self.corpus, table[table["split"].isin(["validation", "test"])], most).texts

    def texts_by_division(self, most: int) -> dict[str, list[str]]:
        """Return training sequences of each division, of `most` bases at most each."""
        divisions = self.corpus.of("train").groupby("division", sort=True)
        return {str(name): spread_part(self.corpus, rows, most).texts for name, rows in divisions}

    def composition(self) -> NDArray[np.float64]:
        """Return the shares of A, C, G and T of what is learned from, both strands."""
        counts = np.zeros(8, np.int64)
        for row in self.corpus.of("train").index:
            counts += np.bincount(self.corpus.codes(row) & 7, minlength=8)
        both = (counts[:4] + counts[3::-1]).astype(float)
        return both / both.sum()

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint has to have been trained on to be gone on with."""
        return {"corpus": table_digest(self.corpus.table)}

    def provenance(self) -> dict[str, Any]:
        """Return what a model's record has to say of what it learned from.

        `corpus` (name), `tagged_by` (what it was told of a sequence), `ends` (that it learned where they end), `excluded` (how
        many viruses of eukaryotes were left out), and, where some were kept, the reason (`kept_eukaryotic_viruses`) and
        `gate_required`: such a model is drawn from behind a screen only.
        """
        found = self.corpus.exclusions
        said = {"corpus": self.corpus.folder.name, "excluded": {"viruses of eukaryotes": found.left_out}}
        said |= {"tagged_by": self.tags[0]} if self.tags else {}
        said |= {"ends": True} if self.ends else {}
        kept = {"kept_eukaryotic_viruses": found.reason, "gate_required": True} if found.reason else {}
        return said | (kept or {"gate_required": False})


Source = GenomeSource | CorpusSource | PairSource


def source(files: Mapping[str, Any], settings: Mapping[str, Any] | None = None) -> Source:
    """Return the source that files by name stand for: `corpus`, `pairs` of DNA and text, or `fasta` and `regions`.

    Parameters
    ----------
    settings
        The `pretrain` block of the model: `strand`, `short`, `pack`, `tags`, `ends`.
    """
    if "corpus" in files:
        asked = settings or {}
        both = asked.get("strand", "both") == "both"
        told = (asked["tags"], asked.get("untagged", 0.15)) if asked.get("tags") else None
        more = (asked.get("short"), asked.get("pack", False), told, asked.get("ends", False))
        return CorpusSource(Path(files["corpus"]).parent, both, *more)
    if "pairs" in files:
        return PairSource(Path(files["pairs"]))
    return GenomeSource(read_table(files["regions"]), Path(files["fasta"]))
