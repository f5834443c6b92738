"""From the states of two alleles to a few vectors that a text model reads between its words."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

PARTS = ("ref", "diff", "alt")
POOLINGS = ("strided", "queries", "focus", "none")
FOCUS = 16
"""Bases on each side of the change that are not pooled (`focus`)."""
FAINT = 1e-4
"""A difference below this share of the size of the states is noise of the arithmetic, and is not made larger."""


def on_one_grid(states: Tensor, inside: Tensor, change: Tensor, flank: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the states of alleles on a grid around what changes, the same places of both.

    Parameters
    ----------
    states : float[S, L, D]
    inside : bool[S, L]
        Bases of an allele; padding behind it is not.
    change : int[S, 2]
        Start and end of what changes; nothing of an allele may (an insertion, of the reference).
    flank
        Bases on each side.

    Returns
    -------
    flanks : float[S, 2 flank, D]
        Left of the change, then right of it; zero where the allele ends before.
    changed : float[S, D]
        Mean over what changes; zero where that is nothing.
    there : bool[S, 2 flank]
        Which places of the flanks are bases.
    """
    start, end = change[:, :1], change[:, 1:]
    step = torch.arange(flank, device=states.device)
    places = torch.cat([start - flank + step, end + step], dim=1)
    length = inside.sum(1, keepdim=True)
    there = (places >= 0) & (places < length)
    held = places.clamp(0, states.shape[1] - 1)
    flanks = states.gather(1, held[..., None].expand(-1, -1, states.shape[-1])) * there[..., None]
    every = torch.arange(states.shape[1], device=states.device)
    own = ((every >= start) & (every < end)).to(states.dtype)
    changed = (own[..., None] * states).sum(1) / own.sum(1, keepdim=True).clamp(min=1)
    return flanks, changed, there


def size_of(values: Tensor) -> Tensor:
    """Return the root mean square of each row's values, `[S, 1, 1]` of `[S, N, D]`; the slope at 0 is 0, not infinite."""
    return (values.float().pow(2).mean(dim=(1, 2), keepdim=True) + 1e-20).sqrt()


