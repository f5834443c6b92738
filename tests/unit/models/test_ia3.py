"""IA3: which layers it scales, that nothing changes at first, what learns, and that it can be folded in."""

import re

import pytest
import torch
from family_checks import fixture, folds_in, outputs
from glmflow.errors import InputError
from glmflow.models import efficient, load_model, new_model
from glmflow.models.adapted_layers import adapted_layers
from glmflow.models.facts import all_facts, facts_of
from glmflow.models.registry import family_names

TINY = {"hidden_size": 16, "num_heads": 2, "num_layers": 2, "convolution": 3}
# Layers of each block that are scaled, by family: keys and values (or what makes them together with queries), and the second
# layer of the feed-forward network; of Genos these are experts, of Evo 2 one block in four has attention.
FIXTURES = {
    "nt-v1": "key value output.dense",
    "nt-v2": "key value output.dense",
    "grover": "key value output.dense",
    "gena-bert": "key value output.dense",
    "gena-bigbird": "key value output.dense",
    "aido-dna": "key value mlp.down_proj",
    "genos": "k_proj v_proj",
    "generator": "k_proj v_proj mlp.down_proj",
    "olmo-bpe": "k_proj v_proj mlp.down_proj",
    "omni-dna": "k_proj v_proj mlp.down_proj",
    "modernbert": "Wqkv mlp.Wo",
    "dnabert2": "Wqkv mlp.wo",
    "evo2": "Wqkv mlp.l3",
}


def disturb(model):
    generator = torch.Generator().manual_seed(1)
    for _, layer in adapted_layers(model.network):
        factors = layer.ia3_l["default"]
        factors.data = 1 + 0.3 * torch.randn(factors.shape, generator=generator)


def test_counts_are_those_of_the_formula():
    # A factor for each channel of keys and values (16) and of the 64 inside of the perceptron, in 2 blocks.
    model = new_model("small", TINY)
    before = sum(parameter.numel() for parameter in model.parameters())
    found = efficient.apply("ia3", model, {})
    assert found.trainable == 2 * (16 + 16 + 64) and found.total == before + found.trainable
    assert {name for name, p in model.named_parameters() if p.requires_grad} == {
        f"network.blocks.{block}.{layer}.ia3_l.default" for block in (0, 1) for layer in ("key", "value", "down")
    }


@pytest.mark.parametrize(("name", "layers"), FIXTURES.items())
def test_starts_as_the_model_itself_and_folds_in(name, layers, tmp_path):
    model = load_model(fixture(name))
    plain = outputs(model)
    found = efficient.apply("ia3", model, {})
    ends = tuple(f".{layer}" for layer in layers.split())
    assert all(name.endswith(ends) and "attention.output" not in name for name in found.modules)
    assert {end for end in ends if any(name.endswith(end) for name in found.modules)} == set(ends)
    torch.testing.assert_close(outputs(model), plain, atol=0, rtol=0)
    disturb(model)
    assert (outputs(model) - plain).abs().max() > 1e-4
    folds_in(model, tmp_path)


def test_keys_and_values_are_scaled_by_channel_and_the_perceptron_inside():
    """The formula: l_k * (x W_k + b), l_v * (x W_v + b), and W (l * inner) + b."""
    model = new_model("small", TINY)
    key, down = model.network.blocks[0].key, model.network.blocks[0].down
    x, inner = torch.randn(3, 16), torch.randn(3, 64)
    plain, weight, bias = key(x), down.weight, down.bias
    efficient.apply("ia3", model, {})
    disturb(model)
    block = model.network.blocks[0]
    torch.testing.assert_close(block.key(x), block.key.ia3_l["default"].flatten() * plain)
    expected = torch.nn.functional.linear(block.down.ia3_l["default"].flatten() * inner, weight, bias)
    torch.testing.assert_close(block.down(inner), expected)


def test_only_the_factors_learn():
    model = new_model("small", TINY)
    efficient.apply("ia3", model, {})
    before = {name: p.clone() for name, p in model.named_parameters()}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1.0)
    states = model(torch.randint(2, 6, (2, 20))).last_hidden_state
    (states * torch.randn_like(states)).sum().backward()
    optimizer.step()
    changed = {name for name, p in model.named_parameters() if not torch.equal(p, before[name])}
    assert changed == {name for name in before if "ia3_l" in name}


def test_factors_are_not_saved_unseen(tmp_path):
    model = new_model("small", TINY)
    efficient.apply("ia3", model, {})
    with pytest.raises(InputError, match="adapted layers beside its own weights"):
        model.save(tmp_path / "model")


def test_a_family_without_attention_is_refused_before_anything_is_changed():
    model = new_model("promoter_cnn", {})
    with pytest.raises(InputError, match=r"promoter_cnn has no attention whose keys and values IA3 could scale"):
        efficient.apply("ia3", model, {})
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_every_family_with_attention_names_its_layers():
    without = {family for family in family_names() if facts_of(family).without_ia3}
    assert without == {"caduceus", "dilated_cnn", "gpn", "hyenadna", "mamba", "promoter_cnn", "rwkv7", "wavelet"}
    for facts in all_facts():
        assert set(facts.ia3) <= {"attention", "feedforward"}
        assert all(re.compile(end) for ends in facts.ia3.values() for end in ends)


@pytest.mark.parametrize(("family", "layers"), [("dit", 3), ("get", 2)])
def test_families_that_have_no_fixture_of_logits(family, layers):
    config = {"dit": {"hidden_size": 16, "num_heads": 2, "num_layers": 2}, "get": None}[family]
    model = new_model(family, config) if config else load_model(fixture("get"))
    for parameter in model.network.parameters():
        parameter.data += (
            0.01  # blocks of a new `dit` are gated by zeros, so that nothing inside of them has a gradient
        )
    ids = model.probe_inputs(24)
    with torch.no_grad():
        plain = model(*ids).last_hidden_state
        found = efficient.apply("ia3", model, {})
        torch.testing.assert_close(model(*ids).last_hidden_state, plain, atol=0, rtol=0)
    blocks = len({re.search(r"blocks\.(\d+)", name)[1] for name in found.modules})
    assert blocks and len(found.modules) == layers * blocks
