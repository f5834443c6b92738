"""Low-rank adaptation: what it trains, that it trains something, and that it can be folded in."""

from dataclasses import replace

import pytest
import torch
from family_checks import fixture, folds_in, outputs
from glmflow.errors import InputError
from glmflow.models import load_model, new_model
from glmflow.models.adapted_layers import adapted_layers, merge
from glmflow.models.adapter import Adapter
from glmflow.models.efficient.lora import apply as apply_lora
from glmflow.models.interface import Network
from glmflow.models.tokenizers import CharacterTokenizer
from glmflow.training.described import layers
from torch import nn

TINY = {"hidden_size": 16, "num_heads": 2, "num_layers": 2, "convolution": 3}
FIXTURES = [
    "nt-v1", "nt-v2", "grover", "genos", "generator", "olmo-bpe", "omni-dna", "modernbert", "gena-bigbird",
    "caduceus-ph", "caduceus-ps", "hyenadna", "dnabert2", "gena-bert", "aido-dna", "evo2",
]  # fmt: skip


def disturb(model):
    generator = torch.Generator().manual_seed(1)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data = 0.1 * torch.randn(parameter.shape, generator=generator)


def test_counts_are_those_of_the_formula():
    # r (inputs + outputs) for each of 4 square layers and the two of the perceptron, in 2 blocks.
    model = new_model("small", TINY)
    before = sum(parameter.numel() for parameter in model.parameters())
    found = apply_lora(model, rank=4)
    assert len(found.modules) == 12
    assert found.trainable == 2 * 4 * (4 * (16 + 16) + 2 * (16 + 64))
    assert found.total == before + found.trainable
    assert str(found).startswith("12 layers adapted, 2,304 of ")
    assert all(p.requires_grad == (".lora_" in name) for name, p in model.named_parameters())


@pytest.mark.parametrize("name", FIXTURES)
def test_starts_as_the_model_it_adapts_and_folds_in(name, tmp_path):
    model = load_model(fixture(name))
    plain = outputs(model)
    found = apply_lora(model)
    assert found.modules and 0 < found.trainable < found.total
    torch.testing.assert_close(outputs(model), plain, atol=1e-6, rtol=0)
    disturb(model)
    assert (outputs(model) - plain).abs().max() > 1e-3
    folds_in(model, tmp_path)


def test_experts_of_a_mixture():
    model = load_model(fixture("genos"))
    plain = outputs(model)
    attention = apply_lora(load_model(fixture("genos"))).trainable
    assert apply_lora(model, experts=True).trainable > attention
    disturb(model)
    adapted = outputs(model)
    assert not torch.allclose(adapted, plain, atol=1e-3)
    merge(model)
    torch.testing.assert_close(outputs(model), adapted, atol=1e-4, rtol=1e-4)


def test_a_tied_weight_stays_one_weight():
    # Both directions of Caduceus use one input projection: one update, not two.
    model = load_model(fixture("caduceus-ph"))
    apply_lora(model)
    shared = [m for name, m in model.network.named_modules() if name.endswith("in_proj") and hasattr(m, "lora_A")]
    assert len({id(m.lora_A) for m in shared}) == len(shared) / 2


def test_no_layer_of_the_name():
    with pytest.raises(InputError, match=r"LoRA finds no layer q_proj in a model of the family small.*query"):
        apply_lora(new_model("small", TINY), targets=("q_proj",))


def test_one_misspelt_name_among_others_is_refused_before_anything_is_changed():
    model = new_model("small", TINY)
    with pytest.raises(InputError, match=r"LoRA finds no layer vlaue in a model of the family small.*value"):
        apply_lora(model, targets=("query", "vlaue"))
    assert adapted_layers(model.network) == [] and all(parameter.requires_grad for parameter in model.parameters())


class Numbered(Network):
    """Two blocks whose layers the package only numbers, as those of GPN: ``blocks.0.ffn.1``."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(8, 16)
        self.blocks = nn.ModuleList()
        for _ in range(2):
            block = nn.Module()
            block.ffn = nn.Sequential(nn.LayerNorm(16), nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 16))
            self.blocks.append(block)

    def states(self, input_ids, attention_mask=None):
        x = self.embed(input_ids)
        for block in self.blocks:
            x = x + block.ffn(x)
        return x

    def logits(self, states):
        return states @ self.embed.weight.T


def test_layers_that_are_only_numbered_are_named_with_what_holds_them():
    card = replace(new_model("small", TINY).card, family="gpn", vocab_size=8, lora_targets=("ffn.1", "ffn.3"))
    model = Adapter(Numbered(), card, {}, CharacterTokenizer({"A": 3, "C": 4, "G": 5, "T": 6}))
    found = apply_lora(model, rank=4)
    assert found.modules == ("blocks.0.ffn.1", "blocks.0.ffn.3", "blocks.1.ffn.1", "blocks.1.ffn.3")
    assert found.trainable == 2 * 2 * 4 * (16 + 32)
    assert layers(found) == {"ffn.1": 2, "ffn.3": 2}


def test_experts_where_there_are_none():
    with pytest.raises(InputError, match="family small has no experts"):
        apply_lora(new_model("small", TINY), experts=True)


def test_a_layer_whose_weight_is_used_without_it_is_refused():
    # As Mamba's kernels do with dt_proj: they multiply by its weight and never call the layer.
    model = new_model("small", TINY)
    block = model.network.blocks[0]
    block.attend = lambda x, *rest: x @ block.value.weight.T
    with pytest.raises(InputError, match=r"1 layers adapted by LoRA get no gradient \(first: blocks\.0\.value\)"):
        apply_lora(model, targets=("value",))


def test_only_the_new_matrices_learn():
    model = new_model("small", TINY)
    apply_lora(model)
    frozen = {name: p.clone() for name, p in model.named_parameters() if not p.requires_grad}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1.0)
    ids = torch.randint(2, 6, (2, 20))
    for _ in range(2):
        states = model(ids).last_hidden_state
        (states * torch.randn_like(states)).sum().backward()
        optimizer.step()
    assert all(torch.equal(p, frozen[name]) for name, p in model.named_parameters() if name in frozen)
    assert all(p.abs().sum() > 0 for name, p in model.named_parameters() if "lora_B" in name)


def test_unmerged_matrices_are_not_saved_unseen(tmp_path):
    model = new_model("small", TINY)
    apply_lora(model)
    with pytest.raises(InputError, match="adapted layers beside its own weights"):
        model.save(tmp_path / "model")
    merge(model)
    model.save(tmp_path / "model")
    assert (tmp_path / "model" / "model.safetensors").exists()


def test_the_trial_leaves_no_trace():
    model = new_model("small", TINY).train()
    torch.manual_seed(7)
    apply_lora(model)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("family", ["small", "dilated_cnn", "promoter_cnn"])
def test_families_that_are_trained_here_can_be_adapted(family):
    """Their own targets give states of the same length, before anything is learned those of the model itself."""
    model = new_model(family, {})
    ids = torch.randint(1, 5, (2, 96))
    before = model.network.eval().states(ids)
    apply_lora(model, rank=2)
    assert torch.allclose(model.network.eval().states(ids), before, atol=1e-6)
