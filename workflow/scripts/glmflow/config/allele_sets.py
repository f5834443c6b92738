"""Published sets of labelled alleles by name: what their files call things, and how a score is read."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from glmflow.yaml_text import load_yaml

FILE = Path(__file__).with_suffix(".yaml")
TOGETHER = ("labels", "columns")
"""Settings of which a task may add to those of its set."""


@cache
def allele_sets() -> Mapping[str, Any]:
    """Return all sets by name: `words`, `assembly`, `form` (`vcf` or `table`) and `settings` of a task."""
    return load_yaml(FILE.read_text())


def with_preset(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a task, those that it leaves out taken from the set that its `preset` names.

    Raises
    ------
    ValueError
        There is no such set, or its files are of another form than the one given.
    """
    name = given.get("preset")
    sets = allele_sets()
    if name not in sets:
        close = get_close_matches(str(name), sets, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(sets)}"
        raise ValueError(f"preset: no published set {name!r}; {hint}")
    form, settings = sets[name]["form"], sets[name]["settings"]
    if given.get(form) is None:
        raise ValueError(f"preset: {name} is a {form}; give its file as `{form}`")
    merged = {key: settings[key] | dict(given.get(key) or {}) for key in TOGETHER if key in settings}
    return settings | dict(given) | merged
