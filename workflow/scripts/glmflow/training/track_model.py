"""A backbone with a track head, its loss on scaled coverage, and its predictions in the units of the tracks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from glmflow.models.adapter import Adapter, Tokens
from glmflow.models.heads import LinearTrackHead, TrackHead
from glmflow.statistics import moments
from glmflow.tracks.scaling import scale_targets, unscale_predictions

from .losses import Loss
from .stream import to_device


class TrackModel(nn.Module):
    """`sequence -> states per base -> head -> scaled coverage`, `[B, T, L]`.

    Parameters
    ----------
    adapter
        The language model.
    head
        Turns states `[B, L, D]` into non-negative tracks `[B, T, L]`.
    track_means
        Mean over the non-zero training bases of each track, `[T]`, in the unit of the tracks.
    squash, soft_clip
        Target scaling (see `glmflow.tracks.scaling`).
    loss
        Loss on scaled values.
    frozen
        Keep the backbone as it is (a probe): its states are computed without gradients and in evaluation mode.
    """

    def __init__(
        self,
        adapter: Adapter,
        head: nn.Module,
        track_means: Sequence[float],
        squash: bool,
        soft_clip: float,
        loss: Loss,
        frozen: bool = False,
    ):
        super().__init__()
        self.adapter, self.head, self.loss, self.frozen = adapter, head, loss, frozen
        self.squash, self.soft_clip = squash, soft_clip
        self.register_buffer("track_means", torch.tensor(track_means, dtype=torch.float32)[:, None], persistent=False)
        if adapter.has_head:
            adapter.drop_head()
        if frozen:
            adapter.requires_grad_(False)

    def train(self, mode: bool = True) -> TrackModel:
        """Set the mode of the parts that are trained."""
        super().train(mode)
        if self.frozen:
            self.adapter.eval()
        return self

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_of_base: Tensor,
        rows: tuple[int, ...] | None = None,
        targets: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> dict[str, Any]:
        """Return scaled `predictions` `[B, T, L]` and, where `targets` (raw coverage) are given, the `loss`."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            states = self.adapter.states_per_base(Tokens(input_ids, attention_mask, token_of_base, rows))
        predictions = self.head(states)
        if targets is None:
            return {"predictions": predictions}
        scaled = scale_targets(targets, self.track_means, squash=self.squash, clip=self.soft_clip)
        return {"loss": self.loss(predictions, scaled, mask), "predictions": predictions}

    def coverage(self, predictions: Tensor) -> Tensor:
        """Turn scaled predictions back into the unit of the tracks."""
        return unscale_predictions(predictions, self.track_means, squash=self.squash, clip=self.soft_clip)


def new_head(kind: str, hidden_size: int, n_tracks: int) -> nn.Module:
    """Return an untrained head of a kind of the configuration."""
    return {"track": TrackHead, "linear": LinearTrackHead}[kind](hidden_size, n_tracks)


class TrackEvaluation:
    """Validation metrics of a track model in one pass: no more than a batch of predictions is held."""

    def __init__(self, loader: Any):
        self.loader = loader

    def __call__(self, model: TrackModel) -> dict[str, float]:
        """Return the mean loss and the pooled Pearson's r of coverage and of log(1 + coverage)."""
        device = next(model.parameters()).device
        losses, plain, logged = [], moments.sums([], []), moments.sums([], [])
        for batch in self.loader:
            batch = to_device(batch, device)
            output = model(**batch)
            losses.append(output["loss"].item())
            keep = batch["mask"].bool().expand_as(batch["targets"]).cpu().numpy()
            observed = batch["targets"].cpu().numpy()[keep]
            predicted = model.coverage(output["predictions"].float()).cpu().numpy()[keep]
            plain += moments.sums(observed, predicted)
            logged += moments.sums(
                *(torch.log1p(torch.from_numpy(x).clamp_min(0)).numpy() for x in (observed, predicted))
            )
        return {
            "loss": sum(losses) / max(1, len(losses)),
            "pearson": float(moments.pearson(plain)),
            "log1p_pearson": float(moments.pearson(logged)),
        }
