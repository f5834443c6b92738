"""From scores of variants to a table of metrics: the sign is a property of the task, never the better of two."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.tasks.tables import metrics_table

from .binary_effects import LEAST, binary_rows
from .effect_units import DRAWS
from .measured_effects import measured_rows

SIGNS = ("minus", "plus", "magnitude")
INDELS = ((3, "indel_1_3"), (20, "indel_4_20"))
LONGEST = "indel_over_20"


def signed(scores: NDArray[np.float64], sign: str) -> NDArray[np.float64]:
    """Return scores as the task reads them.

    `minus`: -score (a pathogenic allele is one that the model dislikes); `plus`; `magnitude`: |score| (which allele is
    derived is not known: complex traits, expression).
    """
    scores = np.asarray(scores, np.float64)
    return {"minus": -scores, "plus": scores, "magnitude": np.abs(scores)}[sign]


def kinds_of(ref: pd.Series, alt: pd.Series, consequence: pd.Series | None = None) -> pd.Series:
    """Return snv, mnv, indel_1_3, indel_4_20 or indel_over_20 of each allele; frameshift where the consequence says so.

    An allele that is not written in bases (`<DEL>`, `*`) is `other`.
    """
    ref, alt = ref.astype(str), alt.astype(str)
    longer = (ref.str.len() - alt.str.len()).abs()
    kind = pd.Series(np.where(ref.str.len() == 1, "snv", "mnv"), index=ref.index)
    for most, name in reversed([*INDELS, (np.inf, LONGEST)]):
        kind[(longer > 0) & (longer <= most)] = name
    kind[~alt.str.fullmatch("[A-Za-z]+") | ~ref.str.fullmatch("[A-Za-z]+")] = "other"
    if consequence is not None:
        kind[consequence.astype(str).str.contains("frameshift", case=False) & (longer > 0)] = "frameshift"
    return kind


def effect_metrics(
    examples: pd.DataFrame,
    scores: NDArray[np.float64],
    sign: str,
    direction: str | None = None,
    least: int = LEAST,
    draws: int = DRAWS,
    seed: int = 0,
    **keys: Any,
) -> pd.DataFrame:
    """Return the metrics table of one score of one model.

    Parameters
    ----------
    examples
        The examples table of the task: `target` 0 or 1, or a measured effect.
    scores
        `float64[n]`: what the model gives, in the order of the examples; NaN where there is a reason instead.
    sign
        See `signed`.
    direction
        Of measured effects: see `measured_rows`; None: the target is a label.
    keys
        What all rows have in common: study, task, model …
    """
    table = examples.reset_index(drop=True)
    if "kind" not in table and {"ref", "alt"} <= set(table):
        table = table.assign(kind=kinds_of(table["ref"], table["alt"], table.get("consequence")))
    values = signed(scores, sign)
    if direction is None:
        rows = binary_rows(table, values, least, draws, seed)
    else:
        rows = measured_rows(table, values, direction, least, draws, seed)
    defaults = {"study": None, "task": None, "model": None, "adaptation": "zero_shot", "seed": seed, "split": "test",
                "context_bp": None}  # fmt: skip
    found = pd.DataFrame(rows)
    if "protocol" in found:
        found["protocol"] = found["protocol"].fillna("strict")
    return metrics_table(found.to_dict("records"), **{**defaults, **keys})
