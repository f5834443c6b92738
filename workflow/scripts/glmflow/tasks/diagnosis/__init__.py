"""Kind `diagnosis`: questions about a pair of alleles, answered in words."""

from .answer_scoring import score
from .question_examples import asked, examples

__all__ = ["asked", "examples", "score"]
