"""CLEX: the learned differential equation."""

import numpy as np
import pytest
import tiny
import torch
from glmflow.context import extend, inverse_frequencies
from glmflow.context.clex import FrequencyField
from glmflow.context.frequencies import Rotary
from glmflow.errors import InputError
from scipy.integrate import solve_ivp
from torch import nn

ROTARY = Rotary(16, 10_000.0, 64)


def tuned_field(**settings):
    torch.manual_seed(0)
    field = FrequencyField(ROTARY, **settings)
    nn.init.normal_(field.down.weight, std=0.02)
    return field


@pytest.mark.parametrize("stretch", [1, 1.5, 4, 16])
def test_untuned_is_ntk(stretch):
    expected, _ = inverse_frequencies("ntk", 16, 10_000, 64, 2 * stretch - 1)
    np.testing.assert_allclose(FrequencyField(ROTARY)(stretch).detach().numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize(("activation", "gain"), [("silu", 1), ("tanh", 1), ("silu", 0.1)])
def test_tuned_solves_the_published_equation(activation, gain):
    field = tuned_field(activation=activation, param_factor=2, gain=gain)
    up, down = field.up.weight.detach().double().numpy(), field.down.weight.detach().double().numpy()
    act = np.tanh if activation == "tanh" else lambda x: x / (1 + np.exp(-x))
    exponent = np.arange(0, 16, 2) / 14  # log ntk(t) = log theta - exponent * log(2 t - 1)

    def slope(t, z):
        log_ntk = np.log(ROTARY.theta) - exponent * np.log(2 * t - 1)
        return -exponent * 2 / (2 * t - 1) + gain * down @ act(up @ (z + log_ntk))

    solution = solve_ivp(slope, (1, 16), np.log(ROTARY.theta), rtol=1e-10, atol=1e-12, dense_output=True)
    for stretch in (1, 2, 7, 16):
        found = torch.log(field(stretch)).detach().numpy()
        np.testing.assert_allclose(found, solution.sol(stretch), atol=1e-4)


@pytest.mark.parametrize("name", ["llama", "mixtral", "esm", "modernbert", "own"])
def test_gradients_reach_the_field(name):
    model = tiny.build(name)
    extension = extend(model, "clex", 4, tiny.LENGTH)
    ids = torch.randint(3, tiny.VOCABULARY, (1, 4 * tiny.LENGTH), generator=torch.Generator().manual_seed(0))
    output = model(ids, attention_mask=torch.ones_like(ids))
    logits = output if isinstance(output, torch.Tensor) else output.logits
    logits.square().mean().backward()
    assert extension.field.down.weight.grad.abs().max() > 0
    assert not any(table.frequencies.requires_grad for table in extension.tables)
    assert {"up.weight", "down.weight"} == {
        key.rpartition("extension_field.")[2] for key in model.state_dict() if "extension_field" in key
    }


def test_input_decides_the_stretch():
    model = tiny.build("llama")
    extension = extend(model, "clex", 4, tiny.LENGTH)
    nn.init.normal_(extension.field.down.weight, std=0.02)
    for length, stretch in [(tiny.LENGTH, 1), (3 * tiny.LENGTH - 5, 3), (6 * tiny.LENGTH, 4)]:
        tiny.logits(model, length)
        expected = extension.field(stretch).detach()
        assert torch.equal(extension.tables[0].frequencies, expected)


def test_refuses_an_unknown_activation():
    with pytest.raises(InputError, match="no activation 'gelu'"):
        FrequencyField(ROTARY, activation="gelu")
