"""Heads on keys: what they compute, and whole runs on simulated binding."""

import numpy as np
import pandas as pd
import pytest
import torch
from glmflow.bases import shifted
from glmflow.binding.binding_tables import Binding
from glmflow.config import check_study, run_settings
from glmflow.config.views import Run
from glmflow.errors import InputError
from glmflow.files import write_table
from glmflow.models import new_model
from glmflow.models.heads import new_head, stacked_heads
from glmflow.statistics.classification import auroc
from glmflow.tasks.seq2cellxtf import examples, score
from glmflow.tasks.tables import Division
from glmflow.training.finetune import finetune
from glmflow.training.inputs.region_keys import ready
from glmflow.training.losses import new_loss
from glmflow.training.predict import predict
from glmflow.training.tuned import RunBlocks
from hackathon_files import hackathon

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
        "stack": {"kind": "probe", "head": {"kind": "stack", "components": 8, "trees": 20, "rows": 20000}},
        "probe": {"kind": "probe", "weights": "random", "head": "tf_heads", "loss": "key_contrast", "train": TRAIN},
    },
    "runs": [
        {"tasks": ["binding"], "models": ["small"], "adaptations": ["stack"]},
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


@pytest.mark.parametrize(
    ("model", "adaptation"), [("cnn", "bilinear"), ("cnn", "query"), ("small", "probe"), ("small", "stack")]
)
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


def test_a_model_as_it_is_ranks_sites_beside_the_motif(toy, tmp_path):
    """Keys of a TF have one rank, the mean of the motif's and the model's; the scores stand beside those of the motif alone."""
    _, found, folder = toy
    task = STUDY["tasks"]["binding"] | {"unlabelled": ["support", "state_change"], "bootstrap": 5}
    asked = {"as_it_is": {"kind": "zero-shot", "weights": "random"}}
    runs = [{"tasks": ["binding"], "models": ["small"], "adaptations": ["as_it_is"]}]
    study = check_study({**STUDY, "tasks": {"binding": task}, "adaptations": asked, "runs": runs})
    settings = run_settings(study, Run("binding", "small", "as_it_is", 1))
    model, files = tmp_path / "published", {"tables": str(folder)}
    new_model("small", STUDY["models"]["small"]["new"]["config"], seed=1).save(model)
    predict(settings, found.table, files, model, tmp_path)
    predictions = pd.read_parquet(tmp_path / "predictions.parquet").set_index("example")
    sites = pd.read_parquet(tmp_path / "predicted/site_scores.parquet")
    binding = Binding(found.table, folder)
    asked = binding.keys[binding.keys["split"] == "test"]
    for tf, keys in asked.groupby("tf"):
        values = predictions[[f"prediction_{key}" for key in keys["key"]]].to_numpy()
        assert (values == values[:, :1]).all()
        own = sites[sites["tf"] == tf].set_index("example").reindex(predictions.index)
        split = found.table.set_index("example")["split"].reindex(predictions.index)
        ranks = own[["motif", "support"]].groupby(split).rank(pct=True).mean(axis=1)
        assert values[:, 0] == pytest.approx(ranks.to_numpy(), abs=1e-6)
    settings = settings | {"task": task}
    scored = score(settings, found.table, predictions.reset_index(), tmp_path / "predicted", files)
    metrics = scored.metrics[(scored.metrics["split"] == "test") & (scored.metrics["subset"] == "all")]
    assert metrics.set_index("metric")["value"]["cell_concordance"] == 0.5
    table = scored.tables["unlabelled.tsv"].set_index("score")
    assert list(table.index) == ["motif", "support", "state_change"]
    assert table.loc["motif", "auroc"] > 0.6 and table.notna().all().all()


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


@pytest.mark.parametrize("kind", ["bilinear", "motif_query"])
def test_heads_tell_tfs_of_one_motif_apart_by_their_proteins(kind):
    torch.manual_seed(0)
    same = {**KEYS, "prior": [0.0] * 3, "alike": [[1.0], [1.0]], "motifs": [KEYS["motifs"][0]] * 2, "cell": [0, 0, 0]}
    states, inside = torch.randn(2, 30, 5), torch.ones(2, 30, dtype=torch.bool)
    rest = torch.tensor([0, 1]), torch.full((2, 2), 0.5), torch.zeros(2, 2)
    for proteins, apart in (([[], []], False), ([[1.0], [0.1]], True)):
        head = new_head({"kind": kind, "dropout": 0.0}, 5, same | {"proteins": proteins}).eval()
        found = head(head.pool(states, inside), *rest)
        assert torch.allclose(found[:, 0], found[:, 1]) != apart


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


def test_training_regions_are_moved_and_others_are_not(toy):
    _, found, folder = toy
    changed = {**STUDY["tasks"]["binding"], "shift": 20}
    shifting = check_study({**STUDY, "tasks": {"binding": changed}, "runs": STUDY["runs"][1:2]})
    run = RunBlocks.of(run_settings(shifting, Run("binding", "cnn", "query", 1)))
    made = ready(run, found.table, {"tables": str(folder)})
    whole = made.train(3, None)["sequence"]
    moves = set()
    for seed in range(60):
        own = made.train(3, np.random.default_rng(seed))["sequence"]
        by = next(by for by in range(-20, 21) if (own == shifted(whole, by)).all())
        assert len(own) == 100 and (own == ord("N")).sum() == abs(by)
        moves.add(by)
    assert len(moves) > 20 and min(moves) < 0 < max(moves)
    assert (made.validation(0, np.random.default_rng(1))["sequence"] == made.validation(0, None)["sequence"]).all()
    with pytest.raises(InputError, match="adaptation 'probe' keeps the states of each region as it is"):
        check_study({**STUDY, "tasks": {"binding": changed}})


def test_a_shift_moves_bases_and_fills_with_n():
    codes = np.frombuffer(b"ACGT", np.uint8)
    assert [shifted(codes, by).tobytes() for by in (0, 1, -2)] == [b"ACGT", b"NACG", b"GTNN"]


def test_the_stack_reads_what_trees_are_given_and_learns_no_unknown_label():
    """Labels are sites in accessible regions; NaN ones say the reverse and are not read. A new TF is predicted by its sites."""
    rng = np.random.default_rng(0)
    features, accessibility = rng.normal(size=(600, 9)).astype(np.float32), rng.random((600, 2)).astype(np.float32)
    occupancy = rng.random((600, 2)).astype(np.float32)
    keys = {
        **KEYS,
        "prior": [-1.0, -1.0, -1.0],
        "cells": [[0.5, 1.0], [0.5, 1.0]],
        "expressed": [[1.0, 1.0], [1.0, 1.0]],
    }
    bound = (occupancy[:, [0, 0]] * accessibility > 0.3).astype(np.float32)
    labels = np.where(rng.random(bound.shape) < 0.3, np.nan, bound)
    head = new_head({"kind": "stack", "components": 4, "trees": 60}, 3, keys)
    head.grow(features, np.array([0, 2]), occupancy, accessibility, labels)
    asked = torch.tensor([0, 1, 2])
    given = [torch.from_numpy(values) for values in (features, occupancy, accessibility)]
    found = head(given[0], asked, *given[1:]).numpy()
    for place, (tf, cell) in enumerate([(0, 0), (1, 0), (0, 1)]):
        truth = occupancy[:, tf] * accessibility[:, cell] > 0.3
        assert float(auroc(truth, found[:, place])[0]) > 0.97
    again = new_head({"kind": "stack", "components": 4, "trees": 60}, 3, keys)
    again.load_state_dict(head.state_dict())
    assert np.array_equal(again(given[0], asked, *given[1:]).numpy(), found)


def test_components_of_states_are_those_of_their_singular_values(monkeypatch):
    monkeypatch.setattr(stacked_heads, "AT_ONCE", 100)
    features = (np.random.default_rng(0).normal(size=(350, 12)) * np.arange(1, 13)).astype(np.float32) + 40
    features[:, 0] = features[:, 1]  # of rank 11
    centre = features.mean(axis=0)
    found = stacked_heads.principal_axes(features, centre, 12)
    _, spread, axes = np.linalg.svd(features.astype(np.float64) - centre, full_matrices=False)
    assert found.shape == (12, 11)
    expected = axes[:11].T / (spread[:11] / 350**0.5)
    assert np.abs(found) == pytest.approx(np.abs(expected), rel=1e-4, abs=1e-5)
    assert ((features - centre) @ found).std(axis=0) == pytest.approx(1, abs=1e-4)


def test_heads_of_known_tfs_are_refused_where_a_trial_holds_tfs_out(test_data, tmp_path):
    """The trial says what is held out, not the settings: it is seen in its files, before anything is trained."""
    study = check_study(
        {
            **STUDY,
            "tasks": {
                name: {"kind": "seq2cellxtf", "hackathon": hackathon(test_data, name), "components": 3} for name in "ab"
            },
            "runs": [{"tasks": ["a", "b"], "models": ["small"], "adaptations": ["probe"]}],
        }
    )
    for name in "ab":
        found = examples(study.tasks[name], {}, Division())
        for file, table in found.facts.items():
            write_table(table, tmp_path / name / file)
        run = RunBlocks.of(run_settings(study, Run(name, "small", "probe", 1)))
        files = {"tables": str(tmp_path / name)}
        if name == "a":
            assert len(ready(run, found.table, files).train)
        else:
            with pytest.raises(
                InputError, match="3 held-out keys are of TFs that training does not have, such as ETS2"
            ):
                ready(run, found.table, files)


def test_the_stack_takes_a_frozen_model():
    changed = {**STUDY, "adaptations": {**STUDY["adaptations"], "query": {"kind": "full", "head": "stack"}}}
    with pytest.raises(InputError, match="exact needs the states of a frozen model, kind probe, not full"):
        check_study(changed)
