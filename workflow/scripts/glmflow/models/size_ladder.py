"""Sizes of models in steps, for comparisons of architectures and for scaling: the same for every family. Needs no torch.

A name such as 14M stands for parameters that are no embedding: over eight letters an embedding is next to nothing, while of
a published "14M" with a vocabulary of text nine tenths are (Pythia; Biderman et al. 2023).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from glmflow.errors import InputError
from glmflow.models.sizes import dit, mamba, wavelet


class Step(NamedTuple):
    """Width, layers, heads and width of the feed-forward network."""

    hidden: int
    layers: int
    heads: int
    inner: int


LADDER = {
    "demo": Step(128, 4, 4, 352),
    "14M": Step(384, 8, 6, 1024),
    "31M": Step(512, 10, 8, 1408),
    "70M": Step(704, 12, 11, 1856),
    "160M": Step(896, 16, 14, 2432),
    "310M": Step(1152, 20, 18, 3072),
}
PYTHIA = {
    "14m": Step(128, 6, 4, 512),
    "31m": Step(256, 6, 8, 1024),
    "70m": Step(512, 6, 8, 2048),
    "160m": Step(768, 12, 12, 3072),
    "410m": Step(1024, 24, 16, 4096),
}
NEAR = 0.03
"""How far the parameters that are no embedding may be from the ladder's, of families that come near it; of the demo 5 %."""


def llama_parameters(step: Step, vocabulary: int) -> int:
    """Return the parameters of Llama blocks (RMS norms, gated feed-forward), embedding and head tied."""
    layer = 4 * step.hidden**2 + 3 * step.hidden * step.inner + 2 * step.hidden
    return step.layers * layer + step.hidden + vocabulary * step.hidden


def pythia_parameters(step: Step, vocabulary: int) -> int:
    """Return the parameters of Pythia's blocks (norms and matrices with biases), embedding and head apart."""
    d, inner = step.hidden, step.inner
    layer = 4 * d * d + 4 * d + 2 * d * inner + inner + d + 4 * d
    return step.layers * layer + 2 * d + 2 * vocabulary * d


def size_names() -> tuple[str, ...]:
    """Return the names of the ladder."""
    return tuple(LADDER)


def _small(step: Step) -> dict[str, Any]:
    def count(d: int) -> int:
        return step.layers * (12 * d * d + 4 * d) + 2 * d + 9 * d * d + d

    heads = min(8, step.heads)  # widths are multiples of twice as many: more heads would miss the number by per cents
    return {"hidden_size": _nearest(step, count, 2 * heads), "num_layers": step.layers, "num_heads": heads}


def _wavelet(step: Step) -> dict[str, Any]:
    def count(d: int) -> int:
        return wavelet.parameters({**sizes, "hidden_size": d})

    sizes = {"num_layers": step.layers, "taps": 2, "context": 1024, "vocab_size": 0}
    return {"hidden_size": _nearest(step, count, 8), "num_layers": step.layers}


def _rwkv7(step: Step) -> dict[str, Any]:
    """Return the ladder's own width and depth: RWKV-7 has 6 to 12 % more parameters at these, and is stated so."""
    return {"hidden_size": step.hidden, "num_layers": step.layers}


def _mamba(step: Step) -> dict[str, Any]:
    """Return twice the ladder's layers, as is usual: one is half as much as attention with its feed-forward network."""

    def count(d: int) -> int:
        return mamba.parameters({**sizes, "hidden_size": d})

    sizes = {"num_layers": 2 * step.layers, "state_size": 16, "conv_kernel": 4, "expand": 2, "vocab_size": 0}
    return {"hidden_size": _nearest(step, count, 8), "num_layers": 2 * step.layers}


def _hyenadna(step: Step) -> dict[str, Any]:
    """Return the ladder's layers; the network that makes a layer's filters is of the published size."""

    def count(d: int) -> int:
        filters = 5 * 64 + 2 * (64 * 64 + 64) + 2 * 64
        return step.layers * (12 * d * d + 90 * d + filters) + 2 * d

    return {"d_model": _nearest(step, count, 8), "n_layer": step.layers}


def _dit(step: Step) -> dict[str, Any]:
    def count(d: int) -> int:
        return dit.parameters({**sizes, "hidden_size": d})

    sizes = {"num_layers": step.layers, "mlp_ratio": 4, "patch": 1, "convolution": 9, "vocab_size": 0}
    heads = min(8, step.heads) if step.hidden >= 256 else 2  # as of `small`: the demo's width needs a fine step
    return {"hidden_size": _nearest(step, count, 2 * heads), "num_layers": step.layers, "num_heads": heads}


def _olmo(step: Step) -> dict[str, Any]:
    """Return the ladder itself, embedding and head tied; norms have no parameters."""
    return {
        "hidden_size": step.hidden,
        "intermediate_size": step.inner,
        "num_hidden_layers": step.layers,
        "num_attention_heads": step.heads,
        "num_key_value_heads": step.heads,
        "tie_word_embeddings": True,
    }


FAMILIES: dict[str, Callable[[Step], dict[str, Any]]] = {
    "small": _small,
    "wavelet": _wavelet,
    "rwkv7": _rwkv7,
    "mamba": _mamba,
    "hyenadna": _hyenadna,
    "dit": _dit,
    "olmo": _olmo,
}


def _nearest(step: Step, count: Callable[[int], int], multiple: int) -> int:
    """Return the width, a multiple, whose number of parameters is nearest to the ladder's."""
    wanted = llama_parameters(step, 0)
    return min(range(multiple, 2 * step.hidden, multiple), key=lambda width: abs(count(width) - wanted))


def sizes_of(family: str, size: str) -> dict[str, Any]:
    """Return the settings of a family for a size of the ladder.

    Raises
    ------
    InputError
        There is no such size, or it is not known how the family has it.
    """
    if size not in LADDER:
        raise InputError(f"no size {size!r}", where="size", fix=f"Take one of {', '.join(LADDER)}.")
    if family not in FAMILIES:
        raise InputError(
            f"family {family} has no sizes of the ladder",
            where="size",
            fix="Give hidden_size and the like in `config`.",
        )
    return FAMILIES[family](LADDER[size])
