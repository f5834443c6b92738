"""A user's mistake stops the workflow before any job, in one line that says what, where and how to mend it."""

from pathlib import Path

import pyBigWig
import pytest
import yaml

LENGTHS = {"chr1": 20_000, "chr2": 20_000}


@pytest.fixture
def study(workdir):
    """A small valid study on files, as a dictionary to spoil."""
    bases = "ACGTTGCA" * 2500
    (workdir / "genome.fa").write_text("".join(f">{name}\n{bases}\n" for name in LENGTHS))
    write_vcf(workdir / "cohort.vcf", ["chr1"])
    write_track(workdir / "a.bw", LENGTHS)
    return {
        "study": "trial",
        "reference": {"fasta": "genome.fa"},
        "cohort": {"vcf": "cohort.vcf.gz"},
        "tracks": {"t": {"biosample": "b", "replicates": ["a.bw"]}},
        "splits": {"by": "contig", "train": ["chr1"], "test": ["chr2"]},
        "tasks": {"rna": {"kind": "rnaseq_tracks", "windows": {"size": 4096, "overlap": 2048}}},
        "models": {"mean": {"baseline": {"kind": "mean_track"}}},
        "adaptations": {"baseline": {"kind": "baseline"}},
        "runs": [{"tasks": ["rna"], "models": ["mean"], "adaptations": ["baseline"]}],
    }


def write_vcf(path, contigs):
    lines = ["##fileformat=VCFv4.2", '##FORMAT=<ID=GT,Number=1,Type=String,Description="">']
    lines += [f"##contig=<ID={name}>" for name in contigs]
    lines += ["#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tP1"]
    lines += [f"{name}\t1\t.\tA\tC\t.\tPASS\t.\tGT\t0|1" for name in contigs]
    path.write_text("\n".join(lines) + "\n")
    import pysam

    pysam.tabix_index(str(path), preset="vcf", force=True)


def write_track(path, lengths):
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader(list(lengths.items()))
        file.addEntries(["chr1"], [0], ends=[100], values=[1.0])


