"""Variant effects as a task: labelled variants, metrics that say what they measure, and the trivial scores to beat."""

from .effect_steps import compared, examples, score

__all__ = ["compared", "examples", "score"]
