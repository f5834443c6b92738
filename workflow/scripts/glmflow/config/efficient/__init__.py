"""Kinds of adaptation that train few new parameters of a model which stays as it is otherwise, a file each (`lora`, `ia3`).

A file says in

``WORDS``      what the kind is called, and
``HAS``        what it has that no other kind has;
``KEYS``       which keys of an adaptation it alone reads: the settings that its code in `glmflow.models.efficient` takes;
``trained``    how many parameters it trains, from the model's depth and widths and the settings of those keys;
``misfit``     why a family cannot be adapted so, by its facts; None where it can.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import ModuleType

from glmflow.modules import module, module_names

EFFICIENT = tuple(module_names(sys.modules[__name__]))
"""Their names."""


def efficient(kind: str) -> ModuleType | None:
    """Return the file of a kind of adaptation; None of one that trains everything or nothing of a model."""
    return module(__name__, kind) if kind in EFFICIENT else None


def keys_of(kind: str) -> frozenset[str]:
    """Return the keys of an adaptation that a kind alone reads."""
    found = efficient(kind)
    return found.KEYS if found else frozenset()


def keys_of_others(kind: str) -> Iterable[tuple[str, str]]:
    """Yield the keys of an adaptation that other kinds read and this one does not, each with the reason."""
    for other in EFFICIENT:
        for key in sorted(keys_of(other) - keys_of(kind)):
            yield key, f"only kind {other} has {efficient(other).HAS}, not kind {kind}"
