"""Target `coverage`: scaled coverage of tracks at every base, `[B, T, L]`, and back in the units of the tracks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from glmflow.models.heads import new_head
from glmflow.statistics import moments
from glmflow.tracks.scaling import scale_targets, unscale_predictions

from ..losses import new_loss
from ..stream import to_device
from ..tuned import RunBlocks, Target, Tuned


class Coverage(Target):
    """Non-negative tracks on the states of single bases; the loss is taken on scaled coverage.

    `fitted` holds `track_means`: by track, in the order of the run's tracks, the mean over non-zero training bases.
    """

    def __init__(self, run: RunBlocks, hidden: int, fitted: Mapping[str, Any]):
        super().__init__(run, hidden, fitted)
        means = [fitted["track_means"][name] for name in run.settings["tracks"]]
        self.head = new_head(run.adaptation.head_for("coverage").model_dump(), hidden, len(means))
        self.of_scaled = new_loss(run.adaptation.loss.model_dump(), fitted)
        self.squash, self.soft_clip = run.task.scaling.squash, run.task.scaling.soft_clip
        self.register_buffer("track_means", torch.tensor(means, dtype=torch.float32)[:, None], persistent=False)

    def read(self, features: Tensor, batch: Mapping[str, Any]) -> Tensor:
        """Return scaled coverage `[B, T, L]` from states `[B, L, D]`."""
        return self.head(features)

    def loss(self, predictions: Tensor, batch: Mapping[str, Any]) -> Tensor:
        """Return the loss on the bases of `mask` `[B, 1, L]`, for `targets` `[B, T, L]` in the units of the tracks."""
        scaled = scale_targets(batch["targets"], self.track_means, squash=self.squash, clip=self.soft_clip)
        return self.of_scaled(predictions, scaled, batch.get("mask"))

    def coverage(self, predictions: Tensor) -> Tensor:
        """Turn scaled predictions back into the units of the tracks."""
        return unscale_predictions(predictions, self.track_means, squash=self.squash, clip=self.soft_clip)

    def metrics(self, model: Tuned, loader: Any) -> dict[str, float]:
        """Return the mean loss and the pooled Pearson's r of coverage and of log(1 + coverage), in one pass."""
        losses, plain, logged = [], moments.sums([], []), moments.sums([], [])
        for batch in loader:
            batch = to_device(batch, model.device)
            output = model(**batch)
            losses.append(output["loss"].item())
            keep = batch["mask"].bool().expand_as(batch["targets"]).cpu().numpy()
            observed = batch["targets"].cpu().numpy()[keep]
            predicted = self.coverage(output["predictions"].float()).cpu().numpy()[keep]
            plain += moments.sums(observed, predicted)
            logged += moments.sums(
                *(torch.log1p(torch.from_numpy(x).clamp_min(0)).numpy() for x in (observed, predicted))
            )
        return {
            "loss": sum(losses) / max(1, len(losses)),
            "pearson": float(moments.pearson(plain)),
            "log1p_pearson": float(moments.pearson(logged)),
        }


TARGET = Coverage
