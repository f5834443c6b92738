"""Heads: what turns the hidden states of a backbone into predictions, a module a target.

A head knows nothing of the backbone that its states `[B, L, D]` come from. A module declares its heads in
`HEADS = {kind: factory(dim, outputs, **settings)}`; their settings are in `glmflow.config.heads`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from glmflow.modules import entry

if TYPE_CHECKING:
    from torch import nn


def new_head(settings: Mapping[str, Any], dim: int, outputs: int) -> nn.Module:
    """Return an untrained head for states of width `dim` and `outputs` predicted values.

    `settings` are those of the configuration: `kind`, and what the kind takes.
    """
    chosen = dict(settings)
    return entry(sys.modules[__name__], "HEADS", chosen.pop("kind"))(dim, outputs, **chosen)
