"""Kind `language`: what held-out sequence costs a model, in bits per base."""

from .bit_scores import score
from .language_windows import compared, examples
from .scaling_runs import compare

__all__ = ["compare", "compared", "examples", "score"]
