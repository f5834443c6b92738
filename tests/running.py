"""Run the workflow as a user does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def run_snakemake(*arguments, directory, env=None, check=True, timeout=1500):
    """Run Snakemake on this repository's Snakefile in a folder and return the finished process."""
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        ROOT / "Snakefile",
        "--directory",
        directory,
        *arguments,
    ]
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        cwd=directory,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"} | (env or {}),
        timeout=timeout,
        check=False,
    )
    if check and done.returncode:
        pytest.fail(
            f"snakemake exited with {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}", pytrace=False
        )
    return done
