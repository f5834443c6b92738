"""Evo 2: StripedHyena 2, a causal model of bytes whose layers convolve at three ranges, with some attention.

Brixi et al. (2025) Genome modeling and design across all domains of life with Evo 2, bioRxiv
2025.02.18.638918; the architecture: Ku et al. (2025) Systems and algorithms for convolutional multi-hybrid
language models at scale, arXiv:2503.01868.

Every block is a mixer of positions and a gated feed-forward network, each after a norm and added to the
stream. Four mixers are striped over the depth; the configuration lists which layers have which:

* **HCS** (short, `ShortFilter`): 7 learned taps. Motifs and codons.
* **HCM** (medium, `MediumFilter`): 128 learned taps.
* **HCL** (long, `LongFilter`): a filter as long as the sequence, a sum of 16 decaying exponentials a channel,
  of which rates (poles) and weights (residues) are learned.
* **attention** with rotary positions, which recalls exactly what a decaying filter forgets.

The three convolutions share one operator (`HyenaBlock`): the input is projected to two gates and a value,
each smoothed over three bases; one gate multiplies the value, the filter is applied, the other gate
multiplies the result.

Details in which a reader of the weights goes wrong silently:

* The 3 D rows of `projections` belong together in threes, (gate out, gate in, value) of channel 0, then of
  channel 1 (``interleave``); those of `Wqkv` head by head: the queries, keys and values of head 0, then of
  head 1 (``column_split``). The tensors are kept as published, and read so.
* HCS and the smoothing apply their taps as correlations (the last tap meets the present), HCM and HCL as
  convolutions (the first does). Channels share taps in groups of neighbours.
* Only the first block's feed-forward has a GELU (``evo2_style_activations``); in the others the gate is
  bilinear.
* Long-context checkpoints rescale the positions of attention (``rotary_emb_scaling_factor``) beside a larger
  ``rotary_emb_base``. Published frequencies are rounded to bf16, so they are computed again.
* Poles, residues and filters stay float32 in a bf16 model: a rate near zero reaches over the whole context.

Input: UTF-8 bytes as ids, no special token. The original tokenizer keeps the case; `Adapter.tokenize`
upper-cases first, so that soft-masked bases are read as bases. N is a byte like any other; other IUPAC
letters are read as N. There is no padding mask: sequences of several lengths do not share a batch. The 1B, 20B
and 40B checkpoints were trained with FP8 input projections and lose accuracy without the hardware for it; the
7B do not.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from glmflow.errors import InputError
from glmflow.models.attention import attend
from glmflow.models.convolution import long_convolution, short_convolution
from glmflow.models.interface import ModelCard, Network
from glmflow.models.registry import Config, Family
from glmflow.models.rotary import Rotary
from glmflow.models.tokenizers import CharacterTokenizer

DEFAULTS: Config = {
    "vocab_size": 512,
    "hidden_size": 128,
    "num_layers": 4,
    "num_attention_heads": 4,
    "inner_mlp_size": None,
    "inner_size_multiple_of": 16,
    "hcs_layer_idxs": [0],
    "hcm_layer_idxs": [1],
    "hcl_layer_idxs": [2],
    "attn_layer_idxs": [3],
    "hcs_filter_length": 7,
    "hcm_filter_length": 128,
    "hcs_filter_groups": None,
    "hcm_filter_groups": None,
    "hcl_filter_groups": None,
    "short_filter_length": 3,
    "short_filter_bias": False,
    "state_size": 16,
    "eps": 1e-6,
    "final_norm": True,
    "max_seqlen": 8192,
    "rotary_emb_base": 10000,
    "rotary_emb_scaling_factor": 1,
    "use_interpolated_rotary_pos_emb": False,
    "qkv_proj_bias": False,
    "mha_out_proj_bias": True,
    "hyena_out_proj_bias": True,
    "hyena_flip_x1x2": False,
    "interleave": True,
    "column_split": True,
    "column_split_hyena": False,
    "mlp_activation": "gelu",
    "evo2_style_activations": True,
    "tie_embeddings": True,
    "proj_groups": 1,
}
MIXERS = ("hcs", "hcm", "hcl", "attn")
ACTIVATIONS = {"gelu": functional.gelu, "silu": functional.silu, "relu": functional.relu}
# What this reading of the configuration rests on: a checkpoint that says otherwise is another architecture.
FIXED = {"column_split_hyena": False, "proj_groups": 1}


class RMSNorm(nn.Module):
    """Root-mean-square norm whose epsilon is added to the root, not under it; computed in float32."""

    def __init__(self, width: int, eps: float):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Keep shape and dtype."""
        precise = x.to(torch.promote_types(x.dtype, torch.float32))
        root = precise.square().mean(-1, keepdim=True).sqrt()
        return self.scale * (precise / (root + self.eps)).to(x.dtype)


