"""What every block of the configuration shares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Block(BaseModel):
    """A block of the configuration: unknown keys are errors, values are not changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def changed(self, *names: str) -> list[str]:
        """Return those of some keys that are not at their defaults: a study that is written out gives all of them."""
        fields = type(self).model_fields
        return [name for name in names if getattr(self, name) != fields[name].get_default(call_default_factory=True)]

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield its keys that are given and do nothing beside its others, with the reason."""
        return iter(())


Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]
"""A name that can stand in a path: file systems allow 255 characters, and suffixes are added."""

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(gt=0)]

Place = tuple[str | int, ...]
"""Keys that lead to a place in the configuration."""


def some_left_to_train(*held_out: object) -> None:
    """Refuse shares of validation and test (those that are numbers) that leave nothing to train on.

    Raises
    ------
    ValueError
        They add up to 1 or more.
    """
    if sum(share for share in held_out if isinstance(share, float)) >= 1:
        raise ValueError("validation and test leave nothing to train on; use shares that add up to less than 1")
