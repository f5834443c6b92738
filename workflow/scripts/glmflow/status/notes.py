"""What others know of a job, put on the page of its study: why it waits, why it was killed."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from .job_state import read_json, write_json
from .page import write_page


def state_path(log: Path | str) -> Path | None:
    """Return the file that holds the state of the job with this log, `logs/{study}/{job}.log`; None for other logs."""
    parts = Path(log).with_suffix("").parts
    if len(parts) < 3 or parts[0] != "logs":
        return None
    folder = Path("results") / parts[1] / "status"
    return folder.joinpath(*parts[2:-1], f"{parts[-1]}.json") if folder.is_dir() else None


def note_job(log: Path | str, state: str, **changes: Any) -> None:
    """Set the state of a job that cannot speak for itself, and render the page of its study.

    Nothing is done for a study without a status page, nor for one whose files cannot be written.

    Parameters
    ----------
    state
        `waiting` or `failed`.
    changes
        `note`: why it waits; `error`: how its last attempt ended.
    """
    path = state_path(log)
    if path is None:
        return
    with suppress(OSError):
        write_json(path, {**read_json(path), "note": None, "state": state, "updated": time.time(), **changes})
        write_page(path.parents[len(Path(log).parts) - 2])
