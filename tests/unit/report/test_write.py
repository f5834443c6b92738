import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace

import pandas as pd
import pytest
import synthetic_study
from glmflow.models.facts import catalogue
from glmflow.report import ReportInputs, write_report
from glmflow.report.index_page import order_quantities
from glmflow.report.models_page import models_page
from glmflow.report.palette import COLOURS, colours
from glmflow.report.signals.gene_tables import sample_genes
from glmflow.report.study_tables import Study

PAGES = {"rnaseq_tracks": "tracks.html"}


@pytest.fixture(scope="module")
def report(study, tmp_path_factory):
    """The report of the synthetic study."""
    folder = tmp_path_factory.mktemp("report") / "report"
    write_report(ReportInputs.from_results(study, title="A study", families=catalogue(), pages=PAGES), folder)
    return folder


def page_data(path):
    return json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', path.read_text(), re.S)[1])


def test_the_folder_holds_pages_tables_and_figures(report):
    assert {path.name for path in report.iterdir()} == {"index.html", "tracks.html", "models.html", "data", "figures"}
    figures = {path.name for path in (report / "figures").iterdir()}
    assert figures == {
        f"{name}.{kind}" for name in ("leaderboard", "training", "genes", "tracks") for kind in ("png", "svg", "tsv")
    }
    for path in (report / "figures").glob("*.svg"):
        assert ET.parse(path).getroot().tag.endswith("svg")
    board, drawn = (pd.read_csv(report / place / "leaderboard.tsv", sep="\t") for place in ("data", "figures"))
    assert drawn["label"].tolist() == board["label"].tolist()
    assert drawn["value"].tolist() == pytest.approx(board["value"].tolist(), rel=1e-5)
    signal = pd.read_csv(report / "figures/tracks.tsv", sep="\t")
    assert "observed" in set(signal["label"]) and not signal.duplicated(["track", "label", "start"]).any()
    metrics = pd.read_csv(report / "data/metrics.tsv", sep="\t")
    assert metrics["seed"].nunique() == 2


def test_the_page_of_models_says_what_they_are(report, study):
    assert '<a href="models.html">' in (report / "index.html").read_text()
    text = (report / "models.html").read_text()
    row = re.search(r"<tr><td[^>]*>causal \(lora\)</td>.*?</tr>", text, re.S)[0]
    for said in (
        "small",
        "pretrained by this study",
        "2 × query, 2 × up; 3,072 parameters",
        "1,024 bp",
        "sdpa (no GPU)",
    ):
        assert said in row
    assert "5 chunks" in row
    assert "windows of 4,096 bp" not in re.search(r"<tr><td[^>]*>cnn \(full\)</td>.*?</tr>", text, re.S)[0]
    assert len(re.findall("<tr><td[^>]*>mean_track</td>", text)) == 1
    sweep = re.search(r'<section id="sweeps">.*?</section>', text, re.S)[0]
    assert "causal (lora), seed 1" in sweep and "chosen" in sweep.split("0.001")[1].split("</tr>")[0]
    assert sweep.index("0.400") < sweep.index("0.900")  # the best first
    hyenadna = re.search(r"<tr><td><strong>HyenaDNA</strong>.*?</tr>", text, re.S)[0]
    assert 'far">2.2e-04' in hyenadna  # further from the original than what counts as the same: said, not hidden
    assert 'class="used"><td><strong>Small transformer' in text
    assert "Families" not in models_page(Study(ReportInputs.from_results(study)))


def test_the_pages_are_small_enough_to_be_mailed(report):
    assert (report / "index.html").stat().st_size < 6_000_000
    assert (report / "tracks.html").stat().st_size < 20_000_000


@pytest.mark.usefixtures("undrawn")
def test_the_page_says_that_the_data_are_simulated_and_what_was_left_out(report, tmp_path):
    text = (report / "index.html").read_text()
    assert "<strong>Simulated:</strong> genome, samples, expression and tracks" in text
    results = synthetic_study.make_study(
        tmp_path,
        runs=synthetic_study.RUNS[:1],
        seeds=(1,),
        tracks=False,
        cohort=False,
        simulated=False,
        genes_per_contig=5,
    )
    write_report(ReportInputs.from_results(results, pages=PAGES), tmp_path / "report")
    text = (tmp_path / "report/index.html").read_text()
    assert "Simulated:" not in text
    assert "The study has no cohort." in text
    assert "No track was averaged." in text
    assert "There is nothing to show here." in (tmp_path / "report/tracks.html").read_text()


