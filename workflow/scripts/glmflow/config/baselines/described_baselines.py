"""Baselines of DNA with text: counts of bases by what its text names, an organism or a kind of feature."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..blocks import BaselineBlock


class TagCounts(BaselineBlock):
    """Counts of what follows the last `order` bases, by tags of the text: each tag narrows what the ones before it tell."""

    kind: Literal["tag_counts"]
    target = "described_bases"

    order: Annotated[int, Field(ge=0, le=8)] = Field(3, description="Bases looked back.")
    tags: Annotated[list[str], Field(min_length=1)] = Field(
        default_factory=lambda: ["species", "type"],
        description="Tags of the text that counts are kept by, the broadest first; a text that lacks one, or has a value that "
        "training has not, is predicted by the tags before it.",
    )
    strength: Annotated[float, Field(gt=0)] = Field(
        20.0, description="Bases that the broader counts weigh at each place: few counts of a narrow tag say little."
    )
