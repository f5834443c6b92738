"""A language model as variant scoring uses it: token ids in, states and log-probabilities in float32 out."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from glmflow.errors import InputError
from glmflow.models.adapter import Adapter

from .hidden_layer import states_of_layer
from .token_rows import TokenRows, tokenize

log = logging.getLogger(__name__)

Kind = Literal["base", "kmer", "bpe"]

TOKENS_ON_CPU, TOKENS_ON_GPU = 2**13, 2**18
"""Tokens of a batch: where a processor's caches, or a GPU's many cores, are used well."""

LOGITS = 2**25
"""Logits that exist at a time."""

SAME = 1e-4
"""Largest difference of states, of the largest one, at which going on inside a sequence counts as reading it whole."""


@dataclass
class LikelihoodModel:
    """A model with a language-model head.

    Parameters
    ----------
    adapter
        The model.
    name
        Its name in outputs.
    batch
        Sequences of a batch; by default as many as make `TOKENS_ON_CPU` or `TOKENS_ON_GPU` tokens.
    layer
        Hidden layer that distances compare; None: the last.

    Attributes
    ----------
    kind
        What a token is: one base, a k-mer, or a byte-pair piece.
    k
        Bases of a token; 1 for BPE, whose tokens have no fixed length.
    passes
        Sequences computed so far, and `tokens` of them.
    """

    adapter: Adapter
    name: str = "model"
    batch: int | None = None
    layer: int | None = None
    kind: Kind = field(init=False)
    k: int = field(init=False)
    passes: int = field(init=False, default=0)
    tokens: int = field(init=False, default=0)

    def __post_init__(self):
        adapter = self.adapter
        if adapter.card.objective == "regions":
            reason = "its inputs are regions x motifs, not bases; use glmflow predict"
            raise adapter.refuse("scores of variants", reason)
        if not adapter.has_head:
            raise InputError(
                f"{self.name}: no language-model head to score with",
                fix="Give the checkpoint or pretrained model; a tuned run is applied by glmflow predict.",
            )
        bases = adapter.tokenizer.bases
        self.kind = "bpe" if bases is None else "base" if bases.shape[1] == 1 else "kmer"
        self.k = bases.shape[1] if self.kind == "kmer" else 1
        adapter.eval()
        self._head = _float32_head(adapter)
        self._continues: bool | None = None

    @property
    def masked(self) -> bool:
        """Whether it fills in masked tokens; else it predicts the next one."""
        return self.adapter.card.objective == "masked"

    @property
    def precision(self) -> str:
        """What was computed in which type, in words."""
        weights = str(self.adapter.dtype).removeprefix("torch.")
        return weights if weights == "float32" else f"{weights}, head float32"

    @property
    def context(self) -> int | None:
        """Tokens of one pass; None without a limit."""
        return self.adapter.card.context_tokens

    def default_window(self) -> int:
        """Return the window in bases where none is asked for: 512 (masked) or 8,192 (causal), or the context."""
        most = 512 if self.masked else 8192
        return min(most, self.adapter.card.context_bp or most)

    def tokenize(self, codes: NDArray[np.uint8]) -> TokenRows:
        """Return the token ids of sequences `uint8[n, L]`."""
        return tokenize(self.adapter.tokenizer, codes)

    @cached_property
    def reads_n(self) -> bool:
        """Whether its vocabulary has N, or an unknown token in its place."""
        try:
            self.adapter.tokenizer.pieces(np.frombuffer(b"N", np.uint8))
        except InputError:
            return False
        return True

    def mask_id(self) -> int:
        """Return the id of the mask token."""
        if self.adapter.tokenizer.mask_id is None:
            raise self.adapter.refuse("masked scores", "its tokenizer has no mask token; use a family that has one")
        return self.adapter.tokenizer.mask_id

    def scored(self, rows: TokenRows) -> NDArray[np.bool_]:
        """Return which tokens count in a likelihood, `bool[n, T]`: those of bases, unknown ones left out."""
        tokenizer = self.adapter.tokenizer
        place = np.arange(rows.ids.shape[1])
        inside = (place >= len(tokenizer.prefix)) & (place < (rows.length - len(tokenizer.suffix))[:, None])
        return inside & (rows.ids != (-1 if tokenizer.unknown_id is None else tokenizer.unknown_id))

    def base_ids(self) -> NDArray[np.int64]:
        """Return the ids of A, C, G and T of a model of single bases."""
        table = self.adapter.tokenizer.bases[: self.adapter.card.vocab_size, 0]
        return np.array([int(np.flatnonzero(table == base)[0]) for base in range(4)])

    def rows_per_batch(self, tokens: int) -> int:
        """Return how many sequences of this number of tokens make a batch."""
        if self.batch:
            return self.batch
        most = TOKENS_ON_CPU if self.adapter.device.type == "cpu" else TOKENS_ON_GPU
        return max(1, most // tokens)

    def ids(self, rows: NDArray) -> Tensor:
        """Return token ids on the model's device."""
        return torch.from_numpy(np.ascontiguousarray(rows, np.int64)).to(self.adapter.device)

    def states(self, ids: Tensor) -> Tensor:
        """Return the states `[B, T, D]` of token ids `int64[B, T]`."""
        self._count(ids)
        return self.adapter.hidden_states(ids)

    def states_at(self, ids: Tensor, places: NDArray) -> Tensor:
        """Return the states of some tokens, `[B, S, D]` at `int64[B, S]`."""
        self._count(ids)
        return self.adapter.network.states_at(ids, torch.from_numpy(places).to(ids.device))

    def compared_states(self, ids: Tensor, last: Tensor) -> Tensor:
        """Return the states that distances compare: `last`, or those of another layer."""
        if self.layer is None:
            return last
        self._count(ids)
        return states_of_layer(self.adapter, ids, self.layer)

    def remember(self, ids: Tensor) -> tuple[Tensor, Any]:
        """Return the states of token ids, and what `go_on` needs."""
        self._count(ids)
        return self.adapter.network.remember(ids)

    def go_on(self, memory: Any, rows: NDArray, at: int, ids: Tensor) -> Tensor:
        """Return the states of tokens behind the first `at` of rows that were remembered."""
        self._count(ids)
        return self.adapter.network.go_on(memory, torch.from_numpy(rows).to(ids.device), at, ids)

    def logits(self, states: Tensor) -> Tensor:
        """Return logits in float32."""
        return self._head(states)

    def continues(self) -> bool:
        """Whether sequences can be gone on with from a shared beginning: measured once, on random bases."""
        if self._continues is None:
            self._continues = self.layer is None and not self.masked and self._measure()
        return self._continues

    def _measure(self) -> bool:
        """Compare going on inside a random sequence with reading all of it."""
        network = self.adapter.network
        if not network.continues:
            return False
        length = min(256, self.adapter.card.context_bp or 256) // self.k * self.k
        codes = np.frombuffer(b"ACGT", np.uint8)[np.random.default_rng(0).integers(0, 4, (2, length))]
        rows = self.tokenize(codes)
        at, end = int(rows.length.min()) // 2, int(rows.length.min())
        ids = self.ids(rows.ids[:, :end])
        other = torch.cat([ids[:1, :at], ids[1:, at:]], 1)
        with torch.inference_mode():
            whole = network.states(other)[:, at:]
            _, memory = network.remember(ids[:1])
            part = network.go_on(memory, torch.zeros(1, dtype=torch.int64, device=ids.device), at, other[:, at:])
        largest = float((part.float() - whole.float()).abs().max() / whole.float().abs().max().clamp(min=1))
        tolerance = SAME if self.adapter.dtype == torch.float32 else 0.1
        if largest > tolerance:
            log.warning(
                "%s: going on from a shared beginning differs by %.1e; every window is read whole", self.name, largest
            )
        return largest <= tolerance

    def _count(self, ids: Tensor) -> None:
        self.passes += len(ids)
        self.tokens += ids.numel()


@contextmanager
def scoring() -> Iterator[None]:
    """Compute without gradients."""
    with torch.inference_mode():
        yield


class _Head(nn.Module):
    """A network's head as a module of its own."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, states: Tensor) -> Tensor:
        return self.network.logits(states)


def _float32_head(adapter: Adapter):
    """Return a function from states to float32 logits; weights in another type are copied to float32 once.

    bf16 has 8 bits: log-probabilities that differ by a hundredth are lost in it.
    """
    network = adapter.network
    if adapter.dtype == torch.float32:
        return lambda states: network.logits(states).float()
    names = tuple(f"{name}." for name in network.head_names) + tuple(network.head_names)
    copies = {
        f"network.{name}": parameter.detach().float()
        for name, parameter in network.named_parameters(remove_duplicate=False)
        if name.startswith(names)
    }
    head = _Head(network)
    return lambda states: torch.func.functional_call(head, copies, (states.float(),)).float()
