"""Pairs of DNA and text (`glmflow pairs`) as what a model is pretrained on: each from the other, in one vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glmflow.corpus.pair_lines import TO_DNA, read_pairs
from glmflow.errors import InputError
from glmflow.models.byte_text import row_of

from .language_loss import IGNORE
from .loop.checkpoints import fingerprint
from .stream import Item


class PairRows:
    """Rows of pairs; the same one for the same index.

    Parameters
    ----------
    pairs
        Lines as `glmflow pairs` writes them.
    length
        Tokens of a row at most.
    bases_alone
        Ask for bases alone, so that a loss is one of bases: no end of them either.
    """

    def __init__(self, pairs: Sequence[dict[str, Any]], length: int, bases_alone: bool = False):
        self.pairs, self.length, self.bases_alone = pairs, length, bases_alone

    def __len__(self) -> int:
        return len(self.pairs)

    def __call__(self, index: int, generator: np.random.Generator | None) -> Item:
        """Return `ids` of a row, and how many of the last ones are `asked` for."""
        pair = self.pairs[index % len(self.pairs)]
        to_dna = pair["order"] == TO_DNA
        text, dna = (pair["prompt"], pair["target"]) if to_dna else (pair["target"], pair["prompt"])
        row = row_of(text, dna, to_dna, self.length)
        drop = int(self.bases_alone and row.whole)
        return {"ids": row.ids[: len(row.ids) - drop], "asked": row.asked - drop}


class PairSource:
    """A file of pairs.

    Raises
    ------
    InputError
        It is none, or none of its pairs is for training.
    """

    def __init__(self, path: Path):
        self.path = path
        self.pairs = read_pairs(path)
        if not self._of("train"):
            raise InputError("no pair of split train", where=path, fix="Write it with `glmflow pairs`.")

    def training(self, length: int) -> PairRows:
        """Return what training rows are drawn from: both orders."""
        return PairRows(self._of("train"), length)

    def held_out(self, length: int) -> PairRows | None:
        """Return what the loss is watched on: bases behind text; None without a validation split."""
        rows = [pair for pair in self._of("validation") if pair["order"] == TO_DNA]
        return PairRows(rows, length, bases_alone=True) if rows else None

    def composition(self) -> NDArray[np.float64]:
        """Return the shares of A, C, G and T of what is learned from."""
        dna = (pair["target"] for pair in self._of("train") if pair["order"] == TO_DNA)
        counts = sum(np.bincount(np.frombuffer(one.encode(), np.uint8), minlength=256)[list(b"ACGT")] for one in dna)
        return np.asarray(counts, float) / np.sum(counts)

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint has to have been trained on to be gone on with."""
        return {"files": fingerprint([self.path])}

    def provenance(self) -> dict[str, Any]:
        """Return what a model's record has to say: its text, and that nobody judged here which organisms the file holds."""
        return {"pairs": self.path.name, "text": "bytes", "gate_required": True}

    def _of(self, split: str) -> list[dict[str, Any]]:
        return [pair for pair in self.pairs if pair["split"] == split]


def pair_batch(items: Sequence[Item]) -> dict[str, Tensor]:
    """Stack rows into a batch whose labels are the next tokens of the targets, ``int64[B, T]``, filled up on the right."""
    width = max(len(item["ids"]) for item in items)
    ids = torch.zeros(len(items), width, dtype=torch.int64)
    mask, labels = torch.zeros_like(ids), torch.full_like(ids, IGNORE)
    for row, item in enumerate(items):
        own = torch.from_numpy(item["ids"])
        count, asked = len(own), item["asked"]
        ids[row, :count], mask[row, :count] = own, 1
        labels[row, count - asked - 1 : count - 1] = own[count - asked :]
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}
