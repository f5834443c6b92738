"""Kind `generation`: sequences that models draw, beside held-out real ones and controls."""

from .drawn_scores import score
from .prompt_examples import compared, examples, judged

__all__ = ["compared", "examples", "judged", "score"]
