"""Evo 2: equal to the original, each of its mixers against its definition, the published layout of weights."""

import math

import pytest
import torch
import yaml
from family_checks import (
    Largest,
    assert_bfloat16_follows_float32,
    assert_checkpointing_gives_the_same_gradients,
    assert_lora_trains,
    assert_parity,
    assert_reloads,
    assert_survives_saving,
    fixture,
    random_batch,
    tokens_of,
)
from glmflow.errors import InputError
from glmflow.models import load_model, new_model
from glmflow.models.families.evo2 import LongFilter, MediumFilter, ShortFilter, configure
from glmflow.models.interface import NotSupportedError
from safetensors.torch import load_file

TINY = {
    "hidden_size": 24,
    "num_layers": 5,
    "num_attention_heads": 3,
    "hcs_layer_idxs": [0, 4],
    "hcm_layer_idxs": [1],
    "hcl_layer_idxs": [2],
    "attn_layer_idxs": [3],
    "hcs_filter_groups": 8,
    "hcm_filter_groups": 6,
    "state_size": 4,
    "max_seqlen": 256,
}
ALONE = {f"{kind}_layer_idxs": [] for kind in ("hcs", "hcm", "hcl", "attn")}
VARIANTS = {
    "all mixers": TINY,
    **{
        kind: {**TINY, **ALONE, f"{kind}_layer_idxs": [0, 1], "num_layers": 2} for kind in ("hcs", "hcm", "hcl", "attn")
    },
    "long filters shared": {**TINY, "hcl_filter_groups": 4},
    "interpolated positions": {**TINY, "use_interpolated_rotary_pos_emb": True, "rotary_emb_scaling_factor": 16},
    "other layout": {**TINY, "interleave": False, "column_split": False, "hyena_flip_x1x2": True},
    "biases": {**TINY, "qkv_proj_bias": True, "short_filter_bias": True, "mha_out_proj_bias": False},
    "gated with GELU throughout": {**TINY, "evo2_style_activations": False},
    "untied, no final norm": {**TINY, "tie_embeddings": False, "final_norm": False},
    "other lengths": {**TINY, "hcs_filter_length": 5, "hcm_filter_length": 33, "short_filter_length": 4},
}


@pytest.fixture(params=VARIANTS)
def model(request):
    return new_model("evo2", VARIANTS[request.param], seed=1).eval()


def test_parity():
    network = assert_parity(fixture("evo2")).network
    assert network.unembed.weight is network.embedding_layer.weight


def test_tokens():
    folder = fixture("evo2")
    tokenizer = load_model(folder).tokenizer
    for case in tokens_of(folder):
        assert tokenizer.encode(case["sequence"]) == case["input_ids"]


def test_a_published_folder_has_a_yml_and_a_pt_file(tmp_path):
    """With what Transformer Engine adds to it, and frequencies rounded to bf16, which are not to be used."""
    folder = fixture("evo2")
    state = load_file(folder / "model.safetensors")
    name = "blocks.3.inner_mha_cls.rotary_emb.inv_freq"
    rounded = {name: state[name].bfloat16().float(), "blocks.0.projections._extra_state": torch.zeros(4)}
    torch.save({**state, **rounded, "unembed.weight": state["embedding_layer.weight"]}, tmp_path / "evo2_tiny.pt")
    (tmp_path / "evo2-tiny.yml").write_text(yaml.safe_dump(yaml.safe_load((folder / "config.json").read_text())))
    ids = load_file(folder / "io.safetensors")["input_ids"]
    with torch.no_grad():
        published, expected = load_model(tmp_path)(ids).logits, load_model(folder)(ids).logits
    torch.testing.assert_close(published, expected, atol=0, rtol=0)


def test_a_saved_model_is_laid_out_as_published(tmp_path):
    folder = fixture("evo2")
    load_model(folder).save(tmp_path / "model")
    published, ours = load_file(folder / "model.safetensors"), load_file(tmp_path / "model" / "model.safetensors")
    assert ours.keys() == {name for name in published if not name.endswith("inv_freq")}
    assert all(torch.equal(tensor, published[name]) for name, tensor in ours.items())


