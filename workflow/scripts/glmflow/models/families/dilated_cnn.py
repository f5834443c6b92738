"""A small U-net over bases, trained here from scratch: convolutions at three resolutions, a dilated trunk,
skips back.

Stem at 1 bp, one step down to 4 bp and one to 32 bp, residual blocks whose reach doubles from block to block
(Yu and Koltun 2016; Kelley et al. 2018 for DNA), and the way back up to 1 bp, adding what each resolution had
(Ronneberger et al. 2015). Any length is taken. Positions beyond the end of a sequence are zero at every
resolution, so that padding changes nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, gelu, interpolate, max_pool1d, one_hot, pad, relu

from glmflow.models.families.small import VOCABULARY, tokenizer
from glmflow.models.interface import ModelCard, Network
from glmflow.models.registry import Config, Family
from glmflow.models.settings.dilated_cnn import configure

__all__ = ["FAMILY", "DilatedCNN", "card", "configure", "tokenizer"]

FIRST_STEP, SECOND_STEP = 4, 8
COARSEST = FIRST_STEP * SECOND_STEP
INPUTS = [VOCABULARY[token] for token in ("A", "C", "G", "T", "[MASK]")]


class Convolve(nn.Module):
    """Convolution, batch normalisation, activation; zero beyond the end. ``[B, C, L]`` to ``[B, C', L]``."""

    def __init__(self, inputs: int, outputs: int, width: int, activation=gelu):
        super().__init__()
        self.convolution = nn.Conv1d(inputs, outputs, width, padding="same")
        self.norm = nn.BatchNorm1d(outputs)
        self.activation = activation

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return the activations."""
        return self.activation(self.norm(self.convolution(x))) * mask


class Residual(nn.Module):
    """Add what a dilated convolution of three positions sees; ``[B, C, L]`` to ``[B, C, L]``."""

    def __init__(self, channels: int, dilation: int):
        super().__init__()
        self.norm_1 = nn.BatchNorm1d(channels)
        self.dilated = nn.Conv1d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.norm_2 = nn.BatchNorm1d(channels)
        self.pointwise = nn.Conv1d(channels, channels, 1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Normalise, look around, add."""
        around = self.dilated(gelu(self.norm_1(x)) * mask)
        return x + self.pointwise(gelu(self.norm_2(around))) * mask


class DilatedCNN(Network):
    """The whole model; its states are those at 1 bp."""

    head_names = ("lm_head",)

    def __init__(self, config: Config, attention: str):
        super().__init__()
        fine, middle, coarse = config["channels"]
        self.stem = Convolve(len(INPUTS), fine, config["stem_width"], relu)
        self.down_1 = Convolve(fine, middle, 5)
        self.down_2 = Convolve(middle, coarse, 5)
        self.trunk = nn.ModuleList(Residual(coarse, 2 ** min(index, 6)) for index in range(config["blocks"]))
        self.narrow_1 = nn.Conv1d(coarse, middle, 1)
        self.up_1 = Convolve(middle, middle, 5)
        self.narrow_2 = nn.Conv1d(middle, fine, 1)
        self.up_2 = Convolve(fine, fine, 9)
        self.lm_head = nn.Linear(fine, config["vocab_size"])

    def states(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """``int64[B, L]`` to ``[B, L, D]``, D being the channels at 1 bp."""
        length = input_ids.shape[1]
        present = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        short_of = (0, -length % COARSEST)
        mask_1 = pad(present, short_of)[:, None].to(self.narrow_1.weight.dtype)
        letters = pad(one_hot(input_ids, len(VOCABULARY) + 1)[..., INPUTS].transpose(1, 2), short_of) * mask_1
        mask_4 = max_pool1d(mask_1, FIRST_STEP)
        mask_32 = max_pool1d(mask_4, SECOND_STEP)

        at_1 = self.run_block(self.stem, letters, mask_1)
        # Sums, not maxima: how many sites of a motif lie in a bin is what a promoter's activity is made of.
        at_4 = self.run_block(self.down_1, avg_pool1d(at_1, FIRST_STEP) * FIRST_STEP, mask_4)
        x = self.run_block(self.down_2, avg_pool1d(at_4, SECOND_STEP) * SECOND_STEP / 4, mask_32)
        for block in self.trunk:
            x = self.run_block(block, x, mask_32)
        x = self.run_block(self.up_1, interpolate(self.narrow_1(x), scale_factor=SECOND_STEP) + at_4, mask_4)
        x = self.run_block(self.up_2, interpolate(self.narrow_2(x), scale_factor=FIRST_STEP) + at_1, mask_1)
        return x[..., :length].transpose(1, 2)

    def logits(self, states: Tensor) -> Tensor:
        """``[B, L, D]`` to ``[B, L, V]``."""
        return self.lm_head(states)


def card(config: Config) -> ModelCard:
    """Describe the model."""
    return ModelCard(
        family="dilated_cnn",
        objective="masked",
        context_bp=None,
        context_tokens=None,
        bases_per_token=1,
        position_embedding="convolution",
        padding=True,
        strand="one strand at a time: train on both, average predictions over both",
        licence="trained here",
        hidden_size=config["channels"][0],
        vocab_size=config["vocab_size"],
        # Not the dilated ones: peft leaves dilation out, and what it adds would be of another length.
        lora_targets=("convolution", "pointwise", "narrow_1", "narrow_2"),
    )


FAMILY = Family(
    name="dilated_cnn",
    model_types=("glmflow-dilated-cnn",),
    build=DilatedCNN,
    card=card,
    tokenizer=tokenizer,
    configure=configure,
    attention=("sdpa",),
)
