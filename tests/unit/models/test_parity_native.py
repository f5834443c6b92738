"""Families that transformers' own classes serve: equal to the original, and what goes wrong silently with each."""

import json
import shutil

import pytest
import torch
from family_checks import (
    PADDING,
    Largest,
    assert_bfloat16_follows_float32,
    assert_padding_changes_nothing,
    assert_parity,
    assert_survives_saving,
    fixture,
    random_batch,
)
from glmflow.errors import InputError
from glmflow.models import load_model, new_model
from glmflow.models.families import genos, olmo
from glmflow.models.model_commands import add_parity_command
from glmflow.models.parity import measure
from safetensors.torch import load_file, save_file

NAMES = ["nt-v1", "nt-v2", "grover", "genos", "generator", "olmo-bpe", "omni-dna", "modernbert", "gena-bigbird"]
CAUSAL = ["genos", "generator", "olmo-bpe", "omni-dna"]
GENOS_1B = {
    "vocab_size": 128,
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 12,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "num_local_experts": 8,
    "num_experts_per_tok": 2,
    "max_position_embeddings": 1_048_576,
    "rope_theta": 5e7,
    "tie_word_embeddings": False,
}
GENOS_10B = GENOS_1B | {"vocab_size": 256, "hidden_size": 4096, "intermediate_size": 8192}
AI2 = {
    "model_type": "olmo-gfm",
    "d_model": 32,
    "n_heads": 4,
    "n_layers": 2,
    "mlp_ratio": 8,
    "vocab_size": 50,
    "embedding_size": 64,
    "max_sequence_length": 40,
    "layer_norm_type": "rms",
    "layer_norm_with_affine": True,
    "weight_tying": True,
}


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def io(name):
    return load_file(fixture(name) / "io.safetensors")


def copy(name, folder):
    shutil.copytree(fixture(name), folder, copy_function=shutil.copyfile)
    folder.chmod(0o755)
    return folder


def rewrite(folder, change):
    path = folder / "model.safetensors"
    state = load_file(path)
    change(state)
    path.unlink()
    save_file({key: tensor.contiguous() for key, tensor in state.items()}, path, metadata={"format": "pt"})


def test_parity(name):
    assert_parity(fixture(name))


def test_parity_with_eager_attention(name):
    assert measure(fixture(name), attention="eager").holds


@pytest.mark.parametrize("name", ["genos", "nt-v1"])
def test_saved_and_loaded_in_a_fresh_process(name, tmp_path):
    assert_survives_saving(load_model(fixture(name)), io(name)["input_ids"], tmp_path)


def test_saved_and_loaded(name, tmp_path):
    model = load_model(fixture(name))
    model.save(tmp_path / "model")
    again = load_model(tmp_path / "model")
    assert again.card == model.card
    ids = io(name)["input_ids"]
    with torch.no_grad():
        assert torch.equal(again(ids).logits, model(ids).logits)
    assert measure_folder(tmp_path / "model", name).holds


def measure_folder(folder, name):
    shutil.copyfile(fixture(name) / "io.safetensors", folder / "io.safetensors")
    return measure(folder)


def test_without_its_head_saved_and_loaded(name, tmp_path):
    model = load_model(fixture(name))
    model.drop_head()
    model.save(tmp_path / "model")
    again = load_model(tmp_path / "model")
    inputs = io(name)
    output = again(inputs["input_ids"], inputs.get("attention_mask"))
    assert output.logits is None
    kept = inputs.get("attention_mask", torch.ones_like(inputs["input_ids"])).bool()
    difference = (output.last_hidden_state - inputs["last_hidden_state"])[kept].abs().max()
    assert difference < 1e-4
    (output.last_hidden_state * torch.randn_like(output.last_hidden_state)).sum().backward()
    assert [key for key, p in again.named_parameters() if p.grad is None] == []


