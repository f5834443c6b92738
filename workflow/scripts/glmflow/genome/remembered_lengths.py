"""Lengths of contigs that had to be read off a whole file: kept beside Snakemake's own notes, for the next start."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path

from glmflow.files import atomic_path

log = logging.getLogger(__name__)

NOTES = Path(".snakemake/glmflow/contig_lengths.json")
"""In the working directory, as Snakemake's notes are; it may be deleted at any time."""

LEAST = 5_000_000
"""Bytes of a file below which reading it again takes no time."""


def remembered(path: Path, notes: Path = NOTES) -> dict[str, int] | None:
    """Return the lengths that were kept of a file; None if there are none, or the file has another size or time since."""
    found = _read(notes).get(str(path.resolve()))
    if not isinstance(found, dict) or found.get("version") != _version(path):
        return None
    return dict(found["lengths"])


def remember(path: Path, lengths: Mapping[str, int], notes: Path = NOTES) -> None:
    """Keep the lengths of a large file; nothing happens where nothing can be written."""
    if path.stat().st_size < LEAST:
        return
    there = {name: found for name, found in _read(notes).items() if Path(name).exists()}
    known = {**there, str(path.resolve()): {"version": _version(path), "lengths": dict(lengths)}}
    try:
        with atomic_path(notes) as temporary:
            temporary.write_text(json.dumps(known) + "\n")
    except OSError as error:
        log.info("%s: lengths of contigs are not kept (%s)", path, error)


def _version(path: Path) -> list[int]:
    """Return size in bytes and time of the last change in ns."""
    state = path.stat()
    return [state.st_size, state.st_mtime_ns]


def _read(notes: Path) -> dict:
    try:
        found = json.loads(notes.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
