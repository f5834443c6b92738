"""Self-supervised training of a model on a genome or a corpus: the next base, or masked bases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from glmflow.config.models import Pretrain
from glmflow.errors import InputError
from glmflow.models import new_model
from glmflow.models.adapter import Adapter
from glmflow.models.masked_diffusion import DIFFUSION

from .chance import chance_loss
from .cost import write_cost
from .language_loss import MASKED_AS, LanguageEvaluation, LanguageModel, language_batch
from .loop.distributed import is_first
from .loop.fit import fit
from .pretraining_source import Source
from .stream import ExampleList, ExampleStream
from .weighted_language import diffusion_batch, weighted_batch


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
    batches, evaluated = batches_of(block, adapter)
    segments, held_out = source.training(block.length), source.held_out(block.length)
    evaluate = None
    if held_out is not None:
        items = ExampleList(held_out, 4 * block.batch)
        evaluate = LanguageEvaluation(DataLoader(items, batch_size=block.batch, collate_fn=evaluated))
    draws = ExampleStream(segments, len(segments), block.steps * block.batch, seed)
    model = LanguageModel(adapter)
    identity = {"settings": block.model_dump(mode="json"), **source.identity()}
    fitted = fit(model, draws, batches, training, block.steps, folder, seed, evaluate, identity)
    if not is_first():
        return
    adapter.origin |= source.provenance() | {"objective": objective_of(block, adapter)}
    adapter.save(model_folder)
    chance = chance_loss(source.composition(), MASKED_AS if objective_of(block, adapter) == "masked" else None)
    write_cost(folder / "cost.json", model, fitted, list(fitted.warnings), chance=chance)


def objective_of(block: Pretrain, adapter: Adapter) -> str:
    """Return what a model is trained for: `next`, `masked` or `masked_diffusion`.

    Raises
    ------
    InputError
        The family cannot be trained so.
    """
    own = "next" if adapter.card.objective == "causal" else "masked"
    asked = block.objective or own
    if (asked == "next") != (own == "next"):
        fix = "Leave `objective` out, or take a family (or `config: {causal: ...}`) that reads so."
        raise InputError(f"a model that is {adapter.card.objective} cannot learn objective {asked}", fix=fix)
    if asked == DIFFUSION and (adapter.tokenizer.mask_id is None or adapter.card.bases_per_token != 1):
        raise InputError("masked diffusion needs single bases and a mask", fix="Take a family with a token a base.")
    return asked


def batches_of(block: Pretrain, adapter: Adapter) -> tuple[Callable, Callable]:
    """Return what makes items into batches, for training and for evaluation: there every base counts alike."""
    if objective_of(block, adapter) == DIFFUSION:
        return partial(diffusion_batch, adapter=adapter, softmask_weight=block.softmask_weight), partial(
            diffusion_batch, adapter=adapter
        )
    plain = partial(language_batch, adapter=adapter, mask=block.mask)
    if block.softmask_weight == 1:
        return plain, plain
    return partial(weighted_batch, adapter=adapter, mask=block.mask, softmask_weight=block.softmask_weight), plain
