"""The chain on a tiny simulated study with one pretrained model and one baseline (test_tiny_whole.py has them all)."""

import shutil

import pandas as pd
import pyBigWig
import pytest
import yaml
from glmflow.config import expand_runs, read_study
from running import ROOT, run_snakemake

RUNS = [
    {"tasks": ["rnaseq"], "models": ["masked"], "adaptations": ["lora"]},
    {"tasks": ["rnaseq"], "models": ["mean_track"], "adaptations": ["baseline"]},
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Run the study once; return its folder and its file."""
    folder = tmp_path_factory.mktemp("tiny")
    given = yaml.safe_load((ROOT / "tests/workflow/tiny.yaml").read_text())
    for block, labels in (("models", ("masked", "mean_track")), ("adaptations", ("lora", "baseline"))):
        given[block] = {label: given[block][label] for label in labels}
    del given["predict"]
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(given | {"runs": RUNS}, sort_keys=False))
    done = run_snakemake("-c2", "--verbose", "--configfile", path, directory=folder)
    (folder / "printed").write_text(done.stdout + done.stderr)
    return folder, path


def test_every_run_has_its_files_and_the_study_its_report(finished):
    folder, path = finished
    study = read_study(path)
    runs, _ = expand_runs(study)
    assert len(runs) == 2
    for run in runs:
        place = folder / run.folder(study.results)
        metrics = pd.read_csv(place / "metrics.tsv", sep="\t")
        assert set(metrics["split"]) == {"validation", "test"} and metrics["value"].notna().all()
        for track in study.tasks[run.task].track_names(study):
            with pyBigWig.open(str(place / f"predicted/{track}.bw")) as file:
                assert set(file.chroms()) == {"1", "2", "3"}
                assert not file.intervals("1"), "nothing is predicted on the training contig"
    assert "masked" in (folder / "results/tiny/report/index.html").read_text()


def test_jobs_to_start_are_looked_for_where_one_has_ended_not_all_the_time(finished):
    printed = (finished[0] / "printed").read_text()
    ended, looks = printed.count("Finished jobid"), printed.count("Ready jobs:")
    assert ended > 20 and ended / 2 < looks < 2 * ended


def test_no_base_is_shared_between_splits(finished):
    folder, _ = finished
    leakage = pd.read_csv(folder / "results/tiny/examples/rnaseq.leakage.tsv", sep="\t")
    assert leakage["check"].str.startswith("bases shared by").sum() == 3
    assert (leakage["found"] == 0).all() and (leakage["status"] == "PASS").all()


def test_a_changed_input_reruns_only_what_depends_on_it(finished):
    folder, path = finished
    track = folder / "results/tiny/simulated/tracks/brain.plus.rep1.bw"
    saved = track.read_bytes()
    shutil.copy(folder / "results/tiny/simulated/tracks/brain.plus.rep2.bw", track)
    done = run_snakemake("-n", "--quiet", "host", "--configfile", path, directory=folder)
    track.write_bytes(saved)
    text = done.stdout + done.stderr
    counts = dict(
        line.split()[:2] for line in text.splitlines() if len(line.split()) == 2 and line.split()[1].isdigit()
    )
    assert counts.get("average_track") == "1", text
    assert "pretrain" not in counts and "simulate" not in counts and "variants" not in counts
