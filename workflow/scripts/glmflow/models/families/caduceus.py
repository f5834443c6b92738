"""Caduceus (ph and ps) and PlantCaduceus: a Mamba that reads in both directions, and, as ps, both strands alike.

Schiff et al. (2024) Caduceus: bi-directional equivariant long-range DNA sequence modeling,
arXiv:2403.03234; Zhai et al. (2025) PlantCaduceus, PNAS 122, e2421738122; Mamba: Gu & Dao (2023),
arXiv:2312.00752.

From the inside out:

* `Mamba` (`glmflow.models.mamba_mixer`) is a gated recurrence along the sequence: a short convolution, then a
  selective scan whose step size and whose reading and writing vectors depend on the input. It sees what lies to
  the left only.
* `BiMamba` runs one Mamba over the sequence and another over its reverse, and adds the two. Their large
  projections are one weight; convolution and scan are each direction's own.
* `Block` is the pre-norm residual step of Mamba: the residual stream is summed first and normalised for the
  mixer.
* **ph** is a stack of these blocks; its strands are averaged by who uses it (post hoc). **ps** runs the
  same stack over the sequence *and* its reverse complement, so that what it says of one strand it says of
  the other. A state of ps has two halves: channels 0..D read the sequence as given; channels D..2D read its
  reverse complement, stored so that position t describes the same base, with the channels in reverse order.
  Reverse-complementing the input therefore reverses positions and channels of the states, and nothing else.
  The head reads the second half with the rows of complementary bases.

Inside, ps keeps the strands as two sequences of a batch, each in its own reading direction, until
`join_strands`: everything but embedding and head is then the plain stack.

**A trap.** ``fused_add_norm: true`` stands in the published ps and PlantCaduceus configurations, and the
original's fused path exchanges the two halves at every block without turning them round: each strand goes
on with the other's residual, reversed in positions and channels. It is equivariant as well, but another
function than ``fused_add_norm: false``, and the published weights were trained with it. It is
`Block.exchange` here.

Input: one token a base, upper-cased; Caduceus appends [SEP], which belongs to no base; PlantCaduceus
appends nothing. Other letters than A, C, G and T are N to Caduceus and [UNK] to PlantCaduceus. No mask is
known to a recurrence: sequences of several lengths cannot share a batch. There are no positions, hence no
limit of length; the model has learned from windows of 1,024 or 131,072 bases (Caduceus, as the checkpoint's
name says) or 512 (PlantCaduceus).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from glmflow.errors import InputError
from glmflow.models.interface import ModelCard, Network
from glmflow.models.mamba_mixer import SSM_DEFAULTS, Mamba
from glmflow.models.registry import Config, Family
from glmflow.models.tokenizers import CharacterTokenizer

DEFAULTS: Config = {
    "model_type": "caduceus",
    "d_model": 256,
    "n_layer": 4,
    "vocab_size": 12,
    "pad_vocab_size_multiple": 8,
    "rcps": False,
    "fused_add_norm": True,
    "rms_norm": True,
    "norm_epsilon": 1e-5,
    "residual_in_fp32": False,
    "bidirectional": True,
    "bidirectional_strategy": "add",
    "bidirectional_weight_tie": True,
    "complement_map": None,
}
CADUCEUS_TOKENS = ("[CLS]", "[SEP]", "[BOS]", "[MASK]", "[PAD]", "[RESERVED]", "[UNK]", *"ACGTN")
PLANT_TOKENS = ("[PAD]", "[MASK]", "[UNK]", *"ACGT")


class BiMamba(nn.Module):
    """One Mamba for each reading direction; the input and output projections are shared where tied."""

    def __init__(self, config: Config):
        super().__init__()
        width, ssm = config["d_model"], config["ssm_cfg"]
        self.multiply = config["bidirectional_strategy"] == "ew_multiply"
        self.mamba_fwd = Mamba(width, ssm)
        self.mamba_rev = Mamba(width, ssm) if config["bidirectional"] else None
        if self.mamba_rev is not None and config["bidirectional_weight_tie"]:
            for name in ("in_proj", "out_proj"):
                forwards, backwards = getattr(self.mamba_fwd, name), getattr(self.mamba_rev, name)
                backwards.weight, backwards.bias = forwards.weight, forwards.bias

    def forward(self, x: Tensor) -> Tensor:
        """``[B, L, D]`` to ``[B, L, D]``."""
        forwards = self.mamba_fwd(x)
        if self.mamba_rev is None:
            return forwards
        backwards = self.mamba_rev(x.flip(1)).flip(1)
        return forwards * backwards if self.multiply else forwards + backwards


class PerStrand(nn.Module):
    """Names a module that is applied to each strand, as the published weights do (``submodule``)."""

    def __init__(self, module: nn.Module):
        super().__init__()
        self.submodule = module

    def forward(self, x: Tensor) -> Tensor:
        """Strands are sequences of the batch, so the module just sees more of them."""
        return self.submodule(x)


class Block(nn.Module):
    """Add, normalise, mix. The residual stream is the sum of all mixers' outputs and is not itself normalised."""

    def __init__(self, config: Config):
        super().__init__()
        strands, fused = config["rcps"], config["fused_add_norm"]
        self.mixer = PerStrand(BiMamba(config)) if strands else BiMamba(config)
        self.norm = PerStrand(make_norm(config)) if strands and not fused else make_norm(config)
        self.exchange = strands and fused
        self.residual_in_fp32 = config["residual_in_fp32"]

    def forward(self, x: Tensor, residual: Tensor | None) -> tuple[Tensor, Tensor]:
        """Output of the mixer and the residual stream, both ``[B, L, D]``, or ``[2B, L, D]`` with strands."""
        residual = x if residual is None else x + residual
        if self.exchange:
            residual = exchange_strands(residual)
        if self.residual_in_fp32:
            residual = residual.float()
        return self.mixer(normalise(self.norm, residual)), residual


