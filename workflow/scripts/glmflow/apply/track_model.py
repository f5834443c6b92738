"""A tuned track model and what of its run is needed to apply it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.training.inputs.track_windows import predict_codes, strand_swap
from glmflow.training.tuned import Tuned, load_tuned


@dataclass(frozen=True)
class TrackModel:
    """A tuned model and what of its run is needed to apply it.

    Attributes
    ----------
    model
        The model, in evaluation mode.
    tracks
        Names of the tracks it predicts.
    means
        Mean of each track over its non-zero training bases.
    size, overlap, trim
        Windows of the task it was tuned for, in bp: length, bases shared by neighbours, bases not used at both ends.
    swap
        Track that stands for each track on the other strand, where the model was trained on both strands.
    """

    model: Tuned
    tracks: list[str]
    means: NDArray[np.float32]
    size: int
    overlap: int
    trim: int
    swap: list[int] | None

    def coverage(self, codes: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Predict sequences of one length, `[n, T, L]` in the unit of the tracks."""
        return predict_codes(self.model, codes, self.swap)


def load_track_model(folder: Path) -> TrackModel:
    """Load the model folder of a run of a track task.

    Raises
    ------
    InputError
        The folder is not the model of a run, or its record lacks the biosample or strand of a track.
    """
    model, run = load_tuned(folder)
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    tracks, task = run.settings["tracks"], run.task
    try:
        swap = strand_swap(tracks) if run.adaptation.train.reverse_complement else None
    except (KeyError, TypeError):
        fix = "Train the run again."
        raise InputError("a track without `biosample` or `strand`", where=folder / "task.json", fix=fix) from None
    return TrackModel(
        model,
        list(tracks),
        model.target.track_means[:, 0].cpu().numpy(),
        task.windows.size,
        task.windows.overlap,
        task.trim,
        swap,
    )
