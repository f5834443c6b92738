"""The verdict on genes in samples, class by class, on a made-up study."""

import pandas as pd
import pytest
import synthetic_kinds
import synthetic_study
from glmflow.report.report_inputs import ReportInputs
from glmflow.report.samples.gene_comparisons import SEEN, UNSEEN, extremes
from glmflow.report.samples.sample_tables import read_samples
from glmflow.report.study_tables import Study

GENES = 20


def study_of(folder, **tasks):
    results = folder / "results" / "synthetic"
    for task, settings in tasks.items():
        synthetic_kinds.add_samples(results, task, **settings)
    synthetic_study.comparisons().write_comparisons(results)
    return Study(ReportInputs.from_results(results))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    control = {"models": ["net"], "r": 0.1, "control": "permuted_samples"}
    return study_of(tmp_path_factory.mktemp("samples"), gex={}, permuted=control)


def test_seen_and_unseen_genes_are_judged_apart(study):
    """On unseen genes the elastic net predicts one value for everyone, so it is not beaten there."""
    verdict = study.verdict("gex")
    seen, unseen = (text + "." for text in verdict.sentence.removesuffix(".").split(". ", 1))
    assert "genes seen in training (test split)" in seen and "enet" in seen
    assert unseen.startswith("net (full) is above chance on Pearson r between samples within genes, unseen genes (test")
    assert "no baseline can play here, so that none counts as beaten" in unseen and "beats" not in unseen
    assert any("Not counted as beaten" in note and "enet" in note for note in verdict.notes)
    assert [board.title for board in verdict.boards] == [
        f"Pearson r between samples within genes, {name} (test split)"
        for name in ("genes seen in training", "unseen genes")
    ]


def test_what_holds_for_every_class_is_said_once(study):
    notes = study.verdict("gex").notes
    assert "One seed, whose spread is not known: net (full)." in notes
    assert len(notes) == len(set(notes))


def test_a_control_says_that_it_is_one(study):
    verdict = study.verdict("permuted")
    assert verdict.notes[0].startswith("This task is a control (permuted samples)")
    assert "No baseline was run, so what a simple method would reach is unknown." in verdict.notes


def test_the_hackathons_class_of_unseen_genes_is_judged_as_well(study):
    tables = read_samples(study, "gex").assign(gene_name="", heritability=0.2)
    theirs = tables.assign(subset=tables["subset"].replace({UNSEEN: "unseen genes"}))
    found, own = extremes(theirs, "gex", "unseen genes"), extremes(tables, "gex", UNSEEN)
    assert (found.label, found.key, found.baseline) == ("net (full)", "gex/net/full", "enet")
    assert [gene["group"] for gene in found.genes] == [gene["group"] for gene in own.genes]
    assert len(found.genes) == 12 and all(gene["baseline"] == 0 for gene in found.genes)
    assert SEEN in set(tables["subset"])


def test_gene_means_stand_beside_the_best_model_where_no_linear_model_was_run(tmp_path):
    study = study_of(tmp_path, gex={"models": ["net", "means"]})
    tables = read_samples(study, "gex").assign(gene_name="")
    assert extremes(pd.DataFrame(tables), "gex", SEEN).baseline == "means"
    assert " beats " not in study.verdict("gex").sentence
