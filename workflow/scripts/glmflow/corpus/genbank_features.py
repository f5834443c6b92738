"""Features of GenBank files: where they are, what they are called, and their DNA as it is read.

Locations follow the table of features of the International Nucleotide Sequence Database Collaboration: `join` and `order` in the
order they are written, `complement` of the whole or of parts, `<` and `>` where a feature goes on beyond what is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glmflow.bases import reverse_complement
from glmflow.errors import InputError

from .sequence_records import Record, genbank_entries, letters

KEY = slice(5, 21)
"""Columns of the name of a feature; its location and qualifiers begin behind them."""
SPAN = re.compile(r"(<?)(\d+)(?:(?:\.\.|\^)(>?)(\d+))?(>?)")


@dataclass
class Feature:
    """One feature.

    Attributes
    ----------
    kind
        As `CDS`.
    location
        As it is written.
    qualifiers
        Values by name, in their order; a qualifier without a value has the value "".
    """

    kind: str
    location: str
    qualifiers: dict[str, list[str]] = field(default_factory=dict)

    def first(self, name: str) -> str:
        """Return the first value of a qualifier; empty where there is none."""
        return self.qualifiers.get(name, [""])[0]


@dataclass(frozen=True)
class Place:
    """A stretch of a sequence, 0-based half-open, and the strand it is read from."""

    start: int
    end: int
    forward: bool = True


def places(location: str) -> tuple[list[Place], bool] | None:
    """Return the stretches of a location in the order they are read, and whether it is whole; None of another sequence."""
    text = "".join(location.split())
    if ":" in text:
        return None
    if not re.fullmatch(r"[a-z0-9<>.,^()]+", text):
        raise ValueError(f"{location!r} is no location")
    return _read(text), not ("<" in text or ">" in text)


def places_of(feature: Feature, record: str, path: Path) -> tuple[list[Place], bool]:
    """Return the stretches of a feature of a record and whether it is whole; none, and not whole, of another sequence.

    Raises
    ------
    InputError
        Its location cannot be read.
    """
    try:
        return places(feature.location) or ([], False)
    except ValueError as error:
        fix = "Fetch the file again."
        raise InputError(f"{error} ({feature.kind} of {record})", where=path, fix=fix) from None


def _read(text: str) -> list[Place]:
    if text.startswith("complement(") and _closes(text, len("complement")):
        inner = _read(text[len("complement(") : -1])
        return [Place(place.start, place.end, not place.forward) for place in reversed(inner)]
    for word in ("join", "order"):
        if text.startswith(f"{word}(") and _closes(text, len(word)):
            return [place for part in _parts(text[len(word) + 1 : -1]) for place in _read(part)]
    found = SPAN.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no location")
    start = int(found[2])
    return [Place(start - 1, int(found[4] or start))]


def _closes(text: str, opening: int) -> bool:
    """Return whether the bracket at a place is closed by the last character."""
    depth = 0
    for place in range(opening, len(text)):
        depth += (text[place] == "(") - (text[place] == ")")
        if depth == 0:
            return place == len(text) - 1
    return False


def _parts(text: str) -> list[str]:
    """Return what stands between the commas that are in no brackets."""
    parts, depth, begun = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(text[begun:place])
            begun = place + 1
    return [*parts, text[begun:]]


def spliced(bases: NDArray[np.uint8], found: list[Place]) -> NDArray[np.uint8]:
    """Return the bases of stretches as they are read, upper-case letters ``uint8``."""
    parts = [bases[place.start : place.end] for place in found]
    turned = [part if place.forward else reverse_complement(part) for part, place in zip(parts, found)]
    return np.concatenate(turned) if turned else bases[:0]


def read_features(path: Path) -> Iterator[tuple[Record, NDArray[np.uint8], list[Feature]]]:
    """Yield the entries of a GenBank file: what they are, their bases as letters, and their features.

    Raises
    ------
    InputError
        It is no GenBank file, or cut off.
    """
    for entry in genbank_entries(path, features=True):
        record = entry.record(path)
        yield record, letters(record.codes), list(_features(entry.lines, path))


def _features(lines: list[str], path: Path) -> Iterator[Feature]:
    feature: Feature | None = None
    name, open_text = "", False
    for line in lines:
        kind, rest = line[KEY].strip(), line[KEY.stop :].strip()
        if kind:
            if feature is not None:
                yield _unquoted(feature)
            feature, name, open_text = Feature(kind, rest), "", False
        elif feature is None:
            raise InputError(f"a qualifier before any feature: {rest!r}", where=path, fix="Fetch the file again.")
        elif rest.startswith("/") and not open_text:
            name, equals, value = rest[1:].partition("=")
            open_text = value.count('"') % 2 == 1
            feature.qualifiers.setdefault(name, []).append(value if equals else "")
        elif name:
            open_text ^= rest.count('"') % 2 == 1
            feature.qualifiers[name][-1] += f" {rest}"
        else:
            feature.location += rest
    if feature is not None:
        yield _unquoted(feature)


def _unquoted(feature: Feature) -> Feature:
    """Return a feature whose values are without their quotation marks; two in a row inside of them are one."""
    for values in feature.qualifiers.values():
        values[:] = [one[1:-1].replace('""', '"') if one[:1] == one[-1:] == '"' else one for one in values]
    return feature
