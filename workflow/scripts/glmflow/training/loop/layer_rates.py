"""Learning rates of single layers: a module whose `rates` names its parts learns them faster, or slower, than the rest."""

from __future__ import annotations

import torch
from torch import nn


def give_rates(optimizer: torch.optim.Optimizer, model: nn.Module) -> None:
    """Give parts of a model that ask for it groups of their own, with the rate of their group times a factor, in place.

    A module has `rates`, a factor for the name of each part that learns at another rate than the rest. To be called before
    a schedule is made, which goes by the rates of the groups.
    """
    factors: dict[int, float] = {}
    for module in model.modules():
        for part, factor in getattr(module, "rates", {}).items():
            factors |= {id(parameter): factor for parameter in getattr(module, part).parameters()}
    for group in list(optimizer.param_groups) if factors else []:
        own = {
            factor: [one for one in group["params"] if factors.get(id(one)) == factor]
            for factor in set(factors.values())
        }
        group["params"] = [one for one in group["params"] if id(one) not in factors]
        for factor in sorted(own):
            if own[factor]:
                optimizer.add_param_group({**group, "params": own[factor], "lr": group["lr"] * factor})
