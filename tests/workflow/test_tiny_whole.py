"""The whole chain on a tiny simulated study, with every adaptation, a sweep and what is made with tuned models, as a user runs it."""

import json
import shutil
import zipfile

import pandas as pd
import pyBigWig
import pysam
import pytest
import yaml
from glmflow.config import expand_runs, read_study
from running import ROOT, run_snakemake

CONFIG = ROOT / "tests/workflow/tiny.yaml"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Run the tiny study once."""
    folder = tmp_path_factory.mktemp("tiny")
    done = run_snakemake("-c2", "--configfile", CONFIG, directory=folder)
    return folder, done


def test_every_run_has_its_files(finished):
    folder, _ = finished
    study = read_study(CONFIG)
    runs, _ = expand_runs(study)
    assert len(runs) == 9
    for run in runs:
        place = folder / run.folder(study.results)
        metrics = pd.read_csv(place / "metrics.tsv", sep="\t")
        assert set(metrics["split"]) == {"validation", "test"}
        assert metrics["value"].notna().all()
        assert {"base_log1p_pearson", "window_pearson"} <= set(metrics["metric"])
        settings = yaml.safe_load((place / "run.yaml").read_text())
        assert settings["model_label"] == run.model and len(settings["hash"]) == 64
        for track in study.tasks[run.task].track_names(study):
            with pyBigWig.open(str(place / f"predicted/{track}.bw")) as file:
                assert set(file.chroms()) == {"1", "2", "3"}
                assert not file.intervals("1"), "nothing is predicted on the training contig"
        assert len(pd.read_parquet(place / "predictions.parquet")) > 0


def test_tuned_models_are_applied_to_people_intervals_and_variants(finished):
    folder, _ = finished
    for seed in (1, 2):
        place = folder / f"results/tiny/runs/rnaseq/cnn/scratch/seed{seed}/predict"
        assert len(list((place / "person").glob("*.bw"))) == 4
        assert pd.read_parquet(place / "means.parquet")["name"].tolist() == ["1", "2", "3"]
        with pysam.VariantFile(str(place / "variants.vcf.gz")) as scored:
            first = next(iter(scored))
            assert sum(name.startswith("GLM_") for name in first.info) == 4


def test_contigs_named_in_digits_are_scored_and_shown(finished):
    folder, _ = finished
    runs = folder / "results/tiny/runs/rnaseq"
    for run in ("cnn/scratch", "mean_track/baseline", "kmer_promoter/baseline"):
        genes = pd.read_csv(runs / run / "seed1/scores/genes.tsv", sep="\t", dtype=str)
        assert set(genes["chrom"]) == {"2", "3"}, "genes of the held-out contigs are scored"
    shown = pd.read_csv(folder / "results/tiny/report/data/browser_regions.tsv", sep="\t", dtype=str)
    assert set(shown["chrom"]) == {"3"}, "the browser opens on genes of the test contig"


def test_no_base_is_shared_between_splits(finished):
    folder, _ = finished
    leakage = pd.read_csv(folder / "results/tiny/examples/rnaseq.leakage.tsv", sep="\t")
    assert leakage["check"].str.startswith("bases shared by").sum() == 3
    assert (leakage["found"] == 0).all() and (leakage["leak"] == "no").all() and (leakage["status"] == "PASS").all()


def test_the_track_mean_is_of_the_training_contig_alone(finished):
    folder, _ = finished
    statistics = pd.read_csv(folder / "results/tiny/tracks/statistics.tsv", sep="\t", index_col="track")
    with pyBigWig.open(str(folder / "results/tiny/tracks/liver_plus.bw")) as file:
        spans = file.intervals("1")
    total = sum((end - start) * value for start, end, value in spans)
    bases = sum(end - start for start, end, value in spans if value)
    assert statistics.loc["liver_plus", "track_mean"] == pytest.approx(total / bases, rel=1e-5)


def test_a_mean_track_scores_zero_correlation_and_is_kept(finished):
    folder, _ = finished
    metrics = pd.read_csv(folder / "results/tiny/runs/rnaseq/mean_track/baseline/seed1/metrics.tsv", sep="\t")
    assert (metrics.loc[metrics["metric"] == "base_pearson", "value"] == 0).all()


def test_what_was_trained_is_said(finished):
    folder, _ = finished
    runs = folder / "results/tiny/runs/rnaseq"
    full, lora, probe = (
        json.loads((runs / place / "seed1/cost.json").read_text())
        for place in ("causal/full", "causal/lora", "masked/probe")
    )
    assert full["trainable_parameters"] == full["parameters"]
    assert probe["trainable_parameters"] < lora["trainable_parameters"] < lora["parameters"]
    assert any("overlapping chunks" in line for line in full["warnings"])


def test_a_sweep_keeps_the_trial_of_the_lowest_validation_loss(finished):
    folder, _ = finished
    run = folder / "results/tiny/runs/rnaseq/masked/swept/seed1"
    table = pd.read_csv(run / "sweep.tsv", sep="\t")
    best = table.loc[table["validation_loss"].idxmin()]
    assert list(table["learning_rate"]) == [1e-6, 0.1] and table["chosen"].sum() == 1 and best["chosen"]
    kept = yaml.safe_load((run / "run.yaml").read_text())
    assert kept["adaptation"]["train"]["learning_rate"] == best["learning_rate"]
    trials = [json.loads((run / f"trials/{n}/cost.json").read_text())["train_seconds"] for n in (1, 2)]
    assert json.loads((run / "cost.json").read_text())["train_seconds"] == pytest.approx(sum(trials), abs=0.11)
    assert not (run / "trials/1/model").exists() and (run / "model/head.safetensors").exists()
    assert "chosen" in (folder / "results/tiny/report/models.html").read_text()


def test_a_second_run_does_nothing_and_says_so(finished):
    folder, _ = finished
    done = run_snakemake("-c1", "--configfile", CONFIG, directory=folder)
    assert "Nothing to be done" in done.stdout + done.stderr


def test_a_changed_input_reruns_only_what_depends_on_it(finished):
    folder, _ = finished
    track = folder / "results/tiny/simulated/tracks/brain.plus.rep1.bw"
    saved = track.read_bytes()
    shutil.copy(folder / "results/tiny/simulated/tracks/brain.plus.rep2.bw", track)
    done = run_snakemake("-n", "--quiet", "host", "--configfile", CONFIG, directory=folder)
    track.write_bytes(saved)
    text = done.stdout + done.stderr
    counts = dict(
        line.split()[:2] for line in text.splitlines() if len(line.split()) == 2 and line.split()[1].isdigit()
    )
    assert counts.get("average_track") == "1", text
    assert "pretrain" not in counts and "simulate" not in counts and "variants" not in counts


def test_a_changed_setting_reruns_only_its_runs(finished):
    folder, _ = finished
    raw = yaml.safe_load(CONFIG.read_text())
    raw["adaptations"]["lora"]["rank"] = 2
    (folder / "changed.yaml").write_text(yaml.safe_dump(raw))
    done = run_snakemake("-n", "--quiet", "host", "--configfile", "changed.yaml", directory=folder)
    text = done.stdout + done.stderr
    counts = dict(
        line.split()[:2] for line in text.splitlines() if len(line.split()) == 2 and line.split()[1].isdigit()
    )
    assert counts.get("finetune") == "1" and counts.get("predict") == "1", text
    assert "pretrain" not in counts and "baseline" not in counts


def test_any_file_can_be_asked_for_by_its_path(finished):
    folder, _ = finished
    samples = pd.read_csv(folder / "results/tiny/simulated/samples.tsv", sep="\t")["sample"]
    wanted = f"results/tiny/cohort/haplotypes/{samples[0]}.2.fa.gz"
    run_snakemake(wanted, "-c1", "--configfile", CONFIG, directory=folder)
    assert (folder / wanted).stat().st_size > 0


def test_a_predicted_track_can_be_asked_for_by_name(finished):
    folder, _ = finished
    run = "results/tiny/runs/rnaseq/cnn/scratch/seed1"
    run_snakemake(f"{run}/liver_plus.bw", "-c1", "--configfile", CONFIG, directory=folder)
    link = folder / run / "liver_plus.bw"
    assert link.is_symlink() and link.read_bytes() == (folder / run / "predicted/liver_plus.bw").read_bytes()


def test_the_report_and_snakemakes_own(finished):
    folder, _ = finished
    report = folder / "results/tiny/report"
    assert (report / "index.html").stat().st_size < 6e6 and (report / "tracks.html").stat().st_size < 20e6
    page = (report / "index.html").read_text()
    assert "simulated" in page.lower()
    run_snakemake("--report", "provenance.zip", "--configfile", CONFIG, directory=folder)
    with zipfile.ZipFile(folder / "provenance.zip") as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("report.html")]
        assert "System Message" not in archive.read(name).decode()
