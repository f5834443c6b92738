"""A text model that reads alleles between its words, and how likely it finds answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .answer_trie import tree_mask, tree_positions

DNA = -1
"""Place of a vector of DNA among the ids of a prompt: no embedding of the text model stands for it."""
PADDING = -2


def embedded(text: nn.Module, ids: Tensor, vectors: Tensor | None) -> Tensor:
    """Return the embeddings of prompts, the vectors of their alleles in the places marked `DNA`, in order.

    Parameters
    ----------
    ids : int[B, P]
        Ids, `DNA` and `PADDING`.
    vectors : float[B, n, H] or float[N, H]
        As many as there are places in all.
    """
    words = text.get_input_embeddings()(ids.clamp(min=0))
    places = ids == DNA
    if vectors is None:
        if bool(places.any()):
            raise ValueError("places of DNA, and no vectors")
        return words
    flat = vectors.reshape(-1, vectors.shape[-1]).to(words.dtype)
    if int(places.sum()) != len(flat):
        raise ValueError(f"{int(places.sum())} places of DNA, {len(flat)} vectors")
    return words.masked_scatter(places[..., None].expand_as(words), flat)


def node_scores(
    text: nn.Module,
    ids: Tensor,
    vectors: Tensor | None,
    tokens: Tensor,
    parents: Tensor,
    depths: Tensor,
    sees: Tensor,
) -> Tensor:
    """Return the log probability of each token of a tree of answers behind each prompt, float `[B, N]`.

    One pass: the prompt is read once for all answers, and only the logits that lead to a node are computed.

    Parameters
    ----------
    ids : int[B, P]
        Prompts, padded anywhere with `PADDING`.
    vectors
        Of their alleles (`embedded`).
    tokens, parents, depths : int[B, N]
        A tree for each prompt (`answer_trie.Trie`); a parent of -1 is the last token of the prompt.
    sees : bool[N, N] or bool[B, N, N]
    """
    present = ids != PADDING
    width = ids.shape[1]
    words = embedded(text, ids, vectors)
    answers = text.get_input_embeddings()(tokens.clamp(min=0))
    states = text.base_model(
        inputs_embeds=torch.cat([words, answers], dim=1),
        attention_mask=tree_mask(present, sees),
        position_ids=tree_positions(present, depths),
        use_cache=False,
    ).last_hidden_state
    places = torch.arange(width, device=ids.device)
    last = (places * present).amax(dim=1, keepdim=True)
    before = torch.where(parents < 0, last, width + parents)
    leading = states.gather(1, before[..., None].expand(-1, -1, states.shape[-1]))
    logits = text.get_output_embeddings()(leading).float()
    return logits.log_softmax(-1).gather(-1, tokens.clamp(min=0)[..., None]).squeeze(-1)


def published_logits(text: nn.Module, ids: Tensor, mask: Tensor, pad: int, features: Tensor) -> Tensor:
    """Return the logits of a published model `[B, T, V]`: projected states in the places of its pads, in order."""
    places = torch.where(ids == pad, torch.full_like(ids, DNA), ids)
    words = embedded(text, places, features)
    return text(inputs_embeds=words, attention_mask=mask).logits


def tied_or_frozen(module: nn.Module) -> set[str]:
    """Return the names of a module's tensors that need not be kept: those of frozen weights, and second names of one."""
    seen: set[int] = set()
    left_out: set[str] = set()
    for name, parameter in module.named_parameters(remove_duplicate=False):
        if not parameter.requires_grad or id(parameter) in seen:
            left_out.add(name)
        seen.add(id(parameter))
    return left_out


def counts_of(module: nn.Module) -> Mapping[str, Any]:
    """Return the numbers of parameters: all, and those that are trained."""
    own = list(module.parameters())
    return {"total": sum(one.numel() for one in own), "trained": sum(one.numel() for one in own if one.requires_grad)}
