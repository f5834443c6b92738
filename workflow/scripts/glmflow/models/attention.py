"""Attention without an ``[B, heads, L, L]`` tensor: which implementation a model takes, and the one function
to call.
"""

from __future__ import annotations

import importlib.util
import logging

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from glmflow.errors import InputError
from glmflow.models.continuation import before
from glmflow.models.packed_rows import here

logger = logging.getLogger(__name__)

IMPLEMENTATIONS = ("flash_attention_2", "sdpa", "eager")
FLASH_DTYPES = (torch.float16, torch.bfloat16)


def choose(requested: str, dtype: torch.dtype, supported: tuple[str, ...] = IMPLEMENTATIONS) -> str:
    """Decide which attention implementation a model takes, and log it.

    Parameters
    ----------
    requested
        ``auto``, or one of `IMPLEMENTATIONS`.
    dtype
        Type that is computed in: that of autocast where it is on, else that of the weights. Flash-attention computes in
        float16 and bfloat16 only.
    supported
        What the family can do. A request for something else falls back to the best it can do, and says so.

    Raises
    ------
    InputError
        `requested` is none of the above.
    """
    if requested not in ("auto", *IMPLEMENTATIONS):
        options = ", ".join(("auto", *IMPLEMENTATIONS))
        raise InputError(f"unknown attention implementation {requested!r}", fix=f"Choose one of {options}.")
    why_not = why_no_flash(dtype) if "flash_attention_2" in supported else "the family does not support it"
    best = "flash_attention_2" if not why_not else next(name for name in ("sdpa", "eager") if name in supported)
    if requested == "auto":
        logger.info("attention: %s (%s)", best, f"no flash-attention 2: {why_not}" if why_not else f"in {_name(dtype)}")
        return best
    if requested not in supported or (requested == "flash_attention_2" and why_not):
        why = why_not if requested == "flash_attention_2" else "the family does not support it"
        logger.warning("attention: %s instead of %s (%s)", best, requested, why)
        return best
    logger.info("attention: %s", requested)
    return requested


def why_no_flash(dtype: torch.dtype) -> str:
    """Say why flash-attention 2 cannot be used here; empty where it can."""
    if not torch.cuda.is_available():
        return "no GPU"
    if dtype not in FLASH_DTYPES:
        return f"it does not compute in {_name(dtype)}"
    if torch.cuda.get_device_capability() < (8, 0):
        return f"{torch.cuda.get_device_name()} is older than Ampere"
    if importlib.util.find_spec("flash_attn") is None:
        return "the package flash-attn is not installed"
    return ""


def computed_in(tensor: Tensor) -> torch.dtype:
    """Return the type of a matrix product with a tensor: that of autocast where it is on, else the tensor's own."""
    device = tensor.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else tensor.dtype


def _name(dtype: torch.dtype) -> str:
    """Return the short name of a type, as ``bfloat16``."""
    return str(dtype).removeprefix("torch.")


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
    causal: bool = False,
    dropout: float = 0.0,
    scale: float | None = None,
    implementation: str = "sdpa",
) -> Tensor:
    """Scaled dot-product attention.

    Parameters
    ----------
    query, key, value
        ``[B, heads, L, head_dim]``; keys and values may have fewer heads (grouped-query attention).
    mask
        ``[B, L]``, non-zero for tokens and zero for padding. A causal model must be padded on the right,
        where no token sees the padding and no mask is needed.
    bias
        Added to the scaled scores, ``[heads, L, L]`` or ``[1, heads, L, L]`` (ALiBi); it exists once, not for
        each sequence, unless there is padding too.
    causal
        A position sees itself and those to its left.
    dropout
        Probability, for training.
    scale
        Of the scores; by default ``1 / sqrt(head_dim)``.
    implementation
        ``sdpa``, or ``flash_attention_2``, which is taken where there is neither a mask nor a bias to apply, rows are one
        record each (`glmflow.models.packed_rows`) and the product is computed in half precision (float32 weights in training
        under autocast, not in evaluation without).

    Returns
    -------
    ``[B, heads, L, head_dim]``.
    """
    if causal and mask is not None:
        if not bool(mask[:, 0].all()):
            raise InputError("a batch of a causal model is padded on the left", fix="Pad on the right.")
        mask = None
    if causal:
        key, value = before(key, 2), before(value, 2)
    dtype = computed_in(query)
    records = here()
    if (
        implementation == "flash_attention_2"
        and records is None
        and mask is None
        and bias is None
        and dtype in FLASH_DTYPES
    ):
        from flash_attn import flash_attn_func

        inputs = (tensor.transpose(1, 2).to(dtype) for tensor in (query, key, value))  # rotation may leave float32
        return flash_attn_func(*inputs, dropout_p=dropout, softmax_scale=scale, causal=causal).transpose(1, 2)
    allowed = None if mask is None else mask[:, None, None, :].bool()
    if records is not None:
        allowed = records.seen.tril() if causal else records.seen
    if causal and key.shape[2] > query.shape[2]:  # what stands before is seen by all
        shape = query.shape[2], key.shape[2]
        allowed = torch.ones(shape, dtype=torch.bool, device=query.device).tril(key.shape[2] - query.shape[2])
    if bias is not None:
        bias = (bias if bias.dim() == 4 else bias[None]).to(query.dtype)
        allowed = bias if allowed is None else bias.masked_fill(~allowed, float("-inf"))
    return scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=allowed,
        dropout_p=dropout,
        is_causal=causal and allowed is None,
        scale=scale,
        enable_gqa=query.shape[1] != key.shape[1],
    )