def whole_tokens(bases: int, frame: int) -> int:
    """Return the least number of bases that holds at least `bases` and is one of whole tokens of `frame` bases."""
    return -(-bases // frame) * frame


def in_one_frame(longer: Tensor, places: int, frame: int, strands: int) -> Tensor:
    """Return at which places both alleles have the same tokens but for the change, bool `[S, places, strands]`.

    A model whose tokens are `frame` bases counts them from where it begins to read: behind a change of length both alleles
    are cut into other tokens, unless the lengths differ by a multiple of them. A difference there is one of frames.

    Parameters
    ----------
    longer : int[S]
        Bases that the variant has more than the reference.
    places
        Of the flanks, as many on each side: left ones first.
    strands
        2: the second is read from the right.
    """
    shifted = (longer % frame != 0)[:, None, None]
    right = torch.arange(places, device=longer.device)[:, None] >= places // 2
    behind = torch.cat([right, ~right], dim=1)[:, :strands]
    return ~(shifted & behind)


class AlleleBridge(nn.Module):
    """Parts of two alleles (`ref`, `alt`, their difference `diff`) as vectors of a text model.

    Each part is scaled by one number for the whole crop: a difference is tiny, and scaling each place would make noise of
    the places where there is none. What changes has a vector of its own in every part, so that pooling never averages it
    away; each part stands between learned vectors that say where it begins and ends.

    Parameters
    ----------
    dim, width
        Width of the states, and of the text model's embeddings.
    flank
        Bases on each side of the change.
    parts
        Of `PARTS`, in their order.
    pooling
        `strided` (means of `stride` bases, or of the next number that is whole tokens), `queries` (as many as `queries`, which
        attend over all bases), `focus` (the bases next to the change as they are, the others strided) or `none` (every base).
    scale
        Size of an embedding of the text model, which the vectors begin with.
    strands
        2: the states of the other strand stand behind those of the one.
    frame
        Bases of a token (`in_one_frame`).
    """

    def __init__(
        self,
        dim: int,
        width: int,
        flank: int,
        parts: Sequence[str] = ("ref", "diff"),
        pooling: str = "strided",
        stride: int = 8,
        queries: int = 32,
        scale: float = 0.02,
        strands: int = 1,
        frame: int = 1,
    ):
        super().__init__()
        self.strands, self.frame = strands, frame
        self.parts, self.flank, self.how = tuple(parts), flank, pooling
        self.stride = whole_tokens(stride, frame) if pooling in ("strided", "focus") else 1
        weights = pooling_weights(flank, pooling, self.stride, whole_tokens(FOCUS, frame))
        self.register_buffer("weights", weights, persistent=False)
        if pooling == "queries":
            self.queries = nn.Parameter(torch.randn(queries, dim) * dim**-0.5)
            self.places = nn.Parameter(torch.randn(2 * flank, dim) * 0.02)
            self.keys = nn.Linear(dim, dim)
        vectors = queries if pooling == "queries" else self.weights.shape[0]
        self.of_part = vectors + 1
        self.project = nn.ModuleDict({name: nn.Linear(dim, width) for name in self.parts})
        self.kinds = nn.ParameterDict({name: nn.Parameter(torch.randn(width)) for name in self.parts})
        self.edges = nn.ParameterDict({name: nn.Parameter(torch.randn(2, width)) for name in self.parts})
        self.scale = nn.Parameter(torch.full((1,), float(scale)))  # a scalar cannot be shared out (FSDP2)

    @property
    def vectors(self) -> int:
        """Return how many vectors a pair of alleles is, with those at both ends of each part."""
        return len(self.parts) * (self.of_part + 2)

    def cells(self, states: Tensor, inside: Tensor, change: Tensor) -> Tensor:
        """Return what a bridge reads of alleles before anything of it is trained, `[S, cells + 1, D + 1]`.

        Means of the flanks (of `queries`: every base), left of the change, what changes, right of it; the last column says
        how many bases each is of. All that training needs of a frozen DNA model, so that it can be kept.

        Parameters
        ----------
        states : float[S, L, D]
        inside : bool[S, L]
        change : int[S, 2]
        """
        flanks, changed, there = on_one_grid(states.float(), inside, change, self.flank)
        weights = self.weights.to(flanks.dtype) * there[:, None]
        count = weights.sum(-1, keepdim=True)
        # Means are subtracted from each other: in bfloat16 small differences would be lost.
        with torch.autocast(flanks.device.type, enabled=False):
            means = (weights @ flanks) / count.clamp(min=1)
        means = torch.cat([means, count], dim=-1)
        bases = (change[:, 1:] - change[:, :1]).to(flanks.dtype)
        middle = torch.cat([changed, bases], dim=-1)[:, None]
        left = means.shape[1] // 2
        return torch.cat([means[:, :left], middle, means[:, left:]], dim=1)

    def attended(self, cells: Tensor, there: Tensor) -> Tensor:
        """Return the vectors of a part, `[S, of_part, D]`: its cells, or what queries take from them beside the change."""
        if self.how != "queries":
            return cells
        flanks = torch.cat([cells[:, : self.flank], cells[:, self.flank + 1 :]], dim=1)
        open_ = torch.cat([there[:, : self.flank], there[:, self.flank + 1 :]], dim=1)
        keys = self.keys(flanks + self.places)
        scores = torch.einsum("qd,sld->sql", self.queries, keys) * keys.shape[-1] ** -0.5
        scores = scores.masked_fill(~open_[:, None], torch.finfo(scores.dtype).min)
        return torch.cat([scores.softmax(-1) @ flanks, cells[:, self.flank : self.flank + 1]], dim=1)

    def parts_of(self, cells: Tensor) -> dict[str, Tensor]:
        """Return each part of pairs of alleles, scaled, `[S, of_part, D]`, from `cells` in the order ref, alt, ref, alt ...

        A mean of other bases in both alleles (where a window ends before the other) or of other tokens has no difference.
        """
        counts, cells = cells[..., -1], cells[..., :-1]
        ref, alt = (
            self.attended(own, there > 0) for own, there in ((cells[0::2], counts[0::2]), (cells[1::2], counts[1::2]))
        )
        size = size_of(ref).clamp(min=1e-8)
        parts = {"ref": ref / size, "alt": alt / size_of(alt).clamp(min=1e-8)}
        if "diff" in self.parts:
            alike = self.comparable(counts[0::2], counts[1::2])
            apart = (cells[1::2] - cells[0::2]).unflatten(-1, (self.strands, -1)) * alike[..., None]
            apart = self.attended(apart.flatten(2), alike.any(-1) & (counts[0::2] > 0))
            parts["diff"] = apart / torch.maximum(size_of(apart), FAINT * size)
        return {name: parts[name] for name in self.parts}

    def comparable(self, ref: Tensor, alt: Tensor) -> Tensor:
        """Return which cells of both alleles are of the same bases in the same tokens, bool `[S, cells + 1, strands]`.

        Parameters
        ----------
        ref, alt : float[S, cells + 1]
            Bases of each cell; what changes is the middle one, and is always compared.
        """
        middle = ref.shape[1] // 2
        longer = (alt - ref)[:, middle].round().long()
        alike = (ref == alt)[..., None].expand(-1, -1, self.strands).clone()
        flanks = in_one_frame(longer, 2 * middle, self.frame, self.strands)
        alike[:, :middle] &= flanks[:, :middle]
        alike[:, middle + 1 :] &= flanks[:, middle:]
        alike[:, middle] = True
        return alike

    def found(self, states: Tensor, inside: Tensor, change: Tensor) -> dict[str, Tensor]:
        """Return each part of pairs of alleles from their states (see `cells` and `parts_of`)."""
        return self.parts_of(self.cells(states, inside, change))

    def read(self, cells: Tensor) -> Tensor:
        """Return the vectors of pairs of alleles, `[S, vectors, width]`, from their cells `[2 S, cells + 1, D + 1]`."""
        parts = self.parts_of(cells)
        return self.joined({name: self.project[name](own) for name, own in parts.items()})

    def forward(self, states: Tensor, inside: Tensor, change: Tensor) -> Tensor:
        """Return the vectors of pairs of alleles, `[S, vectors, width]`, from their states."""
        return self.read(self.cells(states, inside, change))

    def without_content(self, pairs: int) -> Tensor:
        """Return vectors that hold nothing of any allele, `[S, vectors, width]`: learned ones in every place."""
        empty = {name: self.project[name].bias.expand(pairs, self.of_part, -1) for name in self.parts}
        return self.joined(empty)

    def joined(self, parts: dict[str, Tensor]) -> Tensor:
        """Return the vectors of all parts in a row, each with its kind and between its ends."""
        rows = []
        for name, own in parts.items():
            ends = self.edges[name].expand(len(own), 2, -1)
            rows += [ends[:, :1], own + self.kinds[name], ends[:, 1:]]
        return torch.cat(rows, dim=1) * self.scale


def pooling_weights(flank: int, pooling: str, stride: int, focus: int = FOCUS) -> Tensor:
    """Return which bases of the flanks each cell is the mean of, `[cells, 2 flank]` of 0 and 1; left ones first.

    Every base is a cell of its own where nothing is pooled, and where queries attend over them; of `focus` bases next to the
    change too, if that is the pooling.
    """
    left: list[tuple[int, int]] = []
    near = {"none": flank, "queries": flank, "focus": min(focus, flank)}.get(pooling, 0)
    far = flank - near
    left += [(max(0, end - stride), end) for end in range(far, 0, -stride)][::-1]
    left += [(place, place + 1) for place in range(far, flank)]
    rows = torch.zeros(2 * len(left), 2 * flank)
    for row, (start, end) in enumerate(left):
        rows[row, start:end] = 1
        rows[-1 - row, 2 * flank - end : 2 * flank - start] = 1
    return rows


class AttentionPooler(nn.Module):
    """A learned query that attends over the states of an allele: the published classifier of DNA alone."""

    def __init__(self, dim: int, heads: int = 8):
        super().__init__()
        self.query = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.attention = nn.MultiheadAttention(dim, heads, batch_first=True)

    def forward(self, states: Tensor, inside: Tensor) -> Tensor:
        """Return one vector an allele, `[S, D]`, from states `[S, L, D]`; padding is not attended to."""
        query = self.query.expand(len(states), -1, -1)
        found, _ = self.attention(query, states, states, key_padding_mask=~inside, need_weights=False)
        return found.squeeze(1)
