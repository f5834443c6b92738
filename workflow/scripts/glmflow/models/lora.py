"""Low-rank adaptation (LoRA; Hu et al. 2022) with each family's own targets, checked to train something.

The layers named by `ModelCard.lora_targets` get two small matrices each, and nothing else of the model is trained. Where a
family uses one weight in two places (the two strands of Caduceus), both places share the same two matrices, so that the
adapted weights are still one weight and can be folded in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from glmflow.context.patch import FIELD
from glmflow.errors import InputError
from glmflow.models.adapter import Adapter

# peft takes seconds to import: only what adapts a model waits for it.
if TYPE_CHECKING:
    from peft.tuners.lora import LoraLayer

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
    """

    modules: tuple[str, ...]
    trainable: int
    total: int

    def __str__(self) -> str:
        share = self.trainable / self.total
        return (
            f"{len(self.modules)} layers adapted, {self.trainable:,} of {self.total:,} parameters trained ({share:.2%})"
        )


def apply_lora(
    adapter: Adapter,
    rank: int = 8,
    alpha: float = 16,
    dropout: float = 0.0,
    targets: Sequence[str] | None = None,
    experts: bool = False,
) -> Coverage:
    """Freeze a model and add low-rank matrices to its target layers, in place.

    Parameters
    ----------
    adapter
        The model; every parameter but the new ones is frozen.
    rank, alpha, dropout
        Rank r of the update ``alpha / r * B A``, its scale, and the dropout of its input.
    targets
        Names (last parts, as ``query`` or ``ffn.1``) of layers instead of the family's own; each has to name some.
    experts
        Also adapt the bare parameters of `ModelCard.lora_parameters` (the experts of a mixture); without dropout.

    Raises
    ------
    InputError
        A target that names no layer, none of the family's own targets in the model, no experts, or an adapted layer
        that gets no gradient: its weight is used in a way that goes past the adaptation (as Mamba's ``dt_proj``), so
        that training it would change nothing.
    """
    from peft import LoraConfig, inject_adapter_in_model

    names = list(targets if targets is not None else adapter.card.lora_targets)
    _require_layers(adapter, names, all_of_them=targets is not None)
    if experts and not adapter.card.lora_parameters:
        raise InputError(f"a model of the family {adapter.card.family} has no experts to adapt", fix="Leave them out.")
    settings = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules=names,
        exclude_modules=rf".*{FIELD}.*",  # learned frequencies are no layer of the model; they are trained as they are
        target_parameters=list(adapter.card.lora_parameters) if experts else None,
        bias="none",
    )
    try:
        inject_adapter_in_model(settings, adapter.network)
    except ValueError as error:
        raise InputError(f"LoRA cannot adapt {', '.join(names)}: {error}", fix="Choose other targets.") from None
    _share_where_weights_are_shared(adapter.network)
    _require_gradients(adapter)
    return coverage(adapter)


def coverage(adapter: Adapter) -> Coverage:
    """Count what is trained in a model with LoRA."""
    modules = tuple(name for name, _ in _lora_layers(adapter.network))
    trainable = sum(parameter.numel() for parameter in adapter.parameters() if parameter.requires_grad)
    return Coverage(modules, trainable, sum(parameter.numel() for parameter in adapter.parameters()))


def merge(adapter: Adapter) -> None:
    """Fold the low-rank matrices into the weights, in place: an ordinary model of the family again, not frozen."""
    from peft.tuners.lora import LoraLayer

    merged = set()
    for name, module in list(adapter.network.named_modules()):
        owner, _, last = name.rpartition(".")
        while isinstance(module, LoraLayer):
            shared = id(_adapted_weight(module))
            if shared not in merged:
                module.merge()
                merged.add(shared)
            module = module.base_layer
            setattr(adapter.network.get_submodule(owner), last, module)
    adapter.requires_grad_(True)


def missing_layers(adapter: Adapter, names: Sequence[str]) -> list[str]:
    """Return those of some names of layers that no layer of a model ends with."""
    layers = [f".{name}" for name, _ in adapter.network.named_modules()]
    return [name for name in names if not any(layer.endswith(f".{name}") for layer in layers)]


def _require_layers(adapter: Adapter, names: list[str], all_of_them: bool) -> None:
    """Refuse names of layers that the model does not have: all have to be there, or one at least.

    Of a family's own targets some may be missing: a model of Evo 2 need not have blocks of every kind.
    """
    missing = missing_layers(adapter, names)
    if len(missing) == len(names) or (missing and all_of_them):
        raise InputError(
            f"LoRA finds no layer {' or '.join(missing) or 'without targets'} in a model of the family {adapter.card.family}",
            fix=f"Its own targets are {', '.join(adapter.card.lora_targets)}.",
        )


def _lora_layers(network: nn.Module) -> list[tuple[str, LoraLayer]]:
    """Return the adapted layers and their names."""
    from peft.tuners.lora import LoraLayer

    return [(name, module) for name, module in network.named_modules() if isinstance(module, LoraLayer)]


def _adapts_parameter(layer: LoraLayer) -> bool:
    """Say whether a LoRA layer adapts a bare parameter (experts), not a layer of its own."""
    from peft.tuners.lora.layer import ParamWrapper

    return isinstance(layer, ParamWrapper)


def _adapted_weight(layer: LoraLayer) -> nn.Parameter:
    """Return the frozen parameter that a LoRA layer adapts."""
    if _adapts_parameter(layer):
        return getattr(layer.get_base_layer(), layer.parameter_name)
    return layer.get_base_layer().weight


def _share_where_weights_are_shared(network: nn.Module) -> None:
    """Give layers that share one weight one pair of low-rank matrices."""
    groups: dict[int, list[LoraLayer]] = defaultdict(list)
    for _, layer in _lora_layers(network):
        groups[id(_adapted_weight(layer))].append(layer)
    for first, *others in groups.values():
        for other in others:
            other.lora_A, other.lora_B = first.lora_A, first.lora_B


def _require_gradients(adapter: Adapter) -> None:
    """Run a short sequence forward and back and look for adapted layers whose update has no effect.

    The second matrix B starts at zero, so that only B has a gradient at first. Experts may have none because the router
    sent the sequence to others.
    """
    was_training = adapter.training
    adapter.eval()
    with torch.random.fork_rng(), torch.enable_grad():
        torch.manual_seed(0)
        states = adapter(*adapter.probe_inputs(PROBE_TOKENS)).last_hidden_state.float()
        (states * torch.randn_like(states)).sum().backward()
    dead = []
    for name, layer in _lora_layers(adapter.network):
        gradient = layer.lora_B[NAME].weight.grad
        if gradient is None or not (_adapts_parameter(layer) or bool(gradient.abs().max() > 0)):
            dead.append(name)
    adapter.zero_grad(set_to_none=True)
    adapter.train(was_training)
    if dead:
        raise InputError(
            f"{len(dead)} layers adapted by LoRA get no gradient (first: {dead[0]}): training them would change nothing",
            fix=f"Leave {dead[0].rpartition('.')[2]} out of the targets.",
        )
