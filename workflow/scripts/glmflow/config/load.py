"""From YAML to a checked study: every mistake at once, each with its place and how to fix it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from .base import Place
from .blocks import kind_of
from .consistency import semantic
from .mistakes import ConfigurationError, structural
from .places import compose, place_of, repeated
from .schema import known_keys
from .study import Study
from .syntax import read_yaml
from .tasks import KINDS
from .words import suggest

ON_GENOME = {kind_of(kind) for kind in KINDS if kind.genome}
"""Kinds of task that need `splits` of the genome."""


def read_study(path: str | Path) -> Study:
    """Read and check the configuration file of a study."""
    return check_study(read_yaml(path), path)


def check_study(
    raw: Mapping[str, Any],
    source: str | Path | None = None,
    checkpoints: Collection[str] | None = None,
    given: Collection[str] = (),
) -> Study:
    """Check a configuration and return the study it describes.

    Parameters
    ----------
    raw
        The configuration as nested dictionaries.
    source
        The file it came from, read again only to give line numbers.
    checkpoints
        Names of the published checkpoints; a model that names another one is a mistake. Not checked where None.
    given
        Keys that the command line gave (`--config`): a mistake below them is none of the file.

    Raises
    ------
    ConfigurationError
        With every mistake: unknown and missing keys, wrong types, labels that are not defined.
    """
    problems: list[tuple[Place, str]] = []
    study = None
    try:
        study = Study.model_validate(raw)
    except ValidationError as error:
        problems += structural(error, raw, known_keys)
    problems += _references(raw)
    if study is not None and not problems:
        problems += semantic(study, checkpoints)
    tree = compose(source)
    problems += repeated(tree)
    if problems:

        def where(path: Place) -> str:
            named = path and path[0] in given
            return f"--config {'.'.join(map(str, path))}" if named else place_of(path, source, tree)

        raise ConfigurationError([f"{where(path)}: {text}" for path, text in dict.fromkeys(problems)])
    assert study is not None
    return study


def _references(raw: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """Check that the labels used in `runs` and `tasks.*.tracks` are defined; needs no valid structure."""
    tasks = raw.get("tasks")
    for label, task in tasks.items() if isinstance(tasks, Mapping) else ():
        if isinstance(task, Mapping) and task.get("kind") in ON_GENOME and not raw.get("splits"):
            yield (
                (),
                f"missing key 'splits'; add it: task {label!r} is cut from the genome (config/README.md describes every key)",
            )
            break
    runs = raw.get("runs")
    for number, entry in enumerate(runs if isinstance(runs, list) else []):
        for block in ("tasks", "models", "adaptations"):
            labels = entry.get(block) if isinstance(entry, Mapping) else None
            defined = raw.get(block)
            if not isinstance(labels, list) or not isinstance(defined, Mapping):
                continue
            for position, label in enumerate(labels):
                if label not in defined:
                    kind = block.removesuffix("s")
                    yield (
                        ("runs", number, block, position),
                        f"unknown {kind} {label!r}{suggest(str(label), defined)}",
                    )
