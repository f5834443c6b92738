"""Kind `populations`: which population a haplotype comes from."""

from .population_examples import compared, examples
from .population_samples import redraw
from .population_scores import score

__all__ = ["compared", "examples", "redraw", "score"]