def test_queries_keys_and_values_lie_head_by_head():
    # Rows [head, q|k|v, dim] read with column_split are rows [q|k|v, head, dim] read without.
    config = VARIANTS["attn"]
    by_head = new_model("evo2", config, seed=1).eval()
    by_part = new_model("evo2", {**config, "column_split": False}, seed=1).eval()
    for block in by_part.network.blocks:
        weight = block.inner_mha_cls.Wqkv.weight
        weight.data = weight.data.view(3, 3, 8, 24).transpose(0, 1).reshape(72, 24)
    ids, _ = random_batch(by_head, [40])
    with torch.no_grad():
        torch.testing.assert_close(by_part(ids).logits, by_head(ids).logits, atol=1e-6, rtol=0)
        for block in by_part.network.blocks:
            block.inner_mha_cls.by_head = True
        assert (by_part(ids).logits - by_head(ids).logits).abs().max() > 1e-3


def test_gates_and_value_lie_in_threes():
    config = VARIANTS["hcs"]
    threes = new_model("evo2", config, seed=1).eval()
    blocks = new_model("evo2", {**config, "interleave": False}, seed=1).eval()
    for block in blocks.network.blocks:
        for weight in (block.projections.weight, block.filter.short_filter_weight):
            weight.data = weight.data.unflatten(0, (24, 3)).transpose(0, 1).flatten(0, 1)
    ids, _ = random_batch(threes, [40])
    with torch.no_grad():
        torch.testing.assert_close(blocks(ids).logits, threes(ids).logits, atol=1e-6, rtol=0)


@pytest.mark.parametrize("length", [1, 2, 5, 100, 128, 129, 200])
def test_long_filters_are_sums_of_exponentials(length):
    layer = LongFilter(configure(TINY)).double()
    expected = sum(
        layer.residues[:, state, None] * torch.exp(layer.log_poles[:, state] * torch.arange(length))
        for state in range(TINY["state_size"])
    )
    torch.testing.assert_close(layer.filters(length), expected, atol=1e-14, rtol=1e-10)


def test_long_filters_keep_their_precision_over_a_long_context():
    layer = LongFilter(configure({**TINY, "max_seqlen": 2**20}))
    found, expected = layer.filters(2**17), layer.double().filters(2**17)
    torch.testing.assert_close(found.double(), expected, atol=1e-6, rtol=1e-4)


def test_long_filters_never_hold_a_number_for_each_state_and_position():
    layer = LongFilter(configure(TINY))
    with Largest() as largest:
        layer.filters(4096).sum().backward()
    assert largest.elements <= 24 * 4096 * 1.1


