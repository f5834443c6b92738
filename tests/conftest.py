"""What several tests share."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def test_data():
    """The folder of real data and parity fixtures; skips, saying so, where it is absent."""
    folder = os.environ.get("GLMFLOW_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("set GLMFLOW_TEST_DATA to the folder of real test data")
    return Path(folder)


def run_snakemake(*arguments, directory, env=None, check=True, timeout=580):
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


@pytest.fixture
def snakemake():
    """`run_snakemake` as a fixture."""
    return run_snakemake


@pytest.fixture
def workdir(tmp_path):
    """An empty working directory with the repository's configuration files."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    return tmp_path
