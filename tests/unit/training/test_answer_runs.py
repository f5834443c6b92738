"""Runs that answer questions: what is kept of a frozen model changes nothing, and killed runs end as undisturbed ones."""

import json
import signal
import socket

import numpy as np
import pandas as pd
import pytest
import torch
from glmflow.config import read_study, run_settings
from glmflow.models import new_model
from glmflow.models.adapter import Adapter
from glmflow.models.text.text_loading import new_text_model, new_tokenizer
from glmflow.tasks.diagnosis import examples
from glmflow.training import finetune as finetuning
from glmflow.training.finetune import finetune
from glmflow.training.inputs import allele_controls
from glmflow.training.predict import predict
from glmflow.training.targets import answer_text
from safetensors.torch import load_file

pytestmark = pytest.mark.slow
torch.set_num_threads(1)


class Study:
    """A study of one short run, its examples and its files."""

    def __init__(self, folder, kind="full", steps=6, **head):
        small = {"kind": "text_answers", "hidden": 16, "layers": 1, "heads": 2, "vocabulary": 330, "stride": 8}
        if "text" in head:
            small = {"kind": "text_answers", "stride": 8}
        raw = {
            "study": "s",
            "tasks": {"t": {
                "kind": "diagnosis", "simulated": {"train": 24, "test": 6}, "flank": 20, "draws": 1, "bootstrap": 50,
                "splits": {"by": "official"},
            }},
            "models": {"m": {"checkpoint": str(folder / "cnn")}},
            "adaptations": {"a": {
                "kind": kind, "head": {**small, **head},
                "train": {"optimizer": "adamw", "learning_rate": 0.01, "steps": steps, "batch": 4, "micro_batch": 2,
                          "evaluations": 2},
            }},
            "runs": [{"tasks": ["t"], "models": ["m"], "adaptations": ["a"]}],
        }  # fmt: skip
        folder.mkdir(exist_ok=True)
        (folder / "study.json").write_text(json.dumps(raw))
        study = read_study(folder / "study.json")
        new_model("promoter_cnn", {"filters": 4, "channels": 8, "bin": 1}, seed=1).save(folder / "cnn")
        self.checkpoint = folder / "cnn"
        self.settings = run_settings(study, study.runs_of("t")[0])
        self.made = examples(study.tasks["t"], {}, None)
        (tables := folder / "tables").mkdir(exist_ok=True)
        for name, table in self.made.facts.items():
            table.to_csv(tables / name, sep="\t", index=False)
        self.files, self.states = {"tables": str(tables)}, folder / "states"

    def train(self, folder):
        finetune(self.settings, self.made.table, self.files, self.checkpoint, folder, self.states)

    def ask(self, folder):
        predict(self.settings, self.made.table, self.files, folder / "model", folder, self.states)
        found = {path.name: pd.read_parquet(path) for path in sorted((folder / "predicted").glob("*.parquet"))}
        return {**found, "predictions": pd.read_parquet(folder / "predictions.parquet")}


def weights(folder):
    return {
        name: value
        for path in sorted((folder / "model").glob("*.safetensors"))
        for name, value in load_file(path).items()
    }


