"""The page of personal expression, of made-up runs: variants left out, and variants that act."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from glmflow.report import ReportInputs, write_report
from glmflow.report.inputs import find_runs
from glmflow.report.personal import SEEN, UNSEEN
from glmflow.report.personal_page import personal_page
from glmflow.report.personal_variants import maf_points, read_effects, top_variants, variant_classes
from glmflow.report.study import Study
from glmflow.report.tables import METRIC_COLUMNS as METRICS

TASKS = {
    "gex": {},
    "snv": {"variants": "snv"},
    "maf05": {"min_maf": 0.05},
    "maf20": {"min_maf": 0.2},
    "permuted": {"control": "permuted_people"},
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
            run.mkdir(parents=True)
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
    pd.concat(genes).assign(split="test").to_csv(run / "personal.tsv", sep="\t", index=False)
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
    pd.DataFrame(rows, columns=columns).to_csv(run / "variants.tsv", sep="\t", index=False)


@pytest.fixture(scope="module")
def study(results):
    return Study(ReportInputs.from_results(results))


def test_runs_without_some_variants_stand_beside_the_run_with_all(study):
    rows = variant_classes(study.personal)
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
    points = maf_points(study.personal).query("subset == @SEEN").sort_values("min_maf")
    assert points["min_maf"].tolist() == [0, 0.05, 0.2] and set(points["variants"]) == {"all"}
    assert points["r"].tolist() == pytest.approx([0.4, 0.39, 0.25]) and set(points["model"]) == {"net"}


def test_top_variants_are_those_that_part_people_most(results):
    runs = find_runs(results)
    effects, weights = (read_effects(runs, f"gex/{name}", ["G3"]) for name in ("net/fit", "enet/baseline"))
    (gene, rows), *others = top_variants(effects, weights).items()
    assert gene == "G3" and not others
    # |effect| x sd: 0.06, 0.2, 0.03, 0 and 0.018.
    assert [row["variant"] for row in rows] == ["1:301:A:C", "1:300:A:C", "1:302:A:C"]
    assert rows[0] == {"variant": "1:301:A:C", "effect": -0.5, "maf": 0.2, "carriers": 12, "weight": 0.7}
    assert top_variants(effects, weights.head(0))["G3"][0]["weight"] is None


def test_the_page_shows_them(study):
    page = personal_page(study)
    best = int(np.random.default_rng(0).normal(0, 0.05, len(GENES)).argmax())
    assert f"<code>1:{100 * best + 1}:A:C</code>: one copy −0.500, MAF 0.200, 12 carriers, elastic net 0.700" in page
    assert "all variants, MAF ≥ 0.05" in page and 'id="chart-maf"' in page
    assert "−0.030 [−0.030, −0.030]" in page


def test_a_report_of_personal_expression_alone_has_no_genome_browser(results, tmp_path):
    write_report(ReportInputs.from_results(results), tmp_path / "report")
    assert {path.name for path in (tmp_path / "report").glob("*.html")} == {
        "index.html",
        "models.html",
        "personal.html",
    }
    linked = re.findall(r'href="([^"#]*\.html)"', (tmp_path / "report/index.html").read_text())
    assert set(linked) == {"index.html", "models.html", "personal.html"}


def test_the_table_of_variants_says_over_how_many_genes(results, tmp_path):
    copy = tmp_path / "results/made"
    shutil.copytree(results, copy)
    row = [
        "made",
        "gex",
        "net",
        "fit",
        "1",
        "variants",
        "unseen genes",
        "all",
        "100",
        "causal_first_ratio",
        "strict",
        "0.9",
        "0.7",
        "1",
        "10",
    ]
    (copy / "runs/gex/net/fit/seed1/causal.tsv").write_text("\t".join(METRICS) + "\n" + "\t".join(row) + "\n")
    page = personal_page(Study(ReportInputs.from_results(copy)))
    assert '<td class="n">0.900<br><small>n = 10</small></td>' in page
    assert re.search(r'<abbr title="Share of genes [^"]*">true one first</abbr>', page)


def test_what_applies_to_tracks_alone_is_left_out(results, tmp_path):
    write_report(ReportInputs.from_results(results), tmp_path / "report")
    index = (tmp_path / "report/index.html").read_text()
    for said in ("Genome browser", "No run was scored by gene", "No table of windows", "No track was averaged"):
        assert said not in index
    assert 'id="genes"' not in index and 'href="#genes"' not in index and 'href="personal.html"' in index
    assert "official" not in index.split("<script")[0]  # no run was scored by that protocol
