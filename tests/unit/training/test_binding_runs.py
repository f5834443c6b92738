"""Heads on keys: what they compute, and whole runs on simulated binding."""

import numpy as np
import pandas as pd
import pytest
import torch
from glmflow.config import check_study, run_settings
from glmflow.config.views import Run
from glmflow.errors import InputError
from glmflow.files import write_table
from glmflow.models.heads import new_head
from glmflow.statistics.classification import auroc
from glmflow.tasks.seq2cellxtf import examples
from glmflow.tasks.tables import Division
from glmflow.training.finetune import finetune
from glmflow.training.losses import new_loss
from glmflow.training.predict import predict

torch.set_num_threads(1)
TRAIN = {"optimizer": "adamw", "learning_rate": 0.01, "steps": 30, "batch": 32, "micro_batch": 32, "evaluations": 1}
STUDY = {
    "study": "toy",
    "tasks": {
        "binding": {
            "kind": "seq2cellxtf",
            "simulated": {"regions": 500, "cells": 6, "tfs": 12, "width": 120, "seed": 1},
            "keys": {"cells": 1, "pairs": 0.05, "validation": 0.1},
            "length": 100,
            "components": 3,
        }
    },
    "models": {
        "cnn": {"new": {"family": "promoter_cnn", "config": {"filters": 8, "channels": 8}}},
        "small": {"new": {"family": "small", "config": {"hidden_size": 16, "num_heads": 2, "num_layers": 1}}},
    },
    "adaptations": {
        "bilinear": {
            "kind": "full",
            "head": {"kind": "bilinear", "rank": 8},
            "train": TRAIN | {"reverse_complement": True},
        },
        "query": {"kind": "full", "head": {"kind": "motif_query", "width": 8}, "train": TRAIN},
        "probe": {"kind": "probe", "weights": "random", "head": "tf_heads", "loss": "key_contrast", "train": TRAIN},
    },
    "runs": [
        {"tasks": ["binding"], "models": ["cnn"], "adaptations": ["bilinear", "query"]},
        {"tasks": ["binding"], "models": ["small"], "adaptations": ["probe"]},
    ],
}


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy")
    study = check_study(STUDY)
    found = examples(study.tasks["binding"], {}, Division())
    for name, table in found.facts.items():
        write_table(table, folder / name)
    return study, found, folder


@pytest.mark.parametrize(("model", "adaptation"), [("cnn", "bilinear"), ("cnn", "query"), ("small", "probe")])
def test_a_run_predicts_all_held_out_keys_and_orders_regions(toy, tmp_path, model, adaptation):
    study, found, folder = toy
    settings = run_settings(study, Run("binding", model, adaptation, 1))
    files = {"tables": str(folder)}
    finetune(settings, found.table, files, None, tmp_path)
    predict(settings, found.table, files, tmp_path / "model", tmp_path)
    predictions = pd.read_parquet(tmp_path / "predictions.parquet").set_index("example")
    keys = found.facts["keys.tsv"]
    asked = keys.loc[keys["split"] != "train", "key"]
    assert list(predictions) == [f"prediction_{key}" for key in asked]
    assert set(predictions.index) == set(found.table.loc[found.table["split"] != "train", "example"])
    assert predictions.to_numpy().min() >= 0 and predictions.to_numpy().max() <= 1
    labels = np.zeros((len(keys), len(found.table)), bool)
    labels[found.facts["labels.parquet"]["key"], found.facts["labels.parquet"]["region"]] = True
    place = {name: row for row, name in enumerate(found.table["example"])}
    rows = [place[name] for name in predictions.index]
    areas = [float(auroc(labels[key, rows], predictions[f"prediction_{name}"])[0]) for key, name in asked.items()]
    assert np.nanmean(areas) > 0.6
    again = tmp_path / "again"
    predict(settings, found.table, files, tmp_path / "model", again)
    pd.testing.assert_frame_equal(pd.read_parquet(again / "predictions.parquet").set_index("example"), predictions)


def test_a_head_of_known_tfs_is_refused_where_tfs_are_held_out():
    changed = {**STUDY, "tasks": {"binding": STUDY["tasks"]["binding"] | {"keys": {"tfs": 2}}}}
    with pytest.raises(InputError, match="tf_heads of adaptation 'probe' knows training TFs alone"):
        check_study(changed)


KEYS = {
    "tf": [0, 1, 0],
    "cell": [0, 0, 1],
    "prior": [-1.0, -2.0, -3.0],
    "alike": [[1.0], [0.2]],
    "cells": [[0.5, 1.0], [-0.5, 0.0]],
    "expressed": [[1.0, 0.5], [0.0, 1.0]],
    "motifs": np.random.default_rng(0).normal(0, 0.2, (2, 4, 6)).tolist(),
    "known": [0, -1],
}


@pytest.mark.parametrize("kind", ["bilinear", "motif_query", "tf_heads"])
def test_padding_is_never_read_and_priors_are_added(kind):
    torch.manual_seed(0)
    head = new_head({"kind": kind, "dropout": 0.0}, 5, KEYS).eval()
    states, inside = torch.randn(2, 30, 5), torch.ones(2, 30, dtype=torch.bool)
    inside[1, 20:] = False
    changed = states.clone()
    changed[1, 20:] = 100.0
    rest = torch.tensor([0, 1, 2]), torch.rand(2, 2), torch.rand(2, 2)
    if kind == "tf_heads":
        rest = torch.tensor([0, 2]), *rest[1:]
    one, other = (head(head.pool(own, inside), *rest) for own in (states, changed))
    assert one.shape == (2, len(rest[0])) and torch.allclose(one, other, atol=1e-6)
    shifted = new_head({"kind": kind, "dropout": 0.0}, 5, KEYS | {"prior": [0.0, -1.0, -2.0]}).eval()
    shifted.load_state_dict(head.state_dict())
    assert torch.allclose(shifted(shifted.pool(states, inside), *rest), one + 1, atol=1e-5)


@pytest.mark.parametrize("kind", ["key_cross_entropy", "key_contrast"])
def test_labels_that_are_not_known_are_not_learned(kind):
    torch.manual_seed(0)
    loss = new_loss({"kind": kind} | ({"weight": 0.5, "temperature": 0.7} if kind == "key_contrast" else {}), {})
    logits, labels = torch.randn(3, 5, requires_grad=True), (torch.rand(3, 5) < 0.5).float()
    labels[:, 3] = labels[1] = float("nan")  # a key, and a region, of which nothing is known
    own = loss(logits, labels)
    own.backward()
    rows, columns = [0, 2], [0, 1, 2, 4]
    assert own.item() == pytest.approx(loss(logits[rows][:, columns], labels[rows][:, columns]).item(), abs=1e-6)
    assert torch.isfinite(logits.grad).all() and not logits.grad[1].any() and not logits.grad[:, 3].any()


def test_queries_are_the_same_for_a_motif_and_its_reverse_complement():
    torch.manual_seed(0)
    turned = {**KEYS, "motifs": np.array(KEYS["motifs"])[:, ::-1, ::-1].tolist()}
    head, other = (new_head({"kind": "motif_query"}, 5, keys) for keys in (KEYS, turned))
    other.load_state_dict(head.state_dict())
    assert torch.allclose(head.queries(), other.queries(), atol=1e-6)


def test_haplotypes_of_people_are_refused_where_regions_are_simulated():
    changed = {**STUDY, "predict": {"people": {"write": "binding", "vcf": "people.vcf.gz", "fasta": "genome.fa"}}}
    with pytest.raises(InputError, match=r"simulated regions lie in no genome; name other `tasks` in predict\.people"):
        check_study(changed)
