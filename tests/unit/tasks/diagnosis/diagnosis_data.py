"""Files of real questions and of what the originals made of them."""

import json
import os
from pathlib import Path

import pytest


def data_folder():
    """Return the folder of the questions, or skip where it is not there."""
    root = os.environ.get("GLMFLOW_TEST_DATA")
    if not root or not (folder := Path(root) / "diagnosis").exists():
        pytest.skip("GLMFLOW_TEST_DATA is unset, or has no diagnosis")
    return folder


def expected(name):
    """Return a fixture."""
    return json.loads((data_folder() / "expected" / f"{name}.json").read_text())
