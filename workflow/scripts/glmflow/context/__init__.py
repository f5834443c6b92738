"""Longer contexts for models with rotary positions: frequencies, a patcher, and what tuning draws."""

from .frequencies import METHODS, inverse_frequencies
from .patch import Extension, extend, extension_of, reapply
from .sampling import Draw, sampler

__all__ = [
    "METHODS",
    "Draw",
    "Extension",
    "extend",
    "extension_of",
    "inverse_frequencies",
    "reapply",
    "sampler",
]