def test_bfloat16(name, tmp_path):
    model = load_model(fixture(name))
    assert_bfloat16_follows_float32(model, io(name)["input_ids"], tmp_path / "model")
    half = load_model(tmp_path / "model", dtype="bfloat16")
    assert {b.dtype for key, b in half.named_buffers() if "inv_freq" in key} <= {torch.float32}


def test_gradient_checkpointing(name):
    model = load_model(fixture(name))
    ids = io(name)["input_ids"]

    def run():
        sizes = []
        torch.manual_seed(0)  # dropout draws the same
        with torch.autograd.graph.saved_tensors_hooks(lambda t: sizes.append(t.numel()) or t, lambda t: t):
            states = model.hidden_states(ids)
        model.zero_grad()
        states.square().mean().backward()
        return sum(sizes), {key: p.grad.clone() for key, p in model.named_parameters() if p.grad is not None}

    model.train()
    model.hidden_states(ids)  # BigBird makes the attention modules of this length
    plain, expected = run()
    model.gradient_checkpointing_enable()
    checkpointed, found = run()
    assert checkpointed < plain / 2
    assert expected.keys() == found.keys()
    for key, gradient in expected.items():
        torch.testing.assert_close(found[key], gradient, atol=1e-6, rtol=1e-4)


def test_padding_changes_nothing(name):
    model = load_model(fixture(name))
    ids, mask = random_batch(model, [14, 9, 3])
    assert_padding_changes_nothing(model, ids.masked_fill(mask == 0, model.tokenizer.pad_id or 0), mask)


@pytest.mark.parametrize("name", CAUSAL)
def test_a_causal_model_does_not_see_the_future(name):
    model = load_model(fixture(name))
    assert model.card.objective == "causal"
    ids = io(name)["input_ids"][:1]
    changed = ids.clone()
    changed[0, 8] = (ids[0, 8] + 1) % model.card.vocab_size
    with torch.no_grad():
        before, after = model(ids).logits[0], model(changed).logits[0]
    torch.testing.assert_close(before[:8], after[:8], atol=1e-6, rtol=0)
    assert not torch.allclose(before[8:], after[8:], atol=1e-4)


@pytest.mark.parametrize("name", CAUSAL)
def test_no_tensor_of_all_pairs_for_a_long_causal_batch_with_padding(name):
    config = json.loads((fixture(name) / "config.json").read_text())
    longer = {key: 4096 for key in ("max_position_embeddings", "max_sequence_length") if key in config}
    model = new_model(load_model(fixture(name)).card.family, config | longer).eval()
    model.drop_head()
    ids = torch.randint(5, 100, (2, 2048))
    mask = torch.ones_like(ids)
    mask[1, 1500:] = 0
    with torch.no_grad(), Largest() as largest:
        model(ids, mask)
    assert largest.elements < 2048**2 / 4


# The command


def run_command(*arguments):
    import argparse

    parser = argparse.ArgumentParser()
    add_parity_command(parser.add_subparsers(required=True))
    parsed = parser.parse_args(["parity", *map(str, arguments)])
    return parsed.run(parsed)


