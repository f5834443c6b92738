"""What is released of generated sequences: nothing that was not screened, and nothing without a line in the log."""

from __future__ import annotations

import hashlib
import logging
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from glmflow.errors import InputError

from .audit_log import AuditLog
from .hazards import SHORT, Hazards
from .string_screen import STEP, WINDOWS, Screen

logger = logging.getLogger(__name__)

COMMAND_SECONDS = 3600
SPELLED = re.compile(r"[ACGTUN-]{8,}|(?:[ACGTUN]{3,}\s+){3,}", re.IGNORECASE)
"""What may be a piece of a sequence in the words of a command: bases, alignments, bases in groups."""


class GateSettings(NamedTuple):
    """How a gate is made; either hazards, or the reason why there is none.

    Attributes
    ----------
    hazards, proteins
        FASTA files of nucleotides and of proteins.
    windows
        Lengths of the windows; those of 50 and 200 bases are always among them.
    command
        A further screen: a command that reads FASTA on its standard input and prints the names of what must not be released,
        one a line, a reason after a tab. Any exit status but 0 releases nothing.
    acknowledged
        Why sequences are released unscreened; written into the log.
    """

    hazards: tuple[Path, ...] = ()
    proteins: tuple[Path, ...] = ()
    windows: tuple[int, ...] = WINDOWS
    command: str | None = None
    acknowledged: str | None = None

    @property
    def compares(self) -> bool:
        """Whether sequences are compared with a list of hazards."""
        return bool(self.hazards or self.proteins)

    @property
    def screens(self) -> bool:
        """Whether anything is screened."""
        return bool(self.compares or self.command)


class Gate:
    """Screens sequences and logs what it decides.

    Parameters
    ----------
    log
        Path of the log.
    run
        What the sequences come from (model, settings), for the log.

    Raises
    ------
    InputError
        There is neither a list of hazards nor a reason, or both; a file cannot be read; the log was changed.
    """

    def __init__(self, settings: GateSettings, log: Path, run: Mapping[str, Any]):
        screened = settings.screens
        if screened == (settings.acknowledged is not None):
            what = "both a screen and a reason to do without" if screened else "nothing is screened"
            raise InputError(
                f"the gate is not set: {what}",
                fix="Give a FASTA of hazards (or a screening command), or acknowledge in words why there is none.",
            )
        if settings.acknowledged is not None and not settings.acknowledged.strip():
            raise InputError("the reason for releasing unscreened sequences is empty", fix="Say it in words.")
        self.settings, self.run = settings, dict(run)
        hazards = Hazards.read(settings.hazards, settings.proteins) if settings.compares else None
        windows = tuple(sorted({*WINDOWS, *settings.windows}))
        self.screen = Screen(hazards, windows) if hazards else None
        if settings.hazards and self.screen and not self.screen.aligns:
            logger.warning(
                "nothing is aligned with the hazards: mappy is not installed (pip install glmflow[screen]); pieces in which "
                "a fifth of the bases is changed pass more often"
            )
        self.log = AuditLog(log)

    @property
    def identity(self) -> dict[str, Any]:
        """What decisions depend on."""
        return {
            "hazards": self.screen.hazards.digest if self.screen else None,
            "windows": list(self.screen.windows) if self.screen else [],
            "step": STEP,
            "aligned": bool(self.screen and self.screen.aligns),
            "command": self.settings.command,
            "acknowledged": self.settings.acknowledged,
        }

    def passed(self, names: Sequence[str], sequences: Sequence[str]) -> list[bool]:
        """Return which sequences may be released, after the log has it on disk.

        A line of the log has of each blocked sequence its name, length, SHA-256, and of each test the hazard, the window and
        the score: never a base. What is too short to be compared with a list of hazards is blocked too.

        Raises
        ------
        InputError
            The further command failed: nothing is released.
        """
        blocked: dict[str, dict[str, Any]] = {}
        if self.screen:
            for name, sequence in zip(names, sequences):
                if len(sequence) < SHORT:
                    blocked[name] = _without_bases(sequence) | {"too_short": SHORT}
                hits = self.screen.hits(sequence)
                if hits:
                    blocked[name] = _without_bases(sequence) | {"hits": [hit._asdict() for hit in hits]}
        if self.settings.command:
            left = [(name, sequence) for name, sequence in zip(names, sequences) if name not in blocked]
            for name, reason in _asked(self.settings.command, left).items():
                blocked[name] = _without_bases(dict(left)[name]) | {"command": without_bases(reason)}
        counts = {"screened": len(names), "blocked": len(blocked), "released": len(names) - len(blocked)}
        entries = [{"name": name, **facts} for name, facts in blocked.items()]
        self.log.add({"run": self.run, "gate": self.identity, "counts": counts, "first": names[0], "blocked": entries})
        return [name not in blocked for name in names]


def without_bases(text: str) -> str:
    """Return what a command says without anything in it that may be a piece of a sequence: it is logged."""
    return SPELLED.sub("(bases)", text)


def _without_bases(sequence: str) -> dict[str, Any]:
    return {"length": len(sequence), "sha256": hashlib.sha256(sequence.encode()).hexdigest()}


def _asked(command: str, records: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return what a command says must not be released, with its reasons."""
    if not records:
        return {}
    text = "".join(f">{name}\n{sequence}\n" for name, sequence in records)
    where = f"gate command {command}"
    try:
        done = subprocess.run(
            shlex.split(command), input=text, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        raise InputError(f"it could not be run ({error}); nothing is released", where=where) from None
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or ["it says nothing"]
        said = [without_bases(line) for line in said]
        raise InputError(f"exit status {done.returncode} ({said[0]}); nothing is released", where=where)
    names = {name for name, _ in records}
    found = dict(line.partition("\t")[::2] for line in done.stdout.splitlines() if line.strip())
    strange = sorted(set(found) - names)
    if strange:
        raise InputError(
            f"it names {without_bases(strange[0])!r}, which it was not given; nothing is released",
            where=where,
            fix="Print the names of the records that must not be released, one a line, and nothing else.",
        )
    return {name: reason or "flagged" for name, reason in found.items()}
