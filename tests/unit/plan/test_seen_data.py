"""How often a pretraining sees its data is in the plan: beside the operations, and above four times with a warning."""

import numpy as np
import pandas as pd
import pytest
from glmflow.config import check_study
from glmflow.plan import jobs as plan
from glmflow.plan.seen_data import seen_data, sentences

MADE = {"family": "small", "config": {"causal": True}, "length": 100, "batch": 10}
STUDY = {
    "study": "s",
    "corpora": {"c": {"sources": [{"path": "c.fa"}]}},
    "tasks": {"t": {"kind": "language", "corpus": "c", "contexts": [64], "scored": 32}},
    "models": {
        "once": {"pretrain": {**MADE, "corpus": "c", "steps": 9}},
        "often": {"pretrain": {**MADE, "corpus": "c", "steps": 45}},
    },
    "adaptations": {"a": {"kind": "zero-shot"}},
    "runs": [{"tasks": ["t"], "models": "all", "adaptations": ["a"]}],
}


def table_of(*rows):
    """Sequences of a corpus: split, length, weight, species."""
    table = pd.DataFrame(rows, columns=["split", "length", "weight", "species"])
    return table.assign(cluster=np.arange(len(table)))


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A corpus of 9,000 training bases, which of 9 x 10 windows of 100 are read once."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results/s/corpora/c"
    folder.mkdir(parents=True)
    rows = [("train", 9000, 1.0, "large"), ("test", 5000, 1.0, "other")]
    table_of(*rows).to_parquet(folder / "sequences.parquet")
    return folder / "sequences.parquet"


def epochs_in(study):
    header, *rows = plan.table(plan.plan(study, {}, None), None, seen_data(study))
    assert header.index("epochs") == header.index("flop") + 1
    return {row[0]: row[header.index("epochs")] for row in rows}


def test_epochs_of_a_corpus_that_is_built_stand_beside_the_operations(built):
    study = check_study(STUDY)
    found = epochs_in(study)
    assert found["models/once/seed1"] == "1" and found["models/often/seed1"] == "5"
    assert found["predict/t/once/a/seed1"] == "-"
    (line,) = sentences(seen_data(study))
    assert line.startswith("models/often: the training part of the corpus is seen 5.0 times: beyond 4")


def test_a_small_species_that_is_drawn_as_often_as_a_large_one_is_named(built):
    """Of 9,000 bases in all half are of each species, and the smaller one has 500."""
    rows = [("train", 8500, 0.5, "large"), ("train", 500, 0.5, "small")]
    table_of(*rows).to_parquet(built)
    found = {label: seen.said for label, seen in seen_data(check_study(STUDY)).items()}
    assert "small of 500 bases, most often of all is seen 9.0 times" in found["once"][0]


def test_of_a_corpus_that_is_not_built_the_plan_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = check_study(STUDY)
    assert epochs_in(study)["models/once/seed1"] == "?"
    (line,) = sentences(seen_data(study))
    assert line.startswith("models/once, models/often: epochs are not known: corpus c is not built yet")
    assert "results/s/corpora/c/sequences.parquet builds it" in line


def test_epochs_of_a_genome_follow_from_its_training_contigs():
    study = {
        "study": "g",
        "simulate": {"cohort": {"contigs": {"chr1": 200_000, "chr2": 90_000}}},
        "splits": {"by": "contig", "train": ["chr1"], "test": ["chr2"]},
        "tasks": {"t": {"kind": "rnaseq_tracks"}},
        "models": {"m": {"pretrain": {**MADE, "steps": 1000}}},
        "adaptations": {"a": {"kind": "full"}},
        "runs": [{"tasks": ["t"], "models": ["m"], "adaptations": ["a"]}],
    }
    found = seen_data(check_study(study))
    assert found["m"].times == 5 and "genome is seen 5.0 times" in found["m"].said[0]
