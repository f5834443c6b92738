"""How a result was made: settings, their hash, versions and checksums."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from glmflow.config import settings_hash
from glmflow.files import atomic_path

PACKAGES = (
    *(
        "glmflow",
        "snakemake",
        "torch",
        "transformers",
        "accelerate",
        "peft",
        "numpy",
        "pandas",
        "scipy",
        "scikit-learn",
    ),
    *("pysam", "cyvcf2", "pyBigWig", "pybedtools", "pyfaidx", "msprime", "matplotlib", "flash-attn"),
)


def versions() -> dict[str, str]:
    """Return the versions of what results depend on; packages that are not installed are left out."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def git_commit(folder: str | Path = ".") -> str | None:
    """Return the commit of the repository at `folder`, marked where files differ from it; None outside of one."""
    if not shutil.which("git"):
        return None
    result = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout.strip() or None


def write_run(settings: Mapping[str, Any], path: str | Path) -> None:
    """Write `run.yaml`: a run's resolved settings, their hash and the versions it was made with."""
    content = {**settings, "hash": settings_hash(dict(settings)), "versions": versions()}
    with atomic_path(path) as temporary:
        temporary.write_text(yaml.safe_dump(content, sort_keys=False))
