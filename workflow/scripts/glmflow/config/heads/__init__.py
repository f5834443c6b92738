"""Settings of heads: what reads predictions off the states of a backbone. The networks are in `glmflow.models.heads`."""

import sys

from ..blocks import HeadBlock, blocks_of, union_of

HEADS = blocks_of(sys.modules[__name__], HeadBlock)
Head = union_of(HEADS)
"""Any of the heads: a name, or a block with its settings."""
