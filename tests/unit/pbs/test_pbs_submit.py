"""The qsub command, the keys of a profile, and the id that qsub prints."""

import shlex
from pathlib import Path

import pytest
from snakemake_executor_plugin_pbs import ExecutorSettings
from snakemake_executor_plugin_pbs.calls import Answer
from snakemake_executor_plugin_pbs.retries import Request
from snakemake_executor_plugin_pbs.settings import keys_of, umask_of
from snakemake_executor_plugin_pbs.submit import job_name, output_folder, qsub, submitted_id, walltime
from snakemake_executor_plugin_pbs.version import check_version, other_system
from snakemake_interface_common.exceptions import WorkflowError


def command(resources=None, threads=4, umask="", **settings):
    resources = {"gpu": 0, "nodes": 1, "gpu_model": "l40"} | (resources or {})
    keys = keys_of(resources, ExecutorSettings(**settings))
    return shlex.join(qsub("finetune.1", resources, threads, Request(1500, 1500), keys, Path("logs/a"), umask))


def test_a_cpu_job_asks_for_no_gpu():
    assert command(queue="workq") == (
        "qsub -N finetune.1 -l select=1:ncpus=4:mem=1500mb -l walltime=25:00:00 -q workq -j oe -o logs/a/"
    )


def test_a_gpu_job():
    assert "-l select=1:ncpus=4:mem=1500mb:ngpus=2:gpu_model=l40 -l walltime" in command({"gpu": 2})
    assert "gpu_model" not in command({"gpu": 2, "gpu_model": ""})


def test_several_nodes_are_different_machines():
    text = command({"nodes": 2, "gpu": 4})
    assert "select=2:ncpus=4:mem=1500mb:ngpus=4:gpu_model=l40" in text and "-l place=scatter" in text
    assert "place" not in command({"gpu": 4})


def test_keys_of_the_profile():
    text = command(queue="q", project="p", account="a", qsub_extra="-m n -W 'x=y z'", umask="0022")
    assert "-q q -P p -A a -W umask=0022 -j oe -o logs/a/ -m n -W 'x=y z'" in text


def test_gpu_jobs_have_a_queue_and_cpus_of_their_own():
    settings = {"queue": "cpu", "gpu_queue": "gpu", "cpus_per_gpu": 12}
    assert "-q gpu" in command({"gpu": 2}, **settings) and "ncpus=24:" in command({"gpu": 2}, **settings)
    assert "-q cpu" in command(**settings) and "ncpus=4:" in command(**settings)


def test_the_type_of_gpu_has_another_name_and_level():
    assert ":ngpus=1:gpu_type=l40 " in command({"gpu": 1}, gpu_resource="gpu_type")
    text = command({"gpu": 1}, gpu_resource="gpu_type", gpu_level="job")
    assert "select=1:ncpus=4:mem=1500mb:ngpus=1 -l gpu_type=l40 " in text
    assert "gpu_type" not in command(gpu_resource="gpu_type", gpu_level="job")


def test_without_select():
    assert "-l ncpus=4,mem=1500mb,ngpus=1 -l gpu_model=l40 -l walltime=25:00:00" in command({"gpu": 1}, select="false")
    assert "-l ncpus=4,mem=1500mb -l walltime" in command(select="False")
    with pytest.raises(WorkflowError, match="2 nodes"):
        command({"nodes": 2}, select="false")


def test_a_resource_of_a_rule_counts_more_than_the_profile():
    text = command({"queue": "long", "project": "", "qsub_extra": "-r n"}, queue="q", project="p")
    assert "-q long -P p" in text and text.endswith("-r n")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"gpu_level": "chunk"}, "select or job"),
        ({"select": "maybe"}, "true or false"),
        ({"qsub_extra": "'"}, "quotation"),
    ],
)
def test_a_key_that_cannot_be_used_is_named(settings, words):
    with pytest.raises(WorkflowError, match=words):
        command(**settings)


