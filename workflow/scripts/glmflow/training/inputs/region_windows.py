"""Input `region_windows`: neighbouring accessible regions of a cell, as a table of motif clusters and accessibility."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from glmflow.binding.region_table import RegionTable, predictions_of
from glmflow.errors import InputError
from glmflow.models.interface import Tokens

from ..parts import Parts
from ..ready import Predictor, Ready
from ..stream import Item
from ..tuned import RunBlocks, Tuned

log = logging.getLogger(__name__)

AT_ONCE = 64
"""Windows that are predicted between two times that a prediction is kept."""


class Window(NamedTuple):
    """Neighbouring regions of a cell that are read together, and all those of the same run, in which it may be shifted."""

    cell: int
    first: int
    last: int
    run: NDArray[np.int64]

    @property
    def regions(self) -> NDArray[np.int64]:
        """Rows of the regions, in the order of the genome."""
        return self.run[self.first : self.last]


def windows_of(table: RegionTable, pairs: NDArray[np.bool_], size: int, span: int) -> list[Window]:
    """Return windows over `pairs` `[regions, cells]`, side by side: of one cell, contig and split, and within `span` bases."""
    start = table.regions["start"].to_numpy(np.int64)
    chrom, split = table.regions["chrom"].to_numpy(), table.split_of_regions
    found = []
    for cell in range(pairs.shape[1]):
        own = np.flatnonzero(pairs[:, cell])
        cuts = np.flatnonzero((chrom[own][1:] != chrom[own][:-1]) | (split[own][1:] != split[own][:-1])) + 1
        for run in np.split(own, cuts):
            first = 0
            while first < len(run):
                last = end_of(start[run], first, size, span)
                found.append(Window(cell, first, last, run))
                first = last
    return found


def end_of(start: NDArray[np.int64], first: int, size: int, span: int) -> int:
    """Return where a window ends that begins with a region of a run."""
    return min(first + size, int(np.searchsorted(start, start[first] + span, "right")))


class RegionWindows:
    """Makes the item of a window; in training it begins up to half a window earlier or later, drawn with the run's seed."""

    def __init__(self, table: RegionTable, pairs: NDArray[np.bool_], size: int, span: int, binary: bool):
        self.table, self.size, self.span, self.binary = table, size, span, binary
        self.windows = windows_of(table, pairs, size, span)
        self.start = table.regions["start"].to_numpy(np.int64)

    def __len__(self) -> int:
        return len(self.windows)

    def describe(self, index: int) -> str:
        """Return a window in words."""
        window = self.windows[index]
        names = self.table.regions["example"]
        return f"{self.table.cell_names[window.cell]}, from {names.iloc[window.regions[0]]}"

    def __call__(self, index: int, generator: np.random.Generator | None) -> Item:
        """Return values `[R, clusters + 1]`, targets and promoters `[R, 2]` of a window."""
        window = self.windows[index]
        if generator is not None:
            moved = window.first + int(generator.integers(-(self.size // 2), self.size // 2 + 1))
            first = int(np.clip(moved, 0, max(0, len(window.run) - self.size)))
            window = window._replace(first=first, last=end_of(self.start[window.run], first, self.size, self.span))
        rows = window.regions
        values = self.table.inputs(rows, window.cell, self.binary)
        values[:, -1] /= max(float(values[:, -1].max()), 1e-6)  # as published models read it
        return {
            "values": values,
            "targets": self.table.expression[rows, window.cell],
            "promoters": self.table.promoters[rows],
        }


def collate(items: Sequence[Item], tokenize: Callable | None = None, kept: Any = None) -> dict[str, Any]:
    """Stack windows into a batch; shorter ones are filled up with regions that are masked."""
    longest = max(len(item["values"]) for item in items)
    mask = torch.zeros(len(items), longest, dtype=torch.int64)
    found: dict[str, Any] = {}
    for name in ("values", "targets", "promoters"):
        first = items[0][name]
        whole = np.zeros((len(items), longest, first.shape[1]), first.dtype)
        for row, item in enumerate(items):
            whole[row, : len(item[name])] = item[name]
            mask[row, : len(item[name])] = 1
        found[name] = torch.from_numpy(whole)
    place = torch.where(mask > 0, torch.arange(longest), -1)
    return {**Tokens(found.pop("values"), mask, place)._asdict(), **found}


def ready(run: RunBlocks, examples: pd.DataFrame, files: Mapping[str, Any]) -> Ready:
    """Return the windows of training cells in training regions, and those that choose among models.

    Raises
    ------
    InputError
        A new model reads another number of columns.
    """
    task = run.task
    table = RegionTable(examples, files["tables"], files["matrix"])
    require_columns(run, len(table.columns) + 1)
    size = task.window, task.span, task.binary
    train = RegionWindows(table, table.training, *size)
    validation = RegionWindows(table, table.validation, *size)
    return Ready(
        train=train,
        validation=validation if len(validation) else None,
        collate=collate,
        # What sums were divided by: another cell or genome has to be scaled alike.
        fitted={"clusters": table.columns["cluster"].tolist(), "scale": table.columns["scale"].tolist()},
        length=task.window,
        files=[*sorted(Path(files["tables"]).glob("*")), *sorted(Path(files["matrix"]).glob("*"))],
    )


def require_columns(run: RunBlocks, count: int) -> None:
    """Stop where a model that is made here reads another number of columns than there are."""
    sizes = ((run.settings["model"].get("new") or {}).get("config") or {}).get("model", {}).get("cfg", {})
    given = sizes.get("num_motif")
    if given is not None and given != count:
        raise InputError(
            f"the model reads {given} columns and the motif matrix has {count} (clusters and accessibility)",
            where="models.*.new.config.model.cfg.num_motif",
            fix=f"Say {count}.",
        )


def predict(
    predictor: Predictor, examples: pd.DataFrame, files: Mapping[str, Any], parts: Parts, folder: Path
) -> pd.DataFrame:
    """Return the values of all accessible regions that were not learned from, `prediction_{cell}_{strand}`.

    A model as it is answers with its own head.
    """
    task = predictor.run.task
    table = RegionTable(examples, files["tables"], files["matrix"])
    items = RegionWindows(table, table.predicted, task.window, task.span, task.binary)
    found = np.zeros(table.expression.shape, np.float32)
    for first in range(0, len(items), AT_ONCE):
        own = range(first, min(first + AT_ONCE, len(items)))
        values = parts.array(first, lambda own=own: np.concatenate(list(predicted(predictor, items, own))))
        rows = np.concatenate([items.windows[index].regions for index in own])
        cells = np.concatenate([np.full(len(items.windows[index].regions), items.windows[index].cell) for index in own])
        found[rows, cells] = values
        log.info("predicted %d of %d windows", own.stop, len(items))
    return predictions_of(table, found)


def predicted(predictor: Predictor, items: RegionWindows, own: range) -> Iterator[NDArray[np.float32]]:
    """Yield the values of the regions of windows, `[regions, 2]`."""
    batch = max(1, predictor.run.adaptation.train.micro_batch)
    for first in range(own.start, own.stop, batch):
        made = collate([items(index, None) for index in range(first, min(first + batch, own.stop))])
        values = outputs(predictor.model, made)
        for row, mask in zip(values, made["attention_mask"].numpy() > 0):
            yield row[mask]


def outputs(model: Any, batch: Mapping[str, Any]) -> NDArray[np.float32]:
    """Return the values of a batch, `[B, R, 2]`: of a tuned model, or of a published one's own head.

    Raises
    ------
    InputError
        The published model predicts no expression.
    """
    tokens = Tokens(*(batch.get(name) for name in Tokens._fields)).to(model.device)
    with torch.no_grad():
        if isinstance(model, Tuned):
            return model.target.read(model.features(tokens), batch).float().cpu().numpy()
        if not getattr(model.network, "predicts_expression", False):
            raise InputError(
                f"{model.card.family}: this checkpoint predicts no expression", where="models", fix="Fine-tune it."
            )
        return model(tokens.input_ids, tokens.attention_mask).logits.float().cpu().numpy()