@pytest.mark.usefixtures("undrawn")
def test_every_task_has_its_cards_and_its_genome_browser(tmp_path):
    results = synthetic_study.make_study(tmp_path, runs=synthetic_study.RUNS[-3:], seeds=(1, 2), genes_per_contig=6)
    shutil.copytree(results / "runs/rnaseq_tracks", results / "runs/second")
    for path in (results / "runs/second").glob("*/*/*/metrics.tsv"):
        pd.read_csv(path, sep="\t").assign(task="second").to_csv(path, sep="\t", index=False)
    pages = PAGES | {"second": "tracks.second.html"}
    write_report(ReportInputs.from_results(results, pages=pages), tmp_path / "report")
    index = (tmp_path / "report/index.html").read_text()
    assert index.count("Best score") == 2 and index.count("mean of 2 seeds ±") == 2
    href = page_data(tmp_path / "report/index.html")["datasets"]["genes"]["columns"]["href"]["levels"]
    assert {link.split("#")[0] for link in href if link} == set(pages.values())
    for task, file in (("rnaseq_tracks", "tracks.html"), ("second", "tracks.second.html")):
        assert f'href="{file}">Genome browser: {task}' in index
        page = (tmp_path / "report" / file).read_text()
        assert f"Genome browser: {task}</h1>" in page and len(page_data(tmp_path / "report" / file)["runs"]) == 3
    regions = pd.read_csv(tmp_path / "report/data/browser_regions.tsv", sep="\t")
    assert set(regions["task"]) == {"rnaseq_tracks", "second"}
    assert {"tracks.rnaseq_tracks.svg", "tracks.second.svg"} <= {
        p.name for p in (tmp_path / "report/figures").iterdir()
    }


@pytest.mark.usefixtures("undrawn")
def test_only_metrics_are_needed(study, tmp_path):
    runs = []
    for run in ReportInputs.from_results(study).runs[:2]:
        folder = tmp_path / "bare" / run.model / str(run.seed)
        folder.mkdir(parents=True)
        (folder / "metrics.tsv").write_text((run.folder / "metrics.tsv").read_text())
        runs.append(replace(run, folder=folder))
    asked = (tmp_path / "variant_scores/calls/tiny/seed1.vcf.gz",)
    write_report(ReportInputs("bare", tmp_path, tuple(runs), note="Of <few> runs.", asked=asked), tmp_path / "report")
    text = (tmp_path / "report/index.html").read_text()
    assert 'href="../variant_scores/calls/tiny/seed1.vcf.gz"' in text  # beside the folder of the report
    assert '<p class="note">Of &lt;few&gt; runs.</p>' in text
    for line in (
        "No run logged its training",
        "No provenance was recorded",
        "Nothing was audited.",
        "No run recorded what it cost.",
        "The metric base_log1p_pearson is not declared for this kind of task",  # the kind was not recorded
        "Runs are not ranked by base log1p pearson (test split)",
    ):
        assert line in text
    assert "Best score" not in text


@pytest.mark.usefixtures("undrawn")
def test_runs_whose_targets_are_not_known_are_listed(study, tmp_path):
    first, second = ReportInputs.from_results(study).runs[:2]
    empty = replace(second, task="hackathon", folder=tmp_path / "runs/hackathon")
    empty.folder.mkdir(parents=True)
    header = (second.folder / "metrics.tsv").read_text().splitlines()[0] + "\n"
    (empty.folder / "metrics.tsv").write_text(header)
    (empty.folder / "run.yaml").write_text("task: {kind: snp2gex}\n")
    for runs, known in (((empty,), False), ((first, empty), True)):
        inputs = ReportInputs("bare", tmp_path, runs, pages=PAGES | {"hackathon": "personal.html"})
        write_report(inputs, tmp_path / f"report{known}")
        pages = {path.stem: path.read_text() for path in (tmp_path / f"report{known}").glob("*.html")}
        assert set(pages) == {"index", "models", "personal", "tracks"}
        assert ('href="personal.html"' in pages["index"]) == known
        assert ("1 run has no score: no held-out example has a known target" in pages["index"]) == known
        assert "scores/submission.csv" in pages["personal"]
        assert "nothing can be scored" in pages["personal"] and "runs/hackathon" in pages["personal"]
        assert ("nothing can be scored" in pages["index"]) != known


def test_rerun_commands_name_the_file(report):
    text = (report / "index.html").read_text()
    assert "snakemake --cores 2 --force results/synthetic/runs/rnaseq_tracks/cnn/full/seed1/metrics.tsv" in text


