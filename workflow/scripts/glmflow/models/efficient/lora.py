"""Low-rank adaptation (LoRA; Hu et al. 2022) with each family's own targets, checked to train something.

The layers named by `ModelCard.lora_targets` get two small matrices each, and nothing else of the model is trained. Where a
family uses one weight in two places (the two strands of Caduceus), both places share the same two matrices, so that the
adapted weights are still one weight and can be folded in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from torch import nn

from glmflow.context.patch import FIELD
from glmflow.errors import InputError
from glmflow.models.adapted_layers import (
    NAME,
    Coverage,
    adapted_layers,
    adapted_weight,
    coverage,
    require_gradients,
)
from glmflow.models.adapter import Adapter


def apply(
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
        that gets no gradient.
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
    # The second matrix B starts at zero, so that only B has a gradient at first.
    require_gradients(adapter, lambda layer: layer.lora_B[NAME].weight, "LoRA", "Leave {layer} out of the targets.")
    return coverage(adapter, "lora")


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


def _share_where_weights_are_shared(network: nn.Module) -> None:
    """Give layers that share one weight one pair of low-rank matrices."""
    groups = defaultdict(list)
    for _, layer in adapted_layers(network):
        groups[id(adapted_weight(layer))].append(layer)
    for first, *others in groups.values():
        for other in others:
            other.lora_A, other.lora_B = first.lora_A, first.lora_B
