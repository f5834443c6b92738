"""The pinned environments hold what the package asks for."""

import ast
import tomllib
from importlib.metadata import packages_distributions

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from running import ROOT, run_snakemake

CONDA = """#!/bin/bash
case "$*" in
  "info --json") echo '{"conda_prefix": "/nowhere", "platform": "linux-64"}' ;;
  "--version") echo "conda 25.9.0" ;;
  clean*) ;;
  config*) echo '{"get": {"channel_priority": "strict"}}' ;;
  "env create "*)
    while [ "$1" != --file ]; do shift; done
    cp "$2" asked.yaml && mkdir -p "$4" ;;
  *) echo "unknown: $*" >&2; exit 1 ;;
esac
"""
"""What Snakemake asks of conda when it makes an environment; `env create` keeps the file that it is given."""
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


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_snakemake_gives_the_file_to_conda(path, tmp_path, monkeypatch):
    """`--sdm conda`, as far as it goes without conda: a stand-in takes the place of the solver and of the channels."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "conda").write_text(CONDA)
    (programs / "conda").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    rule = f'rule one:\n    output: "one"\n    conda: "{path}"\n    shell: "touch {{output}}"\n'
    (tmp_path / "Snakefile").write_text(rule)
    run_snakemake("--sdm", "conda", "--conda-create-envs-only", "-s", "Snakefile", directory=tmp_path)
    assert yaml.safe_load((tmp_path / "asked.yaml").read_text()) == yaml.safe_load(path.read_text())


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_what_conda_itself_installs_is_pinned_and_in_its_channels(path):
    """All but compilers have a version; the names are those of packages of conda-forge and bioconda."""
    lines = [line for line in yaml.safe_load(path.read_text())["dependencies"] if isinstance(line, str)]
    known = {"python", "bedtools", "pip", "cuda-nvcc", "cxx-compiler", "ninja"}  # looked up by hand
    names = {line.partition("=")[0] for line in lines}
    assert names <= known
    assert {line for line in lines if "=" not in line} <= {"pip", "cxx-compiler", "ninja"}


def test_there_are_environments_for_cpu_and_gpu():
    assert {path.stem for path in ENVIRONMENTS} >= {"cpu", "gpu"}


def test_the_library_imports_nothing_that_only_its_tests_ask_for():
    """A package of the extra `dev` is in none of the environments, so that its import would end a job."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = {name: lines for name, lines in project["optional-dependencies"].items() if name != "dev"}
    asked = [*project["dependencies"], *(line for lines in extras.values() for line in lines)]
    declared = {canonicalize_name(Requirement(line).name) for line in asked}
    tests_only = {
        canonicalize_name(Requirement(line).name) for line in project["optional-dependencies"]["dev"]
    } - declared
    of_name = packages_distributions()
    for path in (ROOT / "workflow/scripts").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            for name in {name.partition(".")[0] for name in names}:
                owners = {canonicalize_name(owner) for owner in of_name.get(name, [])}
                assert not owners or owners - tests_only, f"{path.relative_to(ROOT)} imports {name}"
