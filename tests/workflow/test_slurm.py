"""The Slurm profile: what the executor plugin makes of the resources of a rule with a GPU and of one without."""

from types import SimpleNamespace

import pytest
import yaml
from glmflow.plan import jobs as plan
from running import ROOT

DEFAULTS = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())["default-resources"]


def gpus(resources):
    """Return the arguments for GPUs as `set_gres_string` of snakemake-executor-plugin-slurm 2.7.1 builds them.

    A model of GPU counts whatever the number; without a number it means one.
    """
    if resources.get("gpu_model"):
        return f" --gpus={resources['gpu_model']}:{resources.get('gpu', '1')}"
    return f" --gpus={resources['gpu']}" if resources.get("gpu") else ""


def test_a_job_without_a_gpu_asks_for_none():
    assert gpus(DEFAULTS) == ""


def test_a_rule_with_gpus_asks_for_as_many():
    assert gpus(DEFAULTS | {"gpu": 2}) == " --gpus=2"
    assert gpus(DEFAULTS | {"gpu": 2, "gpu_model": "l40"}) == " --gpus=l40:2"


def test_the_installed_plugin_builds_the_same():
    """Skipped where the plugin is not installed (`pip install -e .[slurm]`)."""
    utils = pytest.importorskip("snakemake_executor_plugin_slurm.utils")
    for resources in (DEFAULTS, DEFAULTS | {"gpu": 2}, DEFAULTS | {"gpu": 1, "gpu_model": "l40"}):
        assert utils.set_gres_string(SimpleNamespace(resources=resources)) == gpus(resources)


def test_the_plan_knows_the_gpu_of_the_profile():
    assert plan.known_gpu(DEFAULTS["planned_gpu"]) == "l40"
