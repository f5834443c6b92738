"""What the fit of a baseline is given, and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from glmflow.config.blocks import BaselineBlock

Apply = Callable[[Path], pd.DataFrame]
"""`(folder) -> predictions table` of all held-out examples; further files are written into the folder (`predicted/`)."""


class FittingData(NamedTuple):
    """What a baseline is fitted on.

    Attributes
    ----------
    baseline
        Its settings.
    settings
        Resolved settings of the run.
    examples
        Examples table of the task.
    files
        Input files by name, as the kind of task says (step `baseline`).
    cores
        Processes that may be used.
    notes
        Lines that a fit adds: what was chosen on validation rows, what was left out.
    """

    baseline: BaselineBlock
    settings: Mapping[str, Any]
    examples: pd.DataFrame
    files: Mapping[str, Any]
    cores: int = 1
    notes: list[str] | None = None


Fit = Callable[[FittingData], Apply]
