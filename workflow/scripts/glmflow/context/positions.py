"""What a model without rotary positions uses instead, and what can be done about its context."""

from __future__ import annotations

from torch import nn

from ..errors import InputError

LEARNED = (
    "learned absolute positions",
    "Interpolate their table and train on, split the input, or take a model with rotary positions.",
)
AS_IT_IS = "It runs on longer input as it is: evaluate it with no extension."

# Part of a module's class, a tensor's name or the configuration -> what is used, what can be done.
SIGNS = {
    "alibi": ("ALiBi, a penalty that grows with distance", AS_IT_IS),
    "hyena": (
        "implicit convolution filters of a fixed largest length",
        "Take a checkpoint with longer filters, or split the input into windows.",
    ),
    "mamba": ("a state-space recurrence without positions", AS_IT_IS),
    "rwkv": ("a recurrence without positions", AS_IT_IS),
    "relative_attention_bias": (
        "a learned bias of relative distances",
        "Distances beyond the last bucket share its bias: evaluate it with no extension.",
    ),
    "position_embedding": LEARNED,
    "wpe": LEARNED,
    "conv": (
        "convolutions, whose reach is their receptive field",
        "More context needs more layers or dilation: take another model.",
    ),
}


def refusal(model: nn.Module) -> InputError:
    """Return the error that says what `model` uses instead of rotary positions and what can be done."""
    name = type(getattr(model, "model", model)).__name__  # a wrapper's own name would tell nothing
    for sign, (used, fix) in SIGNS.items():
        if _shows(model, sign):
            return InputError(f"{name} has no rotary positions to extend: it uses {used}", fix=fix)
    return InputError(
        f"{name} has no rotary positions to extend: none of its modules has `inv_freq`",
        fix="Evaluate it as it is, or take a model with rotary positions.",
    )


def _shows(model: nn.Module, sign: str) -> bool:
    """Say whether a module's class, path or tensor, or the configuration, carries `sign`."""
    config = getattr(model, "config", None)
    if sign in str(getattr(config, "position_embedding_type", "")).lower() or getattr(config, sign, None) is True:
        return True
    names = {type(module).__name__ for module in model.modules()}
    names |= {name for name, _ in model.named_modules()} | {name for name, _ in model.named_buffers()}
    names |= {name for name, _ in model.named_parameters()}
    return any(sign in name.lower() for name in names)
