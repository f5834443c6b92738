"""Studies that come with the workflow, under a name of one's own."""

from __future__ import annotations

import re
from pathlib import Path

from glmflow.config.published import LISTED
from glmflow.config.words import suggest
from glmflow.errors import InputError

DEMO = "demo"


def presets(config: Path = LISTED.parent) -> dict[str, Path]:
    """Return the files of the studies that come with the workflow, by name."""
    found = {DEMO: config / "config.yaml"} if (config / "config.yaml").is_file() else {}
    return found | {path.stem: path for path in sorted((config / "studies").glob("*.yaml"))}


def preset_text(preset: str, name: str) -> str:
    """Return the text of a study that comes with the workflow, renamed; its comments are kept.

    Raises
    ------
    InputError
        There is no such study.
    """
    known = presets()
    if preset not in known:
        raise InputError(f"no preset {preset!r}{suggest(preset, known)}", fix=f"There are {', '.join(known)}.")
    text = known[preset].read_text()
    old = re.search(r"^study:\s*(\S+)", text, re.MULTILINE)
    assert old is not None
    text = re.sub(r"^study:\s*\S+", f"study: {name}", text, count=1, flags=re.MULTILINE)
    text = text.replace(f"results/{old[1]}/", f"results/{name}/")
    return re.sub(r"^# yaml-language-server:.*\n", "", text, flags=re.MULTILINE)
