"""What models are made of and what is asked of them: `ModelCard`, `Tokens`, `Output`, `Network`, and `Model`, which
is all that likelihoods, generation, chunking and saving see of an `Adapter`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from glmflow.errors import InputError
from glmflow.models import continuation
from glmflow.models.tokenizers import Tokenizer

CAPABILITIES = ("per_base_states", "masked_scores", "base_probabilities", "generation", "extension")


BEYOND = {
    "alibi": "it reads longer sequences as it is",
    "learned": "use overlapping chunks",
    "none": "it reads longer inputs as it is",
    "convolution": "use overlapping chunks",
    "state-space": "it reads longer sequences as it is",
}
"""What to do with a sequence beyond the trained length, by position embedding, where frequencies cannot be extended."""


class NotSupportedError(InputError):
    """A model was asked for something its family cannot do; the message names the family and what to use
    instead.
    """


@dataclass(frozen=True)
class ModelCard:
    """What kind of model it is.

    Parameters
    ----------
    family
        Name of the family's file.
    objective
        ``causal`` (next token), ``masked`` (hidden tokens from both sides) or ``regions`` (regions x motifs,
        not bases).
    context_bp
        Bases that fit into one pass; None without a limit. For BPE what the context holds at
        `bases_per_token` on average.
    context_tokens
        Tokens that fit into one pass, special tokens included; None without a limit.
    bases_per_token
        Bases that one token stands for (the average, for BPE).
    position_embedding
        How the model knows positions; context extension applies to ``rope``.
    padding
        Whether sequences of several lengths may share a batch. False where the original ignores the attention
        mask.
    strand
        What the reverse complement does, in words.
    licence
        Licence of the published weights.
    hidden_size
        Channels D of a per-base state, as `Adapter.states_per_base` returns it.
    vocab_size
        Rows of the output layer.
    lora_targets
        Names (last parts, as ``query`` or ``ffn.1``) of the linear layers that LoRA adapts.
    lora_parameters
        Names of bare parameters that LoRA adapts (the experts of a mixture).
    cannot
        What the family cannot do, of `CAPABILITIES`: the reason and the alternative. What follows from
        objective and position embedding is added here.
    """

    family: str
    objective: Literal["causal", "masked", "regions"]
    context_bp: int | None
    context_tokens: int | None
    bases_per_token: float
    position_embedding: Literal["rope", "alibi", "learned", "none", "convolution", "state-space"]
    padding: bool
    strand: str
    licence: str
    hidden_size: int
    vocab_size: int
    lora_targets: tuple[str, ...]
    lora_parameters: tuple[str, ...] = ()
    cannot: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self):
        reasons: dict[str, str] = {}
        if self.objective != "masked":
            reasons["masked_scores"] = "not trained to fill masked positions; use log_likelihood"
        if self.objective != "causal":
            reasons["generation"] = "not a causal model; use a causal family"
        if self.position_embedding != "rope":
            reasons["extension"] = (
                f"positions are not rotary ({self.position_embedding}); {BEYOND[self.position_embedding]}"
            )
        if self.objective == "regions":
            for capability in ("per_base_states", "base_probabilities"):
                reasons[capability] = "its inputs are regions x motifs, not bases; use a sequence model"
        object.__setattr__(self, "cannot", {**reasons, **self.cannot})

    def can(self, capability: str) -> bool:
        """Whether the model can do one of `CAPABILITIES`."""
        if capability not in CAPABILITIES:
            raise ValueError(f"{capability} is none of {CAPABILITIES}")
        return capability not in self.cannot


class Tokens(NamedTuple):
    """A tokenized batch of B sequences, padded to the longest.

    Attributes
    ----------
    input_ids
        ``int64[R, T]``, special tokens included. One row a sequence (R = B), or several for a sequence in
        chunks.
    attention_mask
        ``int64[R, T]``: 1 for tokens, 0 for padding.
    token_of_base
        ``int64[B, L]``: where in the sequence's rows, laid end to end, the token is that covers a base (row
        r, position t: ``r * T + t``); -1 beyond the end of a sequence shorter than L.
    rows
        Rows of each sequence; None where each has one.
    """

    input_ids: Tensor
    attention_mask: Tensor
    token_of_base: Tensor
    rows: tuple[int, ...] | None = None

    def to(self, device: torch.device | str) -> Tokens:
        """Return the same tokens on another device."""
        moved = (tensor.to(device) for tensor in (self.input_ids, self.attention_mask, self.token_of_base))
        return Tokens(*moved, self.rows)


class Output(NamedTuple):
    """What a model computes: `logits` [B, T, V] (None after `Adapter.drop_head`), `last_hidden_state` [B, T,
    D].
    """

    logits: Tensor | None
    last_hidden_state: Tensor


class Network(nn.Module):
    """Base of the families' modules: the published architecture under the published parameter names.

    A subclass defines `states` and `logits`; blocks are run through `run_block`, so that gradient
    checkpointing works.

    Attributes
    ----------
    head_names
        Names of the submodules and parameters that only `logits` uses; `drop_head` removes them.
    keep_float32
        Endings of parameter names that stay float32 when the model is converted to bf16.
    takes_positions
        `states` has a third argument ``position_ids``, ``[B, T]``, for tuning at skipped positions.
    packs
        Rows of several records are read as if each stood alone (`glmflow.models.packed_rows`).
    takes_tags
        Rows may have tags (`glmflow.models.row_tags`).
    continues
        A sequence can be gone on with from inside one that was read: `remember` and `go_on`, `begin` and `step` are
        there (`glmflow.models.continuation`).
    """

    head_names: tuple[str, ...] = ()
    keep_float32: tuple[str, ...] = ()
    gradient_checkpointing: bool = False
    takes_positions: bool = False
    continues: bool = False
    packs: bool = False
    takes_tags: bool = False

    def states(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """``int64[B, T]`` to the original's last hidden state ``[B, T, D]``."""
        raise NotImplementedError

    def logits(self, states: Tensor) -> Tensor:
        """``[B, T, D]`` to logits ``[B, T, V]``."""
        raise NotImplementedError

    def states_at(self, input_ids: Tensor, places: Tensor) -> Tensor:
        """Return the states of some tokens, `[B, S, D]` at `int64[B, S]`; a family may leave out what they do not see."""
        return self.states(input_ids)[torch.arange(len(input_ids), device=input_ids.device)[:, None], places]

    def remember(self, input_ids: Tensor) -> tuple[Tensor, Any]:
        """Return the states of a batch ``[B, T, D]``, and what `go_on` needs of it; where `continues`."""
        return continuation.remember(self, input_ids)

    def go_on(self, memory: Any, rows: Tensor, at: int, input_ids: Tensor) -> Tensor:
        """Return the states ``[n, S, D]`` of sequences that share their first `at` tokens with `rows` of that batch."""
        return continuation.go_on(self, memory, rows, at, input_ids)

    def begin(self, input_ids: Tensor, room: int) -> tuple[Tensor, Any]:
        """Return the states of a batch ``[B, T, D]``, and what `step` needs to go on for `room` tokens; where `continues`."""
        return continuation.begin(self, input_ids, room)

    def step(self, memory: Any, at: int, input_ids: Tensor) -> Tensor:
        """Return the states ``[B, S, D]`` of the next tokens of that batch, of which `at` were read; it remembers them too."""
        return continuation.step(self, memory, at, input_ids)

    def run_block(self, block: nn.Module, *inputs: Any) -> Any:
        """Call a block; in training with gradient checkpointing its activations are computed again
        backwards.
        """
        if self.gradient_checkpointing and self.training and torch.is_grad_enabled():
            # Backwards, what is read is as it was: records of packed rows.
            return checkpoint(partial(copy_context().run, block), *inputs, use_reentrant=False)
        return block(*inputs)

    def probe_inputs(self, length: int) -> tuple[Tensor, ...] | None:
        """Return arguments of `states` for a random short input, where they are not token ids."""
        return None

    def set_gradient_checkpointing(self, on: bool) -> None:
        """Switch gradient checkpointing on or off."""
        self.gradient_checkpointing = on

    def drop_head(self) -> None:
        """Remove what only `logits` uses, so that every parameter left gets a gradient from the states."""
        for name in self.head_names:
            owner, _, last = name.rpartition(".")
            setattr(self.get_submodule(owner), last, None)


class Model(Protocol):
    """A model of any family, as far as the functions below `Adapter` use it; see there what each part does."""

    network: Network
    card: ModelCard
    config: dict[str, Any]
    tokenizer: Tokenizer | None
    origin: dict[str, Any]
    has_head: bool
    training: bool

    @property
    def device(self) -> torch.device:
        """The device of the weights."""

    def tokenize(
        self, sequences: Sequence[str | np.ndarray], chunk: bool = False, overlap: float | None = None
    ) -> Tokens:
        """Return a padded batch of token ids."""

    def hidden_states(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, position_ids: Tensor | None = None
    ) -> Tensor:
        """Return the last hidden states ``[B, T, D]``."""

    def require(self, capability: str) -> None:
        """Raise `NotSupportedError` if the card says that the model lacks a capability."""

    def refuse(self, what: str, reason: str) -> NotSupportedError:
        """Return the error that says what the family cannot do."""

    def train(self, mode: bool = True) -> Any:
        """Switch training mode on or off."""

    def eval(self) -> Any:
        """Switch training mode off."""
