"""Apply a tuned track model to windows and write its tracks in genome coordinates."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from glmflow.config.adaptations import Adaptation
from glmflow.files import atomic_path, write_table
from glmflow.genome.reference import Reference
from glmflow.models.tokenizers import reverse_complement
from glmflow.tracks.predictions import write_windows

from .checkpoints import fingerprint, table_digest
from .cost import peak_memory_mb
from .finetune import load_track_model
from .parts import Parts
from .track_data import strand_swap
from .track_model import TrackModel

log = logging.getLogger(__name__)


def predict_tracks(model_folder: Path, examples: pd.DataFrame, reference: Path, folder: Path) -> None:
    """Predict every held-out window and write `{track}.bw` and `predictions.parquet` into `folder`.

    Overlapping windows are averaged per base, without the bases near a window's ends that the task does not score. A
    model that was trained on both strands is read on both, and its two predictions are averaged. Windows are kept in parts
    below `folder` until the tracks are written: a prediction that was killed goes on after the last part.
    """
    started = time.monotonic()
    model, settings = load_track_model(model_folder)
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    both = Adaptation.model_validate(settings["adaptation"]).train.reverse_complement
    genome = Reference(reference)
    windows = examples[examples["split"] != "train"].reset_index(drop=True)
    batch = max(1, settings["adaptation"]["train"]["micro_batch"])
    run = partial(predict_windows, model, genome, swap=strand_swap(settings["tracks"]) if both else None)
    means = []
    inputs = {"model": fingerprint([model_folder]), "reference": fingerprint([reference]), "batch": batch}
    parts = Parts(folder / ".parts", {**inputs, "windows": table_digest(windows)})

    def predictions():
        for first in range(0, len(windows), batch):
            part = windows.iloc[first : first + batch]
            predicted = parts.array(first, partial(run, part))
            means.append(predicted.mean(axis=2))
            yield from zip(part["chrom"], part["start"], part["end"], predicted)
            log.info("predicted %d of %d windows", first + len(part), len(windows))

    paths = {name: folder / f"{name}.bw" for name in settings["tracks"]}
    write_windows(predictions(), list(paths.values()), genome.contigs, trim=settings["task"]["trim"])
    write_prediction_means(windows, np.concatenate(means), list(paths), folder / "predictions.parquet")
    seconds = round(time.monotonic() - started, 1)
    with atomic_path(folder / "prediction.json") as temporary:
        cost = {
            "predict_seconds": seconds,
            "predict_peak_memory_mb": round(peak_memory_mb(), 1),
            "windows": len(windows),
        }
        temporary.write_text(json.dumps(cost) + "\n")
    parts.remove()


def predict_windows(
    model: TrackModel, genome: Reference, windows: pd.DataFrame, swap: list[int] | None
) -> NDArray[np.float32]:
    """Predict windows of one length, `[n, T, L]` in the unit of the tracks.

    With `swap` (the track that stands for each track on the other strand) the mean of both strands is returned.
    """
    codes = [genome.fetch(window.chrom, window.start, window.end) for window in windows.itertuples(index=False)]
    return predict_codes(model, codes, swap)


def predict_codes(model: TrackModel, codes: Sequence[NDArray[np.uint8]], swap: list[int] | None) -> NDArray[np.float32]:
    """Predict sequences of one length (ASCII codes), `[n, T, L]` in the unit of the tracks; `swap` as above."""
    predicted = _coverage(model, codes)
    if swap is not None:
        turned = _coverage(model, [reverse_complement(code) for code in codes])
        predicted = (predicted + turned[:, swap, ::-1]) / 2
    return predicted


def _coverage(model: TrackModel, codes: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """Run the model on sequences without gradients."""
    device = next(model.parameters()).device
    tokens = model.adapter.tokenize(codes, chunk=True).to(device)
    with torch.inference_mode():
        return model.coverage(model(*tokens)["predictions"].float()).cpu().numpy()


def write_prediction_means(windows: pd.DataFrame, means: NDArray, tracks: list[str], path: Path) -> None:
    """Write the predictions table: the mean predicted coverage of each window and track."""
    table = pd.DataFrame(means, columns=[f"prediction_{name}" for name in tracks])
    write_table(pd.concat([windows[["example"]], table], axis=1), path)
