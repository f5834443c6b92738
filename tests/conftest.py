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


@pytest.fixture
def snakemake():
    """Run Snakemake on this repository and return the finished process."""

    def run(*arguments, directory, env=None, check=True, timeout=580):
        command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--directory", directory, *arguments]
        done = subprocess.run(
            list(map(str, command)),
            capture_output=True,
            text=True,
            env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"} | (env or {}),
            timeout=timeout,
            check=False,
        )
        if check and done.returncode:
            pytest.fail(f"snakemake exited with {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}", pytrace=False)
        return done

    return run


@pytest.fixture
def workdir(tmp_path):
    """An empty working directory with the repository's configuration files."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    return tmp_path
