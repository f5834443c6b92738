"""Masked diffusion: stored losses and steps, the bound of a known source, what is shown, and what a sampler draws."""

import json
import math
import os
from pathlib import Path

import pytest
import torch
from glmflow.models.masked_diffusion import (
    add_noise,
    log_probabilities,
    losses,
    reverse_probabilities,
    sample,
    spread_times,
)
from scipy.stats import chisquare

MASK = 5
SOURCE = torch.tensor([0.5, 0.25, 0.15, 0.1], dtype=torch.float64)


def known(x):
    """The network that knows the source: the same logits everywhere, some for N and the mask too."""
    logs = torch.cat([SOURCE.log(), torch.tensor([-torch.inf, 0.3], dtype=torch.float64)])
    return logs.expand(*x.shape, 6).clone()


def test_stored_losses_and_steps():
    folder = os.environ.get("GLMFLOW_TEST_DATA")
    files = sorted(Path(folder, "genomes/expected").glob("mdlm_*.json")) if folder else []
    if not files:
        pytest.skip("GLMFLOW_TEST_DATA is unset, or has no genomes")
    for path in files:
        wanted = json.loads(path.read_text())
        clean, noisy = torch.tensor(wanted["x0"]), torch.tensor(wanted["xt"])
        logits, t = (torch.tensor(wanted[name], dtype=torch.float64) for name in ("logits", "t"))
        found = losses(logits, clean, noisy, t, MASK)
        stored = torch.tensor(wanted["loss_nats_per_position"], dtype=torch.float64)
        torch.testing.assert_close(found, stored, rtol=0, atol=1e-8)
        assert float(found.mean()) == pytest.approx(wanted["loss_nats_mean"], abs=1e-9)
        assert float(found.mean()) / math.log(2) == pytest.approx(wanted["bits_per_base_estimate"], abs=1e-9)
        s = torch.tensor(wanted["reverse_step"]["s"], dtype=torch.float64)
        step = torch.tensor(wanted["reverse_step"]["p_of_next"], dtype=torch.float64)
        torch.testing.assert_close(reverse_probabilities(logits, noisy, t, s, MASK), step, rtol=0, atol=1e-8)


def test_the_bound_of_a_known_source_is_its_entropy():
    generator = torch.Generator().manual_seed(0)
    clean = torch.multinomial(SOURCE.expand(400, 4), 200, replacement=True, generator=generator)
    t = spread_times(400, generator)
    by_row = losses(known(clean), clean, add_noise(clean, t, MASK, generator), t, MASK).mean(1)
    entropy = float(-(SOURCE * SOURCE.log()).sum())
    assert abs(float(by_row.mean()) - entropy) < 4 * float(by_row.std()) / 400**0.5
    assert float(by_row.std()) / 400**0.5 < 0.02


def test_what_is_not_masked_costs_nothing_and_stays():
    clean = torch.tensor([[0, 1, 2, 3]])
    noisy = torch.tensor([[0, MASK, 2, MASK]])
    t = torch.tensor([0.5])
    logits = known(clean)
    assert losses(logits, clean, noisy, t, MASK)[0, [0, 2]].tolist() == [0, 0]
    probabilities = log_probabilities(logits, noisy, MASK).exp()
    assert probabilities[0, 0, 0] == 1 and probabilities[0, 2, 2] == 1
    assert (probabilities[..., MASK] == 0).all()
    torch.testing.assert_close(probabilities[0, 1, :4], SOURCE)


@pytest.mark.parametrize("steps", [1, 3, 40])
def test_a_sampler_draws_the_source(steps):
    start = torch.full((20, 200), MASK)
    drawn = sample(known, start, torch.arange(4), MASK, steps, seed=steps)
    counts = torch.bincount(drawn.flatten(), minlength=6)
    assert counts[4:].sum() == 0
    assert chisquare(counts[:4].numpy(), (SOURCE * drawn.numel()).numpy()).pvalue > 1e-3


def test_infilling_keeps_what_is_known_and_seeds_decide():
    start = torch.full((2, 30), MASK)
    start[:, 10:20] = 3
    one, again, other = (sample(known, start, torch.arange(4), MASK, 8, seed) for seed in (1, 1, 2))
    assert (one[:, 10:20] == 3).all() and torch.equal(one, again) and not torch.equal(one, other)


def test_times_are_one_in_each_part():
    times = spread_times(10, torch.Generator().manual_seed(3))
    assert sorted((times * 10).long().clamp(max=9).tolist()) == list(range(10))
