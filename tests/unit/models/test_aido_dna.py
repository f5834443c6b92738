"""AIDO.DNA: equal to the original in every variant, long windows without a tensor of all pairs, exact positions."""

import numpy as np
import pytest
import torch
from family_checks import (
    Largest,
    assert_bfloat16_follows_float32,
    assert_checkpointing_gives_the_same_gradients,
    assert_lora_trains,
    assert_padding_changes_nothing,
    assert_parity,
    assert_reloads,
    assert_survives_saving,
    fixture,
    random_batch,
    tokens_of,
)
from glmflow.context import extend
from glmflow.errors import InputError
from glmflow.models import load_model, new_model
from glmflow.models.families.aido_dna import RotaryEmbedding, rotate
from torch.nn import functional

TINY = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
}
VARIANTS = [
    {"normalization_type": norm, "add_linear_bias": bias, "rotary_percent": share}
    for norm, bias, share in [("RMSNorm", True, 1.0), ("RMSNorm", False, 1.0), ("LayerNorm", True, 0.5)]
]


@pytest.fixture
def model():
    return new_model("aido_dna", TINY).eval()


def test_parity():
    model = assert_parity(fixture("aido-dna"))
    predictions = model.network.cls.predictions
    assert predictions["decoder"].weight is model.network.bert["embeddings"]["word_embeddings"].weight
    assert predictions["decoder"].bias is predictions.bias


def test_token_ids():
    folder = fixture("aido-dna")
    tokenizer = load_model(folder).tokenizer
    for case in tokens_of(folder):
        assert tokenizer.encode(case["sequence"]) == case["input_ids"]
        assert tokenizer.encode(case["sequence"], special=False) == case["input_ids_no_special"]


def test_published_vocabulary(model):
    # vocab.txt: [PAD] [MASK] [CLS] [SEP] [UNK] A G C T U N.
    assert model.tokenizer.encode("ACGTN") == [2, 5, 7, 6, 8, 10, 3]
    assert (model.tokenizer.pad_id, model.tokenizer.mask_id, model.tokenizer.unknown_id) == (0, 1, 4)


def test_soft_masked_bases_are_read_as_bases_and_ambiguous_ones_as_n(model):
    assert model.tokenize(["acgtRy"]).input_ids.tolist() == [[2, 5, 7, 6, 8, 10, 10, 3]]


