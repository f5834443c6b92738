"""The pinned environments hold what the package asks for."""

import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from running import ROOT

ENVIRONMENTS = sorted((ROOT / "workflow/envs").glob("*.yaml"))


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_pins_satisfy_the_package(path):
    found = yaml.safe_load(path.read_text())
    assert found["channels"][-1] == "nodefaults"
    (lines,) = (item["pip"] for item in found["dependencies"] if isinstance(item, dict))
    pins = {
        canonicalize_name(line.name): line for line in map(Requirement, (x for x in lines if not x.startswith("-")))
    }
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    for requirement in map(Requirement, needed):
        (pin,) = pins[canonicalize_name(requirement.name)].specifier
        assert pin.operator == "==" and pin.version in requirement.specifier, requirement


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_they_take_the_python_that_is_declared(path):
    lines = [line for line in yaml.safe_load(path.read_text())["dependencies"] if isinstance(line, str)]
    (version,) = (line.removeprefix("python=") for line in lines if line.startswith("python="))
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    assert f"Programming Language :: Python :: {version}" in declared


def test_there_are_environments_for_cpu_and_gpu():
    assert {path.stem for path in ENVIRONMENTS} >= {"cpu", "gpu"}