class FeedForward(nn.Module):
    """Gated feed-forward network; bilinear where `activation` is None."""

    def __init__(self, width: int, inner: int, activation: str | None):
        super().__init__()
        self.activation = ACTIVATIONS[activation] if activation else nn.Identity()
        self.l1 = nn.Linear(width, inner, bias=False)
        self.l2 = nn.Linear(width, inner, bias=False)
        self.l3 = nn.Linear(inner, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, L, D]`` to ``[B, L, D]``."""
        return self.l3(self.activation(self.l1(x)) * self.l2(x))


class HyenaFilter(nn.Module):
    """What the three convolutions have in common: the smoothing taps of the projections."""

    def __init__(self, config: Config):
        super().__init__()
        width = 3 * config["hidden_size"]
        self.short_filter_weight = nn.Parameter(torch.randn(width, 1, config["short_filter_length"]) * 0.5)
        self.short_filter_bias = nn.Parameter(torch.zeros(width)) if config["short_filter_bias"] else None

    def smooth(self, projected: Tensor) -> Tensor:
        """``[B, 3 D, L]``, each channel with its own taps."""
        return short_convolution(projected, self.short_filter_weight, self.short_filter_bias)


class ShortFilter(HyenaFilter):
    """HCS: a few taps, applied directly as a correlation."""

    def __init__(self, config: Config):
        super().__init__(config)
        groups, length = config["hcs_filter_groups"], config["hcs_filter_length"]
        self.h = nn.Parameter(torch.randn(groups, 1, length) * length**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, D, L]`` to ``[B, D, L]``."""
        taps = self.h.repeat_interleave(x.shape[1] // self.h.shape[0], 0)
        return short_convolution(x, taps.to(x.dtype))


class TransformedFilter(HyenaFilter):
    """A filter applied by Fourier transform, beside a direct path `D` for the present."""

    def __init__(self, config: Config):
        super().__init__(config)
        self.D = nn.Parameter(torch.randn(config["hidden_size"]))

    def filters(self, length: int) -> Tensor:
        """Return the filters up to the length of the sequence, ``[groups, K]``."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """``[B, D, L]`` to ``[B, D, L]``."""
        return long_convolution(x, self.filters(x.shape[-1])) + x * self.D[:, None]


class MediumFilter(TransformedFilter):
    """HCM: some hundred taps."""

    def __init__(self, config: Config):
        super().__init__(config)
        groups, length = config["hcm_filter_groups"], config["hcm_filter_length"]
        window = torch.exp(-4 * torch.arange(length) / length)
        self.h = nn.Parameter(torch.randn(groups, 1, length) * window * length**-0.5)

    def filters(self, length: int) -> Tensor:
        """Return the taps."""
        return self.h[:, 0, :length]


class LongFilter(TransformedFilter):
    """HCL: ``h[t] = sum_n residues[n] exp(log_poles[n] t)`` in each channel."""

    def __init__(self, config: Config):
        super().__init__(config)
        groups, states = config["hcl_filter_groups"], config["state_size"]
        memory = torch.logspace(0, math.log10(config["max_seqlen"]), states)  # from one base to the context
        self.log_poles = nn.Parameter((-1 / memory).repeat(groups, 1)[..., None])
        self.residues = nn.Parameter(torch.randn(groups, states) / (states * memory))

    def filters(self, length: int) -> Tensor:
        """Compute the filters at the positions of a sequence, ``[groups, L]``.

        With ``t = i T + j`` the exponential factorises, ``exp(p t) = exp(p i T) exp(p j)``: the sum over the
        states becomes a product of two matrices with about sqrt(L) rows, and never has N L numbers.
        """
        stride = math.isqrt(length - 1) + 1
        with torch.autocast(self.D.device.type, enabled=False):
            precision = torch.promote_types(self.log_poles.dtype, torch.float32)
            rates, residues = self.log_poles.to(precision), self.residues.to(precision)
            steps = torch.arange(stride, device=rates.device, dtype=precision)
            coarse = residues[..., None] * torch.exp(rates * steps * stride)  # [groups, N, sqrt L]
            fine = torch.exp(rates * steps)
            return (coarse.transpose(1, 2) @ fine).flatten(1)[:, :length]


FILTERS = {"hcs": ShortFilter, "hcm": MediumFilter, "hcl": LongFilter}


class Block(nn.Module):
    """A mixer of positions (in the subclass) and a feed-forward network, each after a norm, each added."""

    def __init__(self, config: Config, layer: int):
        super().__init__()
        width = config["hidden_size"]
        bilinear = config["evo2_style_activations"] and layer > 0
        self.pre_norm = RMSNorm(width, config["eps"])
        self.post_norm = RMSNorm(width, config["eps"])
        self.mlp = FeedForward(width, config["inner_mlp_size"], None if bilinear else config["mlp_activation"])

    def mix(self, x: Tensor) -> Tensor:
        """``[B, L, D]`` to ``[B, L, D]``."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """``[B, L, D]`` to ``[B, L, D]``."""
        x = x + self.mix(self.pre_norm(x))
        return x + self.mlp(self.post_norm(x))


class HyenaBlock(Block):
    """Gate, filter, gate."""

    def __init__(self, config: Config, layer: int, kind: str):
        super().__init__(config, layer)
        width = config["hidden_size"]
        self.width, self.interleave, self.flip = width, config["interleave"], config["hyena_flip_x1x2"]
        self.projections = nn.Linear(width, 3 * width, bias=config["qkv_proj_bias"])
        self.filter = FILTERS[kind](config)
        self.out_filter_dense = nn.Linear(width, width, bias=config["hyena_out_proj_bias"])

    def mix(self, x: Tensor) -> Tensor:
        """``[B, L, D]`` to ``[B, L, D]``."""
        projected = self.filter.smooth(self.projections(x).transpose(1, 2))
        if self.interleave:
            parts = projected.unflatten(1, (self.width, 3)).unbind(2)
        else:
            parts = projected.split(self.width, 1)
        gate_out, gate_in, value = parts
        if self.flip:
            gate_out, gate_in = gate_in, gate_out
        mixed = gate_out * self.filter(gate_in * value)
        return self.out_filter_dense(mixed.transpose(1, 2))


class InterpolatedRotary(Rotary):
    """Rotary positions divided by a factor (Chen et al. 2023, arXiv:2306.15595), folded into the frequencies."""

    def __init__(self, head_dim: int, base: float, factor: float):
        self.factor = factor
        super().__init__(head_dim, base)

    def reset_buffers(self) -> None:
        """Compute the frequencies in float32 from base and factor."""
        super().reset_buffers()
        self.inv_freq /= self.factor


class Attention(nn.Module):
    """Causal attention with rotary positions."""

    def __init__(self, config: Config, implementation: str):
        super().__init__()
        width, self.heads = config["hidden_size"], config["num_attention_heads"]
        self.head_dim, self.by_head = width // self.heads, config["column_split"]
        self.implementation = implementation
        factor = config["rotary_emb_scaling_factor"] if config["use_interpolated_rotary_pos_emb"] else 1
        self.rotary_emb = InterpolatedRotary(self.head_dim, config["rotary_emb_base"], factor)
        self.Wqkv = nn.Linear(width, 3 * width, bias=config["qkv_proj_bias"])
        self.out_proj = nn.Linear(width, width, bias=config["mha_out_proj_bias"])

    def forward(self, x: Tensor) -> Tensor:
        """``[B, L, D]`` to ``[B, L, D]``."""
        if self.by_head:
            qkv = self.Wqkv(x).unflatten(-1, (self.heads, 3, self.head_dim)).transpose(2, 3)
        else:
            qkv = self.Wqkv(x).unflatten(-1, (3, self.heads, self.head_dim))
        query, key, value = qkv.permute(2, 0, 3, 1, 4)  # each [B, heads, L, head_dim]
        cosines, sines = self.rotary_emb(query[:, 0])
        query, key = (self.rotary_emb.rotate(part, cosines, sines) for part in (query, key))
        mixed = attend(query, key, value, causal=True, implementation=self.implementation)
        return self.out_proj(mixed.transpose(1, 2).flatten(2))


class AttentionBlock(Block):
    """Attention in the place of a filter."""

    def __init__(self, config: Config, layer: int, implementation: str):
        super().__init__(config, layer)
        self.inner_mha_cls = Attention(config, implementation)

    def mix(self, x: Tensor) -> Tensor:
        """``[B, L, D]`` to ``[B, L, D]``."""
        return self.inner_mha_cls(x)


class Evo2(Network):
    """The causal language model."""

    head_names = ("unembed",)
    continues = True
    keep_float32 = ("log_poles", "residues", "filter.h")

    def __init__(self, config: Config, attention: str):
        super().__init__()
        width, vocabulary = config["hidden_size"], config["vocab_size"]
        self.embedding_layer = nn.Embedding(vocabulary, width)
        self.blocks = nn.ModuleList()
        for layer, kind in enumerate(layer_kinds(config)):
            if kind == "attn":
                self.blocks.append(AttentionBlock(config, layer, attention))
            else:
                self.blocks.append(HyenaBlock(config, layer, kind))
        self.norm = RMSNorm(width, config["eps"]) if config["final_norm"] else nn.Identity()
        self.unembed = nn.Linear(width, vocabulary, bias=False)
        nn.init.normal_(self.embedding_layer.weight, std=0.02)
        if config["tie_embeddings"]:
            self.unembed.weight = self.embedding_layer.weight

    def states(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """``int64[B, L]`` to ``[B, L, D]``, after the final norm."""
        x = self.embedding_layer(input_ids)
        for block in self.blocks:
            x = self.run_block(block, x)
        return self.norm(x)

    def logits(self, states: Tensor) -> Tensor:
        """``[B, L, V]``."""
        return self.unembed(states)


def layer_kinds(config: Config) -> list[str]:
    """List the mixer of each layer.

    Raises
    ------
    InputError
        A layer has none, or several.
    """
    kinds = [
        [kind for kind in MIXERS if layer in config[f"{kind}_layer_idxs"]] for layer in range(config["num_layers"])
    ]
    for layer, found in enumerate(kinds):
        if len(found) != 1:
            raise InputError(
                f"layer {layer} of Evo 2 has {' and '.join(found) or 'no mixer'}",
                fix=f"Name each layer once in {', '.join(f'{kind}_layer_idxs' for kind in MIXERS)}.",
            )
    return [found[0] for found in kinds]


def configure(config: Config) -> Config:
    """Complete a configuration with defaults: groups of one channel, and 8/3 of the width in the feed-forward.

    Raises
    ------
    InputError
        A setting that this architecture does not have.
    """
    config = {**DEFAULTS, **config}
    for key, value in FIXED.items():
        if config[key] != value:
            raise InputError(f"Evo 2 with {key} {config[key]!r} is not supported", fix=f"It is {value!r} here.")
    if config["mlp_activation"] not in ACTIVATIONS:
        raise InputError(
            f"unknown mlp_activation {config['mlp_activation']!r}", fix=f"Known: {', '.join(ACTIVATIONS)}."
        )
    for key in ("eps", "rotary_emb_base", "rotary_emb_scaling_factor"):
        config[key] = float(config[key])  # YAML 1.1 reads 1e-6 as text
    for kind in FILTERS:
        config[f"{kind}_filter_groups"] = config[f"{kind}_filter_groups"] or config["hidden_size"]
    if not config["inner_mlp_size"]:
        multiple = config["inner_size_multiple_of"]
        config["inner_mlp_size"] = multiple * math.ceil(int(8 * config["hidden_size"] / 3) / multiple)
    layer_kinds(config)
    return config


def convert(state: dict[str, Tensor], config: Config) -> dict[str, Tensor]:
    """Drop what is no weight: the state of Transformer Engine's layers, rounded frequencies, time axes."""
    dropped = ("_extra_state", "inv_freq", "filter.t")
    return {name: tensor for name, tensor in state.items() if not name.endswith(dropped)}


def card(config: Config) -> ModelCard:
    """Say what an Evo 2 is."""
    return ModelCard(
        family="evo2",
        objective="causal",
        context_bp=config["max_seqlen"],
        context_tokens=config["max_seqlen"],
        bases_per_token=1.0,
        position_embedding="rope",
        padding=False,
        strand="one strand, left to right; average scores over both strands",
        licence="Apache-2.0",
        hidden_size=config["hidden_size"],
        vocab_size=config["vocab_size"],
        lora_targets=("projections", "out_filter_dense", "Wqkv", "out_proj", "l1", "l2", "l3"),
    )


def tokenizer(config: Config, folder: Path | None) -> CharacterTokenizer:
    """Bytes: the id of a letter is its ASCII code; 1 is padding."""
    return CharacterTokenizer({chr(code): code for code in range(256)}, pad_id=1)


FAMILY = Family(
    name="evo2",
    matches=lambda config: "hcl_layer_idxs" in config,
    build=Evo2,
    card=card,
    tokenizer=tokenizer,
    convert=convert,
    configure=configure,
    attention=("flash_attention_2", "sdpa"),
)
