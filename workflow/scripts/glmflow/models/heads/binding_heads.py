"""Heads that read binding of keys (cell, TF) off the states of a region: all keys of a region in one pass.

What is known of keys is data, not weights: similarities of motifs, features of cells and the motifs themselves are given, so
that a head also predicts keys that it was not trained on. `keys` is a mapping of lists (JSON data):

`tf`, `cell`
    TF and cell of each key (numbers), `[keys]`.
`prior`
    Log-odds of binding of each key, `[keys]`.
`alike`
    Similarity of each TF's motif to those of training TFs, squared, `[tfs, training tfs]`.
`proteins`
    Similarity of each TF's protein to those of training TFs, `[tfs, training tfs]`; empty rows, or left out, where they
    are not known.
`cells`
    Features of each cell, `[cells, n]`.
`expressed`
    How far a TF's gene is on in a cell, `[cells, tfs]`.
`motifs`
    Probabilities of each TF's motif less 1/4, `[tfs, 4, width]`, with 0 where it is shorter.
`known`
    Number of each TF among the training TFs, -1 for others, `[tfs]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

CENTRE = 200
"""Bases around the middle of a region that are pooled by themselves."""
PAIR_SCALE = 4.0
"""What these are multiplied by: their weights are of the order of 4, those of all else of 1."""
PAIR = 4
"""Numbers of a pair of key and region: m, m g, m a and a (occupancy, expression, accessibility)."""


class KeyHead(nn.Module):
    """What heads on keys share: the table of keys, and the linear term of each pair of key and region.

    `prior` of a key is part of its logit and is not trained.
    """

    caches = True

    def __init__(self, keys: Mapping[str, Any]):
        super().__init__()
        for name, kind in (("tf", torch.long), ("cell", torch.long), ("known", torch.long)):
            self.register_buffer(f"{name}s", torch.tensor(keys[name], dtype=kind), persistent=False)
        for name in ("prior", "alike", "cells", "expressed", "motifs"):
            self.register_buffer(f"of_{name}", torch.tensor(keys[name], dtype=torch.float32), persistent=False)
        proteins = torch.tensor(keys.get("proteins") or [[] for _ in keys["alike"]], dtype=torch.float32)
        self.register_buffer("of_proteins", proteins, persistent=False)
        self.pairs = nn.Linear(PAIR, 1, bias=False)
        nn.init.zeros_(self.pairs.weight)

    def describe(self) -> dict[str, object]:
        """Return what features depend on."""
        return {"pool": "mean, max and centre", "centre": CENTRE}

    def pool(self, states: Tensor, inside: Tensor) -> Tensor:
        """Return mean, maximum and mean of the centre, side by side, `[S, 3 D]`, of states `[S, L, D]`."""
        own = inside[..., None]
        place = torch.arange(inside.shape[1], device=inside.device)
        middle = inside.sum(1, keepdim=True) / 2
        centre = (inside & ((place + 0.5 - middle).abs() < CENTRE / 2))[..., None]
        mean, core = ((states * part).sum(1) / part.sum(1).clamp(min=1) for part in (own, centre))
        return torch.cat([mean, states.masked_fill(~own, float("-inf")).amax(1), core], dim=-1)

    def forward(self, features: Tensor, keys: Tensor, occupancy: Tensor, accessibility: Tensor) -> Tensor:
        """Return logits `[S, keys]` of some keys.

        Parameters
        ----------
        features
            What `pool` returns.
        keys
            Numbers of the keys, `[keys]`.
        occupancy
            Of each TF's best site, `[S, tfs]`.
        accessibility
            In each cell, `[S, cells]`; zeros where it is not known.
        """
        tf, cell = self.tfs[keys], self.cells[keys]
        m, a = occupancy[:, tf], accessibility[:, cell]
        numbers = torch.stack([m, m * self.of_expressed[cell, tf], m * a, a], dim=-1)
        linear = self.pairs(PAIR_SCALE * numbers).squeeze(-1) + self.of_prior[keys]
        return (linear + self.of_states(features, tf, cell)).float()

    def of_states(self, features: Tensor, tf: Tensor, cell: Tensor) -> Tensor:
        """Return the part of the logits that the states make, `[S, keys]`."""
        raise NotImplementedError


class Bilinear(KeyHead):
    """Product of a linear map of the pooled states with one of the TF's motif and one of the cell, and of all three.

    logit = z . (A psi + B chi) + sum_k (U z)_k (V psi)_k (X chi)_k + w . pair + prior

    Parameters
    ----------
    dim
        Width `D` of the states.
    keys
        See the module.
    rank
        Width that states are mapped to.
    dropout
        Probability of dropping a mapped state in training.
    """

    def __init__(self, dim: int, keys: Mapping[str, Any], rank: int = 32, dropout: float = 0.0):
        super().__init__(keys)
        self.norm = nn.LayerNorm(3 * dim)
        self.state = nn.Sequential(nn.Linear(3 * dim, 2 * rank), nn.Dropout(dropout))
        self.tf_map = nn.Linear(self.of_alike.shape[1] + self.of_proteins.shape[1], 2 * rank)
        self.cell_map = nn.Linear(max(1, self.of_cells.shape[1]), 2 * rank)
        self.general = nn.Linear(3 * dim, 1)

    def of_states(self, features: Tensor, tf: Tensor, cell: Tensor) -> Tensor:
        """Return the part of the logits that the states make."""
        z = self.norm(features.float())
        plain, three = self.state(z).chunk(2, dim=-1)
        of_tf, of_tf3 = self.tf_map(torch.cat([self.of_alike, self.of_proteins], dim=1)).chunk(2, dim=-1)
        chi = self.of_cells if self.of_cells.shape[1] else self.of_expressed.new_zeros(len(self.of_expressed), 1)
        of_cell, of_cell3 = self.cell_map(chi).chunk(2, dim=-1)
        key = of_tf[tf] + of_cell[cell]
        return plain @ key.T + three @ (of_tf3[tf] * of_cell3[cell]).T / plain.shape[1] ** 0.5 + self.general(z)


class MotifQuery(KeyHead):
    """Motifs ask the states of every base: a convolution of the matrix makes a query, on both strands, and cells modulate it.

    Where proteins are known, a map of their similarities adds to the query.

    Parameters
    ----------
    width
        Width of queries and of what they find.
    """

    caches = False

    def __init__(self, dim: int, keys: Mapping[str, Any], width: int = 32, dropout: float = 0.0):
        super().__init__(keys)
        self.encoder = nn.Sequential(nn.Conv1d(4, 64, 5, padding=2), nn.GELU(), nn.Conv1d(64, width, 3, padding=1))
        width_of_proteins = self.of_proteins.shape[1]
        self.protein = nn.Linear(width_of_proteins, width, bias=False) if width_of_proteins else None
        self.norm = nn.LayerNorm(dim)
        self.key_value = nn.Linear(dim, 2 * width)
        self.film = nn.Linear(max(1, self.of_cells.shape[1]), 2 * width)
        self.dropout = nn.Dropout(dropout)
        self.read = nn.Sequential(nn.Linear(2 * width, width), nn.GELU())
        self.out = nn.Linear(width, 1)
        self.width = width

    def pool(self, states: Tensor, inside: Tensor) -> Tensor:
        """Return all states with a column that says which bases are inside, `[S, L, D + 1]`."""
        return torch.cat([states, inside[..., None].to(states.dtype)], dim=-1)

    def describe(self) -> dict[str, object]:
        """Return what features depend on."""
        return {"pool": "none"}

    def queries(self) -> Tensor:
        """Return the query of each TF's motif, `[tfs, width]`: the larger of both strands, place by place of the vector.

        What is known of its protein adds to it.
        """
        strands = [self.encoder(motifs).mean(-1) for motifs in (self.of_motifs, self.of_motifs.flip(1, 2))]
        query = torch.maximum(*strands)
        return query if self.protein is None else query + self.protein(self.of_proteins)

    def of_states(self, features: Tensor, tf: Tensor, cell: Tensor) -> Tensor:
        """Return the part of the logits that the states make."""
        states, inside = features[..., :-1], features[..., -1] > 0
        keys, values = self.key_value(self.norm(states.float())).chunk(2, dim=-1)
        wanted, place = torch.unique(tf, return_inverse=True)
        query = self.queries()[wanted]
        weights = (keys @ query.T / self.width**0.5).masked_fill(~inside[..., None], float("-inf"))
        found = weights.softmax(1).transpose(1, 2) @ values
        asked = self.read(torch.cat([found, query.expand(len(found), -1, -1)], dim=-1))
        chi = self.of_cells if self.of_cells.shape[1] else self.of_expressed.new_zeros(len(self.of_expressed), 1)
        scale, shift = self.film(chi).chunk(2, dim=-1)
        pairs = self.dropout(asked[:, place]) * (1 + scale[cell]) + shift[cell]
        return self.out(pairs).squeeze(-1)


class TfHeads(KeyHead):
    """One linear probe a training TF on the pooled states: the ceiling for known TFs, which knows nothing of others."""

    def __init__(self, dim: int, keys: Mapping[str, Any], dropout: float = 0.0):
        super().__init__(keys)
        self.norm = nn.LayerNorm(3 * dim)
        self.dropout = nn.Dropout(dropout)
        self.probes = nn.Linear(3 * dim, int(self.knowns.max()) + 1)

    def of_states(self, features: Tensor, tf: Tensor, cell: Tensor) -> Tensor:
        """Return the part of the logits that the states make."""
        return self.probes(self.dropout(self.norm(features.float())))[:, self.knowns[tf]]


HEADS = {"bilinear": Bilinear, "motif_query": MotifQuery, "tf_heads": TfHeads}
