"""A study as it is proposed: nested settings, a comment above any key, and the guesses in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

Path_ = tuple[str, ...]
"""Keys that lead to a place in a study."""

BASELINE = {"baseline": {"kind": "baseline"}}
"""The adaptation of every baseline."""


class Draft(NamedTuple):
    """Part of a study that a kind of task proposes.

    Attributes
    ----------
    settings
        Blocks of the study by key (`tasks`, `models`, `adaptations`, `runs`, ...).
    comments
        Comment above a key, by the keys that lead to it.
    guesses
        What was guessed, a sentence each.
    candidates
        Labels of `models` that are kept only where `machine` holds them.
    second
        What the files would be, in words, where another kind comes first; empty for a kind that is proposed unasked.
    """

    settings: Mapping[str, Any]
    comments: Mapping[Path_, str]
    guesses: Sequence[str]
    candidates: Sequence[str] = ()
    second: str = ""


def merged(drafts: Iterable[Draft]) -> Draft:
    """Return one draft of several: mappings are joined, lists follow each other, what two drafts share stands once."""
    settings: dict[str, Any] = {}
    comments: dict[Path_, str] = {}
    guesses: dict[str, None] = {}
    candidates: dict[str, None] = {}
    for draft in drafts:
        for key, value in draft.settings.items():
            if isinstance(value, Mapping):
                settings[key] = {**settings.get(key, {}), **value}
            elif isinstance(value, list):
                settings[key] = [*settings.get(key, []), *value]
            else:
                settings[key] = value
        comments |= draft.comments
        guesses |= dict.fromkeys(draft.guesses)
        candidates |= dict.fromkeys(draft.candidates)
    return Draft(settings, comments, list(guesses), list(candidates))


def without_models(draft: Draft, left_out: Iterable[str]) -> Draft:
    """Return a draft without some models, without runs that have none left, and without adaptations that no run names."""
    gone = set(left_out)
    runs = [{**run, "models": [name for name in run["models"] if name not in gone]} for run in draft.settings["runs"]]
    runs = [run for run in runs if run["models"]]
    used = {name for run in runs for name in run["adaptations"]}
    settings = {
        **draft.settings,
        "models": {name: model for name, model in draft.settings["models"].items() if name not in gone},
        "adaptations": {name: block for name, block in draft.settings["adaptations"].items() if name in used},
        "runs": runs,
    }
    return draft._replace(settings=settings, candidates=[name for name in draft.candidates if name not in gone])
