"""A user's mistake stops the workflow before any job; what each mistake says is in `tests/unit/checks`."""

import pytest
import yaml
from study_on_files import write_study


@pytest.fixture
def study(workdir):
    return write_study(workdir)


def dry_run(snakemake, workdir, study, *targets):
    (workdir / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    done = snakemake("-n", *targets, "--configfile", "study.yaml", directory=workdir, check=False)
    return done.returncode, done.stdout + done.stderr


def test_mistakes_stop_before_any_job(snakemake, workdir, study):
    study["tracks"]["t"]["replicates"] = ["b.bw"]
    study["cohort"]["vcf"] = "absent.vcf.gz"
    code, text = dry_run(snakemake, workdir, study)
    assert code != 0
    assert "study.yaml:10: tracks.t.replicates.0: no such file: b.bw. Put or link it there" in text, text
    assert "study.yaml:5: cohort.vcf" in text and "no such file: absent.vcf.gz" in text
    assert "Traceback" not in text
    assert not (workdir / "results").exists()


def test_a_study_of_ones_own_is_not_merged_with_the_demo_and_says_what_it_leaves_out(snakemake, workdir, study):
    """The demo's models and simulation must not appear; the table of samples is read where it is learned from."""
    (workdir / "people.tsv").write_text("sample\nP1\n")
    study["cohort"]["samples"] = "people.tsv"
    study["tasks"]["drawn"] = study["tasks"]["rna"] | {"haplotypes": {"share": 0.5}}
    study["models"]["cnn"] = {"new": {"family": "dilated_cnn"}}
    study["adaptations"]["full"] = {"kind": "full"}
    study["runs"][0]["models"] = ["mean", "cnn"]
    study["runs"].append({"tasks": ["rna", "drawn"], "models": ["cnn"], "adaptations": ["full"]})
    code, text = dry_run(snakemake, workdir, study)
    assert code == 0, text
    assert "simulate" not in text and "pretrain" not in text and "results/demo" not in text
    assert "Left out: rna/cnn/baseline: only baselines are run as they are." in text
    jobs = [job for job in text.split("\n\n") if "input:" in job and "people.tsv" in job]
    assert len(jobs) == 1 and "rule finetune" in jobs[0] and "runs/drawn/cnn/full" in jobs[0], text


def test_a_seed_that_the_study_lacks_is_named(snakemake, workdir, study):
    study["models"]["cnn"] = {"new": {"family": "dilated_cnn"}}
    study["adaptations"]["full"] = {"kind": "full"}
    study["runs"].append({"tasks": ["rna"], "models": ["cnn"], "adaptations": ["full"]})
    code, text = dry_run(snakemake, workdir, study, "results/trial/runs/rna/cnn/full/seed7/metrics.tsv")
    assert code != 0
    assert "trial has no run rna/cnn/full/seed7; add it to `runs:`" in text and "KeyError" not in text


def test_broken_yaml_in_the_demo_names_its_line(snakemake, workdir):
    (workdir / "config/config.yaml").write_text("study: demo\n\truns: []\n")
    done = snakemake("-n", directory=workdir, check=False)
    said = done.stdout + done.stderr
    assert done.returncode != 0 and "config/config.yaml:2: not YAML: a tab" in said and "Traceback" not in said
