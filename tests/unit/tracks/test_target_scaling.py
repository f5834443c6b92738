"""Target scaling: the published vectors, in numpy and torch, and an exact way back."""

import numpy as np
import pytest
import torch
from glmflow.errors import InputError
from glmflow.tracks.scaling import scale_targets, unscale_predictions
from hypothesis import given, settings
from hypothesis import strategies as st

COVERAGE = [0, 0.5, 2, 20, 100, 1000]
VECTORS = {
    (True, "genos"): [0, 0.353553, 1, 5.623413, 17.424818, 55.034491],
    (True, "alphagenome"): [0, 0.353553, 1, 5.623413, 17.424818, 55.034491],
    (False, "genos"): [0, 0.25, 1, 10, 50, 500],
    (False, "alphagenome"): [0, 0.25, 1, 10, 34.72136, 131.421356],
}
KINDS = [
    lambda x: np.array(x, np.float64),
    lambda x: np.array(x, np.float32),
    lambda x: torch.tensor(x, dtype=torch.float64),
    lambda x: torch.tensor(x, dtype=torch.float32),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("squash", "variant"), VECTORS)
def test_the_published_vectors_and_their_way_back(kind, squash, variant):
    targets = kind(COVERAGE)
    scaled = scale_targets(targets, 2, squash=squash, variant=variant)
    assert type(scaled) is type(targets) and scaled.dtype == targets.dtype
    np.testing.assert_allclose(np.asarray(scaled), VECTORS[squash, variant], rtol=2e-6)
    back = unscale_predictions(scaled, 2, squash=squash, variant=variant)
    assert type(back) is type(targets) and back.dtype == targets.dtype
    np.testing.assert_allclose(np.asarray(back), COVERAGE, rtol=1e-6)


@settings(deadline=None)
@given(
    targets=st.lists(st.floats(0, 1e6), min_size=1, max_size=20),
    mean=st.floats(1e-3, 1e4),
    clip=st.floats(0.5, 50),
    squash=st.booleans(),
    variant=st.sampled_from(["genos", "alphagenome"]),
)
def test_the_inverse_is_exact_and_the_order_is_kept(targets, mean, clip, squash, variant):
    targets = np.sort(np.array(targets))
    scaled = scale_targets(targets, mean, squash, clip, variant)
    assert np.all(np.diff(scaled) >= -1e-12 * scaled.max())
    np.testing.assert_allclose(
        unscale_predictions(scaled, mean, squash, clip, variant), targets, rtol=1e-6, atol=1e-300
    )


def test_the_soft_clip_joins_with_slope_one():
    x = torch.tensor([9.999999, 10.0, 10.000001], dtype=torch.float64, requires_grad=True)
    scaled = scale_targets(x, 1.0, squash=False)
    np.testing.assert_allclose(scaled.detach(), x.detach(), atol=1e-9)
    (slope,) = torch.autograd.grad(scaled.sum(), x)
    np.testing.assert_allclose(slope[[0, 2]], 1, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_every_track_has_its_own_mean(kind):
    targets = kind([[2.0, 4.0], [2.0, 4.0]])
    scaled = scale_targets(targets, kind([[1.0], [2.0]]), squash=False)
    np.testing.assert_allclose(np.asarray(scaled), [[2, 4], [1, 2]])


def test_whole_numbers_are_scaled_as_numbers():
    np.testing.assert_allclose(scale_targets([1, 3], 2, squash=False), [0.5, 1.5])


@pytest.mark.parametrize("kind", KINDS)
def test_negative_targets_and_empty_tracks_are_refused(kind):
    with pytest.raises(InputError, match="negative"):
        scale_targets(kind([1.0, -1.0]), 2)
    for mean in (0, -1.0, float("nan"), kind([1.0, 0.0])):
        with pytest.raises(InputError, match="not above 0"):
            scale_targets(kind([1.0, 1.0]), mean)
        with pytest.raises(InputError, match="not above 0"):
            unscale_predictions(kind([1.0, 1.0]), mean)
