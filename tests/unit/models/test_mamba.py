"""Mamba: transformers' own logits, state carried over a cut, causality, packed records, and its size."""

import pytest
import torch
from glmflow.errors import InputError
from glmflow.models import new_model
from glmflow.models.likelihood import SLICE
from glmflow.plan.resources import shape_of
from transformers import MambaConfig, MambaForCausalLM

SMALL = {"hidden_size": 32, "num_layers": 2, "state_size": 8}


def ids_of(length, rows=2, seed=0):
    return torch.randint(2, 6, (rows, length), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kernel", [2, 4])
def test_the_same_weights_give_the_logits_of_transformers(kernel):
    """Oracle: `MambaForCausalLM` of transformers, its sequential path, random weights."""
    torch.manual_seed(1)
    shared = {"hidden_size": 48, "state_size": 8, "conv_kernel": kernel, "vocab_size": 8}
    original = MambaForCausalLM(MambaConfig(num_hidden_layers=2, time_step_rank=3, use_mambapy=False, **shared)).eval()
    for parameter in original.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    ours = new_model("mamba", {"num_layers": 2, **shared}).eval()
    ours.network.load_state_dict(original.state_dict())
    ids = ids_of(70)
    with torch.no_grad():
        wanted, found = original(ids, output_hidden_states=True), ours(ids)
    torch.testing.assert_close(found.logits, wanted.logits, rtol=0, atol=1e-5)
    torch.testing.assert_close(found.last_hidden_state, wanted.hidden_states[-1], rtol=0, atol=1e-5)


@pytest.fixture(scope="module")
def network():
    made = new_model("mamba", SMALL, seed=1).network.double().eval()
    for number, parameter in enumerate(made.parameters()):
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number))
    return made


@pytest.mark.parametrize("stretch", [1, 8, 32, 90])
def test_stretches_with_a_state_carried_over_are_the_whole(network, stretch):
    ids = ids_of(90)
    state, parts = network.start(2), []
    with torch.no_grad():
        for part in ids.split(stretch, 1):
            states, state = network.carry(part, state)
            parts.append(states)
        torch.testing.assert_close(torch.cat(parts, 1), network.states(ids), rtol=0, atol=1e-9)
        _, after = network.carry(ids, network.start(2))
    for one, other in zip(state, after):
        torch.testing.assert_close(one.memory, other.memory, rtol=0, atol=1e-9)
        torch.testing.assert_close(one.signal, other.signal, rtol=0, atol=1e-9)


def test_what_stands_to_the_right_changes_nothing(network):
    ids = ids_of(70, rows=1)
    changed = ids.clone()
    changed[0, 40] = 2 + (ids[0, 40] - 1) % 4
    one, other = network.states(ids), network.states(changed)
    torch.testing.assert_close(one[:, :40], other[:, :40], rtol=0, atol=1e-10)
    assert (one[:, 40:] - other[:, 40:]).abs().amax(-1).min() > 0


def test_the_plan_counts_what_is_there():
    made = new_model("mamba", SMALL)
    counted = sum(own.numel() for name, own in made.named_parameters() if "head" not in name)
    assert shape_of(SMALL, "mamba").parameters == counted


@pytest.mark.parametrize("family", ["mamba", "rwkv7"])
def test_a_long_sequence_is_scored_in_stretches_as_in_one(family, monkeypatch):
    """Read whole, by the states of all of it; read in stretches, by the state that is handed on."""
    model = new_model(family, {"hidden_size": 64, "num_layers": 2}, seed=3).eval()
    for number, parameter in enumerate(model.parameters()):
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number))
    text = "".join("ACGT"[base - 2] for base in ids_of(300, rows=1, seed=4)[0])
    assert len(text) < SLICE
    whole = model.log_likelihood([text])[0]
    with torch.no_grad():
        ids = model.tokenize([text]).input_ids
        logs = model(ids).logits.double().log_softmax(-1)[:, :-1].gather(-1, ids[:, 1:, None]).sum()
    monkeypatch.setattr("glmflow.models.likelihood.SLICE", 64)
    assert model.log_likelihood([text])[0] == pytest.approx(whole, abs=1e-3)
    assert abs(whole - float(logs)) < 50  # of one strand; the other differs
    longest = []
    carry = model.network.carry
    monkeypatch.setattr(model.network, "carry", lambda ids, state: longest.append(ids.shape[1]) or carry(ids, state))
    model.log_likelihood([text])
    assert longest and max(longest) <= 64, "no stretch is longer than a slice"


@pytest.mark.parametrize("config", [{"conv_kernel": 1}, {"depth": 3}])
def test_sizes_that_make_no_sense(config):
    with pytest.raises(InputError):
        new_model("mamba", config)