def test_recomputed_activations_train_the_same_weights(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        answer_text.AnswerText, "checkpoint", lambda target: asked.append(1) or target.head.checkpoint()
    )
    study = Study(tmp_path, "probe")
    study.train(tmp_path / "plain")
    assert not asked
    study.settings["adaptation"]["train"]["gradient_checkpointing"] = True
    study.train(tmp_path / "again")
    assert asked == [1]
    plain, again = weights(tmp_path / "plain"), weights(tmp_path / "again")
    assert plain.keys() == again.keys()
    for name, value in plain.items():
        torch.testing.assert_close(again[name], value, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("head", [{"dna": "both"}, {"pooling": "queries", "queries": 3, "both_strands": True}])
def test_what_is_kept_of_a_frozen_model_gives_the_same_answers(tmp_path, monkeypatch, head):
    study, read = Study(tmp_path, "probe", **head), []
    states = Adapter.states_per_base

    def counted(adapter, tokens, layer=None):
        read.append(len(tokens.input_ids))
        return states(adapter, tokens, layer)

    monkeypatch.setattr(Adapter, "states_per_base", counted)
    study.train(tmp_path / "kept")
    first = sum(read)
    views = 2 * (24 + 6) * (2 if head.get("both_strands") else 1)
    assert 0 < first <= views, "each allele of training and validation once, whatever the number of updates"
    study.train(tmp_path / "again")
    assert sum(read) == first, "the next run reads what was kept"
    found = study.ask(tmp_path / "kept")
    monkeypatch.setattr(finetuning, "kept_features", lambda *given: None)
    study.train(tmp_path / "plain")
    for name, value in weights(tmp_path / "kept").items():
        torch.testing.assert_close(weights(tmp_path / "plain")[name], value, atol=1e-4, rtol=1e-3)
    monkeypatch.setattr(answer_text.AnswerText, "caches", False)
    monkeypatch.setattr("glmflow.training.predict.open_states", lambda *given: None)
    (tmp_path / "without").mkdir()
    (tmp_path / "without/model").symlink_to(tmp_path / "kept/model")
    other = study.ask(tmp_path / "without")
    assert found.keys() == other.keys()
    for name, table in found.items():
        own = table.select_dtypes("number").to_numpy()
        np.testing.assert_allclose(own, other[name].select_dtypes("number").to_numpy(), atol=2e-4, err_msg=name)


def test_a_qwen3_of_a_folder_is_adapted_without_a_network_and_its_weights_stay(tmp_path, monkeypatch):
    tokenizer = new_tokenizer(["Which disease does the variant near ADORA cause? Answer: amber fever"] * 3, 330)
    text = new_text_model(tokenizer.size, 16, 1, 2, 0)
    text.save_pretrained(folder := tmp_path / "qwen3")
    (folder / "tokenizer.json").write_text(tokenizer.written())
    before = (folder / "model.safetensors").read_bytes()

    def refused(*given):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refused)
    study = Study(tmp_path, "lora", text=str(folder), rank=2, alpha=4)
    study.train(tmp_path / "run")
    kept = load_file(tmp_path / "run/model/head.safetensors")
    assert any("lora_" in name for name in kept) and all("lora_" in name or name.startswith("bridge.") for name in kept)
    first, second = study.ask(tmp_path / "run"), study.ask(tmp_path / "run")
    assert (folder / "model.safetensors").read_bytes() == before
    columns = [name for name in first["predictions"] if name.startswith("prediction_")]
    assert np.allclose(first["predictions"][columns].sum(axis=1), 1)
    pd.testing.assert_frame_equal(first["predictions"], second["predictions"])


@pytest.mark.parametrize(("kind", "head"), [("full", {}), ("probe", {"align": 2, "bridge_rate": 4.0})])
def test_a_run_that_was_stopped_goes_on_to_the_same_weights_and_answers(tmp_path, monkeypatch, kind, head):
    study = Study(tmp_path, kind, **head)
    study.train(tmp_path / "whole")
    loss, calls = answer_text.AnswerText.loss, []

    def stopped(target, predictions, batch):
        if torch.is_grad_enabled():
            calls.append(None)
            if len(calls) == 6:  # in the second micro-batch of the third update
                signal.raise_signal(signal.SIGTERM)
        return loss(target, predictions, batch)

    with monkeypatch.context() as patch:
        patch.setattr(answer_text.AnswerText, "loss", stopped)
        with pytest.raises(SystemExit):
            study.train(tmp_path / "stopped")
    study.train(tmp_path / "stopped")
    assert json.loads((tmp_path / "stopped/cost.json").read_text())["resumed_from"] > 0
    whole, again = (weights(tmp_path / name) for name in ("whole", "stopped"))
    assert whole.keys() == again.keys() and all(torch.equal(whole[name], again[name]) for name in whole)
    expected = study.ask(tmp_path / "whole")
    ranked, asked = allele_controls.ranked, []

    def killed(*given):
        asked.append(None)
        if len(asked) == 9:
            raise KeyboardInterrupt
        return ranked(*given)

    with monkeypatch.context() as patch:
        patch.setattr(allele_controls, "ranked", killed)
        with pytest.raises(KeyboardInterrupt):
            study.ask(tmp_path / "stopped")
    found = study.ask(tmp_path / "stopped")
    assert found.keys() == expected.keys()
    for name, table in expected.items():
        pd.testing.assert_frame_equal(found[name], table)


def test_a_bridge_is_aligned_alone_and_no_generator_is_moved(tmp_path, monkeypatch):
    study, seen = Study(tmp_path, "probe", align=3), []
    align = answer_text.align

    def watched(model, *given):
        before = {name: value.clone() for name, value in model.target.head.named_parameters()}
        state = torch.get_rng_state()
        align(model, *given)
        after = dict(model.target.head.named_parameters())
        seen.append({name for name in before if not torch.equal(before[name], after[name])})
        assert torch.equal(state, torch.get_rng_state()) and all(one.grad is None for one in model.parameters())

    monkeypatch.setattr(answer_text, "align", watched)
    study.train(tmp_path / "run")
    assert len(seen) == 1 and seen[0] and all(name.startswith("bridge.") for name in seen[0])
