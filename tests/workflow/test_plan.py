"""`snakemake plan`, and what is not even submitted."""

import csv
import shutil

import pytest
import yaml
from running import ROOT, run_snakemake

LARGE = {"family": "small", "config": {"hidden_size": 2048, "num_layers": 24, "num_heads": 16, "context": 32768}}


@pytest.fixture
def too_large(tmp_path):
    """A study with one model that no L40 can hold as it is asked for, and one that it can."""
    study = yaml.safe_load((ROOT / "tests/workflow/tiny.yaml").read_text())
    study["tasks"]["rnaseq"]["windows"] = {"size": 32768, "overlap": 16384}
    study["models"]["large"] = {"new": LARGE}
    study["adaptations"]["scratch"]["train"] |= {"bf16": True, "crop": None}
    study["runs"] = [{"tasks": ["rnaseq"], "models": ["large", "cnn"], "adaptations": ["scratch"]}]
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    return tmp_path


def test_the_plan_is_printed_and_written(too_large):
    done = run_snakemake("-c1", "plan", "--configfile", "study.yaml", directory=too_large)
    command = too_large / "results/tiny/status/command.txt"
    assert not command.exists() and "Status of every job" not in done.stdout  # nothing of the study was made
    with (too_large / "results/tiny/plan.tsv").open() as handle:
        rows = {row["job"]: row for row in csv.DictReader(handle, delimiter="\t")}
    assert rows["rnaseq/large/scratch/seed1"]["fits"] == "no" and rows["rnaseq/cnn/scratch/seed1"]["fits"] == "yes"
    assert rows["rnaseq/cnn/scratch/seed1"]["parameters"] == "178,792"
    assert "rnaseq/large/scratch: needs about" in done.stdout and "gradient_checkpointing: true" in done.stdout
    run_snakemake("-c1", "results/tiny/reference/genome.fa", "--configfile", "study.yaml", directory=too_large)
    assert command.read_text().endswith(" -c1 results/tiny/reference/genome.fa --configfile study.yaml\n")


def test_a_cluster_is_not_asked_for_what_cannot_fit_and_a_gpu_that_is_not_known_is_taken_for_an_l40(too_large):
    profile = too_large / "profile"
    shutil.copytree(ROOT / "profiles/pbs", profile)
    settings = yaml.safe_load((profile / "config.yaml").read_text())
    settings["default-resources"] |= {"gpu_model": "RTX_9999", "planned_gpu": ""}
    (profile / "config.yaml").write_text(yaml.safe_dump(settings))
    arguments = ("-n", "--quiet", "--configfile", "study.yaml", "--profile", profile)
    done = run_snakemake(*arguments, directory=too_large, check=False)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "knows no GPU RTX_9999 and assumes an L40" in said
    assert "rnaseq/large/scratch: needs about" in said and "L40 has 44 GB" in said
    assert "Traceback (most recent call last)" not in said


def test_what_needs_no_such_job_can_be_made(too_large):
    arguments = ("-n", "--configfile", "study.yaml", "--profile", ROOT / "profiles/pbs")
    wanted = "results/tiny/runs/rnaseq/cnn/scratch/seed1/cost.json"
    assert "finetune" in run_snakemake(wanted, *arguments, directory=too_large).stdout