def dry_run(snakemake, workdir, study):
    (workdir / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    done = snakemake("-n", "--configfile", "study.yaml", directory=workdir, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_study_is_valid_before_it_is_spoilt(snakemake, workdir, study):
    code, text = dry_run(snakemake, workdir, study)
    assert code == 0, text


def spoil_file(study, workdir):
    study["tracks"]["t"]["replicates"] = ["b.bw"]
    return "study.yaml:10: tracks.t.replicates.0: no such file: b.bw. Put or link it there"


def spoil_contig(study, workdir):
    write_vcf(workdir / "cohort.vcf", ["chr1", "chr9"])
    return "cohort.vcf.gz: contig 'chr9'"


def spoil_build(study, workdir):
    write_track(workdir / "a.bw", {"chr1": 30_000, "chr2": 20_000})
    return "a.bw: a track of another genome build"


def spoil_model(study, workdir):
    study["runs"][0]["models"] = ["meen"]
    return "runs.0.models.0: unknown model 'meen'; did you mean 'mean'?"


def spoil_key(study, workdir):
    study["reference"]["fsta"] = study["reference"].pop("fasta")
    return "reference.fsta: unknown key 'fsta'; did you mean 'fasta'?"


def spoil_overlap(study, workdir):
    study["tasks"]["rna"]["windows"]["overlap"] = 4096
    return "overlap 4096 is not smaller than size 4096"


def spoil_split(study, workdir):
    study["splits"]["train"] = ["chr7"]
    return "study.yaml:14: splits.train.0: contig 'chr7' is not in genome.fa"


def spoil_used_contig(study, workdir):
    study["reference"]["contigs"] = ["chr1", "2"]
    return "study.yaml:6: reference.contigs.1: contig '2' is not in genome.fa; it has chr1, chr2"


def spoil_people(study, workdir):
    (workdir / "people.tsv").write_text("sample\nP1\nNOPE\n")
    study["cohort"]["samples"] = "people.tsv"
    return "study.yaml:6: cohort.samples: people.tsv: 1 of its 2 people have no genotypes: 'NOPE'. The cohort has P1"


def spoil_checkpoint(study, workdir):
    study["models"]["x"] = {"checkpoint": "nucleotide-transfrmer"}
    return "models.x.checkpoint: unknown checkpoint 'nucleotide-transfrmer'"


@pytest.mark.parametrize(
    "spoil",
    [
        *(spoil_file, spoil_contig, spoil_build, spoil_model, spoil_key, spoil_overlap, spoil_split),
        *(spoil_used_contig, spoil_people, spoil_checkpoint),
    ],
)
def test_a_mistake_stops_before_any_job(snakemake, workdir, study, spoil):
    expected = spoil(study, workdir)
    code, text = dry_run(snakemake, workdir, study)
    assert code != 0
    assert expected in text, text
    assert "Traceback" not in text
    assert not (workdir / "results").exists()


def test_a_split_without_a_training_window_stops_with_nothing_left_behind(snakemake, workdir, study):
    study["splits"] = {"by": "block", "block": 8192, "gap": 4096, "test": 0.99, "validation": 0.0}
    (workdir / "study.yaml").write_text(yaml.safe_dump(study))
    done = snakemake(
        "results/trial/examples/rna.parquet", "-c1", "--configfile", "study.yaml", directory=workdir, check=False
    )
    assert done.returncode != 0
    assert "splits" in done.stderr and "Traceback" not in done.stderr.split("RuleException")[0]
    assert not list(Path(workdir, "results/trial/examples").glob("rna*"))


def test_an_unreadable_file_is_named(snakemake, workdir, study):
    (workdir / "genome.fa").write_text("<!DOCTYPE html><p>404</p>")
    code, text = dry_run(snakemake, workdir, study)
    assert code != 0 and "genome.fa" in text and "Traceback" not in text


def test_another_study_is_not_merged_with_the_demo(snakemake, workdir, study):
    """The demo's models and simulation must not appear in a study of one's own."""
    code, text = dry_run(snakemake, workdir, study)
    assert code == 0 and "simulate" not in text and "pretrain" not in text
    assert "results/demo" not in text


def test_the_table_of_people_is_read_by_what_learns_from_them_alone(snakemake, workdir, study):
    (workdir / "people.tsv").write_text("sample\nP1\n")
    study["cohort"]["samples"] = "people.tsv"
    study["tasks"]["drawn"] = study["tasks"]["rna"] | {"haplotypes": {"share": 0.5}}
    study["models"]["cnn"] = {"new": {"family": "dilated_cnn"}}
    study["adaptations"]["full"] = {"kind": "full"}
    study["runs"].append({"tasks": ["rna", "drawn"], "models": ["cnn"], "adaptations": ["full"]})
    code, text = dry_run(snakemake, workdir, study)
    assert code == 0, text
    jobs = [job for job in text.split("\n\n") if "input:" in job and "people.tsv" in job]
    assert len(jobs) == 1 and "rule finetune" in jobs[0] and "runs/drawn/cnn/full" in jobs[0], text


def test_what_does_not_fit_and_is_left_out_is_said(snakemake, workdir, study):
    study["models"]["cnn"] = {"new": {"family": "dilated_cnn"}}
    study["runs"][0]["models"] = ["mean", "cnn"]
    code, text = dry_run(snakemake, workdir, study)
    assert code == 0
    assert "Left out: rna/cnn/baseline: only baselines are run as they are." in text


def test_a_seed_that_the_study_lacks_is_named(snakemake, workdir, study):
    study["models"]["cnn"] = {"new": {"family": "dilated_cnn"}}
    study["adaptations"]["full"] = {"kind": "full"}
    study["runs"].append({"tasks": ["rna"], "models": ["cnn"], "adaptations": ["full"]})
    (workdir / "study.yaml").write_text(yaml.safe_dump(study))
    path = "results/trial/runs/rna/cnn/full/seed7/metrics.tsv"
    done = snakemake("-n", path, "--configfile", "study.yaml", directory=workdir, check=False)
    assert done.returncode != 0
    assert "trial has no run rna/cnn/full/seed7; add it to `runs:`" in done.stdout + done.stderr
    assert "KeyError" not in done.stdout + done.stderr


def test_broken_yaml_in_the_demo_names_its_line(snakemake, workdir):
    (workdir / "config/config.yaml").write_text("study: demo\n\truns: []\n")
    done = snakemake("-n", directory=workdir, check=False)
    said = done.stdout + done.stderr
    assert done.returncode != 0 and "config/config.yaml:2: not YAML: a tab" in said and "Traceback" not in said


def test_one_key_of_the_demo_can_be_changed_on_the_command_line(snakemake, workdir):
    done = snakemake("-n", "--config", "study=other", directory=workdir)
    assert "results/other/report/index.html" in done.stdout + done.stderr
