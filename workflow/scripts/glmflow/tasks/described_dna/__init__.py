"""Kind `described_dna`: bits of held-out DNA that are saved by its text, beyond controls."""

from .described_examples import compared, examples
from .described_scores import score

__all__ = ["compared", "examples", "score"]
