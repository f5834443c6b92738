"""The interface of every model: `Adapter`, with `ModelCard` (what it is) and `Network` (what a family
provides).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from glmflow.errors import InputError
from glmflow.models.tokenizers import Tokenizer, clean

if TYPE_CHECKING:
    from glmflow.context import Extension

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
    """

    head_names: tuple[str, ...] = ()
    keep_float32: tuple[str, ...] = ()
    gradient_checkpointing: bool = False
    takes_positions: bool = False

    def states(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """``int64[B, T]`` to the original's last hidden state ``[B, T, D]``."""
        raise NotImplementedError

    def logits(self, states: Tensor) -> Tensor:
        """``[B, T, D]`` to logits ``[B, T, V]``."""
        raise NotImplementedError

    def run_block(self, block: nn.Module, *inputs: Any) -> Any:
        """Call a block; in training with gradient checkpointing its activations are computed again
        backwards.
        """
        if self.gradient_checkpointing and self.training and torch.is_grad_enabled():
            return checkpoint(block, *inputs, use_reentrant=False)
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


class Adapter(nn.Module):
    """A model of any family behind one interface; made by `load_model` or `new_model`.

    Attributes
    ----------
    network
        The family's module.
    card
        What kind of model it is.
    config
        Content of ``config.json``.
    tokenizer
        The family's tokenizer; None where inputs are not sequences.
    origin
        Where the weights come from: the folder or id that was loaded, or how they were made.
    has_head
        False after `drop_head`: there are no logits then.
    attention, compute_dtype
        Attention implementation that was taken, and the type it was chosen for.
    """

    def __init__(
        self,
        network: Network,
        card: ModelCard,
        config: dict[str, Any],
        tokenizer: Tokenizer | None,
        *,
        origin: dict[str, Any] | None = None,
    ):
        super().__init__()
        self.network = network
        self.card = card
        self.config = config
        self.tokenizer = tokenizer
        self.origin = dict(origin or {})
        self.has_head = True
        self.attention = "sdpa"
        self.compute_dtype = torch.float32

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """The floating-point type of most weights (those a family keeps in float32 aside)."""
        return next(
            p.dtype for n, p in self.network.named_parameters() if not n.endswith(self.network.keep_float32 or "\0")
        )

    def tokenize(
        self, sequences: Sequence[str | np.ndarray], chunk: bool = False, overlap: float | None = None
    ) -> Tokens:
        """Turn sequences (text or ``uint8`` ASCII codes) into a padded batch of token ids.

        Lower case is upper-cased, U read as T and IUPAC letters as N. Nothing is ever cut off.

        Parameters
        ----------
        sequences
            At least one; none may be empty.
        chunk
            Split a sequence that exceeds the model's context into overlapping chunks, a row each (see
            `glmflow.models.chunking`), instead of refusing it.
        overlap
            Share of a chunk that it has in common with the next.

        Raises
        ------
        InputError
            No sequence, an empty one, a character that is no nucleotide, or one longer than the context.
        NotSupportedError
            The model takes no sequences, or cannot pad and the sequences differ in their number of tokens.
        """
        from glmflow.models.chunking import DEFAULT_OVERLAP, rows_of

        if self.tokenizer is None:
            raise self.refuse("tokenization", "its inputs are regions x motifs, not sequences; build its input table")
        if not len(sequences) or isinstance(sequences, str):
            raise InputError("no sequences to tokenize", mend="Give a list with at least one.")
        pieces = [self.tokenizer.pieces(clean(sequence)) for sequence in sequences]
        overlap = DEFAULT_OVERLAP if overlap is None else overlap
        return rows_of(self, pieces, overlap if chunk else None)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, position_ids: Tensor | None = None
    ) -> Output:
        """Compute exactly what the original computes from token ids.

        Parameters
        ----------
        input_ids
            ``int64[B, T]``.
        attention_mask
            ``int64[B, T]``, 1 for tokens and 0 for padding; None: no padding.
        position_ids
            ``[B, T]``, in place of 0, 1, 2 ...; for families with rotary positions.

        Raises
        ------
        NotSupportedError
            There is padding and the family ignores the mask, so that padding would change the result.
        """
        states = self.hidden_states(input_ids, attention_mask, position_ids)
        return Output(self.network.logits(states) if self.has_head else None, states)

    def hidden_states(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, position_ids: Tensor | None = None
    ) -> Tensor:
        """`forward` without the logits: ``[B, T, D]``."""
        self._require_known(input_ids)
        if attention_mask is not None and bool(attention_mask.all()):
            attention_mask = None  # lets attention take its fast path, which knows no mask
        if attention_mask is not None and not self.card.padding:
            raise self.refuse("padding", "the original ignores the attention mask; batch sequences of one length")
        if position_ids is None:
            return self.network.states(input_ids, attention_mask)
        if not self.network.takes_positions:
            reason = "its code counts them itself, or would give them to layers of local attention too"
            raise self.refuse("positions of your own", f"{reason}; use another method of extension")
        return self.network.states(input_ids, attention_mask, position_ids)

    def states_per_base(self, tokens: Tokens) -> Tensor:
        """Hidden states on the grid of bases, whatever the tokenizer; gradients flow through.

        Returns
        -------
        ``[B, L, D]``; zero beyond the end of a sequence shorter than L.
        """
        self._require_known(tokens.input_ids)
        tokens = tokens.to(self.device)
        states = self.hidden_states(tokens.input_ids, tokens.attention_mask)
        return gather_bases(states, tokens)

    def log_likelihood(
        self, sequences: Sequence[str | np.ndarray], batch_size: int = 8, chunk: bool = False
    ) -> np.ndarray:
        """Log-likelihood of each sequence in nats, ``float64[B]``.

        Causal: the sum over tokens of log p(token | tokens to its left), averaged over the sequence and its
        reverse complement; a first token with nothing to its left is not scored. Masked: the
        pseudo-log-likelihood, the sum over tokens of log p(token | all others) with one token masked at a
        time (Salazar et al. 2020), which costs one pass a token. Unknown tokens are not scored. With `chunk` a
        sequence beyond the context is cut into overlapping chunks (see `glmflow.models.chunking`), each token
        scored in the one in which it has most context; without, it is refused.
        """
        from glmflow.models.scoring import log_likelihood

        return log_likelihood(self, sequences, batch_size, chunk)

    def base_probabilities(
        self,
        sequences: Sequence[str | np.ndarray],
        positions: Sequence[int] | np.ndarray,
        batch_size: int = 8,
        chunk: bool = False,
    ) -> np.ndarray:
        """Probabilities of A, C, G and T at positions of sequences, ``float64[B, P, 4]``, each summing to
        one.

        Masked: the token of the position is masked; a k-mer's probabilities are summed over all that have the
        base at the position. Causal: from the bases to the left only.

        Parameters
        ----------
        sequences
            B sequences.
        positions
            0-based, ``[P]`` for all sequences or ``[B, P]``.
        chunk
            See a position in the part of a sequence beyond the context that gives it most context, instead of
            refusing the sequence.

        Raises
        ------
        NotSupportedError
            The tokenizer has no grid of bases (BPE).
        InputError
            A position outside its sequence, the first one of a causal model without a start token, or a sequence
            longer than the context.
        """
        from glmflow.models.scoring import base_probabilities

        return base_probabilities(self, sequences, positions, batch_size, chunk)

    def generate(
        self,
        prompts: Sequence[str | np.ndarray],
        length: int,
        temperature: float = 1.0,
        top_k: int | None = None,
        seed: int = 0,
    ) -> list[str]:
        """Sample what follows each prompt, `length` bases of A, C, G and T.

        Parameters
        ----------
        prompts
            Sequences, at least a base each. Of one longer than the context the last tokens that fit are seen.
        length
            Bases to draw; the last token of a k-mer or byte-pair model is cut to it.
        temperature
            Divides the logits: below one the likely tokens get likelier.
        top_k
            Draw from the k likeliest tokens only.
        seed
            Of the draws.

        Raises
        ------
        NotSupportedError
            The model is not causal.
        """
        from glmflow.models.generation import generate

        return generate(self, prompts, length, temperature, top_k, seed)

    def gradient_checkpointing_enable(self, gradient_checkpointing_kwargs: dict[str, Any] | None = None) -> None:
        """Compute activations again in the backward pass (always non-reentrant; the argument is for the
        Trainer).
        """
        self.network.set_gradient_checkpointing(True)

    def gradient_checkpointing_disable(self) -> None:
        """Keep activations."""
        self.network.set_gradient_checkpointing(False)

    def drop_head(self) -> None:
        """Remove the language-model head, which a track or scalar head on the states does not need."""
        self.network.drop_head()
        self.has_head = False

    def extend(self, method: str, factor: float, **settings: Any) -> None:
        """Extend the context of a model with rotary positions (see `glmflow.context.extend`); the card follows.

        What is extended already is extended anew from its original frequencies: `factor` counts from the original
        length, which has to be given then.

        Raises
        ------
        NotSupportedError
            The model has no rotary positions.
        InputError
            It is extended already, and the original length is not given.
        """
        from glmflow.context import extend, extension_of

        self.require("extension")
        present = extension_of(self)
        if present is not None and settings.get("original_length") != present.settings["original_length"]:
            method, original, before = (present.settings[key] for key in ("method", "original_length", "factor"))
            raise InputError(
                f"the model is extended already: {method}, {before:g} times its original {original} tokens",
                mend=f"Give original_length: {original}, and a factor that counts from there.",
            )
        settings.setdefault("original_length", self.card.context_tokens)
        self.note_extension(extend(self.network, method, factor, **settings))

    def note_extension(self, extension: Extension) -> None:
        """Let the card tell the context that an extension aims at."""
        tokens = round(extension.settings["original_length"] * extension.settings["factor"])
        bases = round(self.card.context_bp * tokens / self.card.context_tokens)
        self.card = replace(self.card, context_tokens=tokens, context_bp=bases)

    def save(self, folder: str | PathLike[str]) -> None:
        """Write a model folder (safetensors, ``config.json``, tokenizer, ``model.yaml``) that `load_model`
        reads again.

        The folder is complete or absent; an existing one is replaced.
        """
        from glmflow.models.loading import save

        save(self, folder)

    def probe_inputs(self, length: int) -> tuple[Tensor, ...]:
        """Return arguments of `forward` for a random short input, to try the model out."""
        own = self.network.probe_inputs(length)
        if own is not None:
            return own
        vocab = self.tokenizer.vocab if self.tokenizer is not None else {}
        highest = min(self.card.vocab_size, max(vocab.values(), default=self.card.vocab_size) + 1)
        return (torch.randint(highest, (1, length), device=self.device),)

    def _require_known(self, input_ids: Tensor) -> None:
        """Refuse ids beyond the vocabulary, while they are still on the CPU (looking at them on a GPU would wait)."""
        if input_ids.is_cpu and not input_ids.is_floating_point() and input_ids.numel():
            highest = int(input_ids.max())
            if highest >= self.card.vocab_size:
                raise InputError(
                    f"token id {highest} is beyond the {self.card.vocab_size:,} tokens that the model knows",
                    mend="Put the tokenizer that was published with these weights into the checkpoint's folder.",
                )

    def refuse(self, what: str, reason: str) -> NotSupportedError:
        """Return the error that says what this family cannot do, why, and what to do instead (after a
        semicolon).
        """
        why, _, alternative = reason.partition("; ")
        mend = f"{alternative[:1].upper()}{alternative[1:]}." if alternative else None
        return NotSupportedError(f"{self.card.family} does not support {what.replace('_', ' ')}: {why}", mend=mend)

    def require(self, capability: str) -> None:
        """Raise `NotSupportedError` where the card says that the model lacks a capability."""
        if not self.card.can(capability):
            raise self.refuse(capability, self.card.cannot[capability])


def gather_bases(states: Tensor, tokens: Tokens) -> Tensor:
    """Take for each base the state of the token that covers it: ``[R, T, D]`` to ``[B, L, D]``."""
    index = tokens.token_of_base
    rows = tokens.rows or (1,) * len(index)
    first = torch.tensor([0, *rows[:-1]], device=index.device).cumsum(0) * states.shape[1]
    flat = states.reshape(-1, states.shape[-1])
    per_base = flat[(index.clamp(min=0) + first[:, None]).reshape(-1)].reshape(*index.shape, -1)
    return per_base * (index >= 0).unsqueeze(-1).to(per_base.dtype)
