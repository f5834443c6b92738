"""What the study's own language models learned before they were tuned: their loss beside that of chance."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pandas as pd

from .inputs import RunFolder, read_json

HARDLY = 0.01
"""Of the loss of chance: a model that is no further below it has hardly learned anything."""
COLUMNS = ["model", "seed", "updates", "validation_loss", "chance_loss"]


def read_pretraining(folders: Sequence[Path]) -> pd.DataFrame:
    """Return a row for each pretraining, `models/{model}/training/seed{seed}`, with the losses in nats a base.

    `validation_loss` is that of the model as it was kept (NaN without a validation split), `chance_loss` that of a model
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


def pretrained_models(runs: Sequence[RunFolder]) -> set[str]:
    """Return the labels of the models that runs start from, the base of an extended one too."""
    extended = [(run.settings.get("model") or {}).get("extend") or {} for run in runs]
    return {run.model for run in runs} | {block["model"] for block in extended if "model" in block}


def hardly_learned(table: pd.DataFrame, models: Collection[str]) -> Iterator[str]:
    """Say of each of some models whose pretraining hardly beats chance that it does not, in a sentence."""
    means = table[table["model"].isin(models)].groupby("model", sort=False)[["validation_loss", "chance_loss"]].mean()
    for model, loss, chance in means.dropna().itertuples():
        if loss > (1 - HARDLY) * chance:
            how = "hardly beats chance" if loss < chance else "does not beat chance"
            yield (
                f"Pretraining taught {model} next to nothing: its validation loss of {loss:.4f} nats a base {how}: who "
                f"knows the base composition alone loses {chance:.4f}."
            )
