"""Kind `hotspots`: windows of the genome with more variants than chance would put there."""

from glmflow.tasks.redraw import relabelled as redraw

from .hotspot_examples import examples
from .hotspot_scores import score

__all__ = ["examples", "redraw", "score"]
