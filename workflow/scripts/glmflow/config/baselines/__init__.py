"""Settings of baselines. The fits are in `glmflow.baselines`."""

import sys

from ..blocks import BaselineBlock, blocks_of, union_of

BASELINES = blocks_of(sys.modules[__name__], BaselineBlock)
Baseline = union_of(BASELINES)
"""Any of the baselines: a name, or a block with its settings."""
