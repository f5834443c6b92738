"""The models trained here: causality, padding, any length, sizes, saving, refusals."""

import numpy as np
import pytest
import torch
from family_checks import (
    Largest,
    assert_bfloat16_follows_float32,
    assert_checkpointing_gives_the_same_gradients,
    assert_padding_changes_nothing,
    assert_reloads,
    assert_survives_saving,
)
from glmflow.errors import InputError
from glmflow.models import new_model
from glmflow.models.attention import attend
from glmflow.models.rotary import Rotary

CAUSAL = {"causal": True, "convolution": 8, "context": 128}
MASKED = {"causal": False, "convolution": 9, "context": 128}
PLAIN = {"causal": True, "convolution": 0, "num_layers": 3, "num_heads": 4, "context": 128}
EVERY = [("small", CAUSAL), ("small", MASKED), ("small", PLAIN), ("dilated_cnn", {"blocks": 3}), ("promoter_cnn", {})]


@pytest.fixture(params=EVERY, ids=["causal", "masked", "plain", "dilated", "promoter"])
def model(request):
    family, config = request.param
    return new_model(family, config, seed=1).eval()


def bases(*lengths, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(2, 6, (len(lengths), max(lengths)), generator=generator)


def batch(*lengths):
    mask = (torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]).long()
    return bases(*lengths) * mask, mask


def test_padding_changes_nothing(model):
    assert_padding_changes_nothing(model, *batch(70, 33, 1))


@pytest.mark.parametrize("family", ["small", "dilated_cnn", "promoter_cnn"])
def test_saved_and_loaded_in_a_fresh_process(family, tmp_path):
    assert_survives_saving(new_model(family, {}, seed=1).eval(), bases(50), tmp_path)


def test_reloads(model, tmp_path):
    assert_reloads(model, bases(50), tmp_path / "model")


def test_bfloat16(model, tmp_path):
    assert_bfloat16_follows_float32(model, bases(50), tmp_path / "model")


def test_gradient_checkpointing():
    deep = new_model("small", {**CAUSAL, "num_layers": 6, "dropout": 0.1})
    assert_checkpointing_gives_the_same_gradients(deep, bases(100, 100))
    unet = new_model("dilated_cnn", {"channels": [4, 16, 32], "blocks": 12})
    unet.train().gradient_checkpointing_enable()
    plain = new_model("dilated_cnn", {"channels": [4, 16, 32], "blocks": 12}).train()
    for each in (unet, plain):
        each(bases(200)).logits.square().mean().backward()
    for first, second in zip(unet.parameters(), plain.parameters()):
        torch.testing.assert_close(first.grad, second.grad, atol=1e-7, rtol=1e-5)


@pytest.mark.parametrize("config", [CAUSAL, PLAIN])
def test_a_causal_model_does_not_see_the_future(config):
    model = new_model("small", config, seed=2).eval()
    ids = bases(60)
    with torch.no_grad():
        before = model(ids).logits
        for t in (1, 17, 59):
            changed = ids.clone()
            changed[0, t] = 2 + (ids[0, t] - 1) % 4
            after = model(changed).logits
            assert torch.equal(before[0, :t], after[0, :t])
            assert not torch.equal(before[0, t:], after[0, t:])


def test_a_masked_model_sees_both_sides():
    model = new_model("small", MASKED, seed=2).eval()
    ids = bases(60)
    changed = ids.clone()
    changed[0, 59] = 2 + (ids[0, 59] - 1) % 4
    with torch.no_grad():
        difference = (model(ids).logits - model(changed).logits)[0].abs().amax(-1)
    assert (difference[30:] > 0).all()


def test_left_padding_of_a_causal_model_is_refused():
    model = new_model("small", CAUSAL)
    ids, mask = batch(20, 10)
    with pytest.raises(InputError, match="padded on the left"):
        model(ids, mask.flip(1))


@pytest.mark.parametrize("length", [1, 31, 32, 33, 100, 257])
def test_the_u_net_takes_any_length(length):
    model = new_model("dilated_cnn", {"blocks": 2}).eval()
    states = model.states_per_base(model.tokenize(["A" * length]))
    assert states.shape == (1, length, 24)


def test_the_u_net_sees_as_far_as_its_dilations_reach():
    # Trunk blocks at 32 bp with dilations 1, 2 and 4: the first and the last base of 512 see each other; with none they do not.
    ids = bases(512)
    changed = ids.clone()
    changed[0, 0] = 2 + (ids[0, 0] - 1) % 4
    for blocks, seen in ((0, False), (4, True)):
        model = new_model("dilated_cnn", {"blocks": blocks}, seed=4).double().eval()
        with torch.no_grad():
            far = (model(ids).logits - model(changed).logits)[0, 300].abs().max()
        assert (far > 0) == seen


