"""Mistakes of a configuration in the words of someone who writes YAML."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from glmflow.errors import InputError

from .base import Place
from .words import suggest

QUOTED = r"'([^']*)'"
EMPTY = "has no value; give one, or leave the key out where it may be (config/README.md describes every key)"
BOUNDS = {
    "greater_than": ("greater than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


class ConfigurationError(InputError):
    """All mistakes of a configuration, a line each."""

    def __init__(self, problems: Sequence[str]):
        self.problems = list(problems)
        super().__init__("; ".join(self.problems))

    def __str__(self) -> str:
        return "\n".join(self.problems)

    def __reduce__(self):
        return ConfigurationError, (self.problems,)


def structural(
    error: ValidationError, raw: Any, known_keys: Callable[[Place], list[str]]
) -> Iterator[tuple[Place, str]]:
    """Yield pydantic's errors as (place, sentence) pairs; `known_keys` gives the keys of the block at a place."""
    for item in error.errors():
        path = _existing(item["loc"], raw)
        match item["type"]:
            case "extra_forbidden":
                name, known = str(item["loc"][-1]), known_keys(item["loc"][:-1])
                other = "; this kind has no settings: leave it out" if known == ["kind"] else suggest(name, known)
                yield path, f"unknown key {name!r}{other}"
            case "missing":
                yield path, f"missing key {item['loc'][-1]!r}; add it (config/README.md describes every key)"
            case _:
                yield path, _sentence(item)


def _sentence(item: Mapping[str, Any]) -> str:
    """Say what pydantic found in the words of someone who writes YAML, with the value and its fix."""
    value, context = item["input"], item.get("ctx", {})
    match item["type"]:
        case "literal_error":
            return f"unknown value {value!r}{suggest(str(value), re.findall(QUOTED, context['expected']))}"
        case "union_tag_invalid":
            return f"unknown {context['discriminator'].strip(chr(39))} {context['tag']!r}" + suggest(
                context["tag"], re.findall(QUOTED, context["expected_tags"])
            )
        case "union_tag_not_found":
            tag = context["discriminator"].strip(chr(39))
            close = get_close_matches(tag, map(str, value), 1) if isinstance(value, Mapping) else []
            if close:
                return f"unknown key {close[0]!r}; did you mean {tag!r}?"
            return f"missing key {tag!r}; add it (config/README.md describes every key)"
        case "string_pattern_mismatch":
            return f"{value!r} cannot be part of a path; use letters, digits, '_', '.' and '-', at most 100"
        case "string_type":
            return f"{value!r} is not text; put it into quotes" if value is not None else EMPTY
        case "int_parsing" | "int_from_float" | "int_type":
            return f"{value!r} is not a whole number" if value is not None else EMPTY
        case "float_parsing" | "float_type":
            return f"{value!r} is not a number" if value is not None else EMPTY
        case "bool_parsing" | "bool_type":
            return f"{value!r} is neither true nor false" if value is not None else EMPTY
        case "list_type":
            return f"{value!r} is not a list; write [{value}]" if value is not None else EMPTY
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"{value!r} is not a block of keys" if value is not None else EMPTY
        case "too_short":
            return "is empty; name at least one"
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal" as kind:
            words, key = BOUNDS[kind]
            return f"must be {words} {context[key]:g}, is {value!r}"
        case _:
            return item["msg"].removeprefix("Value error, ")


def _existing(location: Sequence[str | int], raw: Any) -> Place:
    """Keep the parts of pydantic's location that are keys of the configuration (it adds names of variants)."""
    path: list[str | int] = []
    for part in location:
        if (isinstance(raw, Mapping) and part in raw) or (
            isinstance(raw, Sequence) and not isinstance(raw, str) and isinstance(part, int) and part < len(raw)
        ):
            raw = raw[part]
        else:
            continue
        path.append(part)
    return tuple(path)
