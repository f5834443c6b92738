"""The real PBS profile, driven end to end against a stand-in for PBS (tests/pbs/fake_server.py)."""

import json
import math
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
import yaml
from fake_pbs import PROFILE, FakePbs, wait_for
from glmflow.models import new_model
from running import ROOT

TINY = ROOT / "tests/workflow/tiny.yaml"
ACCIDENTS = ROOT / "tests/workflow/pbs.smk"
MANY = """
rule all:
    input:
        expand("done/{i}", i=range(config["count"])),
    localrule: True


rule one:
    output:
        "done/{i}",
    log:
        "logs/study/{i}.log",
    resources:
        runtime=10,
    shell:
        "mkdir -p attempts; echo $PBS_JOBID >> attempts/{wildcards.i}; sleep {config[seconds]}; touch {output}"
"""


@pytest.fixture(scope="module")
def accidents(tmp_path_factory):
    """One run in which a job outlives its walltime, two lose their node, one cannot succeed, and the server is away."""
    pbs = FakePbs(tmp_path_factory.mktemp("accidents"), kill_delay=3)
    run = pbs.start("--snakefile", ACCIDENTS)
    wait_for(lambda: len(pbs.submitted) >= 3)
    (pbs.books / "server_away").touch()
    wait_for(lambda: pbs.lines("unanswered"))
    (pbs.books / "server_away").unlink()
    begun = pbs.folder / "attempts/needs_more_time"
    wait_for(lambda: begun.exists() and begun.read_text())
    (pbs.books / f"walltime.{begun.read_text().partition('.')[0]}").touch()
    output, _ = run.communicate(timeout=900)
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


def test_results_have_the_mode_that_the_umask_of_the_submitter_gives(accidents):
    pbs, _, _ = accidents
    umask = os.umask(0)
    os.umask(umask)
    assert (pbs.folder / "done/plain").stat().st_mode & 0o777 == 0o666 & ~umask


def test_what_pbs_prints_lies_beside_the_log_of_the_rule(accidents):
    pbs, _, _ = accidents
    (job,) = attempts(pbs, "plain")
    assert (pbs.folder / f"logs/study/{job}.OU").exists()
    assert pbs.exit_code(job) == "0"


def test_a_job_that_outlives_its_walltime_is_tried_again_with_more_time_and_no_more_memory(accidents):
    pbs, output, _ = accidents
    first, second = pbs.submitted["needs_more_time"]
    assert "walltime=00:01:00" in first and "walltime=02:00:00" in second and "mem=2000mb" in second
    killed, succeeded = attempts(pbs, "needs_more_time")
    assert pbs.exit_code(killed) != "0" and pbs.exit_code(succeeded) == "0"
    assert f"job {killed} did not end within its walltime of 1 min: PBS ended it" in output


def test_a_job_whose_node_dies_is_started_again_by_pbs_and_followed(accidents):
    pbs, output, _ = accidents
    lost, succeeded = attempts(pbs, "loses_its_node")
    assert lost == succeeded and pbs.exit_code(lost) == "0" and len(pbs.submitted["loses_its_node"]) == 1
    assert "started job" in output and "its node was lost, or it was requeued" in output


def test_a_job_that_is_killed_by_force_is_tried_again(accidents):
    pbs, output, _ = accidents
    killed, succeeded = attempts(pbs, "dies")
    assert pbs.exit_code(killed) is None and pbs.exit_code(succeeded) == "0"
    assert f"job {killed} ended without a word (no exit code)" in output
    assert "walltime=01:00:00" in pbs.submitted["dies"][1] and "mem=2000mb" in pbs.submitted["dies"][1]


def test_a_job_that_cannot_succeed_stops_after_its_retries_and_names_its_log(accidents):
    pbs, output, code = accidents
    assert code != 0
    assert len(attempts(pbs, "hopeless")) == 3
    assert "logs/hopeless.log" in output and "ended with exit code 1" in output
    assert not (pbs.folder / "done/hopeless").exists()


