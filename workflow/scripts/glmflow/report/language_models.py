"""What the study's own language models learned before they were tuned: their loss beside that of chance."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pandas as pd

from .run_folder import RunFolder, read_json

HARDLY = 0.01
"""Share of the loss of chance; a model whose loss is less than this share below it has learned hardly anything."""
COLUMNS = ["model", "seed", "updates", "validation_loss", "chance_loss"]


def read_trainings(folders: Sequence[Path]) -> pd.DataFrame:
    """Return a row for each training of a language model, `models/{model}/training/seed{seed}`, with losses in nats per base.

    `validation_loss` is that of the model that was kept (NaN without a validation split), `chance_loss` that of a model
    that knows the base composition of the training split and nothing else.
    """
    rows = []
    for folder in folders:
        cost, log = read_json(folder / "cost.json"), folder / "metrics.jsonl"
        if "chance_loss" not in cost:  # an extended model starts from what another has learned
            continue
        lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        losses = [line["eval_loss"] for line in lines if "eval_loss" in line]
        model, seed = folder.parent.parent.name, int(folder.name.removeprefix("seed"))
        rows.append((model, seed, cost.get("updates"), losses[-1] if losses else float("nan"), cost["chance_loss"]))
    return pd.DataFrame(rows, columns=COLUMNS)


def models_behind(runs: Sequence[RunFolder]) -> set[str]:
    """Return the labels of the models that runs start from, the base of an extended one too."""
    extended = [(run.settings.get("model") or {}).get("extend") or {} for run in runs]
    return {run.model for run in runs} | {block["model"] for block in extended if "model" in block}


def hardly_learned(table: pd.DataFrame, models: Collection[str]) -> Iterator[str]:
    """Yield a sentence on each of some models whose loss after pretraining is hardly below that of chance."""
    means = table[table["model"].isin(models)].groupby("model", sort=False)[["validation_loss", "chance_loss"]].mean()
    for model, loss, chance in means.dropna().itertuples():
        if loss > (1 - HARDLY) * chance:
            what, how = (
                ("little better than chance", "hardly beats chance")
                if loss < chance
                else ("no better than chance", "does not beat chance")
            )
            yield (
                f"{model} predicts bases {what}: its validation loss in pretraining, {loss:.4f} nats per base, "
                f"{how} ({chance:.4f}, the loss of a model that knows the base composition alone). What its states are worth "
                "shows beside the same network from random weights."
            )
