"""Kind `context_extension`: how far back a language model makes use of its context."""

from .context_steps import compare, compared, examples, score

__all__ = ["compare", "compared", "examples", "score"]
