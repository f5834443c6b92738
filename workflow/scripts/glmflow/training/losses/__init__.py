"""Training losses, a module a target.

A module declares its losses in `LOSSES = {kind: factory(fitted, **settings)}`; `fitted` is what the task has fitted to its
training targets, and the settings are in `glmflow.config.losses`. What a factory returns is called as the target says.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from glmflow.modules import entry


def new_loss(settings: Mapping[str, Any], fitted: Mapping[str, Any]) -> Callable:
    """Return the loss of the configuration (`kind`, and what the kind takes)."""
    chosen = dict(settings)
    return entry(sys.modules[__name__], "LOSSES", chosen.pop("kind"))(fitted, **chosen)
