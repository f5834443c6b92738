"""A small convolutional network for promoters, trained here from scratch: which motifs, where.

Filters of a motif's length are read on both strands with the same weights (Shrikumar et al. 2017, bioRxiv 103663);
their activations are summed, not maximised, over short bins, since an activity is made of how many sites there are
and one base changes one site; one more convolution sees how sites stand to each other. Any length is taken. Positions
beyond the end of a sequence are zero, so that padding changes nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, gelu, interpolate, one_hot, pad

from glmflow.models.families.small import VOCABULARY, tokenizer
from glmflow.models.interface import ModelCard, Network
from glmflow.models.registry import Config, Family
from glmflow.models.settings.promoter_cnn import configure

__all__ = ["FAMILY", "PromoterCNN", "card", "configure", "tokenizer"]

BASES = [VOCABULARY[base] for base in "ACGT"]


class PromoterCNN(Network):
    """The whole model; its states are those of the bins, at every base of the bin."""

    head_names = ("lm_head",)

    def __init__(self, config: Config, attention: str):
        super().__init__()
        filters, channels = config["filters"], config["channels"]
        self.bin = config["bin"]
        self.motifs = nn.Conv1d(4, filters, config["width"], padding="same")
        self.norm_1 = nn.BatchNorm1d(2 * filters)
        self.around = nn.Conv1d(2 * filters, channels, config["reach"], padding="same")
        self.norm_2 = nn.BatchNorm1d(channels)
        self.lm_head = nn.Linear(channels, config["vocab_size"])

    def states(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """``int64[B, L]`` to ``[B, L, D]``."""
        length = input_ids.shape[1]
        present = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        to_whole_bins = (0, -length % self.bin)
        mask = pad(present, to_whole_bins)[:, None].to(self.around.weight.dtype)
        letters = pad(one_hot(input_ids, len(VOCABULARY) + 1)[..., BASES].transpose(1, 2), to_whole_bins) * mask
        weights, bias = self.motifs.weight, self.motifs.bias
        both = torch.cat([weights, weights.flip(1, 2)])  # A C G T from behind are T G C A
        sites = nn.functional.conv1d(letters, both, torch.cat([bias, bias]), padding="same").relu() * mask
        counts = avg_pool1d(sites, self.bin) * self.bin
        binned = avg_pool1d(mask, self.bin).ceil()
        x = self.norm_1(counts) * binned
        x = gelu(self.norm_2(self.around(x))) * binned
        return interpolate(x, scale_factor=self.bin)[..., :length].transpose(1, 2)

    def logits(self, states: Tensor) -> Tensor:
        """``[B, L, D]`` to ``[B, L, V]``."""
        return self.lm_head(states)


def card(config: Config) -> ModelCard:
    """Describe the model."""
    return ModelCard(
        family="promoter_cnn",
        objective="masked",
        context_bp=None,
        context_tokens=None,
        bases_per_token=1,
        position_embedding="convolution",
        padding=True,
        strand="filters are read on both strands with the same weights; what follows tells the strands apart",
        licence="trained here",
        hidden_size=config["channels"],
        vocab_size=config["vocab_size"],
        lora_targets=("around",),
    )


FAMILY = Family(
    name="promoter_cnn",
    model_types=("glmflow-promoter-cnn",),
    build=PromoterCNN,
    card=card,
    tokenizer=tokenizer,
    configure=configure,
    attention=("sdpa",),
)
