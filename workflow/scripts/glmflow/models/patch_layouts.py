"""Where the patches of a sequence stand: one after the other, in the rows of a square, or along a Hilbert curve in one.

A picture of DNA has one base a pixel. `grid` lays the bases row by row into a square of fixed width and cuts it into square
patches; on a `hilbert` curve a square patch is a stretch of the sequence, and what is near in the sequence is near in the picture.
"""

from __future__ import annotations

import torch
from torch import Tensor

from glmflow.models.settings.dit import edges


def hilbert(side: int) -> Tensor:
    """Return row and column of each place of a Hilbert curve through a square, ``int64[side ** 2, 2]``; `side` a power of two."""
    place = torch.arange(side * side)
    row, column, rest, half = torch.zeros_like(place), torch.zeros_like(place), place.clone(), 1
    while half < side:
        down, right = (rest // 2) % 2, 0
        right = (rest ^ down) % 2
        flip = (right == 0) & (down == 1)
        row, column = torch.where(flip, half - 1 - row, row), torch.where(flip, half - 1 - column, column)
        turn = right == 0
        row, column = torch.where(turn, column, row), torch.where(turn, row, column)
        row, column = row + half * right, column + half * down
        rest, half = rest // 4, half * 2
    return torch.stack([row, column], 1)


class Layout:
    """How sequences of up to `context` bases are cut into patches.

    Attributes
    ----------
    unit
        Bases that a sequence is filled up to a multiple of.
    side
        Width of the square in bases; 0 for a line.
    """

    def __init__(self, layout: str, patch: int, context: int):
        self.layout, self.patch = layout, patch
        self.side, self.edge = edges(layout, patch, context)
        self.unit = self.side * self.edge if layout == "grid" else patch

    def cut(self, x: Tensor) -> Tensor:
        """``[B, L, ...]``, L a multiple of `unit`, to ``[B, patches, patch, ...]``."""
        if self.layout != "grid" or self.edge == 1:
            return x.unflatten(1, (-1, self.patch))
        rows = x.unflatten(1, (-1, self.edge, self.side // self.edge, self.edge)).transpose(2, 3)
        return rows.flatten(1, 2).flatten(2, 3)

    def join(self, x: Tensor) -> Tensor:
        """``[B, patches, patch, ...]`` back to ``[B, L, ...]``."""
        if self.layout != "grid" or self.edge == 1:
            return x.flatten(1, 2)
        blocks = x.unflatten(2, (self.edge, self.edge)).unflatten(1, (-1, self.side // self.edge))
        return blocks.transpose(2, 3).flatten(1, 4)

    def positions(self, patches: int) -> Tensor:
        """Return where patches stand, ``float32[patches, 1]`` on a line, ``[patches, 2]`` in a square."""
        place = torch.arange(patches)
        if self.layout == "line":
            return place[:, None].float()
        across = self.side // self.edge
        if self.layout == "hilbert":
            return hilbert(across)[:patches].float()
        return torch.stack([place // across, place % across], 1).float()
