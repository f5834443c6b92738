"""Published sets of labelled sequences and protocols by name: `genomic_benchmarks/human_nontata_promoters`."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from glmflow.errors import InputError
from glmflow.yaml_text import load_yaml

FILE = Path(__file__).with_suffix(".yaml")


@cache
def _content() -> Mapping[str, Any]:
    return load_yaml(FILE.read_text())


def set_names() -> list[str]:
    """Return the names of all published sets that are read."""
    return [name for name, found in _content()["sets"].items() if "unread" not in found]


def benchmark_set(name: str) -> dict[str, Any]:
    """Return what is known of a published set.

    Returns
    -------
    dict
        `layout` (`folder`: files by split and class; `table`), and where they are known `columns`, `only` (rows of a table
        that holds several sets), `hdf5` (data set of the labels in a file beside the table) with its `outputs`, `beside`
        (name of a table of values beside it, or of a folder of tracks in bins of `bin` bases), `one_based`, `length` and
        `anchor` (windows around an interval), `splits` (of a table of intervals), `arrays` (of an HDF5 file of sequences),
        `pairs` (columns of the genes that its regions are paired with), `maps` (of a folder of contact maps),
        `target`, `classes` (in the order of their indices), `integer_labels` (names of them), `assembly`, `metric` (what is
        published), `published`.

    Raises
    ------
    InputError
        There is no such set; the closest name is said. Or the set has a name and no reader (`unread` in the file): why.
    """
    sets = _content()["sets"]
    if name not in sets:
        close = get_close_matches(name, sets, 1)
        groups = ", ".join(dict.fromkeys(known.partition("/")[0] for known in sets))
        hint = f"Did you mean {close[0]}?" if close else f"There are sets of {groups}."
        raise InputError(f"no published set {name!r}", where="preset", fix=hint)
    if why := sets[name].get("unread"):
        raise InputError(f"{name} is not read", where="preset", fix=why)
    return dict(sets[name])


def published_numbers(name: str) -> list[dict[str, Any]]:
    """Return the published scores of a set: `model`, `metric`, `value`, `protocol`, `source`; they are never ours."""
    found = benchmark_set(name)
    return [
        {
            "model": row["model"],
            "metric": found["metric"],
            "value": row["value"],
            "protocol": row["protocol"],
            "source": protocol(row["protocol"])["source"],
        }
        for row in found.get("published", [])
    ]


def protocol_names() -> list[str]:
    """Return the names of all protocols."""
    return list(_content()["protocols"])


def protocol(name: str) -> dict[str, Any]:
    """Return the settings of a protocol: `words`, `source`, and what it fixes.

    Raises
    ------
    InputError
        There is no such protocol.
    """
    protocols = _content()["protocols"]
    if name not in protocols:
        raise InputError(f"no protocol {name!r}", where="protocol", fix=f"Name one of {', '.join(protocols)}.")
    return dict(protocols[name])


def read_settings(name: str) -> dict[str, Any]:
    """Return how the files of a published set are read, as keyword arguments of `sources.read_source`."""
    found = benchmark_set(name)
    keys = ("columns", "only", "one_based", "target", "arrays", "pairs")
    settings = {key: found[key] for key in keys if key in found}
    return settings | ({"classes": found["integer_labels"]} if "integer_labels" in found else {})
