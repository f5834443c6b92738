"""Controls are drawn again with each seed, so that the spread of chance over draws is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from glmflow import tasks
from glmflow.config.tasks import task_block
from glmflow.modules import module


def redrawn(settings: Mapping[str, Any], examples: pd.DataFrame) -> pd.DataFrame:
    """Return the examples that a run learns from: those of a control, drawn again with the run's seed; else as they are."""
    task = task_block(settings["task"])
    if task.control_draws == 1:
        return examples
    return module(tasks.__name__, task.kind).redraw(examples, settings["seed"])


def relabelled(examples: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return examples whose training and validation targets have changed places once more, each split's among its own."""
    names = [name for name in examples if name == "target" or name.startswith("target_")]
    order = np.arange(len(examples))
    for number, split in enumerate(("train", "validation")):
        own = np.flatnonzero(examples["split"] == split)
        order[own] = np.random.default_rng([seed, number, 1]).permutation(own)
    return examples.assign(**{name: examples[name].to_numpy()[order] for name in names})
