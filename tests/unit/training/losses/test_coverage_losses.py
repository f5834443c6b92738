"""Losses on coverage: published vectors, the mask, and where each is smallest."""

import pytest
import torch
from glmflow.training.losses import coverage_losses as losses
from glmflow.training.losses import new_loss

LOSSES = {name: {"kind": name} for name in ("mse", "poisson", "poisson_multinomial")}
LOSSES["tweedie"] = {"kind": "tweedie", "power": 1.2}
PREDICTION = torch.tensor([[[0.5, 1.0, 2.0]]], dtype=torch.float64)
TARGET = torch.tensor([[[0.0, 1.0, 3.0]]], dtype=torch.float64)


def test_published_vectors():
    assert losses.poisson(PREDICTION, TARGET).item() == pytest.approx(0.4735194, abs=1e-6)
    assert losses.tweedie(PREDICTION, TARGET, power=1.2).item() == pytest.approx(7.400857, abs=1e-6)
    assert losses.tweedie(PREDICTION, TARGET, power=1.5).item() == pytest.approx(4.161760, abs=1e-6)
    # The Poisson term of the totals is -1.511052, the multinomial term of the shape 2.931610.
    assert losses.poisson_multinomial(PREDICTION, TARGET).item() == pytest.approx(-1.511052 + 2.931610, abs=1e-5)
    assert losses.mse(PREDICTION, TARGET).item() == pytest.approx((0.25 + 0 + 1) / 3)


@pytest.mark.parametrize("name", ["mse", "poisson", "tweedie", "poisson_multinomial"])
def test_masked_bases_take_no_part(name):
    loss = new_loss(LOSSES[name], {})
    mask = torch.tensor([[[1.0, 1.0, 1.0, 0.0]]], dtype=torch.float64)
    wild = torch.full((1, 1, 1), 1e6, dtype=torch.float64)
    padded = loss(torch.cat([PREDICTION, wild], -1), torch.cat([TARGET, 2 * wild], -1), mask)
    assert padded.item() == pytest.approx(loss(PREDICTION, TARGET, None).item(), rel=1e-9)


@pytest.mark.parametrize("name", ["mse", "poisson", "tweedie", "poisson_multinomial"])
def test_the_truth_has_no_gradient(name):
    """Every loss is smallest where the prediction is the target."""
    target = torch.tensor([[[0.3, 1.0, 3.0]]], dtype=torch.float64)
    prediction = target.clone().requires_grad_()
    new_loss(LOSSES[name], {})(prediction, target, None).backward()
    assert prediction.grad.abs().max() < 1e-5
