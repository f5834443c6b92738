"""What tuning draws."""

from collections import Counter

import numpy as np
import pytest
from glmflow.context import METHODS, sampler
from glmflow.context.sampling import gene_scale, scattered_positions, skipped_positions
from glmflow.errors import InputError


def rng(seed=0):
    return np.random.default_rng(seed)


def test_gene_draws_the_ends_a_quarter_of_the_time_each():
    generator = rng()
    drawn = Counter(gene_scale(512, generator, 128, 64) for _ in range(20_000))
    assert set(drawn) == set(range(4, 65, 4))  # n = 512 / 128 = 4, so 4 k for k = 1..16
    assert drawn[4] / 20_000 == pytest.approx(0.25, abs=0.015)
    assert drawn[64] / 20_000 == pytest.approx(0.25, abs=0.015)
    assert drawn[32] / 20_000 == pytest.approx(0.5 / 14, abs=0.01)


def test_gene_is_uniform_on_four_scales_or_fewer():
    generator = rng()
    drawn = Counter(gene_scale(512, generator, 128, 16) for _ in range(20_000))
    assert set(drawn) == {4, 8, 12, 16}
    assert all(count / 20_000 == pytest.approx(0.25, abs=0.015) for count in drawn.values())


@pytest.mark.parametrize("length, factor", [(100, 1), (128, 1), (512, 2)])
def test_gene_never_draws_less_than_the_batch_needs(length, factor):
    assert gene_scale(length, rng(), 128, factor) == -(-length // 128)


@pytest.mark.parametrize("chunks", [2, 3])
def test_skips_lie_between_chunks_and_reach_the_target(chunks):
    generator, ends, skips = rng(), [], set()
    for _ in range(500):
        positions = skipped_positions(120, generator, 1920, chunks)
        steps = np.diff(positions)
        assert positions[0] == 0 and positions[-1] < 1920 and (steps >= 1).all()
        skips |= set(np.flatnonzero(steps > 1) + 1)
        ends.append(positions[-1])
    assert skips == {120 * chunk // chunks for chunk in range(1, chunks)}
    assert max(ends) > 1800


def test_no_room_for_skips_leaves_positions_consecutive():
    np.testing.assert_array_equal(skipped_positions(128, rng(), 128), np.arange(128))
    with pytest.raises(InputError, match="longer than the target"):
        skipped_positions(256, rng(), 128)


@pytest.mark.parametrize("length, original", [(128, 128), (512, 128), (64, 128)])
def test_scattered_positions_fill_a_whole_number_of_lengths(length, original):
    generator, filled = rng(), set()
    for _ in range(300):
        positions = scattered_positions(length, generator, original, 16)
        assert positions.shape == (length,) and positions[0] >= 0 and (np.diff(positions) > 0).all()
        span = min(length, original)
        stretch, rest = divmod(int(np.floor(positions[-1])) + 1, span)
        assert rest == 0
        filled.add(stretch)
    assert filled == set(range(1, 17))


@pytest.mark.parametrize(
    "length, original, factor", [(192, 128, 4), (511, 128, 16), (15_994, 4000, 16), (32_767, 16_384, 4)]
)
def test_scattered_positions_of_inexact_multiples_end_at_the_target(length, original, factor):
    # AIDO.DNA (15,992 bases and two special tokens) and GENERator (196,596 bases) are tuned at such lengths.
    generator = rng()
    last = max(scattered_positions(length, generator, original, factor)[-1] for _ in range(20 * factor))
    assert factor * original - 2 < last < factor * original


def test_a_seed_draws_the_same():
    for method in ("gene", "clex", "pose"):
        draw = sampler(method, 16, 128)
        first, second = draw(128, rng(3)), draw(128, rng(3))
        np.testing.assert_equal(first, second)


@pytest.mark.parametrize("method", ["clex", "pose"])
def test_positions_are_not_drawn_beside_an_attention_form(method):
    with pytest.raises(InputError, match=f"{method} draws positions, and attention form 'rerope' counts its own"):
        sampler(method, 16, 128, attention={"form": "rerope"})
    assert sampler("gene", 16, 128, attention={"form": "rerope"}) is not None


def test_only_methods_that_draw_have_a_sampler():
    drawing = {method for method in METHODS if sampler(method, 16, 128) is not None}
    assert drawing == {"gene", "clex", "pose"}
