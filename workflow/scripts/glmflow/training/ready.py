"""What an input hands over: to training before any model is loaded, and to prediction with a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .stream import Item

if TYPE_CHECKING:
    from .frozen_states import StateStore
    from .tuned import RunBlocks, Tuned


class Maker(Protocol):
    """Makes the item of an example; without a generator it is the example as it is."""

    def __len__(self) -> int: ...

    def __call__(self, index: int, generator: np.random.Generator | None) -> Item:
        """Return the item of an example."""

    def describe(self, index: int) -> str:
        """Return an example in words."""


class Ready(NamedTuple):
    """What is known of a run before any model is loaded.

    Attributes
    ----------
    train, validation
        Make the items of training and validation examples; `validation` is None where there are none.
    collate
        `collate(items, tokenize, kept)` stacks items into a batch; `kept` gives the features of sequences in place of
        their tokens, where a frozen backbone keeps them.
    fitted
        What was fitted to the training targets, as JSON data (`Target`).
    length
        Bases of the longest sequence that the model reads.
    files
        Files that the examples are made of, for the identity of the run.
    identity
        What else decides the items.
    distinct
        Yields the distinct sequences of all examples, `uint8 [D, L]` at a time, where features can be kept.
    at_once
        Sequences in one pass without gradients.
    """

    train: Maker
    validation: Maker | None
    collate: Callable[..., dict[str, Any]]
    fitted: Mapping[str, Any]
    length: int
    files: Sequence[str | Path]
    identity: Mapping[str, Any] = {}
    distinct: Callable[[], Iterable[Sequence[NDArray[np.uint8]]]] | None = None
    at_once: int = 1


class Predictor(NamedTuple):
    """A model that is applied, and how.

    Attributes
    ----------
    model
        Tuned to a task; of a run that trains nothing, the published model (`Adapter`).
    run
        Blocks of its run.
    kept
        Features of its backbone, where that is frozen and they are kept.
    folder
        Where the model as it is was loaded from.
    """

    model: Tuned | Any
    run: RunBlocks
    kept: StateStore | None = None
    folder: Path | None = None