def test_umask():
    assert umask_of(None, 0o027) == "0027" and umask_of("022", 0) == "0022" and umask_of("0002", 0o77) == "0002"
    for wrong in ("18", "23", "9", "0888"):  # what YAML makes of 022 and 027 without quotes, and no umask
        with pytest.raises(WorkflowError, match="in quotes"):
            umask_of(wrong, 0)


def test_walltime_is_hours_minutes_seconds():
    assert [walltime(minutes) for minutes in (5, 90, 1500)] == ["00:05:00", "01:30:00", "25:00:00"]


@pytest.mark.parametrize(
    ("printed", "job"),
    [
        ("13.pbs01\n", "13.pbs01"),
        ("INFO: project abc has 1000 SU left\n13.pbs01.site.org\n", "13.pbs01.site.org"),
        ("13.pbs01\nThank you for using node 5\n", "13.pbs01"),
        ("\n13\n", "13"),
        ("7[].pbs01\n", "7[].pbs01"),
        ("nothing here\n", None),
        ("", None),
    ],
)
def test_the_id_among_other_lines(printed, job):
    assert submitted_id(printed) == job


def test_names_are_those_that_pbs_takes():
    assert job_name("finetune", "0123456789") == "finetune.01234567"
    assert job_name("a:b/c=d", "f") == "a_b_c_d.f" and job_name("1st", "f") == "r1st.f"


def test_what_pbs_prints_lies_beside_the_log_of_the_rule():
    assert output_folder(["logs/study/finetune/seed1.log"]) == Path("logs/study/finetune")
    assert output_folder([]) == Path("logs/pbs")


@pytest.mark.parametrize(
    ("code", "err", "limited", "away"),
    [
        (38, "qsub: would exceed queue generic's per-user limit", True, False),
        (38, "qsub: would exceed complex's per-user limit", True, False),
        (39, "qsub: would exceed per-user limit on resource ncpus in complex", True, False),
        (198, "qsub: Maximum number of jobs already in queue", True, False),
        (1, "qsub: Maximum number of jobs for user lab already in queue workq", True, False),
        (188, "qsub: Job violates queue and/or server resource limits", False, False),
        (170, "qsub: Unknown queue", False, False),
        (187, "qsub: Unknown resource: gpu_model", False, False),
        (159, "qsub: Unauthorized Request ", False, False),
        (162, "Connection refused\nqsub: cannot connect to server localhost (errno=15010)", False, True),
        (255, "Connection refused\nqstat: cannot connect to server localhost (errno=15010)", False, True),
        (159, "No Permission.\nqstat: cannot connect to server pbs01 (errno=15007)", False, False),
        (-1, "", False, True),
        (0, "", False, False),
    ],
)
def test_a_limit_an_outage_and_a_refusal_are_three_things(code, err, limited, away):
    """Codes and messages of OpenPBS 23.06.06."""
    answer = Answer(code, "", err)
    assert (answer.limited, answer.away) == (limited, away)


def test_what_is_said_of_each_of_many_jobs_is_repeated_once():
    assert Answer(255, "", "Connection refused\nno server\n" * 50).message == "Connection refused no server"
    assert Answer(-1, "", "").message == "no answer in time"


@pytest.mark.parametrize(
    ("printed", "name"),
    [
        ("pbs_version = 23.06.06\n", None),
        ("pbs_version = PBSPro_13.1.2.160450\n", None),
        ("Version: 6.1.2\nCommit: 661e092552de43a785c15d39a3634a541d86898e\n", "Torque"),
        ("version: 4.2.5\n", "Torque"),
        ("Unknown option: version\nUsage: qstat", "Slurm"),
        ("SGE 8.1.9\n", "Grid Engine"),
        ("", None),
    ],
)
def test_other_systems_are_refused_by_name(printed, name):
    found = other_system(Answer(0, printed, ""))
    assert found is None if name is None else name in found
    if name:
        with pytest.raises(WorkflowError, match=f"{name}.*--executor cluster-generic"):
            check_version(lambda *args, **kwargs: Answer(0, "", printed))


def test_a_machine_without_pbs():
    def missing(*args, **kwargs):
        raise FileNotFoundError("qstat")

    with pytest.raises(WorkflowError, match="qstat is not on the PATH"):
        check_version(missing)
