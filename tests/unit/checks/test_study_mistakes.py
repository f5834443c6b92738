"""A user's mistake is one line that says what, where and how to fix it; `glmflow check` and the workflow check the same."""

import pytest
import yaml
from glmflow.cli import main
from glmflow.config import check_study, read_yaml
from study_on_files import write_study, write_track, write_vcf


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_study(tmp_path)


def check(study, folder, capsys):
    """Return the exit status of `glmflow check`, and what it said on standard output and error."""
    (folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    code = main(["check", "study.yaml"])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_study_is_valid_before_it_is_spoilt(study, tmp_path, capsys):
    code, said, error = check(study, tmp_path, capsys)
    assert code == 0 and not error and "1 run" in said


def spoil_file(study, folder):
    study["tracks"]["t"]["replicates"] = ["b.bw"]
    return "study.yaml:10: tracks.t.replicates.0: no such file: b.bw. Put or link it there"


def spoil_contig(study, folder):
    write_vcf(folder / "cohort.vcf", ["chr1", "chr9"])
    return "cohort.vcf.gz: contig 'chr9'"


def spoil_build(study, folder):
    write_track(folder / "a.bw", {"chr1": 30_000, "chr2": 20_000})
    return "a.bw: a track of another genome build"


def spoil_model(study, folder):
    study["runs"][0]["models"] = ["meen"]
    return "runs.0.models.0: unknown model 'meen'; did you mean 'mean'?"


def spoil_key(study, folder):
    study["reference"]["fsta"] = study["reference"].pop("fasta")
    return "reference.fsta: unknown key 'fsta'; did you mean 'fasta'?"


def spoil_overlap(study, folder):
    study["tasks"]["rna"]["windows"]["overlap"] = 4096
    return "overlap 4096 is not smaller than size 4096"


def spoil_split(study, folder):
    study["splits"]["train"] = ["chr7"]
    return "study.yaml:14: splits.train.0: contig 'chr7' is not in genome.fa"


def spoil_used_contig(study, folder):
    study["reference"]["contigs"] = ["chr1", "2"]
    return "study.yaml:6: reference.contigs.1: contig '2' is not in genome.fa; it has chr1, chr2"


def spoil_samples(study, folder):
    (folder / "people.tsv").write_text("sample\nP1\nNOPE\n")
    study["cohort"]["samples"] = "people.tsv"
    return "study.yaml:6: cohort.samples: people.tsv: 1 of its 2 samples have no genotypes: 'NOPE'. The cohort has P1"


def spoil_checkpoint(study, folder):
    study["models"]["x"] = {"checkpoint": "nucleotide-transfrmer"}
    return "models.x.checkpoint: unknown checkpoint 'nucleotide-transfrmer'"


def spoil_genome(study, folder):
    (folder / "genome.fa").write_text("<!DOCTYPE html><p>404</p>")
    return "genome.fa"


@pytest.mark.parametrize(
    "spoil",
    [
        *(spoil_file, spoil_contig, spoil_build, spoil_model, spoil_key, spoil_overlap, spoil_split),
        *(spoil_used_contig, spoil_samples, spoil_checkpoint, spoil_genome),
    ],
)
def test_a_mistake_is_one_line(study, tmp_path, capsys, spoil):
    expected = spoil(study, tmp_path)
    code, _, error = check(study, tmp_path, capsys)
    assert code == 1
    assert any(line.startswith("glmflow check: ") and expected in line for line in error.splitlines()), error
    assert not (tmp_path / "results").exists()


def test_what_does_not_fit_and_is_left_out_is_said(study, tmp_path, capsys):
    study["models"]["cnn"] = {"new": {"family": "dilated_cnn"}}
    study["runs"][0]["models"] = ["mean", "cnn"]
    code, said, _ = check(study, tmp_path, capsys)
    assert code == 0
    assert "Left out: rna/cnn/baseline: only baselines are run as they are." in said


def test_the_table_of_samples_is_read_by_what_learns_from_them_alone(study, tmp_path):
    study["cohort"]["samples"] = "people.tsv"
    study["tasks"]["drawn"] = study["tasks"]["rna"] | {"haplotypes": {"share": 0.5}}
    study["models"]["cnn"] = {"new": {"family": "dilated_cnn"}}
    study["adaptations"]["full"] = {"kind": "full"}
    study["runs"].append({"tasks": ["rna", "drawn"], "models": ["cnn"], "adaptations": ["full"]})
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    checked = check_study(read_yaml("study.yaml"), "study.yaml")
    steps = ("examples", "train", "predict", "baseline", "score")
    read = {
        (label, step)
        for label, task in checked.tasks.items()
        for step in steps
        if "people.tsv" in str(task.files(checked, label, step))
    }
    assert read == {("drawn", "train")}
