"""Settings of training losses. The functions are in `glmflow.training.losses`."""

import sys

from ..blocks import LossBlock, blocks_of, union_of

LOSSES = blocks_of(sys.modules[__name__], LossBlock)
Loss = union_of(LOSSES)
"""Any of the losses: a name, or a block with its settings."""
