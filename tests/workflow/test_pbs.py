"""The real PBS profile, driven end to end against a stand-in for PBS (tests/pbs)."""

import importlib.util
import json
import os
import signal
import time

import pytest
import yaml
from fake_pbs import PROFILE, FakePbs, wait_for
from running import ROOT

TINY = ROOT / "tests/workflow/tiny.yaml"


def load(name):
    """Import a script of the profile."""
    spec = importlib.util.spec_from_file_location(name, PROFILE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


submit, status = load("submit"), load("status")


@pytest.fixture(scope="module")
def accidents(tmp_path_factory):
    """One run in which a job outlives its walltime, one loses its node, one cannot succeed, and the server is away."""
    pbs = FakePbs(tmp_path_factory.mktemp("accidents"))
    run = pbs.start("--snakefile", ROOT / "tests/workflow/pbs.smk", FAKE_PBS_WALLTIME_SCALE="0.2")
    wait_for(lambda: len(pbs.submitted) >= 3)
    (pbs.books / "server_away").touch()
    time.sleep(6)
    (pbs.books / "server_away").unlink()
    output, _ = run.communicate(timeout=300)
    return pbs, output, run.returncode


def attempts(pbs, rule):
    return (pbs.folder / "attempts" / rule).read_text().split()


def test_a_cpu_job_asks_for_no_gpu(accidents):
    pbs, _, _ = accidents
    (call,) = pbs.submitted["plain"]
    assert "-l select=1:ncpus=1:mem=3000mb -l walltime=01:30:00 -q workq" in call
    assert "gpu" not in call


def test_a_gpu_job_asks_for_the_model_of_the_profile(accidents):
    pbs, _, _ = accidents
    (call,) = pbs.submitted["on_gpu"]
    assert "select=1:ncpus=2:mem=2000mb:ngpus=1:gpu_model=l40 " in call


def test_a_job_sees_the_path_of_the_submitter_and_nothing_else_of_it(accidents):
    pbs, _, _ = accidents
    lines = (pbs.folder / "environment").read_text().splitlines()
    environment = dict(line.split("=", 1) for line in lines if "=" in line)
    assert str(ROOT / "tests/pbs") in environment["PATH"]
    assert "OF_THE_SUBMITTER" not in environment
    assert environment["HF_HUB_OFFLINE"] == "1"
    for name in ("TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR"):
        assert environment[name].startswith(str(pbs.books / "tmp"))


def test_what_pbs_prints_lies_beside_the_log_of_the_rule(accidents):
    pbs, _, _ = accidents
    (job,) = attempts(pbs, "plain")
    assert (pbs.folder / f"logs/study/{job}.OU").exists()
    assert pbs.exit_code(job) == "0"


def test_a_job_that_outlives_its_walltime_is_tried_again_with_more(accidents):
    pbs, _, _ = accidents
    first, second = pbs.submitted["needs_more_time"]
    assert "walltime=00:01:00" in first and "walltime=02:00:00" in second
    killed, succeeded = attempts(pbs, "needs_more_time")
    assert pbs.exit_code(killed) != "0" and pbs.exit_code(succeeded) == "0"
    assert (pbs.folder / "done/needs_more_time").exists()


def test_a_job_whose_node_dies_is_tried_again(accidents):
    pbs, _, _ = accidents
    lost, succeeded = attempts(pbs, "loses_its_node")
    assert pbs.exit_code(lost) is None and pbs.exit_code(succeeded) == "0"
    assert (pbs.folder / "done/loses_its_node").exists()


def test_a_job_that_cannot_succeed_stops_after_its_retries_and_names_its_log(accidents):
    pbs, output, code = accidents
    assert code != 0
    assert len(attempts(pbs, "hopeless")) == 3
    assert "logs/hopeless.log (check log file(s) for error details)" in output
    assert not (pbs.folder / "done/hopeless").exists()


def test_a_server_that_is_away_for_a_while_loses_nothing(accidents):
    pbs, _, _ = accidents
    counts = {rule: len(calls) for rule, calls in pbs.submitted.items()}
    assert counts == {"plain": 1, "on_gpu": 1, "needs_more_time": 2, "loses_its_node": 2, "hopeless": 3}
    assert pbs.alive() == []


def test_ctrl_c_leaves_no_job_behind(tmp_path):
    pbs = FakePbs(tmp_path)
    run = pbs.start("--snakefile", ROOT / "tests/workflow/pbs.smk", "done/long")
    next(line for line in run.stdout if "with external jobid" in line)
    wait_for((tmp_path / "started").exists)
    job = (tmp_path / "started").read_text().strip()
    assert pbs.alive() == [job]
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)
    assert job in (pbs.books / "deleted").read_text().split()
    wait_for(lambda: pbs.alive() == [], seconds=30)
    assert not (tmp_path / "done/long").exists()


