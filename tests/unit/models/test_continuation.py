"""Going on inside a sequence gives what reading all of it gives, for every causal family that can."""

import pytest
import torch
from glmflow.models import new_model

SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "intermediate_size": 32, "max_position_embeddings": 64}
TINY = {**SIZES, "num_attention_heads": 2, "num_key_value_heads": 2}
MODELS = {
    "small": ("small", {"causal": True, "hidden_size": 16}),
    "overlapping": ("small", {"causal": True, "hidden_size": 16, "kmer": 3}),
    "wavelet": ("wavelet", {"hidden_size": 16, "num_layers": 2, "context": 64}),
    "rwkv7": ("rwkv7", {"hidden_size": 32, "head_size": 16, "num_layers": 2}),
    "mamba": ("mamba", {"hidden_size": 16, "num_layers": 2, "state_size": 4}),
    "hyenadna": ("hyenadna", {"d_model": 16, "max_seq_len": 64}),
    "evo2": ("evo2", {"hidden_size": 16, "num_attention_heads": 2}),
    "generator": ("generator", {**TINY, "vocab_size": 64}),
    "genos": ("genos", {**TINY, "vocab_size": 16, "num_local_experts": 2}),
    "olmo": ("olmo", {**TINY, "model_type": "olmo", "vocab_size": 64}),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("at", [1, 17, 39])
def test_states_behind_a_shared_beginning(name, at):
    model = new_model(*MODELS[name]).eval()
    assert model.network.continues
    generator = torch.Generator().manual_seed(at)
    vocabulary = min(12, model.card.vocab_size)
    read = torch.randint(vocabulary, (3, 40), generator=generator)
    rows = torch.tensor([0, 0, 2, 1])
    other = read[rows].clone()
    other[:, at:] = torch.randint(vocabulary, (4, 40 - at), generator=generator)
    with torch.inference_mode():
        states, memory = model.network.remember(read)
        torch.testing.assert_close(states, model.network.states(read), atol=1e-5, rtol=0)
        found = model.network.go_on(memory, rows, at, other[:, at:])
        torch.testing.assert_close(found, model.network.states(other)[:, at:], atol=1e-5, rtol=0)


def test_masked_models_and_models_of_local_attention_do_not_continue():
    assert not new_model("small", {"hidden_size": 16}).network.continues
    assert not new_model("dilated_cnn", {}).network.continues
    windowed = {**TINY, "vocab_size": 16, "num_local_experts": 2, "sliding_window": 8}
    assert not new_model("genos", windowed).network.continues


@pytest.mark.parametrize("name", MODELS)
def test_states_token_by_token(name):
    model = new_model(*MODELS[name]).eval()
    ids = torch.randint(min(12, model.card.vocab_size), (3, 40), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        whole = model.network.states(ids)
        states, memory = model.network.begin(ids[:, :11], room=29)
        torch.testing.assert_close(states, whole[:, :11], atol=1e-5, rtol=0)
        for place in range(11, 40):
            found = model.network.step(memory, place, ids[:, place : place + 1])
            torch.testing.assert_close(found, whole[:, place : place + 1], atol=1e-5, rtol=0)


def test_a_recurrence_goes_on_from_the_states_that_it_kept():
    """RWKV-7 keeps a state every 64 tokens; its output layers start at zero, so that weights are drawn for the test."""
    model = new_model(*MODELS["rwkv7"]).eval()
    with torch.no_grad():
        for number, parameter in enumerate(model.network.parameters()):
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number)))
    ids = torch.randint(2, 6, (2, 150), generator=torch.Generator().manual_seed(0))
    rows = torch.tensor([1, 0, 1])
    with torch.inference_mode():
        states, memory = model.network.remember(ids)
        torch.testing.assert_close(states, model.network.states(ids), atol=1e-4, rtol=0)
        for at in (1, 64, 100, 128, 150):
            other = torch.cat([ids[rows, :at], torch.full((3, 5), 3)], 1)
            found = model.network.go_on(memory, rows, at, other[:, at:])
            torch.testing.assert_close(found, model.network.states(other)[:, at:], atol=1e-4, rtol=0)
        _, memory = model.network.begin(ids[:, :70], room=80)
        stepped = [model.network.step(memory, place, ids[:, place : place + 1]) for place in range(70, 150)]
        torch.testing.assert_close(torch.cat(stepped, 1), states[:, 70:], atol=1e-4, rtol=0)
