"""Losses on all samples of a gene at once, against sums over pairs."""

import numpy as np
import pytest
import torch
from glmflow.training.losses import new_loss
from glmflow.training.losses.expression_losses import mixed, pairwise, single


def residuals(genes=3, samples=7, seed=0):
    generator = torch.Generator().manual_seed(seed)
    gene = torch.arange(genes).repeat_interleave(samples)[torch.randperm(genes * samples, generator=generator)]
    return *torch.randn(2, genes * samples, generator=generator, dtype=torch.float64), gene


def test_pairwise_is_the_mean_over_all_signed_pairs_of_a_genes_samples():
    p, t, gene = residuals()
    expected = []
    for g in range(3):
        own = torch.nonzero(gene == g)[:, 0].tolist()
        expected.append(np.mean([((p[i] - p[j]) - (t[i] - t[j])).item() ** 2 for i in own for j in own]))
    assert pairwise(p, t, gene).item() == pytest.approx(np.mean(expected))


def test_pairwise_sees_no_gene_means_and_signs_matter():
    p, t, gene = residuals()
    level = torch.tensor([5.0, -3.0, 100.0])[gene]
    assert pairwise(p + level, t, gene).item() == pytest.approx(pairwise(p, t, gene).item())
    assert pairwise(t, t, gene).item() == 0 and pairwise(-t, t, gene).item() > 1


def test_losses_are_1_for_a_model_that_tells_nothing_apart():
    _, t, gene = residuals(genes=40, samples=30)
    target = t + torch.randn(40, generator=torch.Generator().manual_seed(1), dtype=torch.float64)[gene]
    means = torch.stack([target[gene == g].mean() for g in range(40)])
    within = torch.stack([target[gene == g].var(correction=0) for g in range(40)])
    between, total = means.var(correction=0).item(), target.var(correction=0).item()
    constant = torch.full_like(target, means.mean().item())
    fitted = {"between": between, "total": total}
    for name, settings in (("single", {}), ("pairwise", {}), ("mixed", {"weight": 0.3})):
        assert new_loss({"kind": name, **settings}, fitted)(constant, target, gene, within).item() == pytest.approx(1)


def test_mixed_is_both_parts():
    p, t, gene = residuals()
    within = torch.ones(3, dtype=torch.float64)
    alone = mixed(p, t, gene, within, 1.0, 1.0).item()
    assert alone == pytest.approx(pairwise(p, t, gene).item() / 2)
    assert alone + mixed(p, t, gene, within, 1.0, 0.0).item() == pytest.approx(single(p, t).item())
