"""HyenaDNA: equal to the original as far as float32 can tell, causal, never longer than its filters."""

import numpy as np
import pytest
import torch
from family_checks import (
    PARITY,
    assert_bfloat16_follows_float32,
    assert_checkpointing_gives_the_same_gradients,
    assert_lora_trains,
    assert_reloads,
    assert_survives_saving,
    fixture,
    random_batch,
    tokens_of,
)
from glmflow.errors import InputError
from glmflow.models import load_model, new_model
from glmflow.models.families.hyenadna import HyenaDNA, configure
from glmflow.models.interface import NotSupportedError
from safetensors.torch import load_file

TINY = {"d_model": 12, "n_layer": 3, "max_seq_len": 150, "filter_order": 8, "embed_dropout": 0.0}
VARIANTS = {
    "plain": TINY,
    "order 3": {**TINY, "hyena_order": 3},
    "no bias": {**TINY, "use_bias": False},
    "short filter of 4": {**TINY, "short_filter_order": 4},
    "three inner layers, 7 features": {**TINY, "num_inner_mlps": 3, "emb_dim": 7},
    "fixed frequency": {**TINY, "train_freq": False},
    "tied head": {**TINY, "tie_word_embeddings": True},
}


@pytest.fixture(params=VARIANTS)
def model(request):
    return new_model("hyenadna", VARIANTS[request.param], seed=1).eval()


def reference(state, ids, layers):
    """HyenaDNA of order 2 in numpy and float64: sums written out, no transform."""
    state = {name: tensor.double().numpy() for name, tensor in state.items()}
    length = ids.shape[1]

    def linear(x, name):
        y = x @ state[f"{name}.weight"].T
        return y + state[f"{name}.bias"] if f"{name}.bias" in state else y

    def norm(x, name):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
        return scaled * state[f"{name}.weight"] + state[f"{name}.bias"]

    def causal(x, taps):  # x [B, L, D], taps [D, K]
        y = np.zeros_like(x)
        for lag in range(min(taps.shape[1], length)):
            y[:, lag:] += x[:, : length - lag] * taps[:, lag]
        return y

    def filters(name):
        h = state[f"{name}.pos_emb.z"][0, :length]
        last = max(int(key.split(".")[-2]) for key in state if key.startswith(f"{name}.implicit_filter"))
        for index in range(0, last, 2):
            h = np.sin(state[f"{name}.implicit_filter.1.freq"] * linear(h, f"{name}.implicit_filter.{index}"))
        h = linear(h, f"{name}.implicit_filter.{last}")
        time, rates = state[f"{name}.pos_emb.t"][0, :length], np.abs(state[f"{name}.modulation.deltas"][0])
        return (h * (np.exp(-time * rates) + 0.05)).T

    x = state["hyena.backbone.embeddings.word_embeddings.weight"][ids.numpy()]
    for layer in range(layers):
        block = f"hyena.backbone.layers.{layer}"
        mixer = f"{block}.mixer"
        projected = linear(norm(x, f"{block}.norm1"), f"{mixer}.in_proj")
        smoothed = causal(projected, state[f"{mixer}.short_filter.weight"][:, 0, ::-1])
        gate_out, gate_in, value = np.split(smoothed + state[f"{mixer}.short_filter.bias"], 3, -1)
        gated = gate_in * value
        convolved = causal(gated, filters(f"{mixer}.filter_fn")) + gated * state[f"{mixer}.filter_fn.bias"]
        x = x + linear(gate_out * convolved, f"{mixer}.out_proj")
        inner = linear(norm(x, f"{block}.norm2"), f"{block}.mlp.fc1")
        gelu = 0.5 * inner * (1 + np.tanh(np.sqrt(2 / np.pi) * (inner + 0.044715 * inner**3)))
        x = x + linear(gelu, f"{block}.mlp.fc2")
    x = norm(x, "hyena.backbone.ln_f")
    return x, linear(x, "lm_head")


@pytest.mark.parametrize("length", [1, 2, 40, 133, 150])
def test_equal_to_the_definition_in_float64(length):
    model = new_model("hyenadna", {**TINY, "activation_freq": 1}, seed=1).eval()
    ids, _ = random_batch(model, [length, length])
    states, logits = reference(model.network.state_dict(), ids, TINY["n_layer"])
    with torch.no_grad():
        found = model(ids)
    torch.testing.assert_close(found.last_hidden_state.double(), torch.tensor(states), atol=2e-5, rtol=0)
    torch.testing.assert_close(found.logits.double(), torch.tensor(logits), atol=2e-5, rtol=0)


