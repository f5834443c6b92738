"""Kind `populations`: which population a haplotype comes from."""

from glmflow.tasks.class_pairs import compare

from .population_examples import compared, examples
from .population_samples import redraw
from .population_scores import score

__all__ = ["compare", "compared", "examples", "redraw", "score"]
