"""Self-supervised training of a model on a genome or a corpus: the next base, or masked bases."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from glmflow.config.models import Pretrain
from glmflow.models import new_model

from .chance import chance_loss
from .cost import write_cost
from .language_loss import MASKED_AS, LanguageEvaluation, LanguageModel, language_batch
from .loop.distributed import is_first
from .loop.fit import fit
from .pretraining_source import Source
from .stream import ExampleList, ExampleStream


def pretrain(
    settings: Mapping[str, Any],
    source: Source,
    seed: int,
    folder: Path,
    model_folder: Path,
) -> None:
    """Pretrain a model on what a source says is for training, and save it in `model_folder`.

    Parameters
    ----------
    settings
        The `pretrain` block of a model.
    folder
        Gets `metrics.jsonl`, `cost.json` (with what chance loses) and, while training, `checkpoints/`.
    """
    block = Pretrain.model_validate(settings)
    torch.manual_seed(seed)
    adapter = new_model(block.family, block.config, seed=seed)
    training = block.training()
    batches = partial(language_batch, adapter=adapter, mask=block.mask)
    segments, held_out = source.training(block.length), source.held_out(block.length)
    evaluate = None
    if held_out is not None:
        items = ExampleList(held_out, 4 * block.batch)
        evaluate = LanguageEvaluation(DataLoader(items, batch_size=block.batch, collate_fn=batches))
    draws = ExampleStream(segments, len(segments), block.steps * block.batch, seed)
    model = LanguageModel(adapter)
    identity = {"settings": block.model_dump(mode="json"), **source.identity()}
    fitted = fit(model, draws, batches, training, block.steps, folder, seed, evaluate, identity)
    if not is_first():
        return
    adapter.origin |= source.provenance()
    adapter.save(model_folder)
    chance = chance_loss(source.composition(), None if adapter.card.objective == "causal" else MASKED_AS)
    write_cost(folder / "cost.json", model, fitted, list(fitted.warnings), chance=chance)