def test_command_prints_family_and_differences(capsys):
    assert run_command(fixture("nt-v2")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["family", "nucleotide_transformer"]
    assert float(lines[1].split()[1]) < 1e-4 and lines[1].split()[0] == "logits"
    assert float(lines[2].split()[1]) < 1e-4 and lines[2].split()[0] == "last_hidden_state"
    assert "0 of 3 sequences differ" in lines[3]
    assert lines[4].startswith("same as the original")


def test_command_fails_for_another_model(tmp_path, capsys):
    folder = copy("grover", tmp_path / "grover")
    rewrite(folder, lambda state: state["bert.embeddings.LayerNorm.bias"].add_(0.1))
    assert run_command(folder) == 1
    assert "NOT the same" in capsys.readouterr().out


def test_command_tells_other_ids(tmp_path, capsys):
    folder = copy("generator", tmp_path / "generator")
    (folder / "tokens.json").chmod(0o644)
    (folder / "tokens.json").write_text(
        json.dumps([{"sequence": "ACGTAC", "input_ids": [1, 2], "input_ids_no_special": [2]}])
    )
    assert run_command(folder) == 1
    assert "1 of 1 sequences differ\n  ACGTAC" in capsys.readouterr().out


def test_a_nan_is_no_parity(tmp_path):
    folder = copy("grover", tmp_path / "grover")
    rewrite(folder, lambda state: state["bert.embeddings.LayerNorm.bias"].fill_(torch.nan))
    assert not measure(folder).holds


def test_nothing_to_compare_with(tmp_path):
    with pytest.raises(InputError, match=r"no io\.safetensors"):
        measure(tmp_path)


# Weights that are not there


def test_a_lost_tensor_is_not_made_up(tmp_path):
    folder = copy("genos", tmp_path / "genos")
    rewrite(folder, lambda state: state.pop("model.layers.1.self_attn.v_proj.weight"))
    with pytest.raises(InputError, match=r"missing .*v_proj"):
        load_model(folder)


def test_a_tensor_too_many_is_not_passed_over(tmp_path):
    folder = copy("nt-v2", tmp_path / "nt")
    rewrite(folder, lambda state: state.update({"esm.encoder.layer.0.intermediate.dense.bias": torch.zeros(128)}))
    with pytest.raises(InputError, match=r"unexpected .*intermediate\.dense\.bias"):
        load_model(folder)


def test_another_size(tmp_path):
    folder = copy("olmo-bpe", tmp_path / "olmo")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").chmod(0o644)
    (folder / "config.json").write_text(json.dumps(config | {"intermediate_size": 96}))
    with pytest.raises(InputError, match="weights"):
        load_model(folder)


# Nucleotide Transformer


def test_old_names_of_layer_norms_are_read(tmp_path):
    # transformers writes gamma and beta for tuned ESM checkpoints.
    folder = copy("nt-v1", tmp_path / "nt")

    def rename(state):
        for key in [key for key in state if "LayerNorm" in key]:
            state[key.replace(".weight", ".gamma").replace(".bias", ".beta")] = state.pop(key)

    rewrite(folder, rename)
    assert measure(folder).holds


def test_masks_rescale_the_embeddings_of_version_1_alone():
    for name, rescales in (("nt-v1", True), ("nt-v2", False)):
        model = load_model(fixture(name))
        seen = {}
        model.network.model.esm.embeddings.register_forward_hook(lambda _, __, out, seen=seen: seen.update(x=out))
        ids = model.tokenize(["ACGTAC" * 8]).input_ids
        embedded = []
        for masked in (0, 4):
            ids[0, 5 : 5 + masked] = model.tokenizer.mask_id
            with torch.no_grad():
                model(ids)
            position = getattr(model.network.model.esm.embeddings, "position_embeddings", None)
            here = 0 if position is None else position.weight[2 + 1]
            embedded.append((seen["x"][0, 1] - here).norm())
        # (1 - 0.12) / (1 - masked share): 4 of 9 tokens are masked.
        assert (embedded[1] / embedded[0]).item() == pytest.approx(9 / 5 if rescales else 1, rel=1e-4)


def test_3mers_of_version_2():
    config = json.loads((fixture("nt-v2") / "config.json").read_text()) | {"vocab_size": 75}
    model = new_model("nucleotide_transformer", config).eval()
    tokens = model.tokenize(["ACGTACGTN"])
    assert (tokens.input_ids < 75).all() and tokens.input_ids.shape == (1, 6)
    assert model.base_probabilities(["ACGTACGT"], [4]).shape == (1, 1, 4)


# Genos


def parameters(build, config):
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in build(config, "sdpa").parameters())


def test_genos_has_the_published_numbers_of_parameters():
    with torch.device("meta"):
        network = genos.build(GENOS_1B, "sdpa")
    network.drop_head()
    backbone = sum(parameter.numel() for parameter in network.parameters())
    head = 0
    for inputs, outputs, width in ((1024, 256, 3), (256, 64, 3), (64, 1, 1)):
        head += inputs * outputs * width + outputs + (2 * outputs if outputs > 1 else 0)
    assert backbone + head + 1 == 1_246_799_874
    assert parameters(genos.build, GENOS_10B) == 10_270_248_960


