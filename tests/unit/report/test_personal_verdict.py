"""What is said of personal expression, on made-up scores of genes."""

import numpy as np
import pandas as pd
from glmflow.report.personal import SEEN, UNSEEN, extremes, judge_personal

GENES = 40


def scores(model, origin, baseline, seen, unseen, task="gex", control="none"):
    """Scores of a run: the given mean r in each class, with the same spread over genes everywhere."""
    noise = np.random.default_rng(1).normal(0, 0.05, GENES)
    tables = []
    for subset, value in ((SEEN, seen), (UNSEEN, unseen)):
        r = value + noise - noise.mean() if value else np.zeros(GENES)
        tables.append(pd.DataFrame({"group": [f"g{n}" for n in range(GENES)], "pearson": r, "subset": subset}))
    names = {"task": task, "model": model, "adaptation": "mixed", "origin": origin, "baseline": baseline}
    names |= {"label": model, "key": f"{task}/{model}", "control": control, "twin": "{}", "split": "test", "seeds": 1}
    return pd.concat(tables).assign(**names, ceiling=0.63)


CNN = scores("cnn", "scratch", "", 0.59, 0.50)
PREDIXCAN = scores("enet", "baseline", "elastic_net", 0.62, 0.0)
KMERS = scores("words", "baseline", "kmer_ridge_haplotypes", 0.42, 0.38)
MEAN = scores("mean", "baseline", "gene_mean", 0.0, 0.0)


def judged(*tables, task="gex"):
    return judge_personal(pd.concat(tables, ignore_index=True), task)


def test_seen_and_unseen_genes_are_judged_apart():
    sentence = judged(CNN, PREDIXCAN, MEAN).sentence
    assert "On genes seen in training no model beats the linear models of genotypes: cnn reaches r = 0.590" in sentence
    assert "on unseen genes cnn reaches r = 0.500 between people and beats every linear model of genotypes" in sentence


def test_a_baseline_that_reads_sequence_is_not_passed_over_on_unseen_genes():
    sentence = judged(CNN, PREDIXCAN, KMERS).sentence
    assert sentence.count("the best baseline of another kind") == 1
    assert "words, the best baseline of another kind, at 0.380, difference +0.120" in sentence


def test_the_gain_over_permuted_people_is_said_of_the_same_task_alone():
    control = scores("cnn", "scratch", "", 0.22, 0.26, task="permuted", control="permuted_people")
    other = scores("cnn", "scratch", "", 0.01, 0.01, task="permuted_snv", control="permuted_people")
    notes = judged(CNN, PREDIXCAN, control, other.assign(twin="other")).notes
    said = [note for note in notes if "permuted within genes" in note]
    assert len(said) == 2
    assert "On unseen genes cnn trained on people permuted" in said[1] and "r = 0.260: +0.240" in said[1]


def test_a_control_is_not_held_against_baselines_it_does_not_have():
    control = scores("cnn", "scratch", "", 0.22, 0.26, task="permuted", control="permuted_people")
    verdict = judged(CNN, control, task="permuted")
    assert verdict.sentence.endswith("on unseen genes cnn reaches r = 0.260 between people.")
    assert verdict.notes[0].startswith("This task is a control (permuted people)")


def test_the_hackathons_class_of_unseen_genes_is_judged_as_well():
    tables = pd.concat([CNN, PREDIXCAN], ignore_index=True).assign(gene_name="", heritability=0.2)
    ours, theirs = tables, tables.assign(subset=tables["subset"].replace({UNSEEN: "unseen genes"}))
    assert judge_personal(theirs, "gex") == judge_personal(ours, "gex")
    found, own = extremes(theirs, "gex", "unseen genes"), extremes(ours, "gex", UNSEEN)
    assert (found.label, found.key, found.baseline) == ("cnn", "gex/cnn", "enet")
    assert [gene["group"] for gene in found.genes] == [gene["group"] for gene in own.genes]
    assert len(found.genes) == 12 and all(gene["baseline"] == 0 for gene in found.genes)


def test_the_control_that_is_named_is_the_best_models():
    worse = scores("atlas", "scratch", "", 0.3, 0.3)
    controls = [
        scores(model, "scratch", "", value, value, task="permuted", control="permuted_people")
        for model, value in (("atlas", 0.25), ("cnn", 0.1))
    ]
    notes = judged(worse, CNN, PREDIXCAN, *controls).notes
    said = [note for note in notes if "permuted within genes" in note]
    assert "cnn trained on people permuted" in said[0] and "r = 0.100: +0.490" in said[0]
    assert any(note.startswith("2 models were compared on the test split itself") for note in notes)
    assert not any("were compared" in note for note in judged(CNN, PREDIXCAN).notes)
