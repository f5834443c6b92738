"""The model that a run starts from: with `weights: random` it is the same network, and nothing of the checkpoint's weights."""

import re

import numpy as np
import pandas as pd
import pytest
import torch
from glmflow.models import load_model, new_model
from glmflow.training import finetune as module
from glmflow.training.predict import as_it_is, predict
from tiny_genes import TRAIN, settings_of
from tiny_tracks import tiny_tracks

torch.set_num_threads(1)
ADDED = re.compile(r"lora_|ia3_")
SIZE = {"hidden_size": 16, "num_heads": 2, "num_layers": 1, "context": 512}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A model whose weights no seed gives: those of seed 9, and 1 added."""
    folder = tmp_path_factory.mktemp("checkpoint") / "model"
    adapter = new_model("small", SIZE, seed=9)
    with torch.no_grad():
        for parameter in adapter.parameters():
            parameter += 1
    adapter.save(folder)
    return folder


def started(monkeypatch, **arguments):
    """Return the weights of the backbone when training begins."""
    found = {}

    def fit(model, *others):
        found.update({name: value.clone() for name, value in model.adapter.network.state_dict().items()})
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "fit", fit)
    with pytest.raises(KeyboardInterrupt):
        module.finetune(**arguments)
    return found


def of_tracks(folder, cohort, adaptation):
    return tiny_tracks(folder, adaptation) | {"folder": folder / "run"}


def of_genes(folder, cohort, adaptation):
    files, examples, _ = cohort
    settings = settings_of({"checkpoint": "any"}, {"kind": "full", "train": TRAIN} | adaptation)
    return {"settings": settings, "examples": examples, "files": files, "folder": folder / "run"}


@pytest.mark.parametrize("kind", ["full", "probe", "lora", "ia3"])
@pytest.mark.parametrize("run", [of_tracks, of_genes])
def test_random_weights_are_those_of_the_seed_and_given_ones_the_checkpoints(
    run, kind, checkpoint, cohort, tmp_path, monkeypatch
):
    expected = {"given": load_model(checkpoint), "random": new_model("small", SIZE, seed=1)}
    for weights, model in expected.items():
        model.drop_head()
        arguments = run(tmp_path, cohort, {"kind": kind, "weights": weights}) | {"checkpoint": checkpoint}
        found = started(monkeypatch, **arguments)
        own = {name.replace("base_layer.", ""): value for name, value in found.items() if not ADDED.search(name)}
        wanted = model.network.state_dict()
        assert wanted.keys() == own.keys()
        assert all(torch.equal(value, wanted[name]) for name, value in own.items()), weights
        parameters = dict(model.network.named_parameters())
        other = expected["random" if weights == "given" else "given"].network.state_dict()
        assert not any(torch.equal(own[name], other[name]) for name in parameters)


def test_a_model_as_it_is_has_random_weights_where_its_run_says_so(checkpoint, tmp_path):
    """The seed of the run decides, not the checkpoint: losses are those of a model made from that seed."""
    task = {
        "kind": "context_extension",
        "contexts": [32, 64],
        "scored": 8,
        "recall": {"distances": [32], "segment": 16},
    }
    settings = {"task": task, "adaptation": {"kind": "zero-shot", "weights": "random"}, "seed": 5}
    sequence = "".join(np.random.default_rng(0).choice(list("ACGT"), 64))
    row = {"example": "a", "split": "test", "subset": "loss", "group": "a", "sequence": sequence, "scored": 8}
    new_model("small", SIZE, seed=5).save(tmp_path / "seed5")
    losses = []
    for folder, weights in ((checkpoint, "random"), (tmp_path / "seed5", "given"), (checkpoint, "given")):
        chosen = settings | {"adaptation": {"kind": "zero-shot", "weights": weights}}
        predict(chosen, pd.DataFrame([row]), {}, folder, tmp_path / "run")
        losses.append(np.stack(pd.read_parquet(tmp_path / "run/predictions.parquet")["prediction"]))
    assert np.array_equal(losses[0], losses[1], equal_nan=True)
    assert not np.array_equal(losses[0], losses[2], equal_nan=True)


def test_random_weights_keep_an_extended_context(tmp_path):
    adapter = new_model("small", SIZE, seed=9)
    adapter.extend("pi", 4)
    adapter.save(tmp_path / "extended")
    settings = {
        "task": {
            "kind": "context_extension",
            "contexts": [32, 64],
            "scored": 8,
            "recall": {"distances": [32], "segment": 16},
        },
        "adaptation": {"kind": "zero-shot", "weights": "random"},
        "seed": 5,
    }
    found = as_it_is(settings, tmp_path / "extended").model
    expected = new_model("small", SIZE, seed=5)
    expected.extend("pi", 4)
    assert found.card.context_bp == expected.card.context_bp == 4 * SIZE["context"]
    ids = torch.randint(2, 6, (1, 1000), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(found(ids).logits, expected.eval()(ids).logits)


@pytest.mark.real
@pytest.mark.parametrize(
    "name", ["dnabert2", "gena-bert", "grover", "modernbert", "nt-v2", "olmo-bpe", "caduceus-ph", "genos"]
)
def test_a_published_model_with_random_weights_keeps_its_tokenizer(test_data, name):
    """A vocabulary is a file of the checkpoint: no seed gives it."""
    from glmflow.models.loading import with_random_weights

    folder = test_data / "parity" / name
    given, found = load_model(folder), with_random_weights(load_model(folder), 1)
    expected = new_model(given.card.family, given.config, seed=1).network.state_dict()
    own = found.network.state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in own.items() if not key.endswith("inv_freq"))
    assert type(found.tokenizer) is type(given.tokenizer) and found.card == given.card
    if hasattr(given.tokenizer, "vocab"):
        assert found.tokenizer.vocab == given.tokenizer.vocab
