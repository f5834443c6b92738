"""Finding code by name: a module of a package, or an entry of a table that one of its modules declares.

A new kind of task, head, loss or baseline is a file of its own; nothing holds a list of them.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from types import ModuleType
from typing import Any


def module_names(package: ModuleType | str) -> list[str]:
    """Return the names of the modules of a package, sorted; none is imported. A package below the caller is given by name."""
    found = importlib.import_module(package) if isinstance(package, str) else package
    return sorted(module.name for module in pkgutil.iter_modules(found.__path__) if not module.name.startswith("_"))


def module(package: str, name: str) -> ModuleType:
    """Import a module of a package by name."""
    return importlib.import_module(f"{package}.{name}")


def entry(package: ModuleType, table: str, name: str, among: Sequence[str] | None = None) -> Any:
    """Return the entry of a name in the tables (dictionaries called `table`) of a package's modules.

    The first that has it; `among`: the modules that are asked, in this order (all, sorted, where left out).

    Raises
    ------
    KeyError
        No module has it; the message names what there is.
    """
    known: list[str] = []
    for found in module_names(package) if among is None else among:
        entries = getattr(importlib.import_module(f"{package.__name__}.{found}"), table, {})
        if name in entries:
            return entries[name]
        known += entries
    raise KeyError(f"{package.__name__} has no {name!r} in {table}; it has {', '.join(sorted(known))}")
