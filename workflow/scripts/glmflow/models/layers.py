"""The states after a chosen layer of a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from glmflow.errors import InputError


def blocks_of(network: nn.Module) -> nn.ModuleList:
    """Return the blocks of a network: its longest list of modules.

    Raises
    ------
    InputError
        It has none: only its last states can be read.
    """
    lists = [module for module in network.modules() if isinstance(module, nn.ModuleList) and len(module)]
    if not lists:
        raise InputError(
            "this family has no layers to choose from", where="layer", fix="Leave it out for the last states."
        )
    return max(lists, key=len)


def require_layer(network: nn.Module, layer: int) -> None:
    """Stop if a network has no such layer (from 1; -1 is the last one).

    Raises
    ------
    InputError
        It has none.
    """
    count = len(blocks_of(network))
    if layer == 0 or abs(layer) > count:
        raise InputError(
            f"no layer {layer}: the model has {count}", where="layer", fix=f"Give 1 to {count}, or -1 for the last one."
        )


def after_layer(
    network: nn.Module, layer: int, compute: Callable[[], Any], shape: tuple[int, int], family: str
) -> Tensor:
    """Return what a layer returns while the network computes: a state a token, ``[R, T, D]``.

    Parameters
    ----------
    layer
        From 1; -1 is the last one.
    compute
        Runs the network.
    shape
        Rows and tokens, `R` and `T`.

    Raises
    ------
    InputError
        The network has no such layer, or the layer does not return a state a token.
    """
    require_layer(network, layer)
    seen: list[Any] = []
    block = blocks_of(network)[layer - 1 if layer > 0 else layer]
    hook = block.register_forward_hook(lambda _, __, output: seen.append(output))
    try:
        compute()
    finally:
        hook.remove()
    found = seen[0] if seen else None
    while isinstance(found, tuple | list) and found:
        found = found[0]
    if not isinstance(found, Tensor) or found.ndim != 3 or tuple(found.shape[:2]) != shape:
        what = f"layer {layer} of {family} does not return a state a token"
        raise InputError(what, where="layer", fix="Leave it out for the last states.")
    return found
