"""Small transformers that the workflow trains itself: one token a base, rotary positions, causal or masked.

Pre-norm blocks of self-attention and a GELU perceptron (Vaswani et al. 2017; Xiong et al. 2020) with rotary
positions (Su et al. 2021). An optional convolution over neighbouring bases before the blocks gives a
two-layer model the local context that it needs to learn to copy (an induction head, Olsson et al. 2022).
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn
from torch.nn.functional import pad

from glmflow.models.attention import attend
from glmflow.models.continuation import before
from glmflow.models.interface import ModelCard, Network
from glmflow.models.overlapping_kmers import OverlappingKmers
from glmflow.models.packed_rows import convolved, here
from glmflow.models.registry import Config, Family
from glmflow.models.rotary import Rotary
from glmflow.models.row_tags import TagVectors
from glmflow.models.settings.small import configure
from glmflow.models.tokenizers import CharacterTokenizer

VOCABULARY = {"[PAD]": 0, "[MASK]": 1, "A": 2, "C": 3, "G": 4, "T": 5, "N": 6}


class LocalContext(nn.Module):
    """Add a convolution over `width` neighbouring bases: the base itself and those to its left, or both
    sides.
    """

    def __init__(self, size: int, width: int, causal: bool):
        super().__init__()
        self.convolution = nn.Conv1d(size, size, width)
        self.width = width
        self.reach = (width - 1, 0) if causal else (width // 2, width - 1 - width // 2)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, L, D]`` to ``[B, L, D]``."""
        if here() is not None:
            own = self.convolution
            return x + convolved(x.transpose(1, 2), own.weight, own.bias, self.reach[0]).transpose(1, 2)
        seen = before(x.transpose(1, 2), 2, self.width - 1)
        return x + self.convolution(pad(seen, self.reach)).transpose(1, 2)[:, -x.shape[1] :]


class Block(nn.Module):
    """Self-attention and a perceptron, each after a norm and beside a residual path."""

    def __init__(self, size: int, heads: int, ratio: int, causal: bool, dropout: float, attention: str):
        super().__init__()
        self.heads, self.causal, self.dropout, self.attention = heads, causal, dropout, attention
        self.norm_1 = nn.LayerNorm(size)
        self.query = nn.Linear(size, size, bias=False)
        self.key = nn.Linear(size, size, bias=False)
        self.value = nn.Linear(size, size, bias=False)
        self.output = nn.Linear(size, size, bias=False)
        self.norm_2 = nn.LayerNorm(size)
        self.up = nn.Linear(size, ratio * size, bias=False)
        self.down = nn.Linear(ratio * size, size, bias=False)

    def forward(self, x: Tensor, cosines: Tensor, sines: Tensor, mask: Tensor | None) -> Tensor:
        """``[B, L, D]`` to ``[B, L, D]``."""
        x = x + nn.functional.dropout(self.attend(self.norm_1(x), cosines, sines, mask), self.dropout, self.training)
        hidden = self.down(nn.functional.gelu(self.up(self.norm_2(x))))
        return x + nn.functional.dropout(hidden, self.dropout, self.training)

    def attend(self, x: Tensor, cosines: Tensor, sines: Tensor, mask: Tensor | None) -> Tensor:
        """Mix the positions: ``[B, L, D]`` to ``[B, L, D]``."""
        query, key, value = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        query, key = Rotary.rotate(query, cosines, sines), Rotary.rotate(key, cosines, sines)
        mixed = attend(query, key, value, mask=mask, causal=self.causal, implementation=self.attention)
        return self.output(mixed.transpose(1, 2).flatten(2))


class SmallTransformer(Network):
    """The whole model."""

    head_names = ("lm_head",)
    takes_positions = True
    packs = True

    def __init__(self, config: Config, attention: str):
        super().__init__()
        size, heads, causal = config["hidden_size"], config["num_heads"], config["causal"]
        self.continues = causal
        # nn.Embedding draws from N(0, 1). With the customary 0.02 such small models do not learn to copy.
        k, letters = config["kmer"], config["vocab_size"]
        self.embedding = OverlappingKmers(k, letters, size) if k > 1 else nn.Embedding(letters, size)
        self.tags = TagVectors(config["tags"], size) if config["tags"] else None
        self.takes_tags = bool(config["tags"])
        width = config["convolution"]
        self.local_context = LocalContext(size, width, causal) if width else None
        self.rotary = Rotary(size // heads, config["rope_theta"])
        settings = (size, heads, config["mlp_ratio"], causal, config["dropout"], attention)
        self.blocks = nn.ModuleList(Block(*settings) for _ in range(config["num_layers"]))
        self.norm = nn.LayerNorm(size)
        self.lm_head = nn.Linear(size, config["vocab_size"], bias=False)

    def states(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, position_ids: Tensor | None = None
    ) -> Tensor:
        """``int64[B, L]`` to the normalised states ``[B, L, D]``."""
        x = self.embedding(input_ids)
        if self.tags is not None:
            x = x + self.tags.rows()
        if attention_mask is not None:
            x = x * attention_mask[..., None].to(x.dtype)  # beyond the end the convolution sees zeros, padded or not
        if self.local_context is not None:
            x = self.local_context(x)
        cosines, sines = self.rotary(x, position_ids)
        for block in self.blocks:
            x = self.run_block(block, x, cosines, sines, attention_mask)
        return self.norm(x)

    def logits(self, states: Tensor) -> Tensor:
        """``[B, L, D]`` to ``[B, L, V]``."""
        return self.lm_head(states)


def card(config: Config) -> ModelCard:
    """Describe the model."""
    return ModelCard(
        family="small",
        objective="causal" if config["causal"] else "masked",
        context_bp=config["context"],
        context_tokens=config["context"],
        bases_per_token=1,
        position_embedding="rope",
        padding=True,
        strand="one strand at a time: train on both, average predictions over both",
        licence="trained here",
        hidden_size=config["hidden_size"],
        vocab_size=config["vocab_size"],
        lora_targets=("query", "key", "value", "output", "up", "down"),
    )


def tokenizer(config: Config, folder: Path | None) -> CharacterTokenizer:
    """Return one token a base, and no special tokens around a sequence."""
    return CharacterTokenizer(VOCABULARY, pad_id=0, mask_id=1)


FAMILY = Family(
    name="small",
    model_types=("glmflow-small",),
    build=SmallTransformer,
    card=card,
    tokenizer=tokenizer,
    configure=configure,
    attention=("flash_attention_2", "sdpa"),
)
