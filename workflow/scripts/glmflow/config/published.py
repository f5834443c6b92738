"""The list of published checkpoints (`config/models.yaml`)."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from .mistakes import ConfigurationError
from .syntax import read_yaml

LISTED = Path(__file__).resolve().parents[4] / "config" / "models.yaml"
"""The list of the repository; not there where the package is installed without it."""


@lru_cache
def read_checkpoints(path: str | Path) -> dict[str, dict[str, Any]]:
    """Read the list of published checkpoints by name.

    Raises
    ------
    ConfigurationError
        An entry is said to be verified and does not name the commit that was.
    """
    checkpoints = read_yaml(path)
    loose = [name for name, entry in checkpoints.items() if entry.get("verified") and not _is_commit(entry["revision"])]
    if loose:
        raise ConfigurationError(
            [f"{path}: {name}: verified, so `revision` has to be the commit that was downloaded" for name in loose]
        )
    return checkpoints


def published() -> dict[str, dict[str, Any]]:
    """Return the repository's list of published checkpoints; empty where there is none."""
    return read_checkpoints(LISTED) if LISTED.is_file() else {}


def _is_commit(revision: object) -> bool:
    """Whether a revision is a commit, which cannot move, and not a branch or a tag."""
    return re.fullmatch("[0-9a-f]{40}", str(revision)) is not None