def test_a_server_that_is_away_for_a_while_loses_nothing_and_is_said(accidents):
    pbs, output, _ = accidents
    counts = {rule: len(calls) for rule, calls in pbs.submitted.items()}
    expected = {"plain": 1, "on_gpu": 1, "needs_more_time": 2, "loses_its_node": 1, "dies": 2, "hopeless": 3}
    assert counts == expected and pbs.alive() == []
    assert "PBS cannot be reached (Connection refused" in output


def test_the_server_is_asked_ten_times_a_minute_at_most(accidents):
    pbs, _, _ = accidents
    times = [float(line.split()[0]) for line in pbs.lines("calls") if line.split()[1] == "qstat"]
    # Over the whole run: a busy machine delays single calls by seconds. The unit test of the limit has a clock of its own.
    assert times and len(times) <= 10 * (1 + (max(times) - min(times)) / 60)


@pytest.mark.slow
def test_ctrl_c_leaves_no_job_behind(tmp_path):
    """Neither of those that run nor of those that wait; a second Ctrl-C, of everybody at the terminal, changes nothing."""
    pbs = many(tmp_path, slots=3, kill_delay=2)
    run = pbs.start("--snakefile", "many.smk", "--jobs", "12", "--config", "count=12", "seconds=300")
    wait_for(lambda: len(pbs.queued()) == 12 and len(pbs.alive()) == 3)
    run.send_signal(signal.SIGINT)
    time.sleep(0.2)
    os.killpg(run.pid, signal.SIGINT)
    run.communicate(timeout=60)
    assert pbs.queued() == [] and pbs.alive() == []
    assert not list((tmp_path / "done").glob("*")) and not list((tmp_path / ".snakemake/pbs").glob("*.json"))


@pytest.mark.slow
@pytest.mark.parametrize("everybody", [True, False], ids=["as the terminal does", "to Snakemake alone"])
def test_ctrl_c_while_jobs_are_submitted_leaves_none_behind(tmp_path, everybody):
    pbs = many(tmp_path, slow=1.5, kill_delay=2)
    run = pbs.start("--snakefile", "many.smk", "--jobs", "12", "--config", "count=12", "seconds=300")
    wait_for(lambda: len(pbs.queued()) >= 2)  # in the queue, but Snakemake has no id yet
    (os.killpg if everybody else os.kill)(run.pid, signal.SIGINT)
    run.communicate(timeout=100)
    assert pbs.queued() == []


@pytest.mark.slow
def test_sigterm_leaves_no_job_behind(tmp_path):
    pbs = many(tmp_path, kill_delay=2)
    run = pbs.start("--snakefile", "many.smk", "--config", "count=3", "seconds=300")
    wait_for(lambda: len(pbs.alive()) == 3)
    run.send_signal(signal.SIGTERM)
    run.communicate(timeout=60)
    assert pbs.queued() == [] and run.returncode != 0


@pytest.mark.slow
def test_ctrl_c_while_the_server_is_away_ends_at_once_and_submits_nothing(tmp_path):
    pbs = many(tmp_path)
    (pbs.books / "server_away").touch()
    run = pbs.start("--snakefile", "many.smk", "--config", "count=3", "seconds=1")
    next(line for line in run.stdout if "PBS cannot be reached" in line)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)
    (pbs.books / "server_away").unlink()
    assert pbs.submitted == {}


def many(folder, **settings):
    """A stand-in and a workflow of equal jobs."""
    pbs = FakePbs(folder, **settings)
    (folder / "many.smk").write_text(MANY)
    return pbs


def unlock(pbs):
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        "many.smk",
        "--unlock",
        "--config",
        "count=1",
        "seconds=1",
    ]
    subprocess.run(command, cwd=pbs.folder, check=True, capture_output=True)


