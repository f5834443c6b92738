"""The page of genes in samples, of made-up runs: variants left out, controls, and variants that act."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from glmflow.report import ReportInputs, write_report
from glmflow.report.pages.snp2gex import page
from glmflow.report.report_inputs import find_runs
from glmflow.report.run_tables import METRIC_COLUMNS as METRICS
from glmflow.report.samples.allele_tables import maf_points, read_effects, top_variants, variant_classes
from glmflow.report.samples.gene_comparisons import SEEN, UNSEEN
from glmflow.report.samples.sample_tables import read_samples
from glmflow.report.study_tables import Study

TASKS = {
    "gex": {},
    "snv": {"variants": "snv"},
    "maf05": {"min_maf": 0.05},
    "maf20": {"min_maf": 0.2},
    "permuted": {"control": "permuted_samples"},
}
MEAN_R = {"gex": 0.4, "snv": 0.37, "maf05": 0.39, "maf20": 0.25, "permuted": 0.1}
GENES = [f"G{n}" for n in range(20)]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A network on every task, an elastic net on the first; r differs between tasks by the same in every gene."""
    results = tmp_path_factory.mktemp("page") / "results/made"
    noise = np.random.default_rng(0).normal(0, 0.05, len(GENES))
    for task, changes in TASKS.items():
        for model in ("net", "enet") if task == "gex" else ("net",):
            run = results / f"runs/{task}/{model}/{'fit' if model == 'net' else 'baseline'}/seed1"
            (run / "scores").mkdir(parents=True)
            (run / "predicted").mkdir()
            block = {"kind": "snp2gex", "variants": "all", "min_maf": 0.0, "control": "none"} | changes
            origin = {"new": {"family": "promoter_cnn"}} if model == "net" else {"baseline": {"kind": "elastic_net"}}
            kind = {"kind": "full" if model == "net" else "baseline"}
            (run / "run.yaml").write_text(yaml.safe_dump({"task": block, "model": origin, "adaptation": kind}))
            write_scores(run, task, model, MEAN_R[task] + noise - noise.mean())
            write_variants(run, model)
    return results


def write_scores(run, task, model, r):
    facts = {"chrom": "1", "tss": 999, "strand": "+", "variants": 9, "common_variants": 5, "haplotypes": 7}
    genes = [
        pd.DataFrame({"group": GENES, "gene_name": GENES, "pearson": r, "q": 0.5}).assign(subset=subset, **facts)
        for subset in (SEEN, UNSEEN)
    ]
    pd.concat(genes).assign(split="test").to_csv(run / "scores/personal.tsv", sep="\t", index=False)
    names = {"study": "made", "task": task, "model": model, "adaptation": run.parent.name, "seed": 1, "split": "test"}
    score = {"track": "all", "context_bp": 100, "metric": "cross_individual_pearson", "protocol": "strict"}
    rows = [
        names | score | {"subset": s, "value": r.mean(), "ci_low": 0, "ci_high": 1, "n": 20} for s in (SEEN, UNSEEN)
    ]
    pd.DataFrame(rows).to_csv(run / "metrics.tsv", sep="\t", index=False)


def write_variants(run, model):
    rows = []
    for number, gene in enumerate(GENES):
        for place, (effect, sd) in enumerate([(0.1, 0.6), (-0.5, 0.4), (0.3, 0.1), (2.0, 0.0), (0.02, 0.9)]):
            name = f"1:{100 * number + place}:A:C"
            effect = effect if model == "net" else (0.7 if place == 1 else 0.0)
            rows.append((gene, name, "1", place, "A", "C", 0.2, sd, 11 + place, effect))
    columns = ["gene", "variant", "chrom", "pos", "ref", "alt", "maf", "dosage_sd", "carriers", "effect"]
    pd.DataFrame(rows, columns=columns).to_csv(run / "predicted/variants.tsv", sep="\t", index=False)


@pytest.fixture(scope="module")
def study(results):
    return Study(ReportInputs.from_results(results))


def test_runs_without_some_variants_stand_beside_the_run_with_all(study):
    rows = variant_classes(read_samples(study, *TASKS))
    found = {(row["task"], row["subset"]): row for row in rows}
    assert set(found) == {(task, subset) for task in ("snv", "maf05", "maf20") for subset in (SEEN, UNSEEN)}
    carried = {"snv": "single bases", "maf05": "all variants, MAF ≥ 0.05", "maf20": "all variants, MAF ≥ 0.2"}
    for (task, _), row in found.items():
        assert row["carried"] == carried[task]
        assert (row["value"], row["all"]) == pytest.approx((MEAN_R[task], 0.4))
        # All genes lose the same, so that the interval is a point.
        difference = row["difference"]
        assert (difference.value, difference.low, difference.high) == pytest.approx([MEAN_R[task] - 0.4] * 3)