@pytest.mark.parametrize("everybody", [True, False], ids=["as the terminal does", "to Snakemake alone"])
def test_ctrl_c_while_a_job_is_submitted_leaves_none_behind(tmp_path, everybody):
    pbs = FakePbs(tmp_path)
    run = pbs.start("--snakefile", ROOT / "tests/workflow/pbs.smk", "done/long", FAKE_PBS_SLOW="3")
    wait_for((tmp_path / "started").exists)  # runs, but Snakemake has no id yet
    job = (tmp_path / "started").read_text().strip()
    if everybody:
        os.killpg(run.pid, signal.SIGINT)
    else:
        run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)
    wait_for((pbs.books / "deleted").exists, seconds=30)
    assert (pbs.books / "deleted").read_text().split() == [job]
    wait_for(lambda: pbs.alive() == [], seconds=30)


@pytest.mark.parametrize("everybody", [True, False], ids=["as the terminal does", "to Snakemake alone"])
def test_ctrl_c_while_the_server_is_away_ends_the_trials(tmp_path, everybody):
    pbs = FakePbs(tmp_path)
    (pbs.books / "server_away").touch()
    run = pbs.start("--snakefile", ROOT / "tests/workflow/pbs.smk", "done/long")
    wait_for((pbs.books / "unanswered").exists)
    if everybody:
        os.killpg(run.pid, signal.SIGINT)
    else:
        run.send_signal(signal.SIGINT)
    run.communicate(timeout=30)  # what goes on trying would hold this pipe open
    trials = (pbs.books / "unanswered").read_text()
    (pbs.books / "server_away").unlink()
    time.sleep(submit.PAUSE + 2)
    assert (pbs.books / "unanswered").read_text() == trials
    assert pbs.submitted == {} and not (pbs.books / "deleted").exists()


RUNS = "results/tiny/runs/rnaseq"
STEPS = 300
"""Updates that take a minute or two."""
SCORED = [f"{RUNS}/causal/lora/seed1/metrics.tsv", f"{RUNS}/mean_track/baseline/seed1/metrics.tsv"]


@pytest.mark.slow
def test_the_rules_of_the_workflow_run_through_the_profile(tmp_path):
    pbs = FakePbs(tmp_path)
    run = pbs.start(*SCORED, "--snakefile", ROOT / "Snakefile", "--configfile", TINY)
    output, _ = run.communicate(timeout=500)
    assert run.returncode == 0, output[-4000:]
    assert all((tmp_path / path).exists() for path in SCORED)
    for rule, calls in pbs.submitted.items():
        for call in calls:
            on_gpu = rule in ("pretrain", "finetune", "predict_rnaseq")
            assert (":ngpus=1:gpu_model=l40 " in call) == on_gpu and ("gpu" in call) == on_gpu, call
    assert {path.read_text().strip() for path in (tmp_path / "logs/pbs").glob("*.exit")} == {"0"}