@pytest.mark.parametrize("length", [1, 6, 60, 128, 200])
@pytest.mark.parametrize("kind, taps", [(ShortFilter, 7), (MediumFilter, 128)])
def test_learned_taps_against_the_sum(kind, taps, length):
    # HCS meets the present with its last tap, HCM with its first; neighbouring channels share taps.
    layer = kind(configure(TINY)).double()
    x = torch.randn(2, 24, length, dtype=torch.float64)
    shared = layer.h[:, 0].repeat_interleave(24 // len(layer.h), 0)
    lags = shared.flip(-1) if kind is ShortFilter else shared
    expected = torch.zeros_like(x) if kind is ShortFilter else x * layer.D[:, None]
    for lag in range(min(taps, length)):
        expected[..., lag:] += lags[:, lag, None] * x[..., : length - lag]
    torch.testing.assert_close(layer(x), expected, atol=1e-10, rtol=1e-8)


def test_norm_adds_epsilon_to_the_root():
    model = new_model("evo2", {**TINY, "eps": 0.5})
    x = torch.tensor([[3.0, 4.0] * 12])
    found = model.network.blocks[0].pre_norm(x)
    torch.testing.assert_close(found, x / (math.sqrt(12.5) + 0.5))


def test_interpolated_positions_are_divided():
    plain = new_model("evo2", TINY).network.blocks[3].inner_mha_cls.rotary_emb
    divided = new_model("evo2", VARIANTS["interpolated positions"]).network.blocks[3].inner_mha_cls.rotary_emb
    torch.testing.assert_close(divided.inv_freq, plain.inv_freq / 16)
    exponents = -torch.arange(0, 8, 2) / 8
    torch.testing.assert_close(plain.inv_freq, 10000.0**exponents)


def test_causality(model):
    ids, _ = random_batch(model, [140], vocabulary=256)
    for changed_at in (1, 70, 139):
        changed = ids.clone()
        changed[0, changed_at] = 65 if ids[0, changed_at] != 65 else 67
        with torch.no_grad():
            difference = (model(ids).last_hidden_state - model(changed).last_hidden_state).abs()[0].amax(-1)
        assert difference[:changed_at].max() < 1e-5
        assert difference[changed_at] > 1e-3


@pytest.mark.parametrize("length", [1, 2, 3, 127, 128, 129, 200])
def test_ragged_lengths(model, length):
    ids, _ = random_batch(model, [length, length], vocabulary=256)
    with torch.no_grad():
        together, alone = model(ids), model(ids[1:])
    assert together.logits.shape == (2, length, 512)
    torch.testing.assert_close(together.logits[1:], alone.logits, atol=1e-5, rtol=0)


def test_a_prefix_gives_what_the_whole_gives(model):
    ids, _ = random_batch(model, [201], vocabulary=256)
    with torch.no_grad():
        torch.testing.assert_close(model(ids).logits[:, :101], model(ids[:, :101]).logits, atol=1e-5, rtol=1e-4)


def test_no_tensor_of_all_pairs():
    model = new_model("evo2", {**VARIANTS["attn"], "hidden_size": 8, "num_attention_heads": 1, "vocab_size": 256})
    ids, _ = random_batch(model, [2048], vocabulary=256)
    with Largest() as largest:
        model.train().hidden_states(ids).sum().backward()
    assert largest.elements < 2048**2 / 8


def test_saved_and_loaded(model, tmp_path):
    assert_reloads(model, random_batch(model, [17])[0], tmp_path / "model")


def test_a_fresh_process_computes_the_same(tmp_path):
    model = new_model("evo2", TINY, seed=2).eval()
    assert_survives_saving(model, random_batch(model, [17])[0], tmp_path)


def test_every_parameter_gets_a_gradient(model):
    ids, _ = random_batch(model, [140])
    model(ids).logits.square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_gradient_checkpointing():
    model = new_model("evo2", TINY)
    assert_checkpointing_gives_the_same_gradients(model, random_batch(model, [140])[0])


def test_bfloat16(model, tmp_path):
    assert_bfloat16_follows_float32(model, random_batch(model, [140])[0], tmp_path / "model")


def test_poles_residues_and_taps_stay_float32_in_a_bfloat16_model(tmp_path):
    new_model("evo2", TINY).save(tmp_path / "model")
    half = load_model(tmp_path / "model", dtype="bfloat16").network
    kept = {name for name, p in half.named_parameters() if p.dtype == torch.float32}
    assert kept == {
        "blocks.0.filter.h",
        "blocks.1.filter.h",
        "blocks.2.filter.log_poles",
        "blocks.2.filter.residues",
        "blocks.4.filter.h",
    }


def test_lora(model):
    attention = len(model.config["attn_layer_idxs"])
    layers = 5 * model.config["num_layers"]
    assert attention <= model.config["num_layers"]
    assert_lora_trains(model, random_batch(model, [20])[0], layers=layers)


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
    model = new_model("evo2", TINY)
    assert model.tokenize(["acgtNRy"]).input_ids.tolist() == [list(b"ACGTNNN")]
    assert model.tokenizer.encode("acgt") == list(b"acgt")  # as the original, which keeps the case
    with pytest.raises(InputError, match="position 2"):
        model.tokenize(["AC-T"])
    with pytest.raises(InputError, match="256"):
        model.tokenize(["A" * 257])


@pytest.mark.parametrize(
    "broken, word",
    [
        ({"attn_layer_idxs": []}, "layer 3"),
        ({"hcl_layer_idxs": [2, 3]}, "hcl and attn"),
        ({"proj_groups": 2}, "proj_groups"),
        ({"mlp_activation": "swish"}, "swish"),
    ],
)
def test_configurations_that_cannot_be(broken, word):
    with pytest.raises(InputError, match=word):
        new_model("evo2", {**TINY, **broken})
