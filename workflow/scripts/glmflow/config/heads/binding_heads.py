"""Heads that predict the binding of TFs in cells from the states of a region."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ..base import Fraction, Positive
from ..blocks import HeadBlock

KNOWN = 64
"""TFs, and features of cells, that sizes are reckoned with: how many there are is known when the examples are made."""


class KeyHead(HeadBlock):
    """A head on keys (cell, TF)."""

    kind: str
    target = "region_key_binding"
    known_tfs_only: ClassVar[bool] = False
    """Whether it predicts nothing for a TF that is not in training."""

    dropout: Fraction = Field(0.1, description="Dropout before the last layer.")


class Bilinear(KeyHead):
    """Product of maps of the pooled states, of the TF's motif (its similarity to training TFs) and of the cell's features."""

    kind: Literal["bilinear"]
    default = True

    rank: Positive = Field(32, description="Width that states, TFs and cells are mapped to.")

    def parameters(self, hidden: int, outputs: int) -> int:
        """Return the number of parameters, with `KNOWN` TFs and features."""
        width = 3 * hidden
        return 2 * width + (width + 1) * 2 * self.rank + 2 * (KNOWN + 1) * 2 * self.rank + width + 1


class MotifQuery(KeyHead):
    """The TF's motif makes a query that attends over the states of all bases, on both strands; cells modulate what it finds."""

    kind: Literal["motif_query"]
    kept = 2.2

    width: Positive = Field(32, description="Width of queries and of what they find.")

    def parameters(self, hidden: int, outputs: int) -> int:
        """Return the number of parameters, with `KNOWN` features of a cell."""
        encoder = 64 * 21 + self.width * (64 * 3 + 1)
        read = (2 * self.width + 1) * self.width + self.width + 1
        return encoder + 2 * hidden + (hidden + 1) * 2 * self.width + (KNOWN + 1) * 2 * self.width + read


class TfHeads(KeyHead):
    """One linear probe a TF: the ceiling for known TFs; refused where TFs are held out."""

    kind: Literal["tf_heads"]
    known_tfs_only = True

    def parameters(self, hidden: int, outputs: int) -> int:
        """Return the number of parameters, with `KNOWN` TFs."""
        return 6 * hidden + (3 * hidden + 1) * KNOWN


class Stack(HeadBlock):
    """Boosted trees on components of the pooled states of a frozen model (kind `probe`), sites, cells and accessibility, and on
    ridge regressions of the states; all keys have the same trees.
    """

    kind: Literal["stack"]
    target = "region_key_binding"

    components: Positive = Field(64, description="Principal components of the pooled states that the trees read.")
    trees: Positive = Field(150, description="Trees, one after the other.")
    learning_rate: Annotated[float, Field(gt=0, le=1)] = Field(0.1, description="How much of each tree is taken.")
    depth: Annotated[int, Field(ge=1, le=10)] = Field(5, description="Largest depth of a tree.")
    rows: Positive = Field(
        200_000, description="Pairs of key and region that the trees are grown on, drawn where there are more."
    )
    solver: Literal["exact"] = Field("exact", description="Trees are grown on kept states, not trained by gradients.")

    @property
    def exact(self) -> bool:
        """Return whether its weights are computed from kept states, and not trained by gradients."""
        return self.solver == "exact"

    def parameters(self, hidden: int, outputs: int) -> int:
        """Return the most numbers that it holds, with `KNOWN` TFs: of trees, components and regressions."""
        columns = min(self.components, 3 * hidden)
        trees = 4 * self.trees * (2 ** (self.depth + 1) - 1)
        return trees + 3 * hidden * (columns + 1) + (columns + 1) * (KNOWN + 1)
