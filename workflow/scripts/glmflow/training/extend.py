"""From a model to the same model with a longer context: at once, or after a short tuning on longer sequences."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

from glmflow.config.models import Extend
from glmflow.context import extension_of
from glmflow.context.sampling import Sampler, sampler
from glmflow.genome.reference import Reference
from glmflow.models import load_model
from glmflow.models.adapter import Adapter
from glmflow.models.efficient import apply
from glmflow.models.saving import LEARNED_FROM

from .cost import Fitted, conclude
from .language_loss import IGNORE, LanguageEvaluation, Segments, language_batch
from .loop.checkpoints import fingerprint, table_digest
from .stream import ExampleList, ExampleStream, Item, spread

log = logging.getLogger(__name__)


class ExtendedLanguageModel(torch.nn.Module):
    """An extended model with its own language-model head, tuned at the positions and scale that its method draws."""

    def __init__(self, adapter: Adapter):
        super().__init__()
        self.adapter = adapter
        self.extension = extension_of(adapter)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        labels: Tensor,
        position_ids: Tensor | None = None,
        scale: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Return the `loss` in nats over the positions whose label is not ignored.

        Parameters
        ----------
        position_ids
            ``[B, T]``; 0, 1, 2 ... where None.
        scale
            What frequencies are scaled by in this update; the method's rule at test where None.
        """
        drawn = None if scale is None else float(scale)
        if self.extension.scale != drawn:
            self.extension.set_scale(drawn)
        logits = self.adapter(input_ids, attention_mask, position_ids).logits.float()
        return {"loss": cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORE)}


class UpdateStream(ExampleStream):
    """Draws that know their update: whatever is drawn once an update is the same in all of its micro-batches."""

    def __init__(self, *args: Any, batch: int):
        super().__init__(*args)
        self.batch = batch

    def __getitem__(self, draw: int) -> Item:
        return {**super().__getitem__(draw), "update": draw // self.batch}


def extended_batch(
    items: Sequence[Item], adapter: Adapter, mask: float, draw: Sampler | None, seed: int
) -> dict[str, Tensor]:
    """Stack segments into a batch, with the positions or the scale that the method draws for their update."""
    batch = language_batch(items, adapter, mask)
    if draw is None or "update" not in items[0]:
        return batch
    rows, length = batch["input_ids"].shape
    drawn = draw(length, np.random.default_rng([seed, 2, items[0]["update"]]))
    if drawn.positions is not None:
        batch["position_ids"] = torch.as_tensor(drawn.positions)[None].expand(rows, -1).contiguous()
    if drawn.scale is not None:
        batch["scale"] = torch.tensor(float(drawn.scale))
    return batch


def extend_model(
    settings: Mapping[str, Any],
    checkpoint: Path,
    regions: pd.DataFrame,
    reference: Path,
    seed: int,
    folder: Path,
    model_folder: Path,
) -> None:
    """Extend a model, tune it where steps are asked for, and save it in `model_folder`.

    Parameters
    ----------
    settings
        The `extend` block of a model.
    checkpoint
        Folder of the model that is extended.
    regions
        Table with `chrom`, `start`, `end`, `split`: the regions every split owns. Only `train` is learned from.
    folder
        Gets `metrics.jsonl`, `cost.json` and, while training, `checkpoints/`.

    Raises
    ------
    InputError
        The model has no rotary positions, cannot take positions that the method draws, or the settings make no sense.
    """
    block = Extend.model_validate(settings)
    torch.manual_seed(seed)
    adapter = load_model(checkpoint, compute_dtype=block.training().compute_dtype)
    extended = dict(block.settings)
    if block.original_length is not None:
        extended["original_length"] = block.original_length
    if block.attention is not None:
        extended["attention"] = block.attention.model_dump(exclude_none=True)
    adapter.extend(block.method, block.factor, **extended)
    said = {key: adapter.origin[key] for key in LEARNED_FROM if key in adapter.origin}
    adapter.origin = {"extended": adapter.origin, "by": block.model_dump(mode="json", exclude_none=True), **said}
    folder.mkdir(parents=True, exist_ok=True)
    model = ExtendedLanguageModel(adapter)
    coverage = None
    if block.steps and block.kind == "lora":
        coverage = apply("lora", adapter, {"rank": block.rank, "alpha": block.alpha})
        log.info("LoRA: %s", coverage)
        if model.extension.field is not None:
            model.extension.field.requires_grad_(True)
    if block.steps:
        fitted = tune(model, block, regions, reference, seed, folder, checkpoint)
        model.extension.set_scale(None)
    else:
        model.requires_grad_(False)
        fitted = Fitted(0, 0.0, 0.0, 0)
        (folder / "metrics.jsonl").write_text("")
    conclude(folder, model, fitted, [], block.length, coverage)
    adapter.save(model_folder)


def tune(
    model: ExtendedLanguageModel,
    block: Extend,
    regions: pd.DataFrame,
    reference: Path,
    seed: int,
    folder: Path,
    checkpoint: Path,
) -> Fitted:
    """Tune an extended model on segments of the training regions."""
    from .loop.fit import fit  # seconds of imports, which an extension without tuning does not need

    adapter, training = model.adapter, block.training()
    if block.gradient_checkpointing:
        adapter.gradient_checkpointing_enable()
    make = partial(Segments, reference=Reference(reference), length=block.length)
    draw = sampler(**model.extension.settings)
    batches = partial(extended_batch, adapter=adapter, mask=block.mask, draw=draw, seed=seed)
    segments = make(regions[regions["split"] == "train"])
    held_out, evaluate = regions[regions["split"] == "validation"], None
    if len(held_out):
        items = ExampleList(make(spread(held_out, len(held_out))), 2 * block.batch)
        evaluate = LanguageEvaluation(DataLoader(items, batch_size=training.micro_batch, collate_fn=batches))
    draws = UpdateStream(segments, len(segments), block.steps * block.batch, seed, batch=block.batch)
    identity = {
        "extend": block.model_dump(mode="json"),
        "regions": table_digest(regions),
        "files": fingerprint([reference, checkpoint]),
    }
    return fit(model, draws, batches, training, block.steps, folder, seed, evaluate, identity)