@pytest.mark.slow
def test_training_that_outlives_its_walltime_goes_on_where_it_was(tmp_path):
    """Every attempt has half a minute; the whole training takes longer, so that no attempt alone could finish it."""
    study = yaml.safe_load(TINY.read_text())
    study["tasks"]["rnaseq"].pop("haplotypes")
    study["models"] = {"small": {"new": {"family": "small", "config": {"hidden_size": 64, "num_heads": 4}}}}
    train = {"steps": STEPS, "batch": 4, "micro_batch": 1, "crop": 1024, "evaluations": 0, "overfit_check": False}
    study["adaptations"] = {"long": {"kind": "full", "head": {"kind": "linear"}, "train": train}}
    study["runs"] = [{"tasks": ["rnaseq"], "models": ["small"], "adaptations": ["long"]}]
    study.pop("predict")
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    wanted, pbs = tmp_path / RUNS / "small/long/seed1", FakePbs(tmp_path)
    run = pbs.start(
        *(wanted.relative_to(tmp_path) / "cost.json", "--snakefile", ROOT / "Snakefile"),
        *("--configfile", "study.yaml", "--set-resources", "finetune:runtime=1", "--retries", "15"),
        FAKE_PBS_WALLTIME_SCALE="0.5",
    )
    output, _ = run.communicate(timeout=1200)
    assert run.returncode == 0, output[-4000:]
    attempts = len(pbs.submitted["finetune"])
    cost = json.loads((wanted / "cost.json").read_text())
    assert attempts > 1 and 0 < cost["resumed_from"] <= cost["updates"] == STEPS
    steps = [json.loads(line)["step"] for line in (wanted / "metrics.jsonl").read_text().splitlines()]
    assert steps == sorted(set(steps)) and steps[-1] == STEPS
    text = (tmp_path / "logs/tiny/finetune/rnaseq/small/long/seed1.log").read_text()
    assert "resuming from" in text


def job(**resources):
    properties = {"rule": "finetune", "jobid": 7, "threads": 4, "log": ["logs/study/finetune/seed1.log"]}
    return properties | {"resources": {"mem_mb": 1500, "runtime": 1500, "nodes": 1, "gpu": 0} | resources}


def test_walltime_is_hours_minutes_seconds():
    assert [submit.walltime(minutes) for minutes in (5, 90, 1500)] == ["00:05:00", "01:30:00", "25:00:00"]


def test_several_nodes_are_different_machines():
    command = submit.qsub(job(nodes=2, gpu=4, gpu_model="l40"))
    assert "select=2:ncpus=4:mem=1500mb:ngpus=4:gpu_model=l40" in command
    assert "place=scatter" in command and "place=scatter" not in submit.qsub(job(gpu=4))


def test_keys_left_empty_in_the_profile_are_left_out():
    command = submit.qsub(job(gpu=1, gpu_model="", queue="", project=""))
    assert "-q" not in command and "-P" not in command and "gpu_model" not in " ".join(command)
    command = submit.qsub(job(queue="gpu", project="lab"))
    assert command[command.index("-q") + 1] == "gpu" and command[command.index("-P") + 1] == "lab"


def test_the_properties_are_read_from_the_script(tmp_path):
    script = tmp_path / "job.sh"
    script.write_text("#!/bin/bash\n# properties = " + json.dumps(job()) + "\necho\n")
    assert submit.properties(script) == job()


@pytest.mark.parametrize(
    ("code", "marker", "gone", "word"),
    [
        (0, None, 0, "running"),
        (0, "0\n", 0, "success"),  # still exiting, its code is there
        (35, "0\n", 0, "success"),  # with job history
        (153, "0\n", 0, "success"),  # without
        (153, "1\n", 0, "failed"),
        (153, None, 1, "running"),  # its exit code may still be on the way
        (153, None, 60, "failed"),  # killed by PBS
        (35, None, 60, "failed"),
        (255, None, 0, "running"),  # the server does not answer
        (255, "0\n", 0, "success"),
    ],
)
def test_status(code, marker, gone, word):
    assert status.status(code, marker, gone) == word


def test_a_refused_job_is_told_from_a_server_that_does_not_answer():
    assert submit.no_answer(15, "qsub: cannot connect to server pbs (errno=15010)")
    assert not submit.no_answer(187, "qsub: Unknown resource: gpu_model")
