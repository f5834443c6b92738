"""Kind `base_labels`: a label at every base, or at every bin, of a stretch of genome."""

from .base_label_examples import examples
from .base_label_scoring import score

__all__ = ["examples", "score"]
