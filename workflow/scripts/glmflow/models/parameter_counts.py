"""Parameters of a network that are no embedding: what sizes of models are compared by, whatever their vocabularies."""

from __future__ import annotations

from torch import nn

from .interface import Network


def body_parameters(network: Network) -> int:
    """Return the number of parameters outside of embeddings and of the language-model head; shared ones count once."""
    heads = tuple(f"{name}." for name in network.head_names)
    tables = [module for module in network.modules() if isinstance(module, nn.Embedding)]
    apart = {id(parameter) for table in tables for parameter in table.parameters()}
    return sum(
        parameter.numel()
        for name, parameter in network.named_parameters()
        if id(parameter) not in apart and not name.startswith(heads)
    )
