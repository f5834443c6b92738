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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["deleted", "killed"])
def test_a_job_that_is_killed_goes_on_in_the_next_attempt(prepared, tmp_path, number):
    folder, weights = prepared
    place = tmp_path / "study"
    shutil.copytree(folder, place)
    pbs = FakePbs(place)
    command = (f"{RUN}/model", "--snakefile", ROOT / "Snakefile", "--configfile", "study.yaml")
    run = pbs.start(*command)
    wait_for(lambda: any(place.glob(f"{RUN}/checkpoints/*/checkpoint-*")))
    (job,) = pbs.alive()
    os.killpg(pbs.jobs()[job]["pid"], number)
    output, _ = run.communicate(timeout=400)
    if (
        number == signal.SIGTERM
    ):  # as qdel does: whoever deletes a job does not want it back, until Snakemake is started again
        assert run.returncode != 0 and "was asked to end (SIGTERM)" in output
        run = pbs.start(*command)
        output, _ = run.communicate(timeout=400)
    assert run.returncode == 0, output[-4000:]
    first, second = pbs.submitted["finetune"]
    # It was not the walltime that ended it (test_pbs.py has that): no more time is asked for.
    assert minutes_asked_for(second) == minutes_asked_for(first) > 0
    cost = json.loads((place / RUN / "cost.json").read_text())
    assert 0 < cost["resumed_from"] < cost["updates"] == 300
    for name, content in weights.items():
        assert (place / RUN / "model" / name).read_bytes() == content, name


def minutes_asked_for(submission: str) -> int:
    """Return the walltime of a `qsub` line."""
    hours, minutes, _ = map(int, re.search(r"walltime=(\d+):(\d+):(\d+)", submission).groups())
    return 60 * hours + minutes
