"""Laws of how the loss falls with parameters and bases, fitted to the runs of a task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from glmflow.errors import InputError
from glmflow.statistics.scaling_law import (
    NAMES,
    bootstrap_laws,
    equal_budgets,
    fit_scaling_law,
    interval,
    left_out,
)
from glmflow.tasks.tables import metric_row

MASKED = "masked_bits_per_base"
"""What masked models lose, which see both sides of a base: no cost of a sequence, and beside no compressor."""
SIZE, SEEN = "parameters", "training_bases"
FEWEST = 3
"""Runs of one family from which on it is said why no law is fitted to them."""
HELD = 3
"""Largest runs that the law of the others has to foretell, at most a quarter of all."""
DRAWS = 200
"""Bootstrap draws behind an interval."""
COLUMNS = ["family", "what", "parameters", "bases", "value", "low", "high", "runs", "said", "flop"]


def sizes_of(model: Mapping[str, Any], predictions: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield, of a model that is pretrained here, its parameters and the bases that it has seen; family and tokens as `subset`."""
    made = model.get("pretrain")
    if not made or "parameters" not in predictions or predictions.empty:
        return
    pairs, k = made.get("byte_pairs"), made.get("kmers")
    vocabulary = f", {k}-mers" if k else f", {pairs['vocabulary']} byte pairs" if pairs else ""
    subset = made["family"] + vocabulary
    own = {"split": "train", "subset": subset}
    yield metric_row(SIZE, float(predictions["parameters"].iloc[0]), **own)
    yield metric_row(SEEN, float(made["steps"] * made["batch"] * made["length"]), **own)


def compare(
    examples: pd.DataFrame, metrics: Sequence[pd.DataFrame], predictions: Sequence[pd.DataFrame]
) -> pd.DataFrame:
    """Fit ``L = E + A / N^alpha + B / D^beta`` to the runs of each family, and foretell the largest from the others.

    Returns
    -------
    DataFrame
        `family`, `what` (a constant of the law, `a` of ``N_optimal ~ FLOP^a``, ``foretold``, ``refused``, or ``budget``: the best
        size for about as many operations, `flop`, as `runs` of several sizes took), `parameters` and `bases` of a foretold run,
        `value` (of a foretold run its loss in bits per base), `low` and `high` (95 %, bootstrap over runs; of a foretold run twice
        what was foretold), `runs`, `said` (why there is no law or no interval).
    """
    runs = pd.DataFrame(_runs(metrics), columns=["family", "parameters", "bases", "loss"])
    rows: list[dict[str, Any]] = []
    for family, own in runs.groupby("family", sort=True):
        if len(own) >= FEWEST:
            rows += [{"family": family, "runs": len(own)} | row for row in (*_law(own), *_budgets(own))]
    return pd.DataFrame(rows, columns=COLUMNS)


def _runs(metrics: Sequence[pd.DataFrame]) -> Iterator[tuple[str, float, float, float]]:
    """Yield family, parameters, bases and loss of each run whose size is known: of the test, at its longest context.

    What masked models lose is another quantity: those of a family have a law of their own.
    """
    for table in metrics:
        size, seen = (table[table["metric"] == name] for name in (SIZE, SEEN))
        costs = table["metric"].isin(["bits_per_base", MASKED])
        plain = costs & (table["protocol"] == "strict") & (table["split"] == "test")
        loss = table[plain & (table["subset"] == "all")].sort_values("context_bp")
        if len(size) and len(seen) and len(loss):
            family = size["subset"].iloc[0] + (" (masked)" if loss["metric"].iloc[-1] == MASKED else "")
            yield family, size["value"].iloc[0], seen["value"].iloc[0], loss["value"].iloc[-1]


def _budgets(own: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the best size at each budget that several sizes were run with."""
    for one in equal_budgets(*(own[name].to_numpy(float) for name in ("parameters", "bases", "loss"))):
        said = "" if one.inside else "at the border of the sizes that were run"
        sizes = {"parameters": one.parameters, "flop": one.flop, "runs": one.runs}
        yield {"what": "budget", "value": one.loss, "said": said, **sizes}


def _law(own: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the rows of one family."""
    numbers = [own[name].to_numpy(float) for name in ("parameters", "bases", "loss")]
    try:
        law = fit_scaling_law(*numbers)
    except InputError as error:
        yield {"what": "refused", "said": str(error)}
        return
    try:
        laws, said = bootstrap_laws(law, *numbers, draws=DRAWS), ""
    except InputError as error:
        laws, said = [], str(error)
    for name in (*NAMES, "a"):
        attribute = "optimal_exponent" if name == "a" else name
        known = [getattr(one, attribute) for one in laws]
        low, high = interval(known) if known else (np.nan, np.nan)
        yield {"what": name, "value": getattr(law, attribute), "low": low, "high": high, "said": said}
    largest = min(HELD, len(own) // 4)
    try:
        held = left_out(*numbers, largest=largest) if largest else np.zeros((0, 4))
    except InputError as error:
        yield {"what": "refused", "said": f"no run can be foretold: {error}"}
        return
    for parameters, bases, loss, foretold in held.tolist():
        own_run = {"parameters": parameters, "bases": bases, "value": loss}
        yield {"what": "foretold", **own_run, "low": foretold, "high": foretold}
