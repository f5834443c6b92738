"""GPN: a stack of dilated convolutions that fills in masked bases, from its authors' package.

Benegas et al. (2023) DNA language models are powerful predictors of genome-wide variant effects, PNAS 120. A base
enters as a one-hot vector, each block convolves with a wider dilation than the one before, and the states tell
the masked base. There are neither positions nor attention: what a block sees is a fixed number of bases.

The modules are those of the package `gpn` (MIT licence; `pip install "glmflow[gpn]"`). Blocks are run one by one
here, so that their activations can be computed again in the backward pass, which the package does not offer.

Models of alignments (GPN-MSA, GPN-Star) read a column of a whole-genome alignment at each base, which the
workflow's inputs do not have; they are refused.
"""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from glmflow.errors import InputError
from glmflow.models.dilated_tokens import convolved, tokens_needed
from glmflow.models.huggingface import HuggingFaceNetwork, random_model, read_model, save_model, without
from glmflow.models.interface import ModelCard, Network
from glmflow.models.registry import Config, Family
from glmflow.models.tokenizers import CharacterTokenizer

HEAD = ("cls",)

VOCABULARY = {"[PAD]": 0, "[MASK]": 1, "[UNK]": 2, "A": 3, "C": 4, "G": 5, "T": 6}
"""The published tokens, in upper case; the package's tokenizer reads both cases alike, as this one does."""

WINDOW = 512
"""Bases of a training window."""


