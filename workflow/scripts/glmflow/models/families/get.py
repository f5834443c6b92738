"""GET, the general expression transformer: regions instead of bases, motif scores instead of tokens.

Fu et al. (2025) A foundation model of transcription across human cell types, Nature 637. The input is a
table, `float[B, regions, motifs]`: for each of some 900 neighbouring accessible regions of a cell type, in
genomic order, 283 numbers (the summed binding scores of motif clusters, and the accessibility). Each row is
projected to a region embedding; a transformer encoder lets the regions see each other, with a class token in
front and without positions; a head reads each region:

* `GETRegionFinetune`: the expression of both strands, `softplus(linear(x))`;
* `GETRegionPretrain`: the motif scores themselves, for regions that were hidden behind `mask_token`.

The encoder is that of masked image modelling (BEiT, Bao et al. 2022): norms in front, a query and a value
bias but no key bias (which softmax would cancel), and in training stochastic depth (Huang et al. 2016),
whose rate grows linearly with depth.

There are no sequences, hence no tokenizer, no states per base and no likelihood: a sequence model answers
those.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glmflow.errors import InputError
from glmflow.models.attention import attend
from glmflow.models.interface import ModelCard, Network
from glmflow.models.registry import Config, Family

NORM_EPS = 1e-6

HEADS = {"GETRegionFinetune": "head_exp", "GETRegionPretrain": "head_mask"}
"""The published classes that are read here, and the name of the head of each."""

DEFAULTS = {
    "num_regions": 900,
    "num_motif": 283,
    "embed_dim": 768,
    "num_layers": 12,
    "num_heads": 12,
    "dropout": 0.1,
    "output_dim": 2,
}
"""The published sizes: what a key left out of `config["model"]["cfg"]` means."""


class StochasticDepth(nn.Module):
    """In training, drop a branch for a whole example with probability `rate`, and scale it up where kept."""

    def __init__(self, rate: float):
        super().__init__()
        self.rate = rate

    def forward(self, branch: Tensor) -> Tensor:
        """`[B, L, D]` to `[B, L, D]`."""
        if not self.training or self.rate == 0:
            return branch
        kept = torch.rand(len(branch), 1, 1, device=branch.device) >= self.rate
        return branch * kept.to(branch.dtype) / (1 - self.rate)


class Attention(nn.Module):
    """Multi-head attention with a bias for queries and values, none for keys."""

    def __init__(self, dim: int, heads: int, attention: str):
        super().__init__()
        self.heads = heads
        self.attention = attention
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(dim))
        self.v_bias = nn.Parameter(torch.zeros(dim))
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """`[B, L, D]` to `[B, L, D]`."""
        bias = torch.cat((self.q_bias, torch.zeros_like(self.q_bias), self.v_bias))
        query, key, value = (self.qkv(x) + bias).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = attend(query, key, value, mask=mask, implementation=self.attention)
        return self.proj(mixed.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Attention, then the feed-forward layer, each on normalised input and added."""

    def __init__(self, dim: int, heads: int, drop_rate: float, attention: str):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=NORM_EPS)
        self.attn = Attention(dim, heads, attention)
        self.norm2 = nn.LayerNorm(dim, eps=NORM_EPS)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(dim, 4 * dim), "fc2": nn.Linear(4 * dim, dim)})
        self.drop_path = StochasticDepth(drop_rate)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """`[B, L, D]` to `[B, L, D]`."""
        x = x + self.drop_path(self.attn(self.norm1(x), mask))
        inner = nn.functional.gelu(self.mlp["fc1"](self.norm2(x)))
        return x + self.drop_path(self.mlp["fc2"](inner))


