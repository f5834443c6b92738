"""GPN: equal to its package; refused with a fix where that is not installed."""

import sys

import pytest
import torch
from family_checks import (
    assert_bfloat16_follows_float32,
    assert_checkpointing_gives_the_same_gradients,
    assert_lora_trains,
    assert_reloads,
    assert_survives_saving,
)
from glmflow.errors import InputError
from glmflow.models import new_model
from glmflow.models.registry import recognise

SIZES = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 4, "bias": True}
VARIANTS = {
    "convnet": {"model_type": "GPN", **SIZES},
    "bytenet": {"model_type": "GPN", "encoder": "bytenet", "slim": True, **SIZES},
    "older": {"model_type": "ConvNet", "hidden_size": 16, "n_layers": 4},
}
LINEAR_LAYERS = {"convnet": 8, "bytenet": 8, "older": 4}


@pytest.fixture(params=VARIANTS)
def variant(request):
    return request.param


@pytest.fixture
def model(variant):
    pytest.importorskip("gpn", reason="the optional package gpn is not installed")
    return new_model("gpn", VARIANTS[variant]).eval()


def batch_of(length=60):
    return torch.randint(1, 7, (2, length), generator=torch.Generator().manual_seed(1))


def test_without_the_package_the_mend_names_it(monkeypatch):
    for name in ("gpn", "gpn.model", "gpn.legacy"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=r"glmflow\[gpn\]"):
        new_model("gpn", {})


@pytest.mark.parametrize("keys", [{"model_type": "GPNRoFormer"}, {"model_type": "GPN", "n_aux_features": 5}])
def test_models_of_alignments_are_refused(keys):
    with pytest.raises(InputError, match="alignment"):
        new_model("gpn", keys)


@pytest.mark.parametrize("kind", ["GPN", "ConvNet", "GPNStar"])
def test_its_checkpoints_are_recognised(kind):
    assert recognise({"model_type": kind}).name == "gpn"


def test_equal_to_the_package(model):
    batch = batch_of()
    with torch.no_grad():
        found = model(batch)
        torch.testing.assert_close(found.logits, model.network.model(input_ids=batch).logits, atol=0, rtol=0)
        states = model.network.model.base_model(input_ids=batch).last_hidden_state
        torch.testing.assert_close(found.last_hidden_state, states, atol=0, rtol=0)


def test_published_token_ids(model):
    # Lower-cased a c g t are 3 to 6, [UNK] is 2; no special tokens.
    assert model.tokenizer.encode("ACGTNacgtn") == [3, 4, 5, 6, 2, 3, 4, 5, 6, 2]
    assert model.tokenize(["acgR"]).input_ids.tolist() == [[3, 4, 5, 2]]


def test_padding_is_refused(model):
    with pytest.raises(InputError, match="one length"):
        model.tokenize(["ACGT", "ACGTA"])


def test_base_probabilities_sum_to_one(model):
    assert model.base_probabilities(["ACGTACGT"], [3, 5]).sum(-1) == pytest.approx(1)


def test_reloads(model, tmp_path):
    assert_reloads(model, batch_of(), tmp_path / "model")


def test_gradient_checkpointing(model):
    assert_checkpointing_gives_the_same_gradients(model, batch_of(200))


def test_bfloat16(model, tmp_path):
    assert_bfloat16_follows_float32(model, batch_of(), tmp_path / "model")


def test_lora(model, variant):
    assert_lora_trains(model, batch_of(), LINEAR_LAYERS[variant])


@pytest.mark.parametrize("variant", ["older"], indirect=True)
def test_a_fresh_process_computes_the_same(model, tmp_path):
    assert_survives_saving(model, batch_of(), tmp_path)


def test_states_at_some_tokens_are_those_of_whole_passes(model):
    ids = batch_of()
    generator = torch.Generator().manual_seed(2)
    for places in (
        torch.tensor([[30], [30]]),
        torch.tensor([[0, 59], [59, 3]]),
        torch.randint(60, (2, 4), generator=generator),
    ):
        with torch.no_grad():
            whole = model.network.states(ids)[torch.arange(2)[:, None], places]
            torch.testing.assert_close(model.network.states_at(ids, places), whole, atol=1e-5, rtol=0)
