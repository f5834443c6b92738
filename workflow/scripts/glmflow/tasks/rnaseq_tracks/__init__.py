"""Kind `rnaseq_tracks`: per-base RNA-seq coverage from windows of sequence."""

from .track_scores import score
from .window_examples import examples

__all__ = ["examples", "score"]