class GET(Network):
    """Region embedding, encoder and head."""

    def __init__(self, config: Config, attention: str):
        super().__init__()
        sizes = config["model"]["cfg"]
        dim, layers = sizes["embed_dim"], sizes["num_layers"]
        self.predicts_expression = class_name(config) == "GETRegionFinetune"
        self.region_embed = nn.ModuleDict({"embed": nn.Linear(sizes["num_motif"], dim)})
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        rates = [sizes["dropout"] * depth / max(1, layers - 1) for depth in range(layers)]
        blocks = nn.ModuleList(Block(dim, sizes["num_heads"], rate, attention) for rate in rates)
        self.encoder = nn.ModuleDict({"blocks": blocks, "norm": nn.LayerNorm(dim, eps=NORM_EPS)})
        if self.predicts_expression:
            self.head_exp = nn.ModuleDict({"head": nn.Linear(dim, sizes["output_dim"])})
        else:
            self.mask_token = nn.Parameter(torch.zeros(1, 1, dim))
            self.head_mask = nn.Linear(dim, sizes["output_dim"])
        self.head_names = (HEADS[class_name(config)],)
        initialise(self)

    def states(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Regions x motifs `float[B, R, M]` to states `[B, R, D]`, the class token left out.

        `attention_mask`, `[B, R]`, is zero for regions that only fill up a batch.

        Raises
        ------
        InputError
            The input is no such table, or has another number of motifs.
        """
        embed = self.region_embed["embed"]
        if input_ids.dim() != 3 or input_ids.shape[-1] != embed.in_features:
            raise InputError(
                f"GET reads a table of regions x {embed.in_features} motifs, not {list(input_ids.shape)}",
                fix="Build it from a cell type's accessible regions, with the motifs of the checkpoint.",
            )
        table = input_ids.to(embed.weight.dtype)
        x = embed(table) if self.predicts_expression else self._embed_or_hide(table)
        x = torch.cat((self.cls_token.expand(len(x), -1, -1), x), dim=1)
        if attention_mask is not None:
            attention_mask = nn.functional.pad(attention_mask, (1, 0), value=1)
        for block in self.encoder["blocks"]:
            x = self.run_block(block, x, attention_mask)
        return self.encoder["norm"](x)[:, 1:]

    def _embed_or_hide(self, table: Tensor) -> Tensor:
        """Embed regions; one whose scores are all not-a-number is hidden and enters as `mask_token`."""
        hidden = table.isnan().all(-1, keepdim=True)
        embedded = self.region_embed["embed"](table.masked_fill(hidden, 0))
        return torch.where(hidden, self.mask_token, embedded)

    def probe_inputs(self, length: int) -> tuple[Tensor, ...]:
        """Return a table of random motif scores for `length` regions."""
        weight = self.region_embed["embed"].weight
        return (torch.rand(1, length, weight.shape[1], device=weight.device),)

    def logits(self, states: Tensor) -> Tensor:
        """States `[B, R, D]` to expression of both strands `[B, R, 2]`, or to motif scores `[B, R, M]`."""
        if self.predicts_expression:
            return nn.functional.softplus(self.head_exp["head"](states))
        return self.head_mask(states)


@torch.no_grad()
def initialise(network: GET) -> None:
    """Draw weights as the original does: Glorot for every linear layer, biases zero."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                module.bias.zero_()
    if not network.predicts_expression:
        network.mask_token.normal_(0.0, 0.02)


def class_name(config: Config) -> str:
    """Return the published class that a configuration (a resolved hydra file) names."""
    return config["model"]["_target_"].rpartition(".")[2]


def matches(config: Config) -> bool:
    """Whether a configuration is one of the GET repository's."""
    model = config.get("model")
    return isinstance(model, dict) and str(model.get("_target_", "")).startswith("get_model.")


def configure(config: Config) -> Config:
    """Fill in the published sizes and refuse what is not read here.

    Raises
    ------
    InputError
        Another of the repository's model classes, or an encoder that differs from the sizes around it.
    """
    model = config.get("model", {})
    target = model.get("_target_", "get_model.model.model.GETRegionFinetune")
    given = model.get("cfg", {})
    sizes = {**DEFAULTS, **given}
    if target.rpartition(".")[2] not in HEADS:
        raise InputError(
            f"{target} is not one of the GET models that are read here",
            where="config.json",
            fix=f"Known: {', '.join(HEADS)}.",
        )
    if target.endswith("GETRegionPretrain"):
        sizes["output_dim"] = given.get("output_dim", sizes["num_motif"])
    encoder = sizes.get("encoder", {})
    keys = ("embed_dim", "num_layers", "num_heads")
    differs = [key for key in keys if encoder.get(key, sizes[key]) != sizes[key]]
    if differs or encoder.get("use_mean_pooling"):
        raise InputError(
            f"the encoder's {differs[0] if differs else 'use_mean_pooling'} is not one that GET has",
            where="config.json: model.cfg.encoder",
            fix="Give the configuration that the checkpoint was trained with.",
        )
    return {**config, "model": {**model, "_target_": target, "cfg": sizes}}


def convert(state: dict[str, Tensor], config: Config) -> dict[str, Tensor]:
    """Take off the prefix that a Lightning checkpoint puts before each name."""
    return {name.removeprefix("model."): tensor for name, tensor in state.items()}


def card(config: Config) -> ModelCard:
    """Describe the model."""
    sizes = config["model"]["cfg"]
    return ModelCard(
        family="get",
        objective="regions",
        context_bp=None,
        context_tokens=sizes["num_regions"],
        bases_per_token=0.0,
        position_embedding="none",
        padding=True,
        strand="the motif scores of a region are those of both strands",
        licence="CC BY-NC 4.0 (non-commercial)",
        hidden_size=sizes["embed_dim"],
        vocab_size=sizes["output_dim"],
        lora_targets=("qkv", "proj"),
    )


FAMILY = Family(
    name="get",
    build=GET,
    card=card,
    tokenizer=lambda config, folder: None,
    matches=matches,
    configure=configure,
    convert=convert,
)
