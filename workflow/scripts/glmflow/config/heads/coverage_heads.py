"""Heads that predict coverage at every base."""

from __future__ import annotations

from typing import Literal

from ..blocks import HeadBlock


class ConvolutionalHead(HeadBlock):
    """Dilated convolutions along the sequence."""

    kind: Literal["track"]
    target = "coverage"
    default = True
    kept = 2.35

    def parameters(self, hidden: int, outputs: int) -> int:
        """Return the number of parameters: three convolutions of falling width, and a scale for each track."""
        wide, narrow = max(1, hidden // 4), max(1, hidden // 16)
        return 3 * hidden * wide + 3 * wide + 3 * wide * narrow + 3 * narrow + narrow * outputs + 2 * outputs


class LinearHead(HeadBlock):
    """One layer at each base."""

    kind: Literal["linear"]
    target = "coverage"

    def parameters(self, hidden: int, outputs: int) -> int:
        """Return the number of parameters: a weight for each state, a bias and a scale for each track."""
        return hidden * outputs + 2 * outputs