class StrandEmbedding(nn.Module):
    """Token embeddings of a sequence and of its reverse complement, as two strands of one batch."""

    def __init__(self, vocabulary: int, width: int, complement: list[int]):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.register_buffer("complement_map", torch.tensor(complement))

    def forward(self, input_ids: Tensor) -> Tensor:
        """``[B, L]`` to ``[2B, L, D]``."""
        return self.embedding(torch.cat([input_ids, self.complement_map[input_ids].flip(1)]))


class StrandHead(nn.Module):
    """Logits of the strand as given plus those of the other strand with complementary tokens exchanged."""

    def __init__(self, width: int, vocabulary: int, complement: list[int]):
        super().__init__()
        self.lm_head = nn.Linear(width, vocabulary, bias=False)
        self.register_buffer("complement_map", torch.tensor(complement))

    def forward(self, states: Tensor) -> Tensor:
        """``[B, L, 2D]`` to ``[B, L, V]``."""
        given, other = states.chunk(2, dim=-1)
        return self.lm_head(given) + self.lm_head(other.flip(-1))[..., self.complement_map]


class Backbone(nn.Module):
    """Embedding, blocks and final norm under their published names."""

    def __init__(self, config: Config):
        super().__init__()
        width, vocabulary = config["d_model"], config["vocab_size"]
        if config["rcps"]:
            embedding = StrandEmbedding(vocabulary, width, complements(config))
        else:
            embedding = nn.Embedding(vocabulary, width)
        self.embeddings = nn.ModuleDict({"word_embeddings": embedding})
        self.layers = nn.ModuleList(Block(config) for _ in range(config["n_layer"]))
        strands_apart = config["rcps"] and not config["fused_add_norm"]
        self.norm_f = PerStrand(make_norm(config)) if strands_apart else make_norm(config)


