"""A tuned model is saved and loaded in one place; model folders of version 0.1.0 are read too."""

import json

import numpy as np
import pytest
import torch
from glmflow.errors import InputError
from glmflow.models import new_model
from glmflow.models.heads.coverage_heads import LinearTrackHead, TrackHead
from glmflow.models.heads.expression_heads import ExpressionHead
from glmflow.tracks.scaling import unscale_predictions
from glmflow.training.inputs.gene_haplotypes import predict_samples
from glmflow.training.inputs.track_windows import predict_codes
from glmflow.training.ready import Predictor
from glmflow.training.record import read_record
from glmflow.training.tuned import RunBlocks, load_tuned, new_tuned, save_tuned
from safetensors.torch import save_file
from tiny_genes import settings_of

torch.set_num_threads(1)
TRAIN_0_1 = {"optimizer": "adafactor", "steps": 5, "batch": 2, "micro_batch": 1, "reverse_complement": False}
ADAPTATION_0_1 = {
    **{"kind": "full", "train": TRAIN_0_1, "weights": "given", "rank": 8, "alpha": 16, "dropout": 0.0},
    **{"targets": None, "experts": False, "head": {"kind": "track", "bins": 4, "hidden": 8}},
    "personal": {"loss": "mixed", "weight": 0.25, "people": 3, "shift": 5},
}
LABELS_0_1 = {"study": "s", "task_label": "t", "model_label": "m", "adaptation_label": "a", "seed": 3, "base": None}
TRACKS_0_1 = {"plus": {"biosample": "b", "strand": "+"}, "minus": {"biosample": "b", "strand": "-"}}
COVERAGE_0_1 = {
    **{"kind": "rnaseq_tracks", "windows": {"size": 64, "overlap": 32, "max_n_fraction": 0.1}, "tracks": None},
    **{"scaling": {"squash": True, "soft_clip": 10.0}, "haplotypes": None, "loss": "tweedie", "tweedie_power": 1.5},
    "trim": 8,
}
EXPRESSION_0_1 = {
    **{"kind": "snp2gex", "windows": {"size": 64, "max_n_fraction": 0.1}, "variants": "snv", "min_maf": 0.0},
    **{"expression": "matrix.tsv", "hackathon": None, "combine": "predictions", "control": "none"},
}


def write_0_1(folder, adapter, head, task, **content):
    """Write a model folder as version 0.1.0 did."""
    adapter.drop_head()
    adapter.save(folder)
    save_file(dict(head.state_dict()), folder / "head.safetensors")
    settings = LABELS_0_1 | {
        "task": task,
        "adaptation": content.pop("adaptation", ADAPTATION_0_1),
        "tracks": {},
        "told": None,
    }
    if task["kind"] == "rnaseq_tracks":
        settings["tracks"] = TRACKS_0_1
    (folder / "task.json").write_text(json.dumps({"settings": settings, **content}))


def resaved(folder, to):
    """Load a model folder, save it as it is saved now, and load that."""
    model, run = load_tuned(folder)
    save_tuned(model, *read_record(folder), to)
    assert json.loads((to / "task.json").read_text()).keys() == {"settings", "fitted"}
    again, run_again = load_tuned(to)
    assert run == run_again and not model.training
    return (model, run), (again, run_again)


