"""Tags of sequences as a condition: a name from a list for each row, or none; families that take them have a vector for each.

A model is trained with the tags of its sequences, and without for some of them, so that it can be asked with and without.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor, nn

from glmflow.errors import InputError

_current: ContextVar[Tensor | None] = ContextVar("tags", default=None)


@contextmanager
def tagged(tags: Tensor | None) -> Iterator[None]:
    """Let rows have tags, ``int64[B]``: 0 none, 1 the first of the model's list; None: no row has one."""
    token = _current.set(tags)
    try:
        yield
    finally:
        _current.reset(token)


class TagVectors(nn.Embedding):
    """A vector for no tag and one for each of `tags`."""

    def __init__(self, tags: Sequence[str], size: int):
        super().__init__(len(tags) + 1, size)

    def rows(self) -> Tensor:
        """Return the vectors of the rows that are read, ``[B, 1, D]``; ``[1, 1, D]`` where none has a tag."""
        tags = _current.get()
        return self(torch.zeros(1, dtype=torch.int64, device=self.weight.device) if tags is None else tags)[:, None]


def tag_number(config: Mapping[str, Any], tag: str) -> int:
    """Return the number of a tag of a model.

    Raises
    ------
    InputError
        The model has no tags, or not this one.
    """
    tags = list(config.get("tags") or ())
    if not tags:
        raise InputError("the model was trained without tags", fix="Leave the tag out, or pretrain with `tags`.")
    if tag not in tags:
        near = get_close_matches(tag, tags, 3) or tags[:3]
        raise InputError(f"the model knows no tag {tag!r}", fix=f"It has {len(tags)}: {', '.join(near)} ...")
    return tags.index(tag) + 1


def guided(with_tag: Tensor, without: Tensor, guidance: float) -> Tensor:
    """Return the logits of classifier-free guidance (Ho and Salimans 2022): ``(1 + g) log p(.|tag) - g log p(.)``, ``[..., V]``."""
    return (1 + guidance) * with_tag.log_softmax(-1) - guidance * without.log_softmax(-1)