def test_parity():
    """The fixture's filters multiply rounding errors: three sines of frequency 10 on top of one another.

    Moving each weight of the first layer of the filters to a neighbouring float32 number changes the states by more
    than the 1e-4 asked elsewhere, so that no two ways to sum in float32 agree to it. Here the original is to be no
    farther from ours than such neighbours are.
    """
    folder = fixture("hyenadna")
    expected = load_file(folder / "io.safetensors")
    model, neighbour = load_model(folder), load_model(folder)
    for block in neighbour.network.hyena["backbone"].layers:
        weight = block.mixer.filter_fn.implicit_filter[0].weight.data
        weight.copy_(torch.nextafter(weight, torch.full_like(weight, torch.inf)))
    with torch.no_grad():
        found, moved = model(expected["input_ids"]), neighbour(expected["input_ids"])
    for name in ("logits", "last_hidden_state"):
        rounding = (getattr(moved, name) - getattr(found, name)).abs().max()
        difference = (getattr(found, name) - expected[name]).abs().max()
        assert difference <= max(PARITY, rounding)
        assert difference <= 10 * PARITY


def test_parity_of_the_definition():
    folder = fixture("hyenadna")
    expected = load_file(folder / "io.safetensors")
    states, logits = reference(load_model(folder).network.state_dict(), expected["input_ids"], layers=2)
    assert np.abs(states - expected["last_hidden_state"].numpy()).max() <= 10 * PARITY
    assert np.abs(logits - expected["logits"].numpy()).max() <= 10 * PARITY


def test_tokens():
    folder = fixture("hyenadna")
    tokenizer = load_model(folder).tokenizer
    for case in tokens_of(folder):
        assert tokenizer.encode(case["sequence"]) == case["input_ids"]


def test_published_frequencies_are_one_parameter(tmp_path):
    folder = fixture("hyenadna")
    model = load_model(folder)
    for block in model.network.hyena["backbone"].layers:
        sines = [block.mixer.filter_fn.implicit_filter[index] for index in (1, 3, 5)]
        assert all(sine.freq is sines[0].freq for sine in sines)
    model.save(tmp_path / "model")
    assert load_file(tmp_path / "model" / "model.safetensors").keys() == load_file(folder / "model.safetensors").keys()


def test_positions_and_decay_are_those_of_published_files():
    state = load_file(fixture("hyenadna") / "model.safetensors")
    model = new_model("hyenadna", {"d_model": 16, "max_seq_len": 66, "filter_order": 8})
    ours = model.network.state_dict()
    for name in ("pos_emb.z", "pos_emb.t", "modulation.deltas"):
        name = f"hyena.backbone.layers.0.mixer.filter_fn.{name}"
        torch.testing.assert_close(ours[name], state[name], atol=2e-7, rtol=0)


@pytest.mark.parametrize(
    "config, parameters",
    [
        # Nguyen et al. (2023), genomic benchmarks: 436 thousand; the 1-million-base model: 6.6 million.
        ({"d_model": 128, "n_layer": 2, "tie_word_embeddings": True}, (435.5e3, 436.5e3)),
        ({"d_model": 256, "n_layer": 8, "tie_word_embeddings": True}, (6.5e6, 6.65e6)),
    ],
)
def test_published_sizes(config, parameters):
    with torch.device("meta"):
        count = sum(p.numel() for p in HyenaDNA(configure(config)).parameters())
    assert parameters[0] <= count < parameters[1]


def test_causality(model):
    ids, _ = random_batch(model, [60])
    for changed_at in (1, 30, 59):
        changed = ids.clone()
        changed[0, changed_at] = 7 if ids[0, changed_at] != 7 else 8
        with torch.no_grad():
            difference = (model(ids).logits - model(changed).logits).abs()[0].amax(-1)
        assert difference[:changed_at].max() < 1e-5
        assert difference[changed_at] > 1e-4