def test_genos_with_the_track_head():
    from glmflow.models.heads.coverage_heads import TrackHead

    with torch.device("meta"):
        network = genos.build(GENOS_1B, "sdpa")
        head = TrackHead(1024, 1)
    network.drop_head()
    count = sum(parameter.numel() for module in (network, head) for parameter in module.parameters())
    assert count == 1_246_799_874


def test_genos_without_a_tokenizer_makes_up_no_ids():
    with pytest.raises(InputError, match=r"no tokenizer\.json"):
        load_model(fixture("genos")).tokenize(["ACGT"])


def test_saved_genos_keeps_the_published_names(tmp_path):
    load_model(fixture("genos")).save(tmp_path / "model")
    saved = load_file(tmp_path / "model" / "model.safetensors")
    published = load_file(fixture("genos") / "model.safetensors")
    assert saved.keys() == published.keys()
    assert all(torch.equal(saved[key], published[key]) for key in saved)


# OLMo


def ai2_reference(state, config, ids):
    """OLMo with RMS norms as its equations say (Groeneveld et al. 2024), in float64."""
    state = {key.removeprefix("model.transformer."): tensor.double() for key, tensor in state.items()}
    width, heads = config["d_model"], config["n_heads"]
    size, length = width // heads, ids.shape[1]

    def norm(x, weight):
        return weight * x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt()

    angles = torch.arange(length)[:, None] * 10000.0 ** (-torch.arange(0, size, 2).double() / size)
    turn = torch.polar(torch.ones_like(angles), angles)

    def rotate(x):
        pairs = torch.complex(x[..., : size // 2], x[..., size // 2 :]) * turn
        return torch.cat([pairs.real, pairs.imag], -1)

    x = state["wte.weight"][ids]
    for layer in range(config["n_layers"]):
        weights = {key.split(".")[2]: tensor for key, tensor in state.items() if key.startswith(f"blocks.{layer}.")}
        projected = norm(x, weights["attn_norm"]) @ weights["att_proj"].T
        query, key, value = (part.unflatten(-1, (heads, size)).transpose(1, 2) for part in projected.split(width, -1))
        scores = rotate(query) @ rotate(key).mT / size**0.5
        scores = scores.masked_fill(torch.ones(length, length).triu(1).bool(), -torch.inf)
        mixed = (scores.softmax(-1) @ value).transpose(1, 2).flatten(2)
        x = x + mixed @ weights["attn_out"].T
        value, gate = (norm(x, weights["ff_norm"]) @ weights["ff_proj"].T).chunk(2, -1)
        x = x + (torch.nn.functional.silu(gate) * value) @ weights["ff_out"].T
    states = norm(x, state["ln_f.weight"])
    head = state.get("ff_out.weight", state["wte.weight"])
    return states, states @ head.T


@pytest.mark.parametrize("tied", [True, False])
def test_omni_dna_with_rms_norms(tied, tmp_path):
    generator = torch.Generator().manual_seed(0)
    width, inner = 32, 8 * 32
    shapes = {"wte.weight": (64, width), "ln_f.weight": (width,)}
    if not tied:
        shapes["ff_out.weight"] = (64, width)
    for layer in range(2):
        block = {
            "att_proj": (3 * width, width),
            "attn_out": (width, width),
            "ff_proj": (inner, width),
            "ff_out": (width, inner // 2),
            "attn_norm": (width,),
            "ff_norm": (width,),
        }
        shapes.update({f"blocks.{layer}.{key}.weight": shape for key, shape in block.items()})
    state = {
        f"model.transformer.{key}": torch.randn(shape, generator=generator) * (0.3 if len(shape) == 2 else 1)
        for key, shape in shapes.items()
    }
    config = AI2 | {"weight_tying": tied}
    (tmp_path / "config.json").write_text(json.dumps(config))
    save_file(state, tmp_path / "model.safetensors")
    ids = torch.randint(64, (2, 30), generator=generator)
    states, logits = ai2_reference(state, config, ids)
    model = load_model(tmp_path)
    with torch.no_grad():
        found = model(ids)
    torch.testing.assert_close(found.last_hidden_state.double(), states, atol=1e-4, rtol=0)
    torch.testing.assert_close(found.logits.double(), logits, atol=1e-3, rtol=0)
    model.save(tmp_path / "again")
    with torch.no_grad():
        assert torch.equal(load_model(tmp_path / "again")(ids).logits, found.logits)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"alibi": True, "rope": False}, "alibi: True, rope: False"),
        ({"include_bias": True}, "include_bias"),
        ({"layer_norm_type": "default"}, "layer_norm_type: default with weights"),
        ({"attention_layer_norm": True}, "attention_layer_norm"),
        ({"clip_qkv": 8.0}, "clip_qkv"),
    ],
)
def test_olmo_variants_that_would_be_computed_wrongly_are_refused(change, match):
    with pytest.raises(InputError, match=match):
        olmo.native(AI2 | change)