def test_the_curve_over_allele_frequency_has_a_point_a_task(study):
    points = maf_points(read_samples(study, *TASKS)).query("subset == @SEEN").sort_values("min_maf")
    assert points["min_maf"].tolist() == [0, 0.05, 0.2] and set(points["variants"]) == {"all"}
    assert points["r"].tolist() == pytest.approx([0.4, 0.39, 0.25]) and set(points["model"]) == {"net"}


def test_top_variants_are_those_that_contribute_most(results):
    runs = find_runs(results)
    effects, weights = (read_effects(runs, f"gex/{name}", ["G3"]) for name in ("net/fit", "enet/baseline"))
    (gene, rows), *others = top_variants(effects, weights).items()
    assert gene == "G3" and not others
    # |effect| x sd: 0.06, 0.2, 0.03, 0 and 0.018.
    assert [row["variant"] for row in rows] == ["1:301:A:C", "1:300:A:C", "1:302:A:C"]
    assert rows[0] == {"variant": "1:301:A:C", "effect": -0.5, "maf": 0.2, "carriers": 12, "weight": 0.7}
    assert top_variants(effects, weights.head(0))["G3"][0]["weight"] is None


def test_the_page_shows_them(study):
    html = page(study, "gex")
    best = int(np.random.default_rng(0).normal(0, 0.05, len(GENES)).argmax())
    assert (
        f'<code data-find="variant">1:{100 * best + 1}:A:C</code>: one copy −0.500, MAF 0.200, 12 carriers, elastic net 0.700'
        in html
    )
    assert "all variants, MAF ≥ 0.05" in html and 'id="chart-maf"' in html
    assert "−0.030 [−0.030, −0.030]" in html
    controls = re.search(r'<section id="controls">.*?</section>', html, re.S)[0]
    assert controls.count("<tr><td>permuted ") == 2 and "+0.300 [+0.300, +0.300]" in controls


def test_the_page_of_a_control_shows_the_run_that_it_controls_and_no_other_variants(study):
    html = page(study, "permuted")
    assert "control: permuted samples" in html and "This task is a control (permuted samples)" in html
    assert "+0.300 [+0.300, +0.300]" in html
    assert "No control was run" in page(
        study, "snv"
    )  # its own control was not run; that of another task is none of its


@pytest.mark.usefixtures("undrawn")
def test_every_task_has_its_page_and_nothing_of_signals_is_shown(results, tmp_path):
    write_report(ReportInputs.from_results(results, pages={"gex": "personal.html"}), tmp_path / "report")
    pages = {path.name for path in (tmp_path / "report").glob("*.html")}
    others = {f"task.{task}.html" for task in TASKS if task != "gex"}
    assert pages == {"index.html", "models.html", "personal.html", *others}
    index = (tmp_path / "report/index.html").read_text()
    assert set(re.findall(r'href="([^"#]*\.html)"', index)) == pages
    for said in ("Genome browser", "No run was scored by gene", "No table of windows", "No track was averaged"):
        assert said not in index
    assert 'id="genes"' not in index and 'href="#genes"' not in index
    assert "By run and by cost" in index and "official" not in index.split("<script")[0]


def test_the_table_of_variants_says_over_how_many_genes(results, tmp_path):
    copy = tmp_path / "results/made"
    shutil.copytree(results, copy)
    row = ["made", "gex", "net", "fit", "1", "variants", "unseen genes", "all", "100", "causal_first_ratio", "strict"]
    path = copy / "runs/gex/net/fit/seed1/metrics.tsv"
    table = pd.read_csv(path, sep="\t")[METRICS]
    table.loc[len(table)] = [*row, 0.9, 0.7, 1, 10]
    table.to_csv(path, sep="\t", index=False)
    html = page(Study(ReportInputs.from_results(copy)), "gex")
    assert '<td class="n">0.900<br><small>n = 10</small></td>' in html
    assert re.search(r'<abbr title="Share of genes [^"]*">true one first</abbr>', html)


@pytest.mark.usefixtures("undrawn")
def test_without_scores_of_genes_there_is_nothing_to_show(results, tmp_path):
    copy = tmp_path / "results/made"
    shutil.copytree(results, copy)
    for path in copy.glob("runs/*/*/*/*/scores/personal.tsv"):
        path.unlink()
    study = Study(ReportInputs.from_results(copy))
    assert page(study, "gex") is None
    assert "were not compared on Pearson r between samples within genes" in study.verdict("gex").sentence
    write_report(ReportInputs.from_results(copy, pages={"gex": "personal.html"}), tmp_path / "report")
    assert "There is nothing to show here." in (tmp_path / "report/personal.html").read_text()
