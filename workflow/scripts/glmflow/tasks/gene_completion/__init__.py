"""Kind `gene_completion`: how much of known proteins models write from the start of their genes."""

from .panel_examples import compared, examples
from .panel_scores import score

__all__ = ["compared", "examples", "score"]
