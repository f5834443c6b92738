"""Kind `hotspots`: windows of the genome with more variants than chance would put there."""

from glmflow.tasks.class_pairs import compare
from glmflow.tasks.redraw import relabelled as redraw

from .hotspot_examples import examples
from .hotspot_scores import score

__all__ = ["compare", "examples", "redraw", "score"]
