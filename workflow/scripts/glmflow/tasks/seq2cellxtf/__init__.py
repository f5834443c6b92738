"""Kind `seq2cellxtf`: binding of TFs to regions of the genome in cells."""

from .binding_examples import examples, redraw
from .binding_scoring import score

__all__ = ["examples", "redraw", "score"]
