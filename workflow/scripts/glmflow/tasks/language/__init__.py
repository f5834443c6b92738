"""Kind `language`: what held-out sequence costs a model, in bits a base."""

from .bit_scores import score
from .language_windows import examples

__all__ = ["examples", "score"]
