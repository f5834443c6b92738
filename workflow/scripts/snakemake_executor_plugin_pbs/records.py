"""Jobs under way, on disk: a Snakemake that starts again finds them and submits none twice."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .qstat import FINISHED, JobState
from .retries import Request

SKEW = 30.0
"""Seconds that the clock of the file server may be ahead."""
FOLLOW, TAKE_RESULT, REPLACE, SUBMIT = "follow", "take its result", "replace", "submit"


@dataclass
class Record:
    """A job that was handed to PBS and whose end Snakemake has not heard of.

    Attributes
    ----------
    key
        Hash of its working directory and its output.
    name
        Its name in PBS.
    identity
        Hash of everything its result depends on, as far as Snakemake knows: input, output, parameters.
    id
        Id in PBS; None while it is being submitted.
    submitted
        Seconds since the epoch.
    saved
        The update of the checkpoint that an earlier attempt of the same submission left.
    """

    key: str
    name: str
    identity: str
    id: str | None = None
    submitted: float = 0.0
    mem_mb: int = 0
    minutes: int = 0
    saved: int | None = None
    earlier: list[str] = field(default_factory=list)

    @property
    def request(self) -> Request:
        """Memory and minutes it asked for."""
        return Request(self.mem_mb, self.minutes)


class Registry:
    """Records in a folder, one file a job."""

    def __init__(self, folder: Path):
        self.folder = folder

    def path(self, key: str) -> Path:
        """Return the file of a job."""
        return self.folder / f"{key}.json"

    def read(self, key: str) -> Record | None:
        """Return the record of a job; None where there is none that can be read."""
        try:
            return Record(**json.loads(self.path(key).read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, record: Record) -> None:
        """Write a record whole."""
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = self.folder / f".{record.key}.{os.getpid()}"
        temporary.write_text(json.dumps(asdict(record)) + "\n")
        temporary.replace(self.path(record.key))

    def remove(self, key: str) -> None:
        """Forget a job whose end Snakemake has heard of."""
        with suppress(OSError):
            self.path(key).unlink()


def key_of(folder: Path, outputs: Iterable[str], rule: str) -> str:
    """Return the key of a job: the same whenever Snakemake is started in this folder."""
    return digest([str(folder), rule, sorted(map(str, outputs))])[:16]


def identity_of(properties: str) -> str:
    """Return the identity of a job from its properties, without what may differ between two attempts."""
    job: Mapping[str, Any] = json.loads(properties)
    return digest(
        {name: job.get(name) for name in ("rule", "groupid", "input", "output", "params", "log", "wildcards")}
    )


def digest(content: Any) -> str:
    """Return the SHA-256 of JSON data."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def fate(
    record: Record,
    state: JobState | None,
    code: int | None,
    identity: str,
    newest_input: float | None,
    forced: bool = False,
    complete: bool = True,
) -> str:
    """Return what becomes of a job that an earlier Snakemake submitted.

    Parameters
    ----------
    state
        What PBS says; None: it knows the job no more.
    code
        The exit code that the job recorded; None: none.
    identity
        What the job would be today.
    newest_input
        When its input was last changed.
    forced
        Whether it is to be run in any case (`--force`, `--forcerun`).
    complete
        Whether all its output is there.

    Returns
    -------
    str
        `FOLLOW`: it is waited for. `TAKE_RESULT`: it has succeeded meanwhile. `REPLACE`: it is deleted, as it computes
        something else, and submitted. `SUBMIT`: it is over and has not succeeded.
    """
    same = record.identity == identity
    stale = newest_input is not None and newest_input > record.submitted + SKEW
    if state is not None and state.letter != FINISHED:
        begun = state.letter not in "QHW"
        return FOLLOW if same and not (stale and begun) else REPLACE
    succeeded = code == 0 or (code is None and state is not None and state.exit_status == 0)
    return TAKE_RESULT if succeeded and complete and same and not stale and not forced else SUBMIT


def newest(paths: Sequence[str]) -> float | None:
    """Return when the last of some files or folders was changed; None without any."""
    times = []
    for path in paths:
        with suppress(OSError):
            times.append(Path(path).stat().st_mtime)
    return max(times, default=None)