@pytest.mark.slow
@pytest.mark.parametrize("history", [False, True], ids=["without history", "with history"])
def test_after_kill_9_jobs_are_found_again_and_none_is_submitted_twice(tmp_path, history):
    """Those that run, those that wait, those that have ended meanwhile, and those that were being submitted."""
    pbs = many(tmp_path, slots=3, history=history)
    arguments = ("--snakefile", "many.smk", "--jobs", "9", "--config", "count=9", "seconds=2")
    run = pbs.start(*arguments)
    wait_for(lambda: len(pbs.jobs()) >= 7)
    run.kill()
    run.communicate()
    unlock(pbs)
    output, _ = pbs.start(*arguments).communicate(timeout=120)
    assert all(len(attempts(pbs, str(n))) == 1 for n in range(9)), output[-3000:]
    assert "Found job" in output and len(pbs.jobs()) == 9
    assert sum(1 for n in range(9) if (tmp_path / f"done/{n}").exists()) == 9


@pytest.mark.slow
def test_at_a_limit_jobs_wait_and_it_is_said_once(tmp_path):
    pbs = many(tmp_path, limit=3)
    output, _ = pbs.start("--snakefile", "many.smk", "--config", "count=8", "seconds=1").communicate(timeout=120)
    assert output.count("PBS takes no more jobs for now") == 1 and "Error" not in output
    assert len(pbs.submitted["one"]) == 8 and all((tmp_path / f"done/{n}").exists() for n in range(8))


@pytest.mark.slow
def test_a_job_deleted_by_hand_or_held_or_impossible(tmp_path):
    """The reasons stand in Snakemake's messages, in the rule's log and on the status page; none is submitted again."""
    pbs = many(tmp_path, kill_delay=2)
    (tmp_path / "results/study/status").mkdir(parents=True)
    (pbs.books / "hold.1").touch()
    run = pbs.start("--snakefile", "many.smk", "--config", "count=3", "seconds=60", "--set-resources", "one:gpu=0")
    wait_for(lambda: len(pbs.queued()) == 3 and len(pbs.alive()) == 2)
    fake = os.environ | {"FAKE_PBS": str(pbs.books)}
    subprocess.run([ROOT / "tests/pbs/qdel", "2.fake", "3.fake"], env=fake, check=True)
    status = tmp_path / "results/study/status.html"
    wait_for(lambda: status.exists() and "qrls 1.fake" in status.read_text() and status.read_text().count("qdel") >= 2)
    subprocess.run([ROOT / "tests/pbs/qdel", "1.fake"], env=fake, check=True)
    output, _ = run.communicate(timeout=120)
    assert len(pbs.submitted["one"]) == 3
    assert (
        "is held (hold u)" in output
        and output.count("It is not submitted again") + output.count("it is not submitted again") >= 3
    )
    logs = [path.read_text() for path in (tmp_path / "logs/study").glob("*.log")]
    assert len(logs) == 3 and all("PBS: job" in text and "submitted again" in text for text in logs)


@pytest.mark.slow
def test_after_a_memory_kill_more_memory_is_asked_for_until_there_is_no_more(tmp_path):
    """And no more time; the attempt that would end the same way is not made."""
    pbs = many(tmp_path, kill_delay=1)
    resources = ("--default-resources", "mem_mb=2000", "largest_mem_mb=5000", "longest_minutes=100", "gpu=0")
    run = pbs.start("--snakefile", "many.smk", "--config", "count=1", "seconds=300", "--retries", "5", *resources)
    for number in (1, 2, 3):
        wait_for(lambda number=number: str(number) in pbs.alive())
        (pbs.books / f"memory.{number}").touch()
    output, _ = run.communicate(timeout=120)
    asked = [call.partition("-l ")[2].partition(" -")[0] for call in pbs.submitted["one"]]
    assert asked == [f"select=1:ncpus=1:mem={memory}mb" for memory in (2000, 4000, 5000)]
    assert all("walltime=00:10:00" in call for call in pbs.submitted["one"])
    assert output.count("needed more memory than the") == 3 and "It is not tried again: it asked for all" in output