@pytest.mark.parametrize(("kind", "network"), [("track", TrackHead), ("linear", LinearTrackHead)])
def test_a_coverage_model_of_0_1_predicts_as_it_did(tmp_path, kind, network):
    torch.manual_seed(0)
    adapter = new_model("small", {"hidden_size": 32, "num_heads": 2, "num_layers": 1}, seed=2).eval()
    head, means = network(32, 2).eval(), {"plus": 3.0, "minus": 5.0}
    adaptation = ADAPTATION_0_1 | {"head": {"kind": kind, "bins": 16, "hidden": 64}}
    write_0_1(tmp_path / "old", adapter, head, COVERAGE_0_1, track_means=means, adaptation=adaptation)
    codes = list(np.random.default_rng(0).choice(np.frombuffer(b"ACGT", np.uint8), (3, 64)))
    with torch.no_grad():
        scaled = head(adapter.states_per_base(adapter.tokenize(codes)))
        expected = unscale_predictions(scaled, torch.tensor([[3.0], [5.0]]), squash=True, clip=10.0).numpy()
    (model, run), (again, _) = resaved(tmp_path / "old", tmp_path / "new")
    np.testing.assert_allclose(predict_codes(model, codes, None), expected, rtol=1e-5)
    np.testing.assert_array_equal(predict_codes(again, codes, None), predict_codes(model, codes, None))
    assert run.adaptation.loss.kind == "tweedie" and run.adaptation.loss.power == 1.5
    assert run.adaptation.head.kind == kind and run.seed == 3


@pytest.mark.parametrize(("combine", "loss"), [("predictions", "mixed"), ("states", "pairwise")])
def test_an_expression_model_of_0_1_predicts_as_it_did(tmp_path, combine, loss):
    torch.manual_seed(0)
    adapter = new_model("promoter_cnn", {"filters": 4, "channels": 8}, seed=2).eval()
    head = ExpressionHead(8, 4, 8).eval()
    adaptation = ADAPTATION_0_1 | {"personal": ADAPTATION_0_1["personal"] | {"loss": loss}}
    task = EXPRESSION_0_1 | {"combine": combine}
    write_0_1(tmp_path / "old", adapter, head, task, offset=1.5, scale=2.0, adaptation=adaptation)
    sequences = np.random.default_rng(0).choice(np.frombuffer(b"ACGT", np.uint8), (3, 64))
    carried = np.array([[0, 1], [2, 2], [1, 0]])
    with torch.no_grad():
        pooled = head.pool(head.bin(adapter.states_per_base(adapter.tokenize(list(sequences)))))
        each = head.read(pooled[carried].mean(1)) if combine == "states" else head.read(pooled)[carried].mean(1)
    loaded, again = (
        predict_samples(Predictor(*found), sequences, carried) for found in resaved(tmp_path / "old", tmp_path / "new")
    )
    np.testing.assert_allclose(loaded, 1.5 + 2.0 * each.numpy(), rtol=1e-5)
    np.testing.assert_array_equal(again, loaded)
    assert loaded[0] == loaded[2] != loaded[1]
    run = load_tuned(tmp_path / "old")[1]
    assert run.adaptation.loss.kind == loss and getattr(run.adaptation.loss, "weight", 0.25) == 0.25
    assert (run.adaptation.personal.people, run.adaptation.personal.shift) == (3, 5)
    assert (run.adaptation.head.bins, run.adaptation.head.hidden) == (4, 8)


def test_what_is_no_model_of_a_run_is_refused_in_one_line(tmp_path):
    settings = settings_of({}, {"kind": "full", "head": {"bins": 4, "hidden": 8}})
    fitted = {"mean": 0.0, "total": 1.0, "between": 1.0}
    adapter = new_model("promoter_cnn", {"filters": 4, "channels": 8}, seed=2)
    save_tuned(new_tuned(RunBlocks.of(settings), adapter, fitted), settings, fitted, tmp_path / "model")
    assert load_tuned(tmp_path / "model")[1].task.windows.size == settings["task"]["windows"]["size"]
    head = ExpressionHead(8, 4, 8).state_dict()
    save_file({name: value for name, value in head.items() if name != "place"}, tmp_path / "model/head.safetensors")
    with pytest.raises(InputError, match=r"head\.safetensors: not the head of this task: .*Missing key.*place"):
        load_tuned(tmp_path / "model")
    (tmp_path / "model/task.json").write_text("{")
    with pytest.raises(InputError, match=r"task\.json: not valid: "):
        load_tuned(tmp_path / "model")
    with pytest.raises(InputError, match=r"no task\.json: not the model of a run"):
        load_tuned(tmp_path)
