"""The workflow as a module of another Snakefile, and what its entry in the Workflow Catalog and its citation say."""

import tomllib

import pytest
import yaml
from running import ROOT, run_snakemake
from tiny_sequences_table import write_sites

PARENT = """
configfile: "study.yaml"

module glmflow:
    snakefile: "{root}/Snakefile"
    config: config

use rule * from glmflow as glmflow_*

rule summary:
    default_target: True
    input:
        f"results/{{config['study']}}/runs/sites/majority/baseline/seed1/metrics.tsv",
    output:
        "summary.txt",
    shell:
        "cut -f 12 {{input}} > {{output}}"
"""


@pytest.fixture
def parent(tmp_path):
    """A folder with another Snakefile, a study and its table."""
    write_sites(tmp_path / "sites.csv")
    (tmp_path / "study.yaml").write_text((ROOT / "tests/workflow/tiny_sequences.yaml").read_text())
    (tmp_path / "Snakefile").write_text(PARENT.format(root=ROOT))
    return tmp_path


def test_another_snakefile_uses_its_rules(parent):
    """Config, scripts and library are found though the working directory and the main Snakefile are another's."""
    done = run_snakemake("-n", "--snakefile", "Snakefile", directory=parent)
    planned = done.stdout + done.stderr
    assert "glmflow_baseline" in planned and "glmflow_examples" in planned


@pytest.mark.slow
def test_its_results_are_another_rule_s_input(parent):
    run_snakemake("-c1", "--snakefile", "Snakefile", directory=parent)
    assert "value" in (parent / "summary.txt").read_text()


def test_containers_of_jobs_are_refused_in_a_line(parent):
    """The image of the lint's `container:` has none of the packages, so that every job would fail in it."""
    done = run_snakemake("-n", "--sdm", "apptainer", "--configfile", "study.yaml", directory=parent, check=False)
    assert done.returncode and "run snakemake itself in the image" in done.stdout + done.stderr


def test_the_catalog_entry_and_the_citation_are_of_this_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert {"mandatory-flags", "software-stack-deployment"} <= usage.keys()
    assert set(usage["software-stack-deployment"].values()) == {False}, "no rule has an environment of its own"
    assert f"## {project['version']}" in (ROOT / "CHANGELOG.md").read_text()
