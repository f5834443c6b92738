"""The self-supervised task: segments of a genome, the next base or masked bases asked of a model, its loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

from glmflow.genome.reference import Reference
from glmflow.models.adapter import Adapter
from glmflow.models.byte_text import end_learned
from glmflow.models.packed_rows import packed
from glmflow.models.row_tags import tagged

from .packed_batch import tokens_of
from .stream import Item

IGNORE = -100
MASKED_AS = (0.8, 0.9)
"""Of the chosen bases 80 % become the mask, 10 % a random base, 10 % stay (Devlin et al. 2019)."""


class LanguageModel(nn.Module):
    """A model with its own language-model head and cross-entropy in nats per base."""

    def __init__(self, adapter: Adapter):
        super().__init__()
        self.adapter = adapter

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        labels: Tensor,
        weights: Tensor | None = None,
        counted: Tensor | None = None,
        records: Tensor | None = None,
        tags: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Return the `loss` over the positions whose label is not ignored.

        Parameters
        ----------
        weights, counted
            ``[B, T]``: the loss is the sum of `weights` times that of each position, divided by the sum of `counted`. Without
            them it is the mean.
        records
            ``int64[B, T]``: which record of a packed row each token is of.
        tags
            ``int64[B]``: tag of each row, 0 where it has none.
        """
        with packed(records), tagged(tags):
            logits = self.adapter(input_ids, attention_mask).logits
        return {"loss": loss_of(logits, labels, weights, counted)}


def loss_of(logits: Tensor, labels: Tensor, weights: Tensor | None, counted: Tensor | None) -> Tensor:
    """Return the cross-entropy of logits ``[B, T, V]`` as `LanguageModel.forward` says."""
    logits = logits.float().flatten(0, 1)
    if weights is None or counted is None:
        return cross_entropy(logits, labels.flatten(), ignore_index=IGNORE)
    each = cross_entropy(logits, labels.flatten(), ignore_index=IGNORE, reduction="none")
    return (each * weights.flatten()).sum() / counted.sum().clamp(min=1e-6)