@pytest.mark.slow
def test_a_job_that_asks_for_more_than_any_node_has_is_said_at_once(tmp_path):
    pbs = many(tmp_path, gpus=8)
    run = pbs.start("--snakefile", "many.smk", "--config", "count=1", "seconds=1", "--set-resources", "one:gpu=9")
    line = next(line for line in run.stdout if "can never run" in line)
    assert "Insufficient amount of resource: ngpus (R: 9 A: 8 T: 8)" in line
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)
    assert pbs.queued() == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "code"), [("Unknown queue", 170), ("Unauthorized Request ", 159)], ids=["wrong queue", "no permission"]
)
def test_what_qsub_refuses_fails_at_once_with_its_words(tmp_path, words, code):
    pbs = many(tmp_path, refuses=words, refusal=code)
    output, _ = pbs.start("--snakefile", "many.smk", "--config", "count=1", "seconds=1").communicate(timeout=60)
    assert f"qsub refused the job ({code}): qsub: {words.strip()}" in output and "Trying to restart" not in output


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"suffix": ".fake.site.org", "job_suffix": ".fake", "banner": "INFO: project abc has 1000 SU left"},
        {"suffix": ".fake", "job_suffix": ".fake.site.org", "json": "first only"},
        {"history": True, "json": "broken"},
    ],
    ids=["long id from qsub after a line", "long id in the job, JSON of the first job only", "history, broken JSON"],
)
def test_servers_differ(tmp_path, settings):
    pbs = many(tmp_path, **settings)
    output, _ = pbs.start("--snakefile", "many.smk", "--config", "count=3", "seconds=8").communicate(timeout=100)
    assert len(pbs.submitted["one"]) == 3 and all((tmp_path / f"done/{n}").exists() for n in range(3)), output[-3000:]


@pytest.mark.slow
def test_a_profile_in_a_folder_with_a_space_and_a_working_directory_with_one(tmp_path):
    profile = tmp_path / "my profiles/pbs"
    profile.mkdir(parents=True)
    text = (PROFILE / "config.yaml").read_text().replace("pbs-queue: workq", "pbs-queue: my_queue\npbs-umask: '027'")
    (profile / "config.yaml").write_text(text)
    (profile / "site.sh").write_text('touch "$PBS_O_WORKDIR/sourced"\n')
    pbs = many(tmp_path / "my study")
    output, _ = pbs.start("--snakefile", "many.smk", "--config", "count=1", "seconds=0", profile=profile).communicate(
        timeout=60
    )
    assert (pbs.folder / "done/0").stat().st_mode & 0o777 == 0o640, output[-3000:]
    assert (pbs.folder / "sourced").exists() and "-q my_queue" in pbs.submitted["one"][0]


@pytest.mark.slow
def test_torque_is_refused_by_name(tmp_path):
    pbs = many(tmp_path)
    qstat = tmp_path / "bin/qstat"
    qstat.parent.mkdir()
    qstat.write_text(
        '#!/bin/sh\necho "Version: 6.1.2" >&2\necho "Commit: 661e092552de43a785c15d39a3634a541d86898e" >&2\n'
    )
    qstat.chmod(0o755)
    path = f"{qstat.parent}:{os.environ['PATH']}"
    output, _ = pbs.start("--snakefile", "many.smk", "--config", "count=1", "seconds=0", PATH=path).communicate(
        timeout=60
    )
    assert "this is Torque, not OpenPBS or PBS Pro" in output and pbs.submitted == {}


@pytest.mark.slow
def test_many_jobs_are_submitted_and_their_ends_noticed_in_time(tmp_path):
    """The server takes half a second for each answer. A job notes when it has ended; Snakemake, when it has heard."""
    pbs = many(tmp_path, slots=20, slow=0.5)
    arguments = ("--jobs", "20", "--config", "count=20", "seconds=20")
    output, _ = pbs.start("--snakefile", "many.smk", *arguments).communicate(timeout=400)
    assert len(pbs.submitted["one"]) == 20 and all((tmp_path / f"done/{n}").exists() for n in range(20)), output[-2000:]
    times = [float(line.split()[0]) for line in pbs.lines("calls") if line.split()[1] == "qstat"]
    assert max(sum(start <= time < start + 60 for time in times) for start in times) <= 10