def test_n_is_no_letter_to_the_u_net_and_a_mask_is_not_n():
    model = new_model("dilated_cnn", {"blocks": 1}).eval()
    with torch.no_grad():
        known, unknown = (model(torch.full((1, 40), index)).logits for index in (1, 6))
    assert not torch.allclose(known, unknown)


def test_sizes_of_the_copying_models():
    # 4 D^2 of attention and 8 D^2 of the perceptron a layer, D^2 a tap of the convolution; the rest is below 2 %.
    for config, layers, taps in ((CAUSAL, 2, 8), (PLAIN, 3, 0)):
        matrices = (12 * layers + taps) * 64**2
        count = sum(p.numel() for p in new_model("small", config).parameters())
        assert matrices < count < 1.02 * matrices


def test_embeddings_have_unit_variance():
    weight = new_model("small", {"hidden_size": 512, "num_heads": 8}).network.embedding.weight
    assert weight.std().item() == pytest.approx(1, abs=0.05)


def test_seeds():
    first, again, other = (new_model("small", CAUSAL, seed=seed).network.lm_head.weight for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_making_a_model_leaves_the_random_state_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    new_model("small", CAUSAL)
    assert torch.equal(torch.rand(1), expected)


def test_rotary_scores_depend_on_the_distance_alone():
    rotary = Rotary(16)
    cosines, sines = rotary(torch.zeros(1, 50, 1))
    query, key = torch.randn(16), torch.randn(16)
    rotated = [Rotary.rotate(x.expand(1, 1, 50, 16), cosines, sines)[0, 0] for x in (query, key)]
    scores = rotated[0] @ rotated[1].T
    torch.testing.assert_close(scores[:-1, :-1], scores[1:, 1:], atol=1e-4, rtol=0)


def test_rotary_frequencies():
    rotary = Rotary(8, base=100.0)
    expected = [100.0 ** (-2 * d / 8) for d in range(4)]
    assert rotary.inv_freq.tolist() == pytest.approx(expected)
    assert rotary.inv_freq.dtype == torch.float32


def attention_written_out(query, key, value, allowed):
    scores = query.double() @ key.double().mT / query.shape[-1] ** 0.5
    weights = scores.masked_fill(~allowed, -torch.inf).softmax(-1)
    return (weights @ value.double()).float()


@pytest.mark.parametrize("causal", [True, False])
def test_attention_against_its_definition(causal):
    query, key, value = torch.randn(3, 2, 4, 12, 8)
    mask = torch.ones(2, 12)
    mask[1, 7:] = 0
    allowed = mask[:, None, None, :].bool() & (torch.ones(12, 12).tril().bool() | (not causal))
    found = attend(query, key, value, mask=mask, causal=causal)
    expected = attention_written_out(query, key, value, allowed)
    kept = mask.bool()[:, None, :, None].expand_as(found)
    torch.testing.assert_close(found[kept], expected[kept], atol=1e-5, rtol=0)


def test_attention_with_grouped_heads_and_bias():
    query, (key, value) = torch.randn(2, 4, 9, 8), torch.randn(2, 2, 2, 9, 8)
    bias = torch.randn(4, 9, 9)
    wide = (x.repeat_interleave(2, 1) for x in (key, value))
    expected = torch.nn.functional.scaled_dot_product_attention(
        query, *wide, attn_mask=bias[None].expand(2, -1, -1, -1)
    )
    torch.testing.assert_close(attend(query, key, value, bias=bias), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("causal", [True, False])
def test_no_tensor_of_all_pairs_is_built(causal):
    length = 4096
    model = new_model("small", {**CAUSAL, "convolution": 5, "causal": causal, "context": length}).eval()
    with torch.no_grad(), Largest() as largest:
        model(bases(length))
    assert largest.elements < length**2 / 4


@pytest.mark.parametrize(
    ("family", "config", "match"),
    [
        ("small", {"layers": 2}, "family small knows no layers.*num_layers"),
        ("small", {"hidden_size": 10, "num_heads": 3}, "hidden_size 10 does not make 3 heads"),
        ("small", {"causal": False, "convolution": 8}, "has no middle"),
        ("dilated_cnn", {"width": 3}, "family dilated_cnn knows no width"),
        ("dilated_cnn", {"channels": [8, 8]}, "not three"),
    ],
)
def test_wrong_configurations(family, config, match):
    with pytest.raises(InputError, match=match):
        new_model(family, config)


def test_the_causal_model_learns_a_rule():
    # After A comes C, after C comes G, and so on: the entropy of the next base is zero.
    model = new_model("small", {**CAUSAL, "hidden_size": 16, "num_layers": 1}, seed=0)
    start = torch.arange(64) % 4
    ids = 2 + (start[:, None] + torch.arange(32)[None]) % 4
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(40):
        logits = model(ids).logits[:, :-1]
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05
    assert model.log_likelihood(["ACGTACGTACGT"])[0] > model.log_likelihood(["ACCTAGGTACAT"])[0]
    assert np.argmax(model.base_probabilities(["ACGTACGT"], [4])[0, 0]) == 0
