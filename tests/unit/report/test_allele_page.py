"""Labelled and measured alleles from a table to their page: every step of the workflow, in one process."""

import json

import numpy as np
import pandas as pd
import pytest
from glmflow import tasks
from glmflow.baselines.fit_baseline import run_baseline
from glmflow.config import check_study, expand_runs, run_settings, score_settings
from glmflow.config.settings import task_settings
from glmflow.config.tasks import task_block
from glmflow.files import write_table
from glmflow.models import new_model
from glmflow.modules import module
from glmflow.provenance import write_run
from glmflow.tasks.tables import Division
from glmflow.training.predict import predict
from shared_reports import report_of

LENGTH = 4000
pytestmark = pytest.mark.slow


def study_of(folder):
    """One task of labels and one of measured effects, by a model, its random weights, and trivial scores."""
    columns = {"consequence": "csq", "exon": "exon", "cadd": "cadd", "grch": "grch", "grch_pos": "grch_pos"}
    common = {"kind": "variant_effects", "table": str(folder / "in.tsv"), "columns": columns, "bootstrap": 10}
    baselines = {"rank": "consequence_rank", "cadd": {"kind": "external_score", "column": "cadd"}, "transition": "transition_first",
                 "context": {"kind": "context_rate", "k": 3}, "few": {"kind": "small_first", "column": "cadd"}}  # fmt: skip
    return check_study({
        "study": "alleles",
        "reference": {"fasta": str(folder / "genome.fa")},
        "tasks": {
            "labels": common | {"label": "class", "labels": {"P": 1, "B": 0}, "window": [32, 16], "scores": ["llr", "flank"],
                                "browser": {"columns": {"chrom": "grch", "pos": "grch_pos"}}},
            "effects": common | {"label": "effect", "direction": "loss", "window": 32},
        },
        "models": {"small": {"checkpoint": str(folder / "small")}} | {name: {"baseline": one} for name, one in baselines.items()},
        "adaptations": {"zero_shot": {"kind": "zero-shot"}, "random": {"kind": "zero-shot", "weights": "random"},
                        "baseline": {"kind": "baseline"}},
        "runs": [{"tasks": ["labels", "effects"], "models": ["small"], "adaptations": ["zero_shot"]},
                 {"tasks": ["labels"], "models": ["small"], "adaptations": ["random"]},
                 {"tasks": ["labels"], "models": list(baselines), "adaptations": ["baseline"]},
                 {"tasks": ["effects"], "models": ["rank", "cadd"], "adaptations": ["baseline"]}],
    })  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A genome, a model with random weights, and alleles whose consequence says most of their label."""
    folder = tmp_path_factory.mktemp("page")
    random = np.random.default_rng(0)
    text = "".join(random.choice(list("ACGT"), LENGTH))
    (folder / "genome.fa").write_text(f">w\n{text}\n")
    (folder / "genome.fa.fai").write_text(f"w\t{LENGTH}\t3\t{LENGTH}\t{LENGTH + 1}\n")
    places = np.sort(random.choice(np.arange(50, LENGTH - 50), 160, replace=False))
    label = random.random(160) < np.where(np.arange(160) % 2, 0.8, 0.2)
    deletion = np.arange(160) % 8 == 0
    ref = [text[p : p + 4] if gone else text[p] for p, gone in zip(places, deletion)]
    alt = [own[0] if gone else next(b for b in "GATC" if b != own) for own, gone in zip(ref, deletion)]
    pd.DataFrame({
        "chrom": "w", "pos": places + 1, "ref": ref, "alt": alt, "class": np.where(label, "P", "B"),
        "effect": np.where(label, -1.0, 0.0) + random.normal(0, 0.2, 160), "exon": [f"X{i // 40}" for i in range(160)],
        "csq": np.where(np.arange(160) % 2, "missense", "synonymous"), "cadd": label + random.normal(0, 0.3, 160),
        "grch": "chr7", "grch_pos": places + 1_000_001,
    }).to_csv(folder / "in.tsv", sep="\t", index=False)  # fmt: skip
    size = {"hidden_size": 16, "num_heads": 2, "num_layers": 1, "context": 64, "causal": False}
    new_model("small", size, seed=5).save(folder / "small")
    return folder


def run_all(study, folder):
    """Make examples, predictions, scores and the report, as the rules do."""
    results = folder / study.results
    write_table(pd.DataFrame({"contig": ["w"]}), results / "reference/nothing.tsv")
    (results / "reference/genome.fa").write_text((folder / "genome.fa").read_text())
    (results / "reference/genome.fa.fai").write_text((folder / "genome.fa.fai").read_text())
    counts, leakage = {}, {}
    for label in study.tasks:
        settings = task_settings(study, label)
        task = task_block(settings["task"])
        files = {"fasta": folder / "genome.fa", "variants": folder / "in.tsv"}
        made = module(tasks.__name__, task.kind).examples(task, files, Division())
        for name, table in made.facts.items():
            write_table(table, results / f"examples/{label}" / name)
        counts[label], leakage[label] = (results / f"examples/{label}.{name}.tsv" for name in ("counts", "leakage"))
        write_table(made.counts, counts[label])
        write_table(made.checks, leakage[label])
        write_table(made.table, results / f"examples/{label}.parquet")
    runs, _ = expand_runs(study)
    for run in runs:
        place = results / "runs" / run.label
        place.mkdir(parents=True)
        table = pd.read_parquet(results / f"examples/{run.task}.parquet")
        settings = run_settings(study, run)
        write_run(settings, place / "run.yaml")
        files = {"fasta": str(folder / "genome.fa"), "neutral": [], "genes": [], "track": []}
        if run.adaptation == "baseline":
            run_baseline(settings, table, files, place, 1)
        else:
            predict(settings, table, files, folder / "small", place)
        found = pd.read_parquet(place / "predictions.parquet")
        kind = module(tasks.__name__, study.tasks[run.task].kind)
        scored = kind.score(score_settings(study, run), table, found, place / "predicted", {})
        for name, one in scored.tables.items():
            write_table(one, place / "scores" / name)
        write_table(scored.metrics, place / "metrics.tsv")
    report_of(results, study, runs, "Alleles", counts, leakage)
    return results


@pytest.fixture(scope="module")
def results(folder):
    return run_all(study_of(folder), folder)


def table_of(found):
    """A table as `records` embeds it."""
    pick = lambda one: [one["levels"][code] for code in one["codes"]] if "codes" in one else one["values"]  # noqa: E731
    return pd.DataFrame({name: pick(one) for name, one in found["columns"].items()})


def data_of(page):
    """The charts and tables that a page embeds."""
    text = page.read_text()
    start = text.index('<script id="data" type="application/json">') + len('<script id="data" type="application/json">')
    data = json.loads(text[start : text.index("</script>", start)])
    return text, data | {"datasets": {name: table_of(one) for name, one in data["datasets"].items()}}


def test_every_run_is_scored_and_trivial_scores_stand_beside_the_models(results):
    text, data = data_of(results / "report/variants.html")
    for name in ("small", "rank", "cadd", "transition", "context"):
        assert f">{name}" in text or name in text
    metrics = pd.read_csv(results / "runs/labels/rank/baseline/seed1/metrics.tsv", sep="\t")
    own = metrics[(metrics["metric"] == "auroc") & (metrics["protocol"] == "strict")].set_index("subset")["value"]
    assert own["all"] > 0.7 and own["consequence:missense"] == 0.5 and {"exon:X0", "exon:X3"} <= set(own.index)
    assert "Pooled figures are confounded by the consequence: rank" in text
    assert set(data["charts"]) >= {"consequences", "windows", "curves", "distribution", "strip", "strands", "lengths"}
    assert set(data["datasets"]["windows"]["window"]) == {16, 32}


def test_scores_of_two_scales_are_told_apart(results):
    """Deletions, every eighth allele, are compared by another score than single bases: which, and of how many."""
    text, _ = data_of(results / "report/variants.html")
    assert "Figures over all alleles mix scores of different scales" in text
    assert "small (zero_shot) by llr (140 SNVs) and flank (20 indels of 1-3 bp)" in text
    table = pd.read_csv(results / "runs/labels/small/zero_shot/seed1/scores/compared.tsv", sep="\t")
    assert table.to_dict("list") == {"score": ["flank", "llr"], "kind": ["indel_1_3", "snv"], "n": [20, 140]}


def test_the_page_of_labels_links_to_a_browser_and_says_where_a_score_lies_among_controls(results):
    text, data = data_of(results / "report/variants.html")
    assert "https://genome.ucsc.edu/cgi-bin/hgTracks?db=hg38&amp;position=chr7%3A1" in text
    assert "https://igv.org/app/?genome=hg38&amp;locus=chr7%3A1" in text
    assert "above the alleles labelled 0" in text
    assert set(data["datasets"]["strip"]["part"]) == {"X0", "X1", "X2", "X3"}
    assert set(data["datasets"]["lengths"]["change"]) == {-3}


def test_the_page_of_measured_effects_has_them_over_predictions(results):
    text, data = data_of(results / "report/variants.effects.html")
    assert "measured effects compared by <strong>loss</strong>" in text
    assert set(data["charts"]) >= {"along", "against"} and "curves" not in data["charts"]
    bars = data["datasets"]["along"]
    assert set(bars["part"]) == {"X0", "X1", "X2", "X3"} and bars["measured"].between(0, 1).all()
    metrics = pd.read_csv(results / "runs/effects/cadd/baseline/seed1/metrics.tsv", sep="\t")
    whole = metrics[(metrics["metric"] == "spearman") & (metrics["subset"] == "all")]["value"].item()
    assert whole > 0.5  # a loss is a low effect: higher scores go with lower ones