RUNS = "results/tiny/runs/rnaseq"
LONG = {"family": "small", "config": {"hidden_size": 64, "num_heads": 4}}
LENGTH, BATCH = 1024, 4
SCORED = [f"{RUNS}/causal/lora/seed1/metrics.tsv", f"{RUNS}/mean_track/baseline/seed1/metrics.tsv"]


@pytest.mark.slow
def test_the_rules_of_the_workflow_run_through_the_profile(tmp_path):
    pbs = FakePbs(tmp_path)
    run = pbs.start(*SCORED, "--snakefile", ROOT / "Snakefile", "--configfile", TINY)
    output, _ = run.communicate(timeout=1500)
    assert run.returncode == 0, output[-4000:]
    assert all((tmp_path / path).exists() for path in SCORED)
    for rule, calls in pbs.submitted.items():
        for call in calls:
            on_gpu = rule in ("pretrain", "finetune", "predict")
            assert (":ngpus=1:gpu_model=l40 " in call) == on_gpu and ("gpu" in call) == on_gpu, call
    assert {path.read_text().strip() for path in (tmp_path / "logs/pbs").glob("*.exit")} == {"0"}


def updates_in(seconds):
    """Return how many updates of the long training take that many seconds here: machines differ by far."""
    model, ids = new_model(LONG["family"], LONG["config"], seed=1), torch.full((1, LENGTH), 3)
    times = []
    for _ in range(6):  # the first one is slower
        started = time.perf_counter()
        model(ids, torch.ones_like(ids)).logits.sum().backward()
        times.append(time.perf_counter() - started)
    updates = seconds / (BATCH * min(times))
    return 100 * max(2, math.ceil(updates / 100))  # a line of the log is a hundredth of them


@pytest.mark.slow
def test_training_that_outlives_its_walltime_goes_on_where_it_was(tmp_path):
    """Every job has a minute; the whole training takes longer, so that none alone could finish it.

    Going on uses up no retry; they are for a job that gets nowhere in its minute, on a machine that does much else.
    """
    study = yaml.safe_load(TINY.read_text())
    study["tasks"]["rnaseq"].pop("haplotypes")
    study["models"] = {"small": {"new": LONG}}
    steps = updates_in(50)
    train = {"steps": steps, "batch": BATCH, "micro_batch": 1, "crop": LENGTH, "evaluations": 0, "overfit_check": False}
    study["adaptations"] = {"long": {"kind": "full", "head": {"kind": "linear"}, "train": train}}
    study["runs"] = [{"tasks": ["rnaseq"], "models": ["small"], "adaptations": ["long"]}]
    study.pop("predict")
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    wanted, pbs = tmp_path / RUNS / "small/long/seed1", FakePbs(tmp_path)
    run = pbs.start(
        *(wanted.relative_to(tmp_path) / "cost.json", "--snakefile", ROOT / "Snakefile"),
        *("--configfile", "study.yaml", "--set-resources", "finetune:runtime=1", "--retries", "3"),
    )
    output, _ = run.communicate(timeout=1200)
    assert run.returncode == 0, output[-4000:]
    jobs = pbs.submitted["finetune"]
    cost = json.loads((wanted / "cost.json").read_text())
    assert len(jobs) > 1 and 0 < cost["resumed_from"] <= cost["updates"] == steps
    assert 1 < cost["attempts"] <= len(jobs) and "It goes on from there in a new job" in output
    seen = [json.loads(line)["step"] for line in (wanted / "metrics.jsonl").read_text().splitlines()]
    assert seen == sorted(set(seen)) and seen[-1] == steps
    text = (tmp_path / "logs/tiny/finetune/rnaseq/small/long/seed1.log").read_text()
    assert "resuming from" in text and "saving and leaving" in text