class Caduceus(Network):
    """The masked language model, ``CaduceusForMaskedLM``; a state of ps has 2 D channels."""

    head_names = ("lm_head",)
    keep_float32 = ("A_log", ".D", "dt_proj.weight", "dt_proj.bias")

    def __init__(self, config: Config):
        super().__init__()
        self.strands = config["rcps"]
        self.caduceus = nn.ModuleDict({"backbone": Backbone(config)})
        width, vocabulary = config["d_model"], config["vocab_size"]
        embedding = self.caduceus["backbone"].embeddings["word_embeddings"]
        if self.strands:
            self.lm_head = StrandHead(width, vocabulary, complements(config))
            self.lm_head.lm_head.weight = embedding.embedding.weight
        else:
            self.lm_head = nn.Linear(width, vocabulary, bias=False)
            self.lm_head.weight = embedding.weight
        self._initialise(len(self.caduceus["backbone"].layers))

    def _initialise(self, layers: int) -> None:
        """Small embeddings; output projections shrunk by the number of terms that the residual stream sums."""
        for name, module in self.named_modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
            elif name.endswith("mamba_fwd.out_proj"):
                nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5))
                module.weight.data /= math.sqrt(layers)

    def states(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """``int64[B, L]`` to ``[B, L, D]`` (ph) or ``[B, L, 2D]`` (ps)."""
        backbone = self.caduceus["backbone"]
        x, residual = backbone.embeddings["word_embeddings"](input_ids), None
        for block in backbone.layers:
            x, residual = self.run_block(block, x, residual)
        x = normalise(backbone.norm_f, x if residual is None else x + residual)
        return join_strands(x) if self.strands else x

    def logits(self, states: Tensor) -> Tensor:
        """``[B, L, V]`` in float32."""
        return self.lm_head(states).float()


def join_strands(x: Tensor) -> Tensor:
    """``[2B, L, D]`` to ``[B, L, 2D]``: each reverse complement beside the sequence, turned round to its positions."""
    given, other = x.chunk(2)
    return torch.cat([given, other.flip(1, 2)], dim=-1)


def exchange_strands(x: Tensor) -> Tensor:
    """Hand each strand the other's numbers, positions and channels reversed: see the trap in the module's text."""
    given, other = x.chunk(2)
    return torch.cat([other, given]).flip(1, 2)


def make_norm(config: Config) -> nn.Module:
    """Normalisation of `d_model` channels: root mean square, or layer norm."""
    return (nn.RMSNorm if config["rms_norm"] else nn.LayerNorm)(config["d_model"], eps=config["norm_epsilon"])


def normalise(norm: nn.Module, x: Tensor) -> Tensor:
    """Apply a norm in the dtype of its weights: the residual stream may be float32 in a bf16 model."""
    return norm(x.to(next(norm.parameters()).dtype))


def complements(config: Config) -> list[int]:
    """List the complement of each token."""
    return [config["complement_map"][str(token)] for token in range(config["vocab_size"])]


def configure(config: Config) -> Config:
    """Complete a configuration: defaults, a padded vocabulary, and the complement of every token.

    Raises
    ------
    InputError
        A way to join the directions that is not known, or a complement that is no involution.
    """
    config = {**DEFAULTS, **config}
    config["ssm_cfg"] = {**SSM_DEFAULTS, **(config.get("ssm_cfg") or {})}
    if config["bidirectional_strategy"] not in ("add", "ew_multiply"):
        raise InputError(
            f"bidirectional_strategy {config['bidirectional_strategy']!r} is unknown",
            fix="Use add or ew_multiply.",
        )
    config["vocab_size"] += -config["vocab_size"] % config["pad_vocab_size_multiple"]
    vocab = vocabulary(config)
    given = config["complement_map"] or {vocab[a]: vocab[b] for a, b in zip("ACGT", "TGCA")}
    given = {int(token): int(other) for token, other in given.items()}
    pairs = {token: given.get(token, token) for token in range(config["vocab_size"])}
    if any(pairs.get(other) != token for token, other in pairs.items()):
        raise InputError("complement_map does not pair the tokens", fix="The complement of a complement is the token.")
    config["complement_map"] = {str(token): other for token, other in pairs.items()}
    return config


def vocabulary(config: Config) -> dict[str, int]:
    """Token to id: PlantCaduceus has 8 rows and no N, Caduceus 16."""
    tokens = CADUCEUS_TOKENS if config["vocab_size"] >= len(CADUCEUS_TOKENS) else PLANT_TOKENS
    return {token: index for index, token in enumerate(tokens)}


def convert(state: dict[str, Tensor], config: Config) -> dict[str, Tensor]:
    """Name the tensors as the masked language model has them: some files hold the model without its head.

    Raises
    ------
    InputError
        The layers are Mamba-2, as in PlantCAD2.
    """
    if any(name.endswith("dt_bias") for name in state):
        raise InputError("the layers are Mamba-2 (as in PlantCAD2), which this family does not have")
    state = {name if not name.startswith("backbone.") else f"caduceus.{name}": x for name, x in state.items()}
    if config["rcps"]:
        for module in ("caduceus.backbone.embeddings.word_embeddings", "lm_head"):
            state.setdefault(f"{module}.complement_map", torch.tensor(complements(config)))
    return state


def card(config: Config) -> ModelCard:
    """Say what a Caduceus is."""
    strand = (
        "equivariant: the reverse complement reverses positions and channels of the states and exchanges "
        "complementary logits; the mean of the first half of the channels and the reversed second is invariant"
        if config["rcps"]
        else "not built in (reverse complements were training data); average the two strands"
    )
    return ModelCard(
        family="caduceus",
        objective="masked",
        context_bp=None,
        context_tokens=None,
        bases_per_token=1.0,
        position_embedding="state-space",
        padding=False,
        strand=strand,
        licence="Apache-2.0",
        hidden_size=config["d_model"] * (2 if config["rcps"] else 1),
        vocab_size=config["vocab_size"],
        lora_targets=("in_proj", "x_proj", "out_proj"),
    )


def tokenizer(config: Config, folder: Path | None) -> CharacterTokenizer:
    """Characters, upper-cased; [SEP] at the end unless the vocabulary is PlantCaduceus's."""
    vocab = vocabulary(config)
    special: dict[str, Any] = {"suffix": (vocab["[SEP]"],)} if "[SEP]" in vocab else {}
    return CharacterTokenizer(
        vocab, upper=True, pad_id=vocab["[PAD]"], mask_id=vocab["[MASK]"], unknown_id=vocab["[UNK]"], **special
    )


FAMILY = Family(
    name="caduceus",
    model_types=("caduceus",),
    build=lambda config, attention: Caduceus(config),
    card=card,
    tokenizer=tokenizer,
    convert=convert,
    configure=configure,
)