class Segments:
    """Random segments of the training regions, drawn in proportion to their lengths.

    Parameters
    ----------
    regions
        Table with `chrom`, `start`, `end`.
    length
        Bases of a segment; shorter regions are left out.
    """

    def __init__(self, regions: pd.DataFrame, reference: Reference, length: int):
        regions = regions[regions["end"] - regions["start"] >= length]
        self.chrom = regions["chrom"].to_numpy(dtype=object)
        self.start = regions["start"].to_numpy(dtype=np.int64)
        self.places = (regions["end"] - regions["start"] - length + 1).to_numpy(dtype=np.int64)
        self.cumulative = np.cumsum(self.places)
        self.reference, self.length = reference, length

    def __len__(self) -> int:
        return max(1, int(self.places.sum()) // self.length)

    def __call__(self, index: int, generator: np.random.Generator | None) -> Item:
        """Return a segment; without a generator the same one for the same index."""
        generator = np.random.default_rng(index) if generator is None else generator
        place = int(generator.integers(self.cumulative[-1]))
        region = int(np.searchsorted(self.cumulative, place, side="right"))
        start = int(self.start[region] + place - (self.cumulative[region] - self.places[region]))
        sequence = self.reference.fetch(self.chrom[region], start, start + self.length)
        return {"sequence": sequence.tobytes().decode("ascii"), "noise": generator.random((2, self.length))}


def language_batch(items: Sequence[Item], adapter: Adapter, mask: float) -> dict[str, Tensor]:
    """Stack segments into a batch with `labels` `[B, T]`.

    A causal model's label at t is token t + 1; a masked model's labels are the tokens at the chosen positions.
    Unknown bases (N) are never a label. Shorter sequences are filled up: what is filled in is seen by none, and no label.
    Of packed rows the last token of a record has no label: what follows is of another. Where items say which of their records
    are `whole`, the label of the last token of these is the end of a sequence.
    """
    tokens, packing = tokens_of(items, adapter)
    ids = tokens.input_ids
    known = ragged([np.frombuffer(item["sequence"].encode(), np.uint8) != ord("N") for item in items])
    labels = torch.full_like(ids, IGNORE)
    rows, bases = torch.nonzero(known & (tokens.token_of_base >= 0), as_tuple=True)
    places = tokens.token_of_base[rows, bases]
    labels[rows, places] = ids[rows, places]
    if adapter.card.objective == "causal":
        shifted = torch.full_like(labels, IGNORE)
        shifted[:, :-1] = labels[:, 1:]
        if packing:
            shifted[:, :-1][packing["records"][:, 1:] != packing["records"][:, :-1]] = IGNORE
        ends = last_tokens(items, tokens.attention_mask, packing.get("records"))
        shifted[ends] = end_learned(adapter)
        return {"input_ids": ids, "attention_mask": tokens.attention_mask, "labels": shifted, **packing}
    chosen, fate = (ragged([item["noise"][part] for item in items]) for part in (0, 1))
    hidden = torch.zeros_like(ids, dtype=torch.bool)
    hidden[rows, places] = chosen[rows, bases] < mask
    how = torch.ones_like(ids, dtype=torch.float64)
    how[rows, places] = fate[rows, bases]
    masked, random = MASKED_AS
    letters = torch.tensor([adapter.tokenizer.vocab[base] for base in "ACGT"])
    drawn = letters[((how - masked) / (random - masked) * 4).long().clamp(0, 3)]
    noisy = torch.where(hidden & (how < masked), adapter.tokenizer.mask_id, ids)
    noisy = torch.where(hidden & (how >= masked) & (how < random), drawn, noisy)
    labels = labels.masked_fill(~hidden, IGNORE)
    return {"input_ids": noisy, "attention_mask": tokens.attention_mask, "labels": labels, **packing}


def last_tokens(items: Sequence[Item], mask: Tensor, records: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return rows and places, ``int64[n]`` each, of the last tokens of records that are whole sequences.

    Parameters
    ----------
    mask
        ``[B, T]``: which tokens are there.
    records
        ``int64[B, T]``: which record of a packed row each token is of; one a row where None.
    """
    found = []
    for row, item in enumerate(items):
        own = mask[row] - 1 if records is None else records[row]
        for record, whole in enumerate(item.get("whole", ())):
            if whole:
                found.append((row, int(torch.nonzero(own == record)[-1])))
    rows, places = torch.tensor(found, dtype=torch.int64).reshape(-1, 2).T
    return rows, places


def ragged(rows: Sequence[np.ndarray]) -> Tensor:
    """Stack rows of several lengths, filled up with zeros."""
    return pad_sequence([torch.from_numpy(np.ascontiguousarray(row)) for row in rows], batch_first=True)


class LanguageEvaluation:
    """Cross-entropy of a language model on held-out segments, in nats per base whatever its tokens."""

    def __init__(self, loader: DataLoader):
        self.loader = loader

    def __call__(self, model: nn.Module) -> dict[str, float]:
        """Return `loss` (the nats of all tokens that were asked, divided by their bases) and `perplexity` (of a base)."""
        device = next(model.parameters()).device
        lengths = bases_of_tokens(getattr(model, "module", model).adapter).to(device)
        nats = bases = 0.0
        for batch in self.loader:
            moved = {key: value.to(device) for key, value in batch.items()}
            asked = moved["labels"][moved["labels"] != IGNORE]
            counted = moved.get("counted")
            divided = float(len(asked) if counted is None else counted.sum())
            nats += model(**moved)["loss"].item() * divided if divided else 0.0
            bases += float(lengths[asked].sum() if counted is None else counted.sum())
        mean = nats / bases if bases else float("nan")
        return {"loss": mean, "perplexity": float(np.exp(mean))}


def bases_of_tokens(adapter: Adapter) -> Tensor:
    """Return how many bases each token stands for, ``int64[V]``; 1 of those that stand for none."""
    vocab = adapter.tokenizer.vocab if adapter.tokenizer is not None else {}
    lengths = torch.ones(max([adapter.card.vocab_size, *(index + 1 for index in vocab.values())]), dtype=torch.int64)
    for token, index in vocab.items():
        if token and set(token) <= set("ACGT"):
            lengths[index] = len(token)
    return lengths
