"""Benchmarks are run by hand: what they import of the library has to be there all the same."""

import ast
import importlib.util

import pytest
from running import ROOT

SCRIPTS = sorted((ROOT / "benchmark").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_every_imported_name_is_there(script):
    nodes = ast.walk(ast.parse(script.read_text()))
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "glmflow":
            module = importlib.import_module(node.module)
            for name in (alias.name for alias in node.names):
                assert hasattr(module, name) or importlib.util.find_spec(f"{node.module}.{name}"), (node.module, name)