class GPN(HuggingFaceNetwork):
    """A model of the package, `GPNForMaskedLM` or the older `ConvNetForMaskedLM`."""

    def __init__(self, model: Any):
        super().__init__(model, HEAD)

    def states(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """`int64[B, L]` to `[B, L, D]`."""
        body = self.model.base_model
        newer = hasattr(body, "embeddings")
        embed = body.embeddings if newer else body.embedding
        x = embed(input_ids=input_ids).to(self.model.dtype)  # one-hot vectors are always made in float32
        for block in body.encoder.layer if newer else body.encoder:
            x = self.run_block(block, x)
        return body.ln_f(x) if newer else x

    def states_at(self, input_ids: Tensor, places: Tensor) -> Tensor:
        """Return the states of some tokens, `[B, S, D]`; each layer computes only what the layers after it see."""
        body = self.model.base_model
        newer = hasattr(body, "embeddings")
        blocks = list(body.encoder.layer if newer else body.encoder)
        convolutions = [_convolutions(block) for block in blocks]
        if any(len(some) != 1 for some in convolutions):
            return super().states_at(input_ids, places)
        own, length = places.cpu().numpy(), input_ids.shape[1]
        needed = tokens_needed(own, [one for (one,) in convolutions], length)
        first = torch.from_numpy(needed[0]).to(input_ids.device)
        x = (body.embeddings if newer else body.embedding)(input_ids=input_ids[:, first]).to(self.model.dtype)
        for block, before, after in zip(blocks, needed, needed[1:]):
            x = _at(block, x, before, after, length)
        x = body.ln_f(x) if newer else x
        at = torch.from_numpy(np.searchsorted(needed[-1], own)).to(x.device)
        return x[torch.arange(len(x), device=x.device)[:, None], at]

    def set_gradient_checkpointing(self, on: bool) -> None:
        """Switch it on or off: `run_block` does it, transformers' own way is not there."""
        Network.set_gradient_checkpointing(self, on)


def _convolutions(block: nn.Module) -> list[nn.Conv1d]:
    """Return the convolutions of a block."""
    return [module for module in block.modules() if isinstance(module, nn.Conv1d)]


def _at(block: nn.Module, x: Tensor, before: NDArray[np.int64], after: NDArray[np.int64], length: int) -> Tensor:
    """Apply a block, whose parts are added to their input, to tokens `before`; return those `after`."""
    kept = torch.from_numpy(np.searchsorted(before, after)).to(x.device)
    for part in block.children():
        if not _convolutions(part):
            x = x + part(x)
            continue
        y = x
        for module in part:
            y = convolved(module, y, before, after, length) if isinstance(module, nn.Conv1d) else module(y)
        x = x[:, kept] + y
    return x


def configure(config: Config) -> Config:
    """Check that it is a model of single sequences.

    Raises
    ------
    InputError
        A model of alignments, or an encoder that is not convolutional.
    """
    kind = config.get("model_type", "GPN")
    if kind in ("GPNStar", "GPNRoFormer") or config.get("n_aux_features", 0):
        raise InputError(
            f"{kind} reads a whole-genome alignment, not sequences alone",
            where="config.json",
            fix="Use gpn-brassicales or gpn-animal-promoter, or the package gpn with its alignment.",
        )
    if config.get("encoder", "convnet") not in ("convnet", "bytenet"):
        raise InputError(
            f"encoder {config['encoder']!r} is not convolutional",
            where="config.json",
            fix="Known: convnet, bytenet.",
        )
    return {**config, "model_type": kind}


def build(config: Config, attention: str) -> GPN:
    """Make a model with random weights."""
    with redirect_stdout(io.StringIO()):  # the package prints its dilations
        return GPN(random_model(*_classes(config), attention))


def load(folder: Path, config: Config, dtype: torch.dtype, attention: str) -> GPN:
    """Read published or saved weights."""
    with redirect_stdout(io.StringIO()):
        return GPN(read_model(*_classes(config), folder, dtype, attention, head=HEAD))


def card(config: Config) -> ModelCard:
    """Describe the model."""
    complete = _classes(config)[1]
    return ModelCard(
        family="gpn",
        objective="masked",
        context_bp=WINDOW,
        context_tokens=WINDOW,
        bases_per_token=1.0,
        position_embedding="convolution",
        padding=False,
        strand="one strand is read; average both",
        licence="MIT",
        hidden_size=complete.hidden_size,
        vocab_size=complete.vocab_size,
        lora_targets=_linear_layers(config, complete),
    )


def tokenizer(config: Config, folder: Path | None) -> CharacterTokenizer:
    """One token a base and no special tokens; N is unknown to GPN."""
    names = ("[PAD]", "[MASK]", "[UNK]")
    pad, mask, unknown = (VOCABULARY[name] for name in names)
    return CharacterTokenizer(VOCABULARY, upper=True, pad_id=pad, mask_id=mask, unknown_id=unknown)


def _classes(config: Config) -> tuple[Any, Any]:
    """Return the package's model class and its completed configuration.

    Raises
    ------
    InputError
        The package is not installed.
    """
    try:
        from gpn.legacy import ConvNetConfig, ConvNetForMaskedLM
        from gpn.model import GPNConfig, GPNForMaskedLM
    except ImportError:
        raise InputError(
            "GPN needs the package gpn, which is not installed", fix='Run pip install "glmflow[gpn]".'
        ) from None
    newer = config["model_type"] == "GPN"
    kind, settings = (GPNForMaskedLM, GPNConfig) if newer else (ConvNetForMaskedLM, ConvNetConfig)
    return kind, settings(**without(config, "model_type"))


def _linear_layers(config: Config, complete: Any) -> tuple[str, ...]:
    """Names of the linear layers of a block, which the package numbers."""
    if config["model_type"] == "ConvNet":
        return ("ffn.0",)
    if complete.encoder == "convnet":
        return ("ffn.1", "ffn.3")
    return tuple(f"{block}.layer.{place}" for block in range(complete.num_hidden_layers) for place in (2, 10))


FAMILY = Family(
    name="gpn",
    model_types=("GPN", "ConvNet", "GPNRoFormer", "GPNStar"),
    build=build,
    load=load,
    save=save_model,
    card=card,
    tokenizer=tokenizer,
    configure=configure,
    attention=("eager",),
)
