"""Heads that read the scores of classes off the pooled states of a sequence."""

from __future__ import annotations

import torch
from torch import Tensor, nn

ALONE = ("mean", "max", "last")
"""Ways of pooling whose results are kept side by side for frozen models."""
SHARED = {"mean": (0, 1), "max": (1, 2), "meanmax": (0, 2), "last": (2, 3)}
"""Ways of pooling that read these, from which to before which of them."""


class Pooling(nn.Module):
    """How the states of the bases of a sequence become one state, for heads that read one.

    Parameters
    ----------
    pool
        Over the bases of the sequence, never over padding: ``mean``, ``max``, ``meanmax`` (both side by side), ``last``
        (of causal models), ``bins`` (means of equal parts, kept apart: where a signal stands counts, as at splice sites,
        which a mean cannot see), ``attention`` (weights that are learned), ``parts_attention`` (the same over the means of equal
        parts, of which a frozen model's are kept) or ``cls`` (the special token before the sequence, where there is one).
    parts
        Parts of a sequence, for ``bins`` and ``parts_attention``.
    """

    grown = False
    """Whether the head is trees, grown (`grow`) from kept states, in place of a linear layer."""

    def __init__(self, pool: str = "mean", parts: int = 12):
        super().__init__()
        self.how, self.parts = pool, parts

    @property
    def caches(self) -> bool:
        """Whether pooled states are small enough to be kept: those of every base are not."""
        return self.how != "attention"

    @property
    def reads_token_before(self) -> bool:
        """Whether it reads the special token before a sequence, in place of its bases."""
        return self.how == "cls"

    def describe(self) -> dict[str, object]:
        """Return what kept states depend on."""
        of_parts = self.how in ("bins", "parts_attention")
        if self.how in SHARED:
            return {"pool": "+".join(ALONE)}
        return {"pool": "bins" if of_parts else self.how, **({"parts": self.parts} if of_parts else {})}

    def pool(self, states: Tensor, inside: Tensor) -> Tensor:
        """Return what has no weights of the head in it, from states `[S, L, D]`; bases that are not `inside` are padding.

        `[S, D]`, `[S, 2 D]` of ``meanmax``, `[S, parts D]` of ``bins`` and ``parts_attention``; of ``attention`` all states
        with a column that says which are inside, `[S, L, D + 1]`.
        """
        if self.how == "attention":
            return torch.cat([states, inside[..., None].to(states.dtype)], dim=-1)
        if self.how == "cls":
            return states[:, 0]
        if self.how in ("bins", "parts_attention"):
            return (bin_weights(inside, self.parts).to(states.dtype) @ states).flatten(1)
        if self.how == "last":
            last = inside.sum(1) - 1
            return states[torch.arange(len(states), device=states.device), last]
        own = inside[..., None]
        found = []
        if self.how in ("mean", "meanmax"):
            found.append((states * own).sum(1) / own.sum(1))
        if self.how in ("max", "meanmax"):
            found.append(states.masked_fill(~own, float("-inf")).amax(1))
        return torch.cat(found, dim=-1)

    def kept(self, states: Tensor, inside: Tensor) -> Tensor:
        """Return what is kept of a frozen model: for ``mean``, ``max``, ``meanmax`` and ``last`` the same, `[S, 3 D]`.

        So that a backbone is computed once for all of them; `columns` says which are the head's own.
        """
        if self.how not in SHARED:
            return self.pool(states, inside)
        return torch.cat([Pooling(how).pool(states, inside) for how in ALONE], dim=-1)

    def columns(self, dim: int) -> slice | None:
        """Return the columns of what is kept of states of width `dim` that the head reads; None: all of them."""
        if self.how not in SHARED:
            return None
        first, last = SHARED[self.how]
        return slice(first * dim, last * dim)


class PooledHead(Pooling):
    """A linear layer, or a small perceptron, on the pooled states of a sequence.

    Parameters
    ----------
    dim
        Width `D` of the states.
    classes
        Number of classes.
    pool, parts
        See `Pooling`.
    dropout
        Probability of dropping a value before the last layer in training.
    hidden
        Width of the perceptron's hidden layer; 0: one linear layer.
    solver
        ``exact``: its linear layer is a regression on kept states, and is not trained.
    """

    def __init__(
        self,
        dim: int,
        classes: int,
        pool: str = "mean",
        dropout: float = 0.0,
        parts: int = 12,
        hidden: int = 0,
        solver: str = "gradient",
    ):
        super().__init__(pool, parts)
        self.solver = solver
        width = dim * {"meanmax": 2, "bins": parts}.get(pool, 1)
        self.query = nn.Linear(dim, 1) if pool in ("attention", "parts_attention") else None
        self.dropout = nn.Dropout(dropout)
        self.before = (
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, hidden), nn.GELU()) if hidden else nn.Identity()
        )
        self.linear = nn.Linear(hidden or width, classes)

    def forward(self, pooled: Tensor) -> Tensor:
        """Return the scores of the classes (logits), `[S, classes]`, from what `pool` returns."""
        if self.query is not None and self.how == "parts_attention":
            states = pooled.unflatten(1, (self.parts, -1))
            pooled = (self.query(states).softmax(1) * states).sum(1)
        elif self.query is not None:
            states, inside = pooled[..., :-1], pooled[..., -1] > 0
            weights = self.query(states).squeeze(-1).masked_fill(~inside, float("-inf")).softmax(-1)
            pooled = (weights[..., None] * states).sum(1)
        return self.linear(self.dropout(self.before(pooled))).float()


def bin_weights(inside: Tensor, bins: int) -> Tensor:
    """Return the weight of each base in the mean of each of `bins` equal parts of its sequence, `[S, bins, L]`.

    Part `b` of `n` bases reaches from `floor(b n / bins)` to `ceil((b + 1) n / bins)`, as in adaptive pooling.
    """
    length = inside.sum(1)[:, None]
    part = torch.arange(bins, device=inside.device)[None]
    start, end = part * length // bins, -(-(part + 1) * length // bins)
    place = torch.arange(inside.shape[1], device=inside.device)
    own = (place >= start[..., None]) & (place < end[..., None])
    return own / (end - start)[..., None]


class BaseHead(nn.Module):
    """Scores of the classes of every base, or of every bin of bases.

    Parameters
    ----------
    dim
        Width `D` of the states.
    classes
        Number of classes.
    hidden
        Channels of two convolutions of width 3 before the last layer (64 in BEND); 0: one linear layer.
    bin
        Bases of a bin, whose states are averaged; a last shorter bin is left out.
    dropout
        Probability of dropping a channel value before the last layer in training.
    """

    def __init__(self, dim: int, classes: int, hidden: int = 64, bin: int = 1, dropout: float = 0.0):
        super().__init__()
        self.bin = bin
        layers: list[nn.Module] = []
        width = dim
        if hidden:
            for _ in range(2):
                layers += [nn.Conv1d(width, hidden, 3, padding=1), nn.GELU()]
                width = hidden
        self.layers = nn.Sequential(*layers, nn.Dropout(dropout), nn.Conv1d(width, classes, 1))

    def forward(self, states: Tensor) -> Tensor:
        """Return logits `[S, L // bin, classes]` from states `[S, L, D]`."""
        x = states.transpose(1, 2)
        if self.bin > 1:
            x = nn.functional.avg_pool1d(x, self.bin)
        return self.layers(x).transpose(1, 2).float()


HEADS = {"pooled": PooledHead, "per_base": BaseHead}
