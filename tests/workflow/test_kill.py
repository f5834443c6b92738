"""A fine-tuning job on the (stand-in) cluster is killed while it trains; the next attempt ends with the same weights."""

import json
import os
import re
import shutil
import signal

import pytest
import yaml
from fake_pbs import FakePbs, wait_for
from running import ROOT, run_snakemake

pytestmark = pytest.mark.slow

RUN = "results/tiny/runs/rnaseq/cnn/scratch/seed1"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The study up to what the fine-tuning reads, and the undisturbed result."""
    folder = tmp_path_factory.mktemp("prepared")
    study = yaml.safe_load((ROOT / "tests/workflow/tiny.yaml").read_text())
    study["adaptations"]["scratch"]["train"] |= {"steps": 300, "evaluations": 10}
    (folder / "study.yaml").write_text(yaml.safe_dump(study))
    run_snakemake("-c1", f"{RUN}/model", "--configfile", "study.yaml", directory=folder)
    weights = {name: (folder / RUN / "model" / name).read_bytes() for name in ("model.safetensors", "head.safetensors")}
    shutil.rmtree(folder / RUN)
    return folder, weights


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["walltime", "node_loss"])
def test_a_job_that_is_killed_goes_on_in_the_next_attempt(prepared, tmp_path, number):
    folder, weights = prepared
    place = tmp_path / "study"
    shutil.copytree(folder, place)
    pbs = FakePbs(place)
    run = pbs.start(f"{RUN}/model", "--snakefile", ROOT / "Snakefile", "--configfile", "study.yaml")
    wait_for(lambda: any(place.glob(f"{RUN}/checkpoints/*/checkpoint-*")))
    (job,) = pbs.alive()
    os.killpg(int((pbs.books / "jobs" / job).read_text()), number)
    output, _ = run.communicate(timeout=400)
    assert run.returncode == 0, output[-4000:]
    first, second = pbs.submitted["finetune"]
    assert minutes_asked_for(second) == 2 * minutes_asked_for(first) > 0
    cost = json.loads((place / RUN / "cost.json").read_text())
    assert 0 < cost["resumed_from"] < cost["updates"] == 300
    for name, content in weights.items():
        assert (place / RUN / "model" / name).read_bytes() == content, name


def minutes_asked_for(submission: str) -> int:
    """Return the walltime of a `qsub` line."""
    hours, minutes, _ = map(int, re.search(r"walltime=(\d+):(\d+):(\d+)", submission).groups())
    return 60 * hours + minutes
