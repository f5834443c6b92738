"""The masked-language head of the BERT lineage, shared by DNABERT-2, GENA-LM and AIDO.DNA."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MaskedLanguageHead(nn.Module):
    """From a state to one logit per token of the vocabulary (Devlin et al. 2019).

    The state is transformed (linear, GELU, norm) and compared with the embedding of every token: the output
    weights are the input embeddings, one parameter under two names.

    Parameters
    ----------
    embeddings
        The token embeddings, `[V, D]`.
    norm
        The norm after the transform.
    bias_name
        Name under which `predictions` has the output bias a second time, as several published checkpoints do.
    """

    def __init__(self, embeddings: nn.Embedding, norm: nn.Module, bias_name: str | None = None):
        super().__init__()
        vocabulary, dim = embeddings.weight.shape
        decoder = nn.Linear(dim, vocabulary)
        decoder.weight = embeddings.weight
        transform = nn.ModuleDict({"dense": nn.Linear(dim, dim), "LayerNorm": norm})
        self.predictions = nn.ModuleDict({"transform": transform, "decoder": decoder})
        if bias_name:
            self.predictions.register_parameter(bias_name, decoder.bias)

    def forward(self, states: Tensor) -> Tensor:
        """Return logits `[B, T, V]` of states `[B, T, D]`."""
        transform = self.predictions["transform"]
        transformed = transform["LayerNorm"](nn.functional.gelu(transform["dense"](states)))
        return self.predictions["decoder"](transformed)


@torch.no_grad()
def initialise(network: nn.Module, spread: float) -> None:
    """Draw weights as BERT does: normal with standard deviation `spread`, biases zero, norms one."""
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            module.weight.normal_(0.0, spread)
        if isinstance(module, nn.Linear) and module.bias is not None:
            module.bias.zero_()
