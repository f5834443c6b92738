"""Kind `diagnosis`: questions about a pair of alleles, answered in words."""

from .answer_scoring import score
from .question_examples import asked, compared, examples

__all__ = ["asked", "compared", "examples", "score"]
