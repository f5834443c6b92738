"""The script of a job: `jobscript.sh` with what only this job has."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).with_name("jobscript.sh")
CHOOSER = Path(__file__).with_name("gpus.py")
SETTINGS = "#{settings}"


def fill(template: str, properties: str, command: str, settings: Mapping[str, Any]) -> str:
    """Return the script of a job.

    Parameters
    ----------
    template
        A text with `{properties}`, `{exec_job}` and, where it uses them, a line `#{settings}`.
    properties
        The job as JSON in one line.
    command
        What the job executes.
    settings
        Shell variables; those that are None or empty are left out.
    """
    lines = [f"{name}={shlex.quote(str(value))}" for name, value in settings.items() if value not in (None, "")]
    text = template.replace(SETTINGS, "\n".join(lines) or "#")
    return text.replace("{properties}", properties).replace("{exec_job}", command)


def settings_of(key: str, minutes: int, gpus: int, umask: str, site: str) -> dict[str, Any]:
    """Return the shell variables of a job."""
    return {
        "job_key": key,
        "job_seconds": 60 * minutes,
        "job_umask": umask,
        "job_site": site,
        "job_gpus": gpus or None,
        "job_python": sys.executable,
        "job_chooser": CHOOSER,
    }