def written_out(model, ids):
    """The architecture as equations: complex rotations, explicit softmax, norms as means; no padding."""
    config, weights = model.config, {name: t.double() for name, t in model.network.state_dict().items()}
    heads, dim = config["num_attention_heads"], config["hidden_size"] // config["num_attention_heads"]
    turning = int(dim * config["rotary_percent"])

    def linear(x, name):
        return functional.linear(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"))

    def norm(x, name):
        if config["normalization_type"] == "LayerNorm":
            x = x - x.mean(-1, keepdim=True)
        x = x / (x.square().mean(-1, keepdim=True) + config["layer_norm_eps"]).sqrt()
        return x * weights[f"{name}.weight"] + weights.get(f"{name}.bias", 0)

    def turned(x):
        frequency = 10_000.0 ** (-2 * torch.arange(turning // 2).double() / turning)
        angle = torch.arange(x.shape[2]).double()[:, None] * frequency
        pairs = torch.complex(x[..., : turning // 2], x[..., turning // 2 : turning])
        pairs = pairs * torch.polar(torch.ones_like(angle), angle)
        return torch.cat([pairs.real, pairs.imag, x[..., turning:]], -1)

    x = weights["bert.embeddings.word_embeddings.weight"][ids]
    for layer in range(config["num_hidden_layers"]):
        at = f"bert.encoder.layer.{layer}"
        normed = norm(x, f"{at}.attention.ln")
        q, k, v = (
            linear(normed, f"{at}.attention.self.{name}").unflatten(-1, (heads, dim)).transpose(1, 2)
            for name in ("query", "key", "value")
        )
        mixed = (turned(q) @ turned(k).mT / dim**0.5).softmax(-1) @ v
        x = x + linear(mixed.transpose(1, 2).flatten(2), f"{at}.attention.output.dense")
        normed = norm(x, f"{at}.ln")
        gate, up = linear(normed, f"{at}.mlp.gate_proj"), linear(normed, f"{at}.mlp.up_proj")
        x = x + linear(gate * gate.sigmoid() * up, f"{at}.mlp.down_proj")
    x = norm(x, "bert.encoder.ln")
    head = functional.gelu(linear(x, "cls.predictions.transform.dense"))
    head = norm(head, "cls.predictions.transform.LayerNorm")
    return linear(head, "cls.predictions.decoder"), x


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_is_its_equations_and_reloads(variant, tmp_path):
    model = new_model("aido_dna", {**TINY, **variant}).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # biases and norms that matter
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(3)))
        batch = random_batch(model, [25])[0]
        logits, states = written_out(model, batch)
        found = model(batch)
    torch.testing.assert_close(found.logits.double(), logits, atol=1e-4, rtol=0)
    torch.testing.assert_close(found.last_hidden_state.double(), states, atol=1e-4, rtol=0)
    assert_reloads(model, batch, tmp_path / "model")
    names = set(model.network.state_dict())
    assert ("bert.encoder.layer.0.attention.self.query.bias" in names) == variant["add_linear_bias"]
    assert ("bert.encoder.ln.bias" in names) == (variant["normalization_type"] == "LayerNorm")
    assert "cls.predictions.transform.dense.bias" in names


@pytest.mark.parametrize(
    "key, value", [("hidden_act", "gelu"), ("normalization_type", "BatchNorm"), ("position_embedding_type", "absolute")]
)
def test_what_no_published_checkpoint_has_is_refused(key, value):
    with pytest.raises(InputError, match=key):
        new_model("aido_dna", {**TINY, key: value})


def test_the_interpolation_factor_of_the_configuration_has_no_effect(model):
    # As upstream, where the model does not hand it to its rotary embedding.
    batch = random_batch(model, [20])[0]
    with_factor = new_model("aido_dna", {**TINY, "seq_len_interpolation_factor": 16.0}).eval()
    torch.testing.assert_close(with_factor(batch).logits, model(batch).logits, atol=0, rtol=0)


def test_context_extension_sets_the_frequencies(model):
    rotary = model.network.bert["rotary_pos_emb"]
    before, batch = rotary.inv_freq.clone(), random_batch(model, [20])[0]
    logits = model(batch).logits
    extend(model.network, "pi", 4.0, original_length=64)
    torch.testing.assert_close(rotary.inv_freq, before / 4)
    assert not torch.allclose(model(batch).logits, logits)


def test_a_product_of_turned_queries_and_keys_depends_on_the_distance():
    torch.manual_seed(0)
    query, key = torch.randn(2, 1, 1, 1, 16, dtype=torch.float64)
    cosine, sine = RotaryEmbedding(16)(60)

    def product(i, j):
        at = (slice(i, i + 1), slice(j, j + 1))
        turned = (rotate(x, cosine[place], sine[place]) for x, place in zip((query, key), at))
        return float((next(turned) * next(turned)).sum())

    assert product(3, 10) == pytest.approx(product(43, 50), abs=1e-5)
    assert product(3, 10) != pytest.approx(product(3, 12), abs=1e-3)


def test_frequencies_stay_exact_in_a_bfloat16_model(model):
    exact = model.network.bert["rotary_pos_emb"].inv_freq.clone()
    frequencies = model.bfloat16().network.bert["rotary_pos_emb"].inv_freq
    assert frequencies.dtype == torch.float32
    assert torch.equal(frequencies, exact)


def test_padding_changes_nothing(model):
    assert_padding_changes_nothing(model, *random_batch(model, [30, 7, 19]))


def test_padding_on_the_left_moves_positions_together(model):
    batch, mask = random_batch(model, [20, 20])
    mask[0, :8] = 0
    with torch.no_grad():
        states = model(batch, mask).last_hidden_state[0, 8:]
        alone = model(batch[:1, 8:]).last_hidden_state[0]
    torch.testing.assert_close(states, alone, atol=1e-5, rtol=0)


def test_a_fresh_process_computes_the_same(model, tmp_path):
    assert_survives_saving(model, random_batch(model, [20])[0], tmp_path)


def test_gradient_checkpointing(model):
    assert_checkpointing_gives_the_same_gradients(model, random_batch(model, [30])[0])


def test_bfloat16(model, tmp_path):
    assert_bfloat16_follows_float32(model, random_batch(model, [60])[0], tmp_path / "model")


def test_lora(model):
    assert_lora_trains(model, random_batch(model, [30])[0], layers=6)


def largest_tensor(length, padded):
    """Elements of the largest tensor of a forward and backward pass of one head over `length` bases."""
    sizes = {"num_attention_heads": 1, "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1}
    model = new_model("aido_dna", {**TINY, **sizes}).train()
    batch, mask = random_batch(model, [length, length // 2] if padded else [length])
    with Largest() as largest:
        model(batch, mask).last_hidden_state.sum().backward()
    return largest.elements


@pytest.mark.parametrize("padded", [False, True])
def test_no_tensor_of_all_pairs(padded):
    assert largest_tensor(2048, padded) < 2048**2 / 16


@pytest.mark.slow
def test_64_thousand_bases_need_no_tensor_of_all_pairs():
    assert largest_tensor(65_536, padded=False) < 65_536**2 / 1000


def test_states_scores_and_probabilities_per_base(model):
    sequences = ["ACGTTGCANACG", "TTGAC"]
    tokens = model.tokenize(sequences)
    with torch.no_grad():
        per_base = model.states_per_base(tokens)
        states = model(tokens.input_ids, tokens.attention_mask).last_hidden_state
    torch.testing.assert_close(per_base[0], states[0, 1:13])
    torch.testing.assert_close(per_base[1, :5], states[1, 1:6])
    probabilities = model.base_probabilities(sequences, [0, 4])
    np.testing.assert_allclose(probabilities.sum(-1), 1)
    # The pseudo-likelihood of one base is its masked probability over the whole vocabulary.
    ids = model.tokenize(["G"]).input_ids
    ids[0, 1] = model.tokenizer.mask_id
    with torch.no_grad():
        expected = model(ids).logits[0, 1].double().log_softmax(-1)[6]
    assert model.log_likelihood(["G"])[0] == pytest.approx(float(expected), abs=1e-6)
