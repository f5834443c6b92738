"""What several tests share."""

import gc
import os
import shutil
import sys
from pathlib import Path

import hypothesis
import pytest
from browsing import ARGUMENTS, CHROMIUM
from running import ROOT, run_snakemake

# Hundreds of processes of a test run import the same modules, which are compiled once even where no bytecode is kept else.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# How long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")


def pytest_collection_modifyitems(items):
    """Put whole studies and browsers before unit tests: a process that began one last would leave the other cores idle."""
    items.sort(key=lambda item: item.path.is_relative_to(ROOT / "tests/unit"))


def pytest_collection_finish():
    """Leave thousands of tests and what they import, which stay to the end, out of every search for garbage.

    The Trainer searches before each training: more than half of the time of the shortest ones.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def chromium():
    """The browser of all tests of a process, which can have one alone; skips, saying so, where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as api:
        browser = api.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def test_data():
    """The folder of real data and parity fixtures; skips, saying so, where it is absent."""
    folder = os.environ.get("GLMFLOW_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("set GLMFLOW_TEST_DATA to the folder of real test data")
    return Path(folder)


@pytest.fixture
def snakemake():
    """`run_snakemake` as a fixture."""
    return run_snakemake


@pytest.fixture
def workdir(tmp_path):
    """An empty working directory with the repository's configuration files."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    return tmp_path