# GENERator


def test_remote_code_is_not_run(tmp_path):
    folder = copy("generator", tmp_path / "generator")
    (folder / "modeling_generator.py").write_text("raise RuntimeError('remote code was run')")
    assert measure(folder).holds


# BigBird


@pytest.fixture(scope="module")
def bigbird():
    config = json.loads((fixture("gena-bigbird") / "config.json").read_text())
    return new_model("gena_bigbird", config | {"max_position_embeddings": 512}).eval()


def test_a_short_sequence_does_not_change_what_a_long_one_gets(bigbird):
    long, short = torch.randint(5, 400, (1, 300)), torch.randint(5, 400, (1, 20))
    with torch.no_grad():
        before = bigbird(long).last_hidden_state
        bigbird(short)
        after = bigbird(long).last_hidden_state
    assert torch.equal(before, after)


def test_long_sequences_are_sparse_and_short_ones_full(bigbird):
    # Zaheer et al. 2020: every token sees the first and last block and three around its own; random blocks only in training.
    ids = torch.randint(5, 400, (1, 320))
    changed = ids.clone()
    changed[0, 100] = 5 + (ids[0, 100] + 1) % 300
    with torch.no_grad():
        layer = bigbird.network.model.bert.encoder.layer[1:]
        bigbird.network.model.bert.encoder.layer = bigbird.network.model.bert.encoder.layer[:1]
        difference = (bigbird(ids).last_hidden_state - bigbird(changed).last_hidden_state)[0].abs().amax(-1)
        bigbird.network.model.bert.encoder.layer.extend(layer)
    sees = difference > 0
    assert sees[80:128].any() and not sees[200:288].any()
    assert sees[:16].all() and sees[304:].all()


def test_states_of_long_sequences_do_not_depend_on_the_batch(bigbird):
    ids, mask = random_batch(bigbird, [400, 300])
    with torch.no_grad():
        together = bigbird.hidden_states(ids, mask)
        alone = bigbird.hidden_states(ids[1:, :300])
    torch.testing.assert_close(together[1, :300], alone[0], atol=PADDING, rtol=0)


# Positions of one's own


@pytest.mark.parametrize("name", ["genos", "nt-v2", "olmo-bpe"])
def test_positions_shifted_as_a_whole_change_nothing(name):
    model = load_model(fixture(name))
    ids = io(name)["input_ids"]
    positions = torch.arange(ids.shape[1]).expand_as(ids)
    with torch.no_grad():
        plain = model(ids).logits
        torch.testing.assert_close(model(ids, None, positions + 7).logits, plain, atol=1e-3, rtol=0)
        assert not torch.allclose(model(ids, None, 3 * positions).logits, plain, atol=1e-2)
