"""A run whose adaptation scales activations (IA3): what it changes, and that stopped and resumed it ends in the same model."""

import json
import signal

import pytest
import torch
from glmflow.models import new_model
from glmflow.training.finetune import finetune
from glmflow.training.loop.trainer import StreamTrainer
from glmflow.training.tuned import load_tuned
from safetensors.torch import load_file
from tiny_tracks import tiny_tracks

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    adaptation = {"kind": "ia3", "weights": "random"}
    train = {"steps": 6, "optimizer": "adamw", "learning_rate": 0.05, "weight_decay": 5.0}
    return tiny_tracks(tmp_path_factory.mktemp("tracks"), adaptation, **train)


@pytest.fixture(scope="module")
def whole(given, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    finetune(**given, folder=folder)
    return folder


def test_factors_of_keys_values_and_inner_activations_are_all_that_changes(given, whole):
    cost = json.loads((whole / "cost.json").read_text())
    layers = {"key": 1, "value": 1, "down": 1}
    assert cost["model"]["adapted"] == {"by": "IA3", "layers": layers, "trainable": 16 + 16 + 64}
    before = new_model("small", given["settings"]["model"]["new"]["config"], seed=1).network.state_dict()
    after = load_file(whole / "model/model.safetensors")
    changed = {name.split(".")[2] for name, value in after.items() if not torch.equal(value, before[name])}
    assert changed == set(layers)
    # Folded in: a factor for each row of the keys, and for each column of what the second layer reads.
    for name, along in (("key", 1), ("value", 1), ("down", 0)):
        factors = after[f"blocks.0.{name}.weight"] / before[f"blocks.0.{name}.weight"]
        assert factors.std(along).max() < 1e-4 and (factors - 1).abs().max() > 1e-3
        # Six steps of .05 at most; a decay of 5 would draw them to .4 alone (1 - .05 * 5 at its peak).
        assert factors.min() > 0.69


def test_a_run_that_was_stopped_goes_on_to_the_same_model(given, whole, tmp_path, monkeypatch):
    step, calls = StreamTrainer.training_step, []

    def stopped(*arguments, **more):
        calls.append(None)
        if len(calls) == 6:  # in the second micro-batch of the third update
            signal.raise_signal(signal.SIGTERM)
        return step(*arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(StreamTrainer, "training_step", stopped)
        with pytest.raises(SystemExit):
            finetune(**given, folder=tmp_path)
    finetune(**given, folder=tmp_path)
    assert json.loads((tmp_path / "cost.json").read_text())["resumed_from"] > 0
    for name in ("model.safetensors", "head.safetensors"):
        assert (tmp_path / "model" / name).read_bytes() == (whole / "model" / name).read_bytes()
    states = [load_tuned(folder / "model")[0].features_of(["ACGTTGCA" * 8]) for folder in (whole, tmp_path)]
    assert torch.equal(*states)
