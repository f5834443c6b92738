"""Parts of a model that learn at a rate of their own."""

import pytest
import torch
from glmflow.training.loop.layer_rates import give_rates
from torch import nn


class Two(nn.Module):
    def __init__(self, **rates):
        super().__init__()
        self.slow, self.fast, self.rates = nn.Linear(2, 2), nn.Linear(2, 2), rates


def optimizer_of(model):
    by_size = [[one for one in model.parameters() if one.dim() == size] for size in (2, 1)]
    return torch.optim.AdamW(
        [{"params": own, "weight_decay": decay} for own, decay in zip(by_size, (0.1, 0.0))], lr=0.01
    )


def test_a_part_has_its_rate_and_keeps_its_decay_and_the_schedule_goes_by_both():
    model = nn.Sequential(Two(fast=5.0))
    optimizer = optimizer_of(model)
    give_rates(optimizer, model)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5)
    found = {
        id(one): (group["lr"], group["weight_decay"]) for group in optimizer.param_groups for one in group["params"]
    }
    assert len(found) == 4 and schedule.get_last_lr()
    for part, rate in ((model[0].slow, 0.005), (model[0].fast, 0.025)):
        assert found[id(part.weight)] == (pytest.approx(rate), 0.1)
        assert found[id(part.bias)] == (pytest.approx(rate), 0.0)


def test_without_rates_nothing_changes():
    model = Two()
    optimizer = optimizer_of(model)
    give_rates(optimizer, model)
    assert len(optimizer.param_groups) == 2
