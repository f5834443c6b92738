"""`Adapter`: a model of any family behind one interface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from os import PathLike
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from glmflow.context import Extension, extend, extension_of
from glmflow.errors import InputError
from glmflow.models import chunking, drawing, likelihood, saving
from glmflow.models.interface import ModelCard, Network, NotSupportedError, Output, Tokens
from glmflow.models.layers import after_layer
from glmflow.models.tokenizers import Tokenizer, clean


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
            The model takes no sequences, or cannot pad and the sequences differ in their number of tokens (not with `chunk`).
        """
        if self.tokenizer is None:
            raise self.refuse("tokenization", "its inputs are regions x motifs, not sequences; build its input table")
        if not len(sequences) or isinstance(sequences, str):
            raise InputError("no sequences to tokenize", fix="Give a list with at least one.")
        pieces = [self.tokenizer.pieces(clean(sequence)) for sequence in sequences]
        overlap = chunking.DEFAULT_OVERLAP if overlap is None else overlap
        return chunking.rows_of(self, pieces, overlap if chunk else None)

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

    def states_per_base(self, tokens: Tokens, layer: int | None = None) -> Tensor:
        """Hidden states on the grid of bases, whatever the tokenizer; gradients flow through.

        Parameters
        ----------
        layer
            States after this layer (from 1; -1 is the last one), as the block returns them; None: what the model hands to
            its head, after the final norm where it has one.

        Returns
        -------
        ``[B, L, D]``; zero beyond the end of a sequence shorter than L.
        """
        return gather_bases(self.token_states(tokens, layer), tokens.to(self.device))

    def states_before(self, tokens: Tokens, layer: int | None = None) -> Tensor:
        """States of the special token before each sequence, ``[B, D]``; the mean over the chunks of a long one.

        Raises
        ------
        InputError
            The family puts none there.
        """
        self.require_token_before()
        states = self.token_states(tokens, layer)
        rows = tokens.rows or (1,) * len(tokens.token_of_base)
        return torch.stack([part.mean(0) for part in states[:, 0].split(list(rows))])

    def require_token_before(self) -> None:
        """Raise where the family puts no special token before a sequence."""
        if self.tokenizer is None or not self.tokenizer.prefix:
            what = f"{self.card.family} puts no special token before a sequence"
            raise InputError(what, where="pool: cls", fix="Take mean; of causal models last.")

    def token_states(self, tokens: Tokens, layer: int | None = None) -> Tensor:
        """Hidden states of the tokens, ``[R, T, D]``, special ones included (see `states_per_base`)."""
        self._require_known(tokens.input_ids)
        tokens = tokens.to(self.device)
        if self.card.padding or bool(tokens.attention_mask.all()):
            return self._states_of(layer, tokens.input_ids, tokens.attention_mask)
        return self._length_by_length(tokens, layer)

    def _states_of(self, layer: int | None, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Return the states of rows after a layer, or the model's own."""
        if layer is None:
            return self.hidden_states(input_ids, attention_mask)
        shape = (input_ids.shape[0], input_ids.shape[1])
        compute = partial(self.hidden_states, input_ids, attention_mask)
        return after_layer(self.network, layer, compute, shape, self.card.family)

    def _length_by_length(self, tokens: Tokens, layer: int | None = None) -> Tensor:
        """Compute rows of several lengths as the original would one by one: those of one length together, without padding."""
        lengths = tokens.attention_mask.sum(1)
        found: Tensor | None = None
        for length in lengths.unique().tolist():
            rows = (lengths == length).nonzero().squeeze(1)
            states = self._states_of(layer, tokens.input_ids[rows, :length])
            if found is None:
                found = states.new_zeros(*tokens.input_ids.shape, states.shape[-1])
            padded = functional.pad(states, (0, 0, 0, found.shape[1] - length))
            found = found.index_copy(0, rows, padded.to(found.dtype))
        assert found is not None
        return found

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
        return likelihood.log_likelihood(self, sequences, batch_size, chunk)

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
        return likelihood.base_probabilities(self, sequences, positions, batch_size, chunk)

    def generate(
        self,
        prompts: Sequence[str | np.ndarray],
        length: int,
        temperature: float = 1.0,
        top_k: int | None = None,
        seed: int = 0,
    ) -> list[str]:
        """Sample what follows each prompt, `length` bases of A, C, G and T, or fewer where the model draws the end of a sequence.

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
        return drawing.generate(self, prompts, length, temperature, top_k, seed)

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

        What is extended already is extended again from its original frequencies: `factor` counts from the original
        length, which has to be given then.

        Raises
        ------
        NotSupportedError
            The model has no rotary positions.
        InputError
            It is extended already, and the original length is not given.
        """
        self.require("extension")
        present = extension_of(self)
        if present is not None and settings.get("original_length") != present.settings["original_length"]:
            method, original, before = (present.settings[key] for key in ("method", "original_length", "factor"))
            raise InputError(
                f"the model is extended already: {method}, {before:g} times its original {original} tokens",
                fix=f"Give original_length: {original}, and a factor that counts from there.",
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
        saving.save(self, folder)

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
                    fix="Put the tokenizer that was published with these weights into the checkpoint's folder.",
                )

    def refuse(self, what: str, reason: str) -> NotSupportedError:
        """Return the error that says what this family cannot do, why, and what to do instead (after a
        semicolon).
        """
        why, _, alternative = reason.partition("; ")
        fix = f"{alternative[:1].upper()}{alternative[1:]}." if alternative else None
        return NotSupportedError(f"{self.card.family} does not support {what.replace('_', ' ')}: {why}", fix=fix)

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
