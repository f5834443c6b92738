"""The loss between two logged steps, kept over an interruption: what is logged is the mean of the whole interval."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

INTERVAL = "interval.json"
"""File in a checkpoint: the step that was logged last, and the sum of the losses since."""


class WholeIntervals:
    """Lets Hugging Face's Trainer go on with the sum of losses that a checkpoint was written in the middle of.

    To be inherited before `Trainer`. A run that is resumed then logs, at the next step that is logged, the mean loss of
    all updates since the last one, as an undisturbed run does; the Trainer itself forgets those before the checkpoint.
    """

    _at_step_end: Tensor | None = None
    _carried: dict[str, Any] | None = None

    def _maybe_log_save_evaluate(self, tr_loss: Tensor, *args: Any, **kwargs: Any) -> None:
        self._at_step_end = None  # `_tr_loss` holds whole updates until the next one begins
        super()._maybe_log_save_evaluate(tr_loss, *args, **kwargs)
        self._at_step_end = tr_loss.detach().clone()

    def write_interval(self, folder: Path) -> None:
        """Write the interval under way into a checkpoint; every process takes part, the first one writes."""
        total = self._tr_loss if self._at_step_end is None else self._at_step_end
        if self.args.world_size > 1:
            total = total.detach().clone()
            torch.distributed.all_reduce(total)
            total /= self.args.world_size
        if self.args.should_save:
            interval = {"since": self._globalstep_last_logged, "loss": total.item()}
            (folder / INTERVAL).write_text(json.dumps(interval) + "\n")

    def read_interval(self, checkpoint: Path | None) -> None:
        """Remember the interval of a checkpoint until training begins; older checkpoints have none."""
        path = checkpoint / INTERVAL if checkpoint else None
        self._carried = json.loads(path.read_text()) if path and path.exists() else None

    def take_up_interval(self) -> None:
        """Go on with the interval; to be called when training begins."""
        if self._carried is not None:
            self._tr_loss += self._carried["loss"]
            self._globalstep_last_logged = self._carried["since"]
            self._carried = None
        self._at_step_end = self._tr_loss.detach().clone()