@pytest.mark.usefixtures("undrawn")
def test_a_baseline_that_is_given_the_genes_is_no_diamond(tmp_path):
    """It is no rival in the verdict, and no diamond in the figures."""
    runs = [synthetic_study.RUNS[4], *synthetic_study.RUNS[-2:], ("oracle", "baseline", {"baseline": {}}, 0.2, 0, 1.0)]
    results = synthetic_study.make_study(tmp_path, runs=runs, seeds=(1,), genes_per_contig=6)
    path = results / "runs/rnaseq_tracks/oracle/baseline/seed1/run.yaml"
    path.write_text(path.read_text() + "told: genes\n")
    synthetic_study.comparisons().write_comparisons(results)
    write_report(ReportInputs.from_results(results), tmp_path / "report")
    text = (tmp_path / "report/index.html").read_text()
    assert "a star is a baseline that is given more than the sequence" in text
    assert "but it is given genes: a mark to aim at, not a rival" in text
    data = page_data(tmp_path / "report/index.html")
    mark = data["datasets"]["summary"]["columns"]["mark"]
    labels = data["datasets"]["summary"]["columns"]["label"]
    marks = {labels["levels"][a]: mark["levels"][b] for a, b in zip(labels["codes"], mark["codes"])}
    assert marks == {
        "cnn (full)": "full",
        "mean_track": "baseline",
        "kmer_ridge": "baseline",
        "oracle": "informed baseline",
    }
    scale = next(layer for layer in data["charts"]["cost"]["layer"] if "shape" in layer["encoding"])["encoding"][
        "shape"
    ]
    shapes = dict(zip(scale["scale"]["domain"], scale["scale"]["range"]))
    assert (
        scale["field"] == "mark"
        and shapes["baseline"] == "diamond"
        and shapes["informed baseline"].startswith("M0,-1L")
    )
    assert "mark" not in pd.read_csv(tmp_path / "report/data/summary.tsv", sep="\t")


def test_warnings_of_seeds_are_given_once(report):
    text = (report / "index.html").read_text()
    assert text.count("out of memory at micro-batch 8: halved to 4") == 1
    assert "(2 seeds)" in text


@pytest.mark.usefixtures("undrawn")
def test_markup_in_a_name_stays_text(tmp_path):
    results = synthetic_study.make_study(tmp_path, runs=synthetic_study.RUNS[:1], seeds=(1,), genes_per_contig=5)
    inputs = ReportInputs.from_results(results, title="<script>alert(1)</script>", pages=PAGES)
    write_report(inputs, tmp_path / "report")
    for name in ("index.html", "tracks.html"):
        assert "<script>alert(1)" not in (tmp_path / "report" / name).read_text()


def test_the_same_files_make_the_same_report(study, report, tmp_path):
    inputs = ReportInputs.from_results(study, title="A study", families=catalogue(), pages=PAGES)
    write_report(inputs, tmp_path / "report")
    for path in report.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "report" / path.relative_to(report)).read_bytes(), path.name


def test_models_have_one_colour_on_both_pages(report):
    index, tracks = page_data(report / "index.html"), page_data(report / "tracks.html")
    for run in tracks["runs"]:
        assert run["colour"] == index["colours"][run["label"].split(" (")[0]]


def test_colours_are_distinct_and_follow_the_order_of_the_study():
    found = colours(["b", "a", "b", "c"])
    assert list(found) == ["b", "a", "c"]
    assert len(set(COLOURS)) == len(COLOURS)
    assert list(found.values()) == list(COLOURS[:3])


def test_large_scatters_are_sampled_with_the_same_genes_in_every_run():
    ids = [f"g{i}" for i in range(20_000)]
    one = pd.DataFrame(
        {"gene_id": ids, "gene_name": ids, "split": "test", "track": "x", "observed": 1.0, "predicted": 1.0}
    )
    table = pd.concat([one.assign(task="t", model=m, label=m, key=m) for m in "ab"])
    sampled = sample_genes(table, {"t": {"g7": "t.html#gene=g7"}, "another": {"g8": "a.html#gene=g8"}})
    kept = {model: set(rows["gene_id"]) for model, rows in sampled.groupby("model")}
    assert kept["a"] == kept["b"]
    assert {"g7", "g8"} <= kept["a"]
    assert set(sampled.loc[sampled["shown"], "gene_id"]) == {"g7"}
    assert len(kept["a"]) in (5_000, 5_001, 5_002)


def test_losses_come_first_among_what_was_logged():
    assert order_quantities(["grad_norm", "eval_pearson", "eval_loss", "loss"]) == [
        "loss",
        "eval_loss",
        "eval_pearson",
        "grad_norm",
    ]


def test_the_report_does_not_load_torch():
    code = "import sys, glmflow.report; sys.exit('torch' in sys.modules or any(m.startswith('glmflow.tasks') for m in sys.modules))"
    subprocess.run([sys.executable, "-c", code], check=True)
