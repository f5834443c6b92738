"""A track run as a whole: what is done before a model is loaded."""

import pytest
from glmflow.errors import HopelessError
from glmflow.training import finetune as module
from glmflow.training.fit import checkpoints_of, record_failure
from tiny_tracks import tiny_tracks


def test_a_run_that_failed_for_good_is_refused_before_its_model_is_loaded(tmp_path, monkeypatch):
    arguments = tiny_tracks(tmp_path) | {"folder": tmp_path / "run"}

    def fails(model, draws, collate, training, updates, folder, seed, evaluate, identity):
        error = HopelessError("the loss is nan")
        record_failure(checkpoints_of(folder, training, updates, seed, identity), error)
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(module, "fit", fails)
        with pytest.raises(HopelessError, match="the loss is nan"):
            module.finetune(**arguments)

    def never(*arguments):
        raise AssertionError("a model is loaded")

    monkeypatch.setattr(module, "starting_model", never)
    with pytest.raises(HopelessError, match="not tried again, as nothing has changed: the loss is nan"):
        module.finetune(**arguments)


def test_a_run_leaves_its_model_and_what_it_cost(tmp_path):
    module.finetune(**tiny_tracks(tmp_path), folder=tmp_path / "run")
    assert {path.name for path in (tmp_path / "run").iterdir()} >= {"model", "metrics.jsonl", "cost.json"}
