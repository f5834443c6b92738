"""States of a layer other than the last."""

from __future__ import annotations

from torch import Tensor

from glmflow.errors import InputError
from glmflow.models.adapter import Adapter
from glmflow.models.huggingface import HuggingFaceNetwork


def states_of_layer(adapter: Adapter, ids: Tensor, layer: int) -> Tensor:
    """Return the states behind a layer, `[B, T, D]`; 0 is the embedding's, -1 what the last layer gives.

    Raises
    ------
    InputError
        The model has no such layer.
    NotSupportedError
        The states between its layers are not sequences of vectors.
    """
    network = adapter.network
    if type(network).states is HuggingFaceNetwork.states:
        found = network.model.base_model(ids, output_hidden_states=True).hidden_states
    else:
        found = _watched(network, ids)
    if not -len(found) <= layer < len(found):
        raise InputError(f"no layer {layer}: there are {len(found)}, from 0", where="--layer")
    states = found[layer]
    if states.dim() != 3 or states.shape[:2] != ids.shape:
        raise adapter.refuse("states of a layer", "its layers pass on more than one state a token; use the last layer")
    return states


def _watched(network, ids: Tensor) -> list[Tensor]:
    """Run a network of our own, and keep what goes into its first block and comes out of each."""
    kept: list[Tensor] = []
    run = network.run_block

    def watch(block, *inputs):
        output = run(block, *inputs)
        if not kept:
            kept.append(inputs[0])
        kept.append(output[0] if isinstance(output, tuple) else output)
        return output

    network.run_block = watch
    try:
        network.states(ids)
    finally:
        del network.run_block
    return kept
