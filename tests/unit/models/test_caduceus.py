"""Caduceus: equal to the original, equivariant where it promises to be, fused and un-fused kept apart."""

import pytest
import torch
from family_checks import (
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
from glmflow.bases import reverse_complement
from glmflow.errors import InputError
from glmflow.models import load_model, new_model
from glmflow.models.families.caduceus import Caduceus, complements, configure, join_strands
from glmflow.models.interface import NotSupportedError
from glmflow.models.tokenizers import clean
from safetensors.torch import load_file, save_file

TINY = {"d_model": 20, "n_layer": 3, "ssm_cfg": {"d_state": 4}}
PS = {**TINY, "rcps": True}
PLANT = {**PS, "vocab_size": 8, "residual_in_fp32": True}
VARIANTS = {
    "ph": TINY,
    "ps": PS,
    "ps un-fused": {**PS, "fused_add_norm": False},
    "ps un-fused, layer norm": {**PS, "fused_add_norm": False, "rms_norm": False},
    "plant": PLANT,
    "layer norm": {**TINY, "rms_norm": False},
    "one direction": {**TINY, "bidirectional": False},
    "product of directions": {**TINY, "bidirectional_strategy": "ew_multiply"},
    "untied directions": {**TINY, "bidirectional_weight_tie": False},
    "other state space": {**TINY, "ssm_cfg": {"d_state": 7, "d_conv": 3, "expand": 3, "dt_rank": 5, "bias": True}},
}
STRANDED = [name for name, config in VARIANTS.items() if config.get("rcps")]


@pytest.fixture(params=VARIANTS)
def model(request):
    return new_model("caduceus", VARIANTS[request.param], seed=1).eval()


@pytest.fixture(params=STRANDED)
def stranded(request):
    return new_model("caduceus", VARIANTS[request.param], seed=1).eval()


@pytest.mark.parametrize("name", ["caduceus-ph", "caduceus-ps"])
def test_parity(name):
    network = assert_parity(fixture(name)).network
    for block in network.caduceus["backbone"].layers:
        mixer = block.mixer.submodule if network.strands else block.mixer
        for projection in ("in_proj", "out_proj"):
            forwards, backwards = getattr(mixer.mamba_fwd, projection), getattr(mixer.mamba_rev, projection)
            assert forwards.weight is backwards.weight


@pytest.mark.parametrize("name", ["caduceus-ph", "caduceus-ps"])
def test_tokens(name):
    folder = fixture(name)
    tokenizer = load_model(folder).tokenizer
    for case in tokens_of(folder):
        assert tokenizer.encode(case["sequence"]) == case["input_ids"]
        assert tokenizer.encode(case["sequence"], special=False) == case["input_ids_no_special"]


@pytest.mark.parametrize(
    "config, parameters",
    [
        # Schiff et al. (2024), table 1: 470 thousand (d 118, 4 layers); 7.7 million (d 256, 16 layers).
        ({"d_model": 118, "n_layer": 4}, (470e3, 471e3)),
        ({"d_model": 256, "n_layer": 16, "rcps": True}, (7.7e6, 7.8e6)),
        # The model cards of PlantCaduceus: 20, 112 and 225 million.
        ({"d_model": 384, "n_layer": 20, "rcps": True, "vocab_size": 8}, (20e6, 21e6)),
        ({"d_model": 768, "n_layer": 28, "rcps": True, "vocab_size": 8}, (112e6, 113e6)),
        ({"d_model": 1024, "n_layer": 32, "rcps": True, "vocab_size": 8}, (225e6, 226e6)),
    ],
)
def test_published_sizes(config, parameters):
    with torch.device("meta"):
        count = sum(p.numel() for p in Caduceus(configure(config)).parameters())
    assert parameters[0] <= count < parameters[1]


def reverse_ids(model, ids):
    return torch.tensor(complements(model.config))[ids].flip(1)


def test_reverse_complement_equivariance(stranded):
    ids, _ = random_batch(stranded, [33, 33])
    with torch.no_grad():
        given, reverse = stranded(ids), stranded(reverse_ids(stranded, ids))
    torch.testing.assert_close(reverse.last_hidden_state, given.last_hidden_state.flip(1, 2), atol=1e-5, rtol=0)
    exchanged = given.logits.flip(1)[..., complements(stranded.config)]
    torch.testing.assert_close(reverse.logits, exchanged, atol=1e-5, rtol=0)


def test_each_strand_gets_the_complementary_probabilities():
    # PlantCaduceus puts no [SEP] at one end, so the symmetry reaches from sequence to probabilities.
    model = new_model("caduceus", PLANT, seed=3).eval()
    sequence = "ACGTTGCATTAGCCNGATTACA"
    reverse = reverse_complement(clean(sequence)).tobytes().decode()
    positions = [0, 4, 14, 21]
    given = model.base_probabilities([sequence], positions)
    other = model.base_probabilities([reverse], [len(sequence) - 1 - p for p in positions])
    assert given.shape == (1, 4, 4)
    torch.testing.assert_close(torch.tensor(other[..., ::-1].copy()), torch.tensor(given), atol=1e-5, rtol=0)
    assert abs(given.sum(-1) - 1).max() < 1e-6


def test_strands_are_joined_position_by_position():
    strands = torch.randn(2, 5, 3)  # one sequence, and its reverse complement as that one reads
    joined = join_strands(strands)
    torch.testing.assert_close(joined[0, 1, :3], strands[0, 1])
    torch.testing.assert_close(joined[0, 1, 3:], strands[1, 3].flip(0))


def test_unfused_ps_is_ph_on_either_strand():
    # Without the exchange the strands meet in the head alone: ph, which parity pins, run twice.
    ps = new_model("caduceus", VARIANTS["ps un-fused"], seed=1).eval()
    ph = new_model("caduceus", {**TINY, "fused_add_norm": False}).eval()
    state = {
        name.replace(".submodule", "").replace("word_embeddings.embedding", "word_embeddings"): tensor
        for name, tensor in ps.network.state_dict().items()
        if "complement_map" not in name and "lm_head" not in name
    }
    missing = ph.network.load_state_dict(state, strict=False)
    assert missing.missing_keys == ["lm_head.weight"] and not missing.unexpected_keys
    ids, _ = random_batch(ps, [31])
    with torch.no_grad():
        given, reverse = ph(ids), ph(reverse_ids(ps, ids))
        found = ps(ids)
    exchanged = reverse.logits.flip(1)[..., complements(ps.config)]
    torch.testing.assert_close(found.logits, given.logits + exchanged, atol=1e-5, rtol=0)
    halves = torch.cat([given.last_hidden_state, reverse.last_hidden_state.flip(1, 2)], -1)
    torch.testing.assert_close(found.last_hidden_state, halves, atol=1e-5, rtol=0)


def test_fused_and_unfused_ps_are_two_functions():
    fused = new_model("caduceus", VARIANTS["ps"], seed=1).eval()
    unfused = new_model("caduceus", VARIANTS["ps un-fused"]).eval()
    state = {
        name.replace(".norm.", ".norm.submodule.").replace(".norm_f.", ".norm_f.submodule."): tensor
        for name, tensor in fused.network.state_dict().items()
    }
    unfused.network.load_state_dict(state)
    ids, _ = random_batch(fused, [20])
    with torch.no_grad():
        difference = (fused(ids).last_hidden_state - unfused(ids).last_hidden_state).abs().max()
    assert difference > 0.1


def test_every_position_sees_both_sides(model):
    if model.config["bidirectional"]:
        ids, _ = random_batch(model, [12])
        changed = ids.clone()
        changed[0, 6] = 5 if ids[0, 6] != 5 else 6
        with torch.no_grad():
            difference = (model(ids).last_hidden_state - model(changed).last_hidden_state).abs().amax(-1)
        assert (difference > 0).all()


@pytest.mark.parametrize("length", [1, 2, 3, 5, 64, 131])
def test_ragged_lengths(model, length):
    ids, _ = random_batch(model, [length, length])
    with torch.no_grad():
        together, alone = model(ids), model(ids[1:])
    assert together.logits.shape == (2, length, model.card.vocab_size)
    assert together.last_hidden_state.shape == (2, length, model.card.hidden_size)
    torch.testing.assert_close(together.logits[1:], alone.logits, atol=1e-5, rtol=0)


def test_saved_and_loaded(model, tmp_path):
    assert_reloads(model, random_batch(model, [17])[0], tmp_path / "model")


@pytest.mark.parametrize("name", ["ph", "ps"])
def test_a_fresh_process_computes_the_same(name, tmp_path):
    model = new_model("caduceus", VARIANTS[name], seed=2).eval()
    assert_survives_saving(model, random_batch(model, [17])[0], tmp_path)


def test_a_saved_model_is_laid_out_as_published(tmp_path):
    # The fixture leaves out what published files leave out: tied projections and head.
    published = fixture("caduceus-ps")
    load_model(published).save(tmp_path / "model")
    assert (
        load_file(tmp_path / "model" / "model.safetensors").keys() == load_file(published / "model.safetensors").keys()
    )


@pytest.mark.parametrize("name", ["ph", "ps", "plant"])
def test_gradient_checkpointing(name):
    model = new_model("caduceus", VARIANTS[name])
    assert_checkpointing_gives_the_same_gradients(model, random_batch(model, [30])[0])


@pytest.mark.parametrize("name", ["ph", "ps", "plant"])
def test_bfloat16(name, tmp_path):
    model = new_model("caduceus", VARIANTS[name])
    assert_bfloat16_follows_float32(model, random_batch(model, [30])[0], tmp_path / "model")


def test_step_sizes_stay_float32_in_a_bfloat16_model(tmp_path):
    new_model("caduceus", PS).save(tmp_path / "model")
    half = load_model(tmp_path / "model", dtype="bfloat16").network
    kept = {name for name, p in half.named_parameters() if p.dtype == torch.float32}
    assert {name.split("mamba_")[-1].partition(".")[2] for name in kept} == {
        "A_log",
        "D",
        "dt_proj.weight",
        "dt_proj.bias",
    }


def test_lora_adapts_three_projections_of_either_direction(model):
    assert "dt_proj" not in model.card.lora_targets
    directions = 2 if model.config["bidirectional"] else 1
    assert_lora_trains(model, random_batch(model, [20])[0], layers=3 * directions * model.config["n_layer"])


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


def test_states_per_base_leave_out_the_separator():
    model = new_model("caduceus", PS).eval()
    tokens = model.tokenize(["ACGTNACGTA", "TTTTTGGGGG"])
    assert tokens.input_ids[:, -1].tolist() == [1, 1]
    with torch.no_grad():
        per_base = model.states_per_base(tokens)
        states = model(tokens.input_ids).last_hidden_state
    torch.testing.assert_close(per_base, states[:, :-1])


def test_soft_masked_unknown_and_ambiguous_bases():
    caduceus, plant = new_model("caduceus", TINY), new_model("caduceus", PLANT)
    assert caduceus.tokenize(["acgtNRy"]).input_ids.tolist() == [[7, 8, 9, 10, 11, 11, 11, 1]]
    assert plant.tokenize(["acgtNRy"]).input_ids.tolist() == [[3, 4, 5, 6, 2, 2, 2]]
    with pytest.raises(InputError, match="position 2"):
        caduceus.tokenize(["AC-T"])
    with pytest.raises(InputError, match="empty"):
        caduceus.tokenize([""])


def test_a_file_without_the_head_is_the_same_model(tmp_path):
    # PlantCaduceus_l20 was saved as the bare encoder: no `caduceus.` before the names, no head.
    model = new_model("caduceus", PLANT, seed=4).eval()
    model.save(tmp_path / "model")
    path = tmp_path / "model" / "model.safetensors"
    state = load_file(path)
    bare = {name.removeprefix("caduceus."): x for name, x in state.items() if not name.startswith("lm_head")}
    save_file(bare, path)
    (tmp_path / "model" / "model.yaml").unlink()
    ids, _ = random_batch(model, [20])
    with torch.no_grad():
        torch.testing.assert_close(load_model(tmp_path / "model")(ids).logits, model(ids).logits, atol=0, rtol=0)


def test_mamba_2_is_refused_by_name(tmp_path):
    model = new_model("caduceus", PLANT)
    model.save(tmp_path / "model")
    path = tmp_path / "model" / "model.safetensors"
    save_file({**load_file(path), "caduceus.backbone.layers.0.mixer.submodule.mamba_fwd.dt_bias": torch.ones(8)}, path)
    (tmp_path / "model" / "model.yaml").unlink()
    with pytest.raises(InputError, match="Mamba-2"):
        load_model(tmp_path / "model")


@pytest.mark.parametrize(
    "broken, word",
    [({"bidirectional_strategy": "concat"}, "concat"), ({"complement_map": {"7": 10, "10": 9}}, "complement_map")],
)
def test_configurations_that_cannot_be(broken, word):
    with pytest.raises(InputError, match=word):
        new_model("caduceus", {**TINY, **broken})


def test_the_head_can_be_dropped(stranded, tmp_path):
    stranded.drop_head()
    ids, _ = random_batch(stranded, [9])
    stranded(ids).last_hidden_state.square().mean().backward()
    assert all(p.grad is not None for p in stranded.parameters())
    stranded.save(tmp_path / "model")
    again = load_model(tmp_path / "model")
    with torch.no_grad():
        expected = stranded(ids).last_hidden_state
        torch.testing.assert_close(again(ids).last_hidden_state, expected, atol=0, rtol=0)
