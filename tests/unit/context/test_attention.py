"""ReRoPE and dual chunk attention against every pair's score written out one by one."""

import math

import pytest
import tiny
import torch
from glmflow.context import extend, extension_of
from glmflow.context.attention_forms import pieces_of, piecewise_attention
from glmflow.errors import InputError
from safetensors.torch import load_file

THETA = 10_000 ** (-torch.arange(0, 8, 2) / 8)


def rerope_distance(i, j, window):
    return max(-window, min(window, i - j))


def dual_chunk_distance(i, j, size, local):
    if j > i:
        return -dual_chunk_distance(j, i, size, local)
    c = size - local
    apart = i // c - j // c
    if apart == 0:
        return i - j
    return (min(i % c + c, size) if apart == 1 else size) - j % c


def turn(x, angle):
    first, second = x.chunk(2)
    cos, sin = torch.cos(angle), torch.sin(angle)
    return torch.cat([first * cos - second * sin, second * cos + first * sin])


def one_by_one(query, key, value, distance, causal):
    length = len(query)
    scores = torch.full((length, length), -math.inf)
    for i in range(length):
        for j in range(i + 1 if causal else length):
            scores[i, j] = turn(query[i], distance(i, j) * THETA) @ key[j] / math.sqrt(query.shape[-1])
    return scores.softmax(-1) @ value


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(
    "form, window, distance",
    [
        ("rerope", 5, lambda i, j: rerope_distance(i, j, 5)),
        ("rerope", None, lambda i, j: rerope_distance(i, j, 8)),
        ("dual_chunk", 4, lambda i, j: dual_chunk_distance(i, j, 16, 4)),
    ],
)
def test_equals_every_pair_by_itself(form, window, distance, causal):
    generator = torch.Generator().manual_seed(0)
    query, key, value = torch.randn(3, 50, 8, generator=generator)
    found = piecewise_attention(
        query[None, None], key[None, None], value[None, None], THETA, pieces_of(50, 16, form, window), causal
    )
    torch.testing.assert_close(found[0, 0], one_by_one(query, key, value, distance, causal), atol=1e-5, rtol=0)


@pytest.mark.parametrize("distance", [1, 7, 30])
def test_dual_chunk_neighbours_keep_their_distance_across_a_border(distance):
    # Chunks of 48 that overlap the trained 64 by 16: the 16 tokens after a border see up to 16 back as they were.
    for i in range(48, 48 + 16):
        for j in range(i - min(distance, 16), i):
            assert dual_chunk_distance(i, j, 64, 16) == i - j


@pytest.mark.parametrize("form", ["rerope", "dual_chunk"])
@pytest.mark.parametrize("name", ["llama", "mixtral", "esm"])
def test_input_within_the_window_is_left_as_it_is(name, form):
    model = tiny.build(name)
    before, long = tiny.logits(model), tiny.logits(model, 4 * tiny.LENGTH)
    window = tiny.LENGTH if form == "rerope" else 8
    extend(model, "none", 4, tiny.LENGTH, attention={"form": form, "window": window})
    torch.testing.assert_close(tiny.logits(model), before, atol=5e-5, rtol=0)
    assert (tiny.logits(model, 4 * tiny.LENGTH) - long).abs().max() > 1e-2
    extension_of(model).restore()
    assert torch.equal(tiny.logits(model), before)


@pytest.mark.parametrize("name", ["llama", "esm"])
def test_padding_is_not_seen(name):
    model = tiny.build(name)
    extend(model, "yarn", 4, tiny.LENGTH, attention={"form": "rerope", "window": 32})
    ids = torch.randint(3, 8, (1, 100), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    padded = torch.cat([ids, torch.full((1, 20), 3)], 1)
    with torch.no_grad():
        alone = model(ids, attention_mask=mask).logits
        beside = model(padded, attention_mask=torch.cat([mask, torch.zeros(1, 20, dtype=int)], 1)).logits
    torch.testing.assert_close(beside[:, :100], alone, atol=1e-4, rtol=0)


def test_travels_with_the_settings(tmp_path):
    model = tiny.build("llama")
    extend(model, "yarn", 4, tiny.LENGTH, attention={"form": "dual_chunk"})
    expected = tiny.logits(model, 200)
    model.save_pretrained(tmp_path)
    again = type(model).from_pretrained(tmp_path).eval()
    extend(again, **again.config.extension)
    assert torch.equal(tiny.logits(again, 200), expected)
    assert not any("extension_field" in name for name in load_file(tmp_path / "model.safetensors"))


@pytest.mark.parametrize(
    "name, attention, message",
    [
        ("modernbert", {"form": "rerope"}, "layers of local attention"),
        ("own", {"form": "rerope"}, "OwnModel has no exchangeable attention"),
        ("llama", {"form": "self_extend"}, "no attention form 'self_extend'.*Take rerope or dual_chunk"),
    ],
)
def test_refuses_what_it_cannot_do_and_leaves_the_model_alone(name, attention, message):
    model = tiny.build(name)
    before = tiny.logits(model, 200)
    with pytest.raises(InputError, match=message):
        extend(model, "yarn", 4, tiny.LENGTH, attention=attention)
    assert torch.equal(tiny.logits(model, 200), before)
