"""Whole runs on labelled sequences: a full fine-tuning and a probe learn which sequences hold a motif."""

import copy
import json

import numpy as np
import pandas as pd
import pytest
import torch
from glmflow.config import check_study, run_settings
from glmflow.files import write_table
from glmflow.models import load_model, new_model
from glmflow.tasks.sequences import examples, score
from glmflow.tasks.tables import Division
from glmflow.training.finetune import finetune
from glmflow.training.predict import predict
from tiny_sequences import ADAPTATIONS, MODELS, SMALL, toy_study

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return toy_study(tmp_path_factory.mktemp("toy"))


def run(toy, folder, model, adaptation, states=None, **train):
    _, settings, rows, files = toy
    chosen = copy.deepcopy(settings[model, adaptation])
    chosen["adaptation"]["train"] |= train
    finetune(chosen, rows, files, None, folder, states)
    predict(chosen, rows, files, folder / "model", folder, states)
    return pd.read_parquet(folder / "predictions.parquet")


@pytest.mark.parametrize(("model", "adaptation"), [("cnn", "full"), ("small", "probe")])
def test_a_motif_is_learned(toy, tmp_path, model, adaptation):
    study, settings, rows, files = toy
    predictions = run(toy, tmp_path, model, adaptation)
    assert sorted(predictions["example"]) == sorted(rows.loc[rows["split"] != "train", "example"])
    classes = predictions.drop(columns="example")
    assert list(classes) == ["prediction_with", "prediction_without"]
    np.testing.assert_allclose(classes.sum(axis=1), 1, rtol=1e-5)
    scored = settings[model, adaptation] | {"task": study.tasks["toy"].model_dump(mode="json")}
    metrics = score(scored, rows, predictions, tmp_path / "predicted", files).metrics
    accuracy = metrics.query("metric == 'accuracy'").set_index("split")["value"]
    assert accuracy["test"] >= 0.9 and accuracy["validation"] >= 0.9
    cost = json.loads((tmp_path / "cost.json").read_text())
    assert (cost["trainable_parameters"] == cost["parameters"]) == (adaptation == "full")
    if adaptation == "probe":
        frozen = new_model(**SMALL, seed=settings[model, adaptation]["seed"]).network.state_dict()
        kept = load_model(tmp_path / "model").network.state_dict()
        assert kept and all(torch.equal(kept[name], frozen[name]) for name in kept)


def test_a_probe_reads_the_states_of_an_earlier_one(toy, tmp_path, caplog):
    caplog.set_level("INFO", "glmflow.training.frozen_states")
    first = run(toy, tmp_path / "a", "small", "probe", tmp_path / "states", steps=2)
    parts = set((tmp_path / "states").rglob("*.npy"))
    caplog.clear()
    second = run(toy, tmp_path / "b", "small", "probe", tmp_path / "states", steps=2)
    assert parts and set((tmp_path / "states").rglob("*.npy")) == parts and ": 0 computed" in caplog.text
    pd.testing.assert_frame_equal(first, second)


@pytest.mark.parametrize(("labels", "metric"), [("values", "pearson"), ("labels", "auroc")])
def test_values_and_labels_are_learned_and_predicted_alike_again(tmp_path, labels, metric):
    """How often a motif stands in a sequence, and whether it does; the saved model predicts the same, to the last bit."""
    rng = np.random.default_rng(0)
    rows = []
    for split in ["train"] * 200 + ["validation"] * 30 + ["test"] * 70:
        bases, count = rng.choice(list("ACGT"), 60), rng.integers(0, 4)
        for start in range(0, 20 * count, 20):
            bases[start + 4 : start + 12] = list("TATAAGCT")
        rows.append(("".join(bases), split, 100.0 + 30 * count, int(count > 0), int(count > 1)))
    table = pd.DataFrame(rows, columns=["sequence", "split", "value", "any", "more"])
    table.to_csv(tmp_path / "t.tsv", sep="\t", index=False)
    label = "value" if labels == "values" else ["any", "more"]
    study = check_study(
        {
            "study": "s",
            "tasks": {
                "t": {
                    **{"kind": "sequences", "table": str(tmp_path / "t.tsv"), "labels": labels, "length": 60},
                    **{"columns": {"label": label}, "bootstrap": 20},
                }
            },
            "models": {"cnn": MODELS["cnn"]},
            "adaptations": {"full": ADAPTATIONS["full"]},
            "runs": [{"tasks": ["t"], "models": ["cnn"], "adaptations": ["full"]}],
        }
    )
    task = study.tasks["t"]
    settings = run_settings(study, study.expanded[0][0])
    made = examples(task, {}, Division())
    for name, facts in made.facts.items():
        write_table(facts, tmp_path / "tables" / name)
    files = {"tables": str(tmp_path / "tables")}
    finetune(settings, made.table, files, None, tmp_path / "run")
    for again in ("one", "two"):
        predict(settings, made.table, files, tmp_path / "run/model", tmp_path / again)
    one, two = (pd.read_parquet(tmp_path / again / "predictions.parquet") for again in ("one", "two"))
    pd.testing.assert_frame_equal(one, two)
    scored = score(settings | {"task": task.model_dump(mode="json")}, made.table, one, tmp_path, files)
    found = scored.metrics.query("split == 'test' and subset == 'all' and track in ['all', 'mean']").set_index(
        "metric"
    )["value"]
    assert found[metric] > 0.9
    logged = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert any(f"eval_{metric}" in line for line in logged)
