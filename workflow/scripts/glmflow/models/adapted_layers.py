"""Layers with few new parameters beside their own weights (peft): counted, tried out, and folded into the weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from glmflow.errors import InputError
from glmflow.models.adapter import Adapter

# peft takes seconds to import: only what adapts a model waits for it.
if TYPE_CHECKING:
    from peft.tuners.tuners_utils import BaseTunerLayer

NAME = "default"
PROBE_TOKENS = 24


@dataclass(frozen=True)
class Coverage:
    """What an adaptation trains.

    Attributes
    ----------
    modules
        Names of the adapted layers.
    trainable, total
        Numbers of parameters: those that are trained, and all, these included.
    kind
        How: the name of a file of `glmflow.models.efficient`.
    """

    modules: tuple[str, ...]
    trainable: int
    total: int
    kind: str

    def __str__(self) -> str:
        share = self.trainable / self.total
        return (
            f"{len(self.modules)} layers adapted, {self.trainable:,} of {self.total:,} parameters trained ({share:.2%})"
        )


def coverage(adapter: Adapter, kind: str) -> Coverage:
    """Count what is trained in a model with adapted layers."""
    modules = tuple(name for name, _ in adapted_layers(adapter.network))
    trainable = sum(parameter.numel() for parameter in adapter.parameters() if parameter.requires_grad)
    return Coverage(modules, trainable, sum(parameter.numel() for parameter in adapter.parameters()), kind)


def merge(adapter: Adapter) -> None:
    """Fold what was trained into the weights, in place: an ordinary model of the family again, not frozen."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    merged = set()
    for name, module in list(adapter.network.named_modules()):
        owner, _, last = name.rpartition(".")
        while isinstance(module, BaseTunerLayer):
            shared = id(adapted_weight(module))
            if shared not in merged:
                module.merge()
                merged.add(shared)
            module = module.base_layer
            setattr(adapter.network.get_submodule(owner), last, module)
    adapter.requires_grad_(True)


def adapted_layers(network: nn.Module) -> list[tuple[str, BaseTunerLayer]]:
    """Return the adapted layers and their names."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    return [(name, module) for name, module in network.named_modules() if isinstance(module, BaseTunerLayer)]


def adapts_parameter(layer: BaseTunerLayer) -> bool:
    """Say whether a layer adapts a bare parameter (experts), not a layer of its own."""
    return hasattr(layer, "parameter_name")


def adapted_weight(layer: BaseTunerLayer) -> nn.Parameter:
    """Return the frozen parameter that an adapted layer changes."""
    return getattr(layer.get_base_layer(), layer.parameter_name if adapts_parameter(layer) else "weight")


def require_gradients(adapter: Adapter, learned: Callable[[BaseTunerLayer], Tensor], words: str, fix: str) -> None:
    """Run a short sequence forward and back and look for adapted layers whose update has no effect.

    Experts may have no gradient because the router sent the sequence to others.

    Parameters
    ----------
    learned
        Returns the parameter of an adapted layer that has a gradient from the start.
    words, fix
        The adaptation in words, and what to do; ``{layer}`` in it is the last part of a layer's name.

    Raises
    ------
    InputError
        There is such a layer: its weight is used in a way that goes past the adaptation (as Mamba's ``dt_proj``), so that
        training it would change nothing.
    """
    was_training = adapter.training
    adapter.eval()
    with torch.random.fork_rng(), torch.enable_grad():
        torch.manual_seed(0)
        states = adapter(*adapter.probe_inputs(PROBE_TOKENS)).last_hidden_state.float()
        (states * torch.randn_like(states)).sum().backward()
    dead = []
    for name, layer in adapted_layers(adapter.network):
        gradient = learned(layer).grad
        if gradient is None or not (adapts_parameter(layer) or bool(gradient.abs().max() > 0)):
            dead.append(name)
    adapter.zero_grad(set_to_none=True)
    adapter.train(was_training)
    if dead:
        raise InputError(
            f"{len(dead)} layers adapted by {words} get no gradient (first: {dead[0]}): training them would change nothing",
            fix=fix.format(layer=dead[0].rpartition(".")[2]),
        )
