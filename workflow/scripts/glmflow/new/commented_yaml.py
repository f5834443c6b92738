"""YAML as people write it: short blocks in one line, the others indented, comments above their keys."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import yaml

WIDTH = 120


def commented_yaml(settings: Mapping[str, Any], comments: Mapping[tuple[str, ...], str]) -> str:
    """Return settings as YAML text; a blank line parts the blocks of the first level.

    Parameters
    ----------
    settings
        Nested mappings and lists of plain values.
    comments
        Text above a key, by the keys that lead to it; broken into lines of at most 120 letters.
    """
    parts = []
    for key, value in settings.items():
        parts.append("\n".join(_lines({key: value}, comments, (), 0)))
    return "\n\n".join(parts) + "\n"


def _lines(block: Mapping[str, Any], comments: Mapping[tuple[str, ...], str], above: tuple[str, ...], indent: int):
    """Yield the lines of a mapping."""
    margin = " " * indent
    for key, value in block.items():
        place = (*above, key)
        if place in comments:
            yield from (f"{margin}# {line}" for line in textwrap.wrap(comments[place], WIDTH - indent - 2))
        start = f"{margin}{_flow(key)}:"
        inside = any(len(other) > len(place) and other[: len(place)] == place for other in comments)
        line = f"{start} {_flow(value)}"
        opened = inside or (indent == 0 and isinstance(value, Mapping) and _deep(value))
        if not opened and len(line) <= WIDTH:
            yield line
        elif isinstance(value, Mapping) and value:
            yield start
            yield from _lines(value, comments, place, indent + 2)
        elif isinstance(value, list) and value:
            yield start
            yield from (f"{margin}  - {_flow(item)}" for item in value)
        else:
            yield line


def _deep(value: Mapping[str, Any]) -> bool:
    """Whether a mapping holds mappings."""
    return any(isinstance(inner, Mapping) for inner in value.values())


def _flow(value: Any) -> str:
    """Return a value as YAML in one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), sort_keys=False, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...").strip()