@pytest.mark.parametrize("length", [1, 2, 3, 5, 64, 131, 150])
def test_ragged_lengths(model, length):
    ids, _ = random_batch(model, [length, length])
    with torch.no_grad():
        together, alone = model(ids), model(ids[1:])
    assert together.logits.shape == (2, length, 16)
    torch.testing.assert_close(together.logits[1:], alone.logits, atol=1e-5, rtol=0)


def test_a_prefix_gives_what_the_whole_gives(model):
    ids, _ = random_batch(model, [97])
    with torch.no_grad():
        torch.testing.assert_close(model(ids).logits[:, :41], model(ids[:, :41]).logits, atol=1e-4, rtol=0)


def test_what_does_not_fit_the_filters_is_refused(model):
    model.tokenize(["A" * 150])
    with pytest.raises(InputError, match="150"):
        model.tokenize(["A" * 151])
    with pytest.raises(InputError, match="filters of 150"):
        model(torch.full((1, 151), 7))


def test_longer_windows_are_cut_into_chunks():
    model = new_model("hyenadna", TINY).eval()
    tokens = model.tokenize(["ACGTTGCA" * 50], chunk=True)
    assert tokens.input_ids.shape[1] <= 150
    with torch.no_grad():
        assert model.states_per_base(tokens).shape == (1, 400, 12)


def test_saved_and_loaded(model, tmp_path):
    assert_reloads(model, random_batch(model, [17])[0], tmp_path / "model")


def test_a_fresh_process_computes_the_same(tmp_path):
    model = new_model("hyenadna", TINY, seed=2).eval()
    assert_survives_saving(model, random_batch(model, [17])[0], tmp_path)


def test_gradient_checkpointing():
    model = new_model("hyenadna", {**TINY, "embed_dropout": 0.1, "hyena_dropout": 0.1})
    assert_checkpointing_gives_the_same_gradients(model, random_batch(model, [120])[0])


def test_bfloat16(tmp_path):
    model = new_model("hyenadna", TINY)
    assert_bfloat16_follows_float32(model, random_batch(model, [120])[0], tmp_path / "model")


def test_filters_stay_float32_in_a_bfloat16_model(model, tmp_path):
    model.save(tmp_path / "model")
    half = load_model(tmp_path / "model", dtype="bfloat16").network
    for name, tensor in half.state_dict().items():
        assert tensor.dtype == (torch.float32 if ".filter_fn." in name else torch.bfloat16), name


def test_lora(model):
    assert_lora_trains(model, random_batch(model, [20])[0], layers=4 * model.config["n_layer"])


def test_autocast_to_bfloat16_follows_float32(model):
    ids, _ = random_batch(model, [120])
    with torch.no_grad():
        expected = model(ids).last_hidden_state
    with torch.autocast("cpu", torch.bfloat16):
        found = model(ids)
    assert torch.nn.functional.cosine_similarity(found.last_hidden_state.float(), expected, dim=-1).min() > 0.98
    found.logits.float().square().mean().backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.requires_grad)


def test_padding_is_refused(model):
    ids, mask = random_batch(model, [20, 12])
    with pytest.raises(NotSupportedError, match="padding"):
        model(ids, mask)
    with pytest.raises(NotSupportedError):
        model.tokenize(["ACGTACGT", "ACGT"])


def test_soft_masked_unknown_and_ambiguous_bases():
    # The published tokenizer would make [UNK] (6) of lower case.
    model = new_model("hyenadna", TINY)
    assert model.tokenize(["acgtNRy"]).input_ids.tolist() == [[7, 8, 9, 10, 11, 11, 11]]
    assert model.tokenizer.encode("acgt") == [6, 6, 6, 6]
    with pytest.raises(InputError, match="position 2"):
        model.tokenize(["AC-T"])


def test_log_likelihood_is_the_mean_of_both_strands():
    model = new_model("hyenadna", TINY, seed=3).eval()
    sequence, reverse = "ACGTTGCATTAGCC", "GGCTAATGCAACGT"
    total = 0.0
    for strand in (sequence, reverse):
        ids = model.tokenize([strand]).input_ids
        with torch.no_grad():
            predicted = model(ids).logits.double().log_softmax(-1)
        total += predicted[0, :-1].gather(-1, ids[0, 1:, None]).sum().item() / 2
    assert model.log_likelihood([sequence])[0] == pytest.approx(total, abs=1e-4)
    assert model.log_likelihood([reverse])[0] == pytest.approx(total, abs=1e-4)
