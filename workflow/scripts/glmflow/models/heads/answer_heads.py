"""Heads that answer questions about a pair of alleles: a text model with a bridge to DNA, and a classifier of DNA alone.

`fitted` is what is known before training (JSON data): `classes` (answers in their order), `flank` (bases on each side of the
change), `tokenizer` (of a text model that is made here), `reads` (how the DNA model reads bases: `causal`, `frame`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from glmflow.errors import InputError
from glmflow.models.text.allele_bridge import AlleleBridge, AttentionPooler, in_one_frame, on_one_grid, size_of
from glmflow.models.text.answer_trie import followed, trie_of
from glmflow.models.text.conversation import END
from glmflow.models.text.dna_text import DNA, node_scores, tied_or_frozen
from glmflow.models.text.text_loading import load_text_model, load_tokenizer, new_text_model, read_tokenizer

PARTS = {"none": (), "diff": ("ref", "diff"), "pair": ("ref", "alt"), "both": ("ref", "diff", "alt")}
Batch = Mapping[str, Any]


def both_read(states: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    """Return the states of both strands side by side, `[2 S, L, 2 D]`; rows are ref, alt and both reversed, again and again."""
    rows = states.reshape(-1, 4, *states.shape[1:])
    present = inside.reshape(-1, 4, inside.shape[1])
    own = present[:, :2].flatten(0, 1)
    return side_by_side(rows[:, :2].flatten(0, 1), rows[:, 2:].flatten(0, 1), own), own


def side_by_side(forward: Tensor, backward: Tensor, inside: Tensor) -> Tensor:
    """Return the states of alleles beside those of their other strands at the same bases, `[S, L, 2 D]`."""
    length = inside.sum(1, keepdim=True)
    places = (length - 1 - torch.arange(forward.shape[1], device=forward.device)).clamp(min=0)
    turned = backward.gather(1, places[..., None].expand(-1, -1, backward.shape[-1]))
    return torch.cat([forward, turned], dim=-1)


class TextAnswers(nn.Module):
    """A text model and a bridge; see `glmflow.config.heads.answer_heads` for the settings.

    Parameters
    ----------
    dim
        Width of the states.
    fitted
        See the module.
    """

    def __init__(
        self,
        dim: int,
        fitted: Mapping[str, Any],
        text: str | None = None,
        hidden: int = 128,
        layers: int = 3,
        heads: int = 4,
        vocabulary: int = 700,
        tuning: str | None = None,
        rank: int = 32,
        alpha: int = 64,
        dropout: float = 0.05,
        dna: str = "diff",
        pooling: str = "strided",
        stride: int = 8,
        queries: int = 32,
        both_strands: bool | None = None,
        trace_weight: float = 0.5,
        bridge_rate: float = 1.0,
        **of_examples: Any,
    ):
        super().__init__()
        how = fitted.get("reads", {})
        both_strands = bool(how.get("causal")) if both_strands is None else both_strands
        self.classes, self.dna, self.both_strands, self.trace_weight = (
            fitted["classes"],
            dna,
            both_strands,
            trace_weight,
        )
        self.tokenizer = load_tokenizer(text) if text else read_tokenizer(fitted["tokenizer"])
        bf16 = torch.bfloat16 if text and torch.cuda.is_available() and tuning != "full" else None
        self.text = load_text_model(text, bf16) if text else new_text_model(self.tokenizer.size, hidden, layers, heads)
        tune(self.text, tuning or ("lora" if text else "full"), rank, alpha, dropout)
        parts = PARTS.get(dna, PARTS["diff"])
        weights = self.text.get_input_embeddings().weight
        scale = float(weights.detach().float().pow(2).mean().sqrt())
        self.bridge = None
        if parts:
            strands = 2 if both_strands else 1
            shape = (pooling, stride, queries, scale, strands, how.get("frame", 1))
            self.bridge = AlleleBridge(dim * strands, weights.shape[1], fitted["flank"], parts, *shape)
        self.rates = {"bridge": bridge_rate} if parts and bridge_rate != 1 else {}
        trie = trie_of([self.tokenizer.encode(f"Answer: {name}{END}") for name in self.classes])
        for name, value in (*trie._asdict().items(),):
            if name != "paths":
                self.register_buffer(f"trie_{name}", torch.from_numpy(value), persistent=False)
        self.register_buffer("trie_sees", torch.from_numpy(trie.sees()), persistent=False)
        self.register_buffer("trie_members", torch.from_numpy(trie.members()), persistent=False)

    def checkpoint(self) -> None:
        """Recompute the activations of the text model in the backward pass, one layer at a time."""
        self.text.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})

    @property
    def reads_dna(self) -> bool:
        """Return whether the alleles of a question reach the text model."""
        return self.dna not in ("none", "mean")

    @property
    def caches(self) -> bool:
        """Return whether all that it reads of a frozen DNA model can be kept: it does not depend on what is trained here."""
        return self.reads_dna

    def describe(self) -> dict[str, Any]:
        """Return all settings that this depends on."""
        focus = self.bridge.how == "focus"
        return {
            "stride": self.bridge.stride,
            "focus": focus,
            "flank": self.bridge.flank,
            "both_strands": self.both_strands,
        }

    def cells(self, states: Tensor, inside: Tensor, change: Tensor) -> Tensor:
        """Return what is read of pairs of alleles before anything is trained, `[2 S, cells, D + 1]` (`AlleleBridge.cells`)."""
        if self.both_strands:
            states, inside = both_read(states, inside)
        return self.bridge.cells(states, inside, change)

    def of_cells(self, cells: Tensor) -> Tensor | None:
        """Return the vectors of pairs of alleles, `[S, n, H]`; None of a text model without DNA."""
        if self.bridge is None:
            return None
        if self.dna == "mean":
            return self.bridge.without_content(len(cells) // 2)
        return self.bridge.read(cells)

    def vectors(self, states: Tensor, inside: Tensor, change: Tensor) -> Tensor | None:
        """Return the vectors of pairs of alleles from their states, `[S, n, H]`."""
        return self.of_cells(self.cells(states, inside, change))

    def prompts(self, ids: Tensor, vectors: Tensor | None) -> Tensor:
        """Return prompts with as many places of DNA as there are vectors, where one place stands for all."""
        at = int((ids[0] == DNA).nonzero()[0])
        count = 0 if vectors is None else vectors.shape[1]
        places = torch.full((len(ids), count), DNA, dtype=ids.dtype, device=ids.device)
        return torch.cat([ids[:, :at], places, ids[:, at + 1 :]], dim=1)

    def token_scores(self, vectors: Tensor | None, batch: Batch) -> Tensor:
        """Return the log probability of each token of the true answers, `[S, T]`; 0 behind their ends."""
        tokens = batch["answer_ids"]
        step = torch.arange(tokens.shape[1], device=tokens.device).expand_as(tokens)
        sees = torch.ones(tokens.shape[1], tokens.shape[1], dtype=torch.bool, device=tokens.device).tril()
        ids = self.prompts(batch["prompt_ids"], vectors)
        return node_scores(self.text, ids, vectors, tokens, step - 1, step, sees) * (tokens >= 0)

    def ranked(self, vectors: Tensor | None, ids: Tensor) -> Tensor:
        """Return the log probability of every answer of the list and its end, `[S, classes]`."""
        return self.node_scores(vectors, ids) @ self.trie_members.T

    def node_scores(self, vectors: Tensor | None, ids: Tensor) -> Tensor:
        """Return the log probability of each token of the tree of answers behind what leads to it, `[S, nodes]`."""
        rows = (len(ids), len(self.trie_tokens))
        tree = [own.expand(rows) for own in (self.trie_tokens, self.trie_parents, self.trie_depths)]
        return node_scores(self.text, self.prompts(ids, vectors), vectors, *tree, self.trie_sees)

    def held_to_list(self, vectors: Tensor | None, ids: Tensor) -> Tensor:
        """Return the places of the answers that greedy decoding writes where no token may lead off the list, int `[S]`."""
        return followed(self.node_scores(vectors, ids), self.trie_parents, self.trie_members)

    def state_dict(self, *arguments: Any, **settings: Any) -> dict[str, Any]:
        """Return the tensors that training changed: not those of a frozen text model, which its folder holds."""
        kept = super().state_dict(*arguments, **settings)
        if arguments or settings.get("prefix"):
            return kept
        return {name: value for name, value in kept.items() if name not in self.elsewhere}

    def load_state_dict(self, state: Mapping[str, Any], *arguments: Any, **settings: Any) -> Any:
        """Put tensors back, strictly but for those that are kept elsewhere."""
        found = super().load_state_dict(state, strict=False)
        lost = [name for name in found.missing_keys if name not in self.elsewhere]
        if lost or found.unexpected_keys:
            raise RuntimeError(f"missing {lost[:3]}, unexpected {list(found.unexpected_keys)[:3]}")
        return found

    @property
    def elsewhere(self) -> set[str]:
        """Return the names of tensors that another place holds: frozen weights of the text model, second names of one."""
        if not hasattr(self, "_elsewhere"):
            self._elsewhere = {f"text.{name}" for name in tied_or_frozen(self.text)}
        return self._elsewhere


def tune(text: nn.Module, how: str, rank: int, alpha: int, dropout: float) -> None:
    """Say what of a text model is trained, in place: all, low-rank adapters of every linear layer but the last, or nothing."""
    if how == "full":
        text.float().requires_grad_(True)
        return
    text.requires_grad_(False)
    if how == "frozen":
        return
    from peft import LoraConfig, inject_adapter_in_model

    last = text.get_output_embeddings()
    names = {name for name, module in text.named_modules() if isinstance(module, nn.Linear) and module is not last}
    if not names:
        raise InputError("the text model has no linear layer to adapt", where="head.text", fix="Say tuning: full.")
    ends = sorted({name.rpartition(".")[2] for name in names})
    settings = LoraConfig(
        r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=ends, bias="none", init_lora_weights="gaussian"
    )
    inject_adapter_in_model(settings, text)
    for name, parameter in text.named_parameters():
        if "lora_" in name:
            parameter.data = parameter.data.float()


class AlleleClassifier(nn.Module):
    """Attention pooling of both alleles, and two linear layers; with the difference around the change beside them."""

    caches = False
    reads_dna, both_strands, dna = True, False, "pair"

    def __init__(
        self,
        dim: int,
        fitted: Mapping[str, Any],
        difference: bool = True,
        heads: int = 8,
        dropout: float = 0.1,
        **of_examples: Any,
    ):
        super().__init__()
        if dim % heads:
            what = f"{heads} heads do not divide states of width {dim}"
            raise InputError(what, where="head.heads", fix="Give a divisor.")
        self.classes, self.difference, self.flank = fitted["classes"], difference, fitted["flank"]
        self.frame = fitted.get("reads", {}).get("frame", 1)
        self.pooler = AttentionPooler(dim, heads)
        width = (3 if difference else 2) * dim
        self.classifier = nn.Sequential(
            nn.Linear(width, dim), nn.ReLU(), nn.Dropout(dropout), nn.Linear(dim, len(self.classes))
        )

    def checkpoint(self) -> None:
        """Keep all activations: there are few."""

    def vectors(self, states: Tensor, inside: Tensor, change: Tensor) -> Tensor:
        """Return what the classifier reads of pairs of alleles, `[S, width]`."""
        states = states.float()
        pooled = self.pooler(states, inside)
        parts = [pooled[0::2], pooled[1::2]]
        if self.difference:
            flanks, changed, there = on_one_grid(states, inside, change, self.flank)
            both = (there[0::2] & there[1::2])[..., None]
            longer = (change[1::2] - change[0::2]).diff(dim=1).squeeze(1)
            both = both & in_one_frame(longer, both.shape[1], self.frame, 1)
            apart = torch.cat([(flanks[1::2] - flanks[0::2]) * both, (changed[1::2] - changed[0::2])[:, None]], dim=1)
            parts.append(apart.sum(1) / size_of(flanks[0::2]).clamp(min=1e-8).squeeze(-1))
        return torch.cat(parts, dim=-1)

    def token_scores(self, vectors: Tensor, batch: Batch) -> Tensor:
        """Return the log probability of the true class, `[S, 1]`."""
        return self.ranked(vectors, batch["prompt_ids"]).gather(1, batch["targets"][:, None])

    def ranked(self, vectors: Tensor, ids: Tensor) -> Tensor:
        """Return the log probability of every class, `[S, classes]`."""
        return self.classifier(vectors).log_softmax(-1)


HEADS = {"text_answers": TextAnswers, "allele_classifier": AlleleClassifier}
