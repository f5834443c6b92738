"""Kind `region_expression`: expression at promoters from accessible regions and their motifs."""

from .other_cells import other_cells
from .region_examples import compared, examples
from .region_matrix import motif_matrix
from .region_scores import score

__all__ = ["compared", "examples", "motif_matrix", "other_cells", "score"]
