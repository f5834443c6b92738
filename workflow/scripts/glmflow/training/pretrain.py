"""Self-supervised training of a small model on the training contigs: the next base, or masked bases."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch.utils.data import DataLoader

from glmflow.config.models import Pretrain
from glmflow.genome.reference import Reference
from glmflow.models import new_model

from .chance import base_composition, chance_loss
from .checkpoints import fingerprint, table_digest
from .cost import write_cost
from .distributed import is_first
from .fit import fit
from .language import MASKED_AS, LanguageEvaluation, LanguageModel, Segments, language_batch
from .stream import ExampleList, ExampleStream, spread


def pretrain(
    settings: Mapping[str, Any],
    regions: pd.DataFrame,
    reference: Path,
    seed: int,
    folder: Path,
    model_folder: Path,
) -> None:
    """Pretrain a small model on the training regions and save it in `model_folder`.

    Parameters
    ----------
    settings
        The `pretrain` block of a model.
    regions
        Table with `chrom`, `start`, `end`, `split`: the regions every split owns. Only `train` is learned from.
    folder
        Gets `metrics.jsonl`, `cost.json` (with what chance loses) and, while training, `checkpoints/`.
    """
    block = Pretrain.model_validate(settings)
    torch.manual_seed(seed)
    adapter = new_model(block.family, block.config, seed=seed)
    training = block.training()
    make = partial(Segments, reference=Reference(reference), length=block.length)
    batches = partial(language_batch, adapter=adapter, mask=block.mask)
    learned = regions[regions["split"] == "train"]
    segments = make(learned)
    evaluate = None
    held_out = regions[regions["split"] == "validation"]
    if len(held_out):
        items = ExampleList(make(spread(held_out, len(held_out))), 4 * block.batch)
        evaluate = LanguageEvaluation(DataLoader(items, batch_size=block.batch, collate_fn=batches))
    draws = ExampleStream(segments, len(segments), block.steps * block.batch, seed)
    model = LanguageModel(adapter)
    identity = {
        "settings": block.model_dump(mode="json"),
        "regions": table_digest(regions),
        "files": fingerprint([reference]),
    }
    fitted = fit(model, draws, batches, training, block.steps, folder, seed, evaluate, identity)
    if not is_first():
        return
    adapter.save(model_folder)
    composition = base_composition(learned, Reference(reference))
    chance = chance_loss(composition, None if adapter.card.objective == "causal" else MASKED_AS)
    write_cost(folder / "cost.json", model, fitted, list(fitted.warnings), chance=chance)
