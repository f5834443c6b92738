"""Frequencies against transformers' own and against the published formulas, written out a second time here."""

import math

import numpy as np
import pytest
from glmflow.context import METHODS, inverse_frequencies
from glmflow.context.frequencies import depends_on_length
from glmflow.errors import InputError
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

SHAPES = [
    (64, 10_000.0, 4000),
    (32, 10_000.0, 128),
    (136, 10_000.0, 4000),
    (64, 5e7, 8192),
    (16, 500_000.0, 512),
]


def transformers_own(rope_type, head_dim, base, length, factor, seq_len=None, **extra):
    config = LlamaConfig(hidden_size=2 * head_dim, num_attention_heads=2, max_position_embeddings=length)
    config.rope_parameters = {
        "rope_type": rope_type,
        "rope_theta": base,
        "factor": factor,
        "original_max_position_embeddings": length,
        **extra,
    }
    frequencies, attention_factor = ROPE_INIT_FUNCTIONS[rope_type](config, None, seq_len=seq_len)
    return frequencies.numpy(), attention_factor


def settings_for(method, head_dim):
    return {"long_factor": list(np.linspace(1, 16, head_dim // 2))} if method == "longrope" else {}


@pytest.mark.parametrize("head_dim, base, length", SHAPES)
@pytest.mark.parametrize("factor", [1, 2, 16, 40.5])
@pytest.mark.parametrize(
    "method, rope_type, extra",
    [
        ("pi", "linear", {}),
        ("yarn", "yarn", {}),
        ("yarn", "yarn", {"attention_factor": 1.0}),
        ("yarn", "yarn", {"beta_fast": 8, "beta_slow": 2, "truncate": False}),
        ("llama3", "llama3", {"low_freq_factor": 1, "high_freq_factor": 4}),
    ],
)
def test_equals_transformers(method, rope_type, extra, head_dim, base, length, factor):
    expected, expected_factor = transformers_own(rope_type, head_dim, base, length, factor, **extra)
    frequencies, attention_factor = inverse_frequencies(method, head_dim, base, length, factor, **extra)
    assert frequencies.dtype == np.float32
    np.testing.assert_allclose(frequencies, expected, rtol=1e-6, atol=1e-8)
    assert attention_factor == pytest.approx(expected_factor, abs=1e-6)


@pytest.mark.parametrize("head_dim, base, length", SHAPES)
@pytest.mark.parametrize("factor", [1, 4, 16])
@pytest.mark.parametrize("stretch", [0.5, 1, 3, 16])
def test_length_dependent_methods_equal_transformers(head_dim, base, length, factor, stretch):
    seq_len = int(stretch * length)
    expected, _ = transformers_own("dynamic", head_dim, base, length, factor, seq_len=seq_len)
    frequencies, _ = inverse_frequencies("dynamic_ntk", head_dim, base, length, factor, length=seq_len)
    np.testing.assert_allclose(frequencies, expected, rtol=1e-6, atol=1e-8)

    divisors = {
        "long_factor": list(np.geomspace(1, 20, head_dim // 2)),
        "short_factor": list(np.linspace(1, 1.3, head_dim // 2)),
    }
    expected, expected_factor = transformers_own(
        "longrope", head_dim, base, length, factor, seq_len=seq_len, **divisors
    )
    frequencies, attention_factor = inverse_frequencies(
        "longrope", head_dim, base, length, factor, length=seq_len, **divisors
    )
    np.testing.assert_allclose(frequencies, expected, rtol=1e-6, atol=1e-8)
    assert attention_factor == pytest.approx(expected_factor, abs=1e-6)


@pytest.mark.parametrize("head_dim, base, length", SHAPES)
def test_ntk_changes_the_base(head_dim, base, length):
    frequencies, attention_factor = inverse_frequencies("ntk", head_dim, base, length, 16)
    new_base = base * 16 ** (head_dim / (head_dim - 2))
    np.testing.assert_allclose(frequencies, new_base ** (-np.arange(0, head_dim, 2) / head_dim), rtol=1e-6)
    assert attention_factor == 1


def test_ntk_base_of_aido_dna():
    # head_dim 64, base 10,000, factor 16: 10,000 * 16 ** (64 / 62) = 1.75e5
    frequencies, _ = inverse_frequencies("ntk", 64, 10_000, 4000, 16)
    assert frequencies[1] ** (-64 / 2) == pytest.approx(1.75e5, rel=1e-3)


@pytest.mark.parametrize("head_dim, low, high", [(64, 10, 23), (136, 22, 48)])
def test_yarn_ramp_of_aido_dna(head_dim, low, high):
    plain, _ = inverse_frequencies("none", head_dim, 10_000, 4000, 16)
    frequencies, attention_factor = inverse_frequencies("yarn", head_dim, 10_000, 4000, 16)
    divisor = plain / frequencies
    np.testing.assert_allclose(divisor[: low + 1], 1, rtol=1e-6)
    np.testing.assert_allclose(divisor[high:], 16, rtol=1e-6)
    assert ((divisor[low + 1 : high] > 1.001) & (divisor[low + 1 : high] < 15.999)).all()
    assert attention_factor == pytest.approx(1.277, abs=5e-4)


@pytest.mark.parametrize("head_dim, beta", [(64, 19), (136, 40)])
def test_gene_equals_its_formula(head_dim, beta):
    theta = [10_000 ** (-2 * d / head_dim) for d in range(head_dim // 2)]
    assert next(d for d in range(head_dim // 2) if 4000 * theta[d] < 2 * math.pi * 3) == beta
    for scale in (1, 3, 16):
        expected = [theta[d] * scale ** -min(d / beta, 1) for d in range(head_dim // 2)]
        frequencies, _ = inverse_frequencies("gene", head_dim, 10_000, 4000, 16, scale=scale)
        np.testing.assert_allclose(frequencies, expected, rtol=1e-6)


def test_gene_at_test_takes_the_factor_or_what_the_input_needs():
    def at(**settings):
        return inverse_frequencies("gene", 32, 10_000, 128, 4, **settings)[0]

    np.testing.assert_array_equal(at(length=100), at(scale=4))
    np.testing.assert_array_equal(at(length=512), at(scale=4))
    np.testing.assert_array_equal(at(length=1000), at(scale=8))


@pytest.mark.parametrize("stretch", [1, 2, 7, 16])
def test_untuned_clex_is_ntk_with_twice_the_stretch_less_one(stretch):
    frequencies, _ = inverse_frequencies("clex", 64, 10_000, 4000, 16, length=4000 * stretch)
    base = 10_000 * (2 * stretch - 1) ** (64 / 62)
    np.testing.assert_allclose(frequencies, base ** (-np.arange(0, 64, 2) / 64), rtol=1e-6)


def test_clex_stretches_no_further_than_its_factor():
    within, _ = inverse_frequencies("clex", 64, 10_000, 4000, 16, length=64_000)
    beyond, _ = inverse_frequencies("clex", 64, 10_000, 4000, 16, length=100_000)
    np.testing.assert_array_equal(within, beyond)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("head_dim, base, length", SHAPES)
def test_factor_one_changes_nothing_within_the_original_length(method, head_dim, base, length):
    settings = settings_for(method, head_dim)
    if depends_on_length(method, settings):
        settings["length"] = length
    frequencies, attention_factor = inverse_frequencies(method, head_dim, base, length, 1, **settings)
    np.testing.assert_allclose(frequencies, base ** (-np.arange(0, head_dim, 2) / head_dim), rtol=1e-6)
    assert attention_factor == 1


@pytest.mark.parametrize("method", METHODS)
def test_a_unit_is_a_shorter_original_length_in_positions_of_its_own(method):
    # Evo 2 divides positions by 128: turning at theta / 128 over L tokens is turning at theta over L / 128 positions.
    settings = settings_for(method, 64)
    if method == "longrope":
        settings["attention_factor"] = 1.0
    scaled, _ = inverse_frequencies(method, 64, 10_000, 1_048_576, 4, unit=1 / 128, **settings)
    plain, _ = inverse_frequencies(method, 64, 10_000, 8192, 4, **settings)
    np.testing.assert_allclose(scaled * 128, plain, rtol=1e-6)


def test_pose_uses_the_frequencies_of_the_method_it_names():
    np.testing.assert_array_equal(
        inverse_frequencies("pose", 64, 10_000, 4000, 16, frequencies="yarn", attention_factor=1.0)[0],
        inverse_frequencies("ntk_by_parts", 64, 10_000, 4000, 16)[0],
    )
    np.testing.assert_array_equal(
        inverse_frequencies("pose", 64, 10_000, 4000, 16)[0],
        inverse_frequencies("pi", 64, 10_000, 4000, 16)[0],
    )


@pytest.mark.parametrize(
    "arguments, settings, message",
    [
        (("alibi", 64, 10_000, 4000, 16), {}, "no extension method 'alibi'.*Take one of none, pi"),
        (("pi", 64, 10_000, 4000, 0.5), {}, "factor is at least 1"),
        (("pi", 63, 10_000, 4000, 2), {}, "even number"),
        (("pi", 64, 10_000, 4000, 2), {"beta_fast": 3}, "'pi' has no setting beta_fast"),
        (("pose", 64, 10_000, 4000, 2), {"beta_fast": 3}, "'pose' has no setting beta_fast"),
        (("longrope", 64, 10_000, 4000, 2), {}, "needs long_factor"),
        (("longrope", 64, 10_000, 4000, 2), {"long_factor": [1, 2]}, "2 divisors for 32 pairs"),
    ],
)
def test_refuses_what_makes_no_sense(arguments, settings, message):
    with pytest.raises(InputError, match=message):
        inverse_frequencies(*arguments, **settings)


def test_by_parts_interpolates_when_no_pair_turns_once():
    # Six positions: even the fastest pair (one radian a position) turns less than once.
    plain, _ = inverse_frequencies("none", 16, 10_000, 6, 4)
    frequencies, _ = inverse_frequencies("ntk_by_parts", 16, 10_000, 6, 4)
    np.testing.assert_allclose(plain[1:] / frequencies[1:], 4, rtol=1e-6)


def test_overstretch_is_yarn_with_slow_pairs_interpolated_further():
    far, m = inverse_frequencies("overstretch", 64, 10_000, 4000, 16)
    further, _ = inverse_frequencies("ntk_by_parts", 64, 10_000, 4000, 64)
    yarn, yarn_m = inverse_frequencies("yarn", 64, 10_000, 4000, 16)
    np.testing.assert_array_equal(far, further)  # 16 ** 1.5 = 64
    assert m == yarn_m
    same, _ = inverse_frequencies("overstretch", 64, 10_000, 4000, 16, exponent=1)
    np.testing.assert_array_equal(same, yarn)
