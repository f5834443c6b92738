"""The script of a job, run by bash as PBS runs it."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from snakemake_executor_plugin_pbs.jobscript import TEMPLATE, fill, settings_of


class Node:
    """Runs scripts in a working directory whose name has a space."""

    def __init__(self, folder):
        self.folder = folder / "my study"
        self.notes = self.folder / "logs/pbs"
        self.folder.mkdir()

    def start(self, command, job="13.pbs01", template=None, **settings):
        script = self.folder / f"{job}.sh"
        script.write_text(fill(template or TEMPLATE.read_text(), '{"rule": "x"}', command, settings))
        environment = {"PATH": "/nowhere", "PBS_O_PATH": os.environ["PATH"], "PBS_O_WORKDIR": str(self.folder)}
        return subprocess.Popen(
            ["/bin/bash", script],
            cwd=self.folder,
            env=environment | {"PBS_JOBID": job, "TMPDIR": str(self.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, command, **settings):
        done = self.start(command, **settings)
        output, _ = done.communicate(timeout=100)
        return done.returncode, output

    def read(self, name):
        return (self.notes / name).read_text()


@pytest.fixture
def node(tmp_path):
    return Node(tmp_path)


def test_the_exit_code_is_recorded_by_the_number_of_the_job(node):
    assert node.run("exit 0") == (0, "") and node.read("13.exit") == "0\n"
    assert node.run("echo hello; exit 3", job="14.pbs01.site.org") == (3, "hello\n") and node.read("14.exit") == "3\n"
    assert node.read("14.notes").startswith("start ")


def test_quotes_brackets_and_dollars_reach_the_command(node):
    command = """A='it'"'"'s (one)'; echo "$A" ${A#it} `echo b` $((1 + 1))"""
    assert node.run(command) == (0, "it's (one) 's (one) b 2\n")


def test_a_job_has_the_path_of_the_submitter_and_never_asks_the_hub(node):
    _, output = node.run("env")
    found = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    assert found["PATH"] == os.environ["PATH"] and found["HF_HUB_OFFLINE"] == "1"
    assert found["TRITON_CACHE_DIR"] == f"{node.folder}/triton"


def test_a_job_knows_when_it_will_be_ended(node):
    now = time.time()
    _, output = node.run('echo "$GLMFLOW_DEADLINE"', **settings_of("", 60, 0, "", ""))
    assert now + 3600 - 2 <= int(output) <= time.time() + 3600


def test_the_time_that_the_login_shell_took_counts(node, tmp_path, monkeypatch):
    """PBS starts a login shell in a session of its own, and the script in it; here that was 1,000 seconds ago."""
    ps = tmp_path / "bin/ps"
    ps.parent.mkdir()
    ps.write_text('#!/bin/sh\ncase "$*" in "-o sid= -p "*) echo 77;; "-o etimes= -p 77") echo 1000;; esac\n')
    ps.chmod(0o755)
    monkeypatch.setenv("PATH", f"{ps.parent}:{os.environ['PATH']}")
    deadlines = {}
    for environment in ("PBS_BATCH", ""):
        template = TEMPLATE.read_text().replace("#!/bin/bash\n", f"#!/bin/bash\nPBS_ENVIRONMENT={environment}\n", 1)
        run = node.start('echo "$GLMFLOW_DEADLINE"', template=template, **settings_of("", 60, 0, "", ""))
        deadlines[environment] = int(run.communicate(timeout=60)[0]) - time.time()
    assert 2500 < deadlines["PBS_BATCH"] <= 2600 < 3500 < deadlines[""] <= 3600


def test_umask_and_the_file_of_the_site(node):
    site = node.folder / "our site.sh"
    site.write_text("export FROM_SITE='yes, really'\n")
    _, output = node.run('umask; echo "$FROM_SITE"; touch made', job_umask="0027", job_site=str(site))
    assert output == "0027\nyes, really\n"
    assert (node.folder / "made").stat().st_mode & 0o777 == 0o640  # 666 without the umask's bits


def test_sigterm_is_noted_when_it_comes_and_the_job_gets_its_time(node):
    run = node.start("trap 'sleep 1; echo saved; exit 7' TERM; echo ready; while :; do sleep 0.1; done", job_key="k")
    assert run.stdout.readline() == "ready\n"
    os.killpg(run.pid, signal.SIGTERM)
    end = time.monotonic() + 10
    while "term" not in node.read("13.notes"):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert run.poll() is None, "it is noted before the job has ended"
    output, _ = run.communicate(timeout=20)
    assert (run.returncode, output.removeprefix("Terminated\n")) == (7, "saved\n") and node.read("13.exit") == "7\n"


def test_a_job_killed_by_force_leaves_no_exit_code(node):
    run = node.start("echo ready; sleep 60")
    run.stdout.readline()
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate(timeout=10)
    assert not (node.notes / "13.exit").exists() and node.read("13.notes").startswith("start ")


def test_a_job_that_pbs_requeues_keeps_its_earlier_start_and_another_of_that_number_does_not(node):
    for _ in range(2):
        node.run("exit 0", job_key="0f3a")
    assert node.read("13.notes").count("start ") == 2
    node.run("exit 0", job_key="77bc")
    assert node.read("13.notes").count("start ") == 1


def test_the_record_of_an_older_job_of_the_same_number_is_removed_at_the_start(node):
    node.notes.mkdir(parents=True)
    (node.notes / "13.exit").write_text("0\n")
    assert (
        node.run('ls "$PBS_O_WORKDIR"/logs/pbs/13.exit 2> /dev/null; exit 4')[0] == 4 and node.read("13.exit") == "4\n"
    )


def test_a_second_job_that_computes_the_same_refuses_while_the_first_is_alive(node):
    (node.notes / "alive").mkdir(parents=True)
    alive = node.notes / "alive/k"
    alive.write_text("12\n")
    run = node.start("echo computed", job_key="k")
    time.sleep(1)
    alive.touch()  # a sign of life
    os.utime(alive, (time.time() + 1, time.time() + 1))
    output, _ = run.communicate(timeout=60)
    assert run.returncode == 75 and "Job 12 computes the same output" in output and "computed" not in output.split("\n")
    assert "refused 12" in node.read("13.notes") and alive.read_text() == "12\n"


def test_a_job_whose_predecessor_is_long_silent_runs_and_leaves_its_own_mark(node):
    (node.notes / "alive").mkdir(parents=True)
    alive = node.notes / "alive/k"
    alive.write_text("12\n")
    os.utime(alive, (time.time() - 100, time.time() - 100))
    code, output = node.run('cat "$PBS_O_WORKDIR"/logs/pbs/alive/k', job_key="k")
    assert (code, output) == (0, "13\n")
    assert not alive.exists() and (node.notes / "alive/k.ended").read_text() == "13\n"


def test_free_gpus_are_chosen_where_pbs_does_not_say(node, tmp_path):
    chooser = tmp_path / "chooser.py"
    chooser.write_text(
        "import os, sys\nos.execvpe(sys.argv[2], sys.argv[2:], os.environ | {'CUDA_VISIBLE_DEVICES': sys.argv[1]})\n"
    )
    settings = {"job_gpus": 2, "job_python": "python3", "job_chooser": chooser}
    assert node.run("echo $CUDA_VISIBLE_DEVICES", **settings) == (0, "2\n")
    assert node.run("echo $CUDA_VISIBLE_DEVICES", **settings | {"job_gpus": None}) == (0, "\n")
    site = tmp_path / "site.sh"
    site.write_text("export CUDA_VISIBLE_DEVICES=GPU-7\n")
    assert node.run("echo $CUDA_VISIBLE_DEVICES", **settings, job_site=site) == (0, "GPU-7\n")


def test_the_template_of_the_profile_is_that_of_the_executor():
    profile = Path(__file__).resolve().parents[3] / "profiles/pbs/jobscript.sh"
    assert profile.read_text() == TEMPLATE.read_text()
