"""Fit a model to a track task, from a run's settings to its model folder."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from safetensors.torch import load_file, save_file
from torch.utils.data import DataLoader

from glmflow.config.adaptations import Adaptation
from glmflow.config.tasks import RnaseqTracks
from glmflow.errors import InputError
from glmflow.files import atomic_path
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.people import read_people
from glmflow.genome.reference import Reference
from glmflow.genome.variants import open_store
from glmflow.models import load_model, lora, new_model
from glmflow.models.adapter import Adapter
from glmflow.tracks.reading import TrackReader

from .checkpoints import fingerprint, table_digest
from .cost import conclude
from .distributed import is_first
from .fit import checkpoints_of, fit, refuse_known_failure
from .losses import track_loss
from .stream import ExampleList, ExampleStream, spread
from .track_data import TrackExamples, collate, strand_swap
from .track_haplotypes import PersonalTracks
from .track_model import TrackEvaluation, TrackModel, new_head

log = logging.getLogger(__name__)

EVALUATION_WINDOWS = 64


def finetune(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    reference: Path,
    tracks: Mapping[str, Path],
    track_means: Mapping[str, float],
    checkpoint: Path | str | None,
    folder: Path,
    store: Path | str | None = None,
    samples: Path | str | None = None,
) -> None:
    """Train a model on the training windows of a track task and save it in `folder/model`.

    Parameters
    ----------
    settings
        Resolved settings of the run (`glmflow.config.run_settings`).
    examples
        Examples table with `chrom`, `start`, `end`, `split`.
    reference
        FASTA of the reference.
    tracks, track_means
        The averaged bigWig of each track and its mean over non-zero training bases.
    checkpoint
        Model folder to start from; None for a model from random weights.
    folder
        Run folder; gets `model/`, `metrics.jsonl`, `cost.json` and, while training, `checkpoints/`.
    store
        Variants of the people whose haplotypes are learned from, where the task says so.
    samples
        Table of those people (`read_people`); None for all of the store.

    Raises
    ------
    InputError
        The table of people cannot be used, or the model has no states of single bases.
    """
    task = RnaseqTracks.model_validate(settings["task"])
    adaptation = Adaptation.model_validate(settings["adaptation"])
    training, seed = adaptation.train, int(settings["seed"])
    windows = {split: table.reset_index(drop=True) for split, table in examples.groupby("split")}
    reader = TrackReader([tracks[name] for name in tracks])
    make = partial(TrackExamples, reference=Reference(reference), tracks=reader, swap=strand_swap(settings["tracks"]))
    length = training.crop or task.windows.size
    people = None
    if task.haplotypes:
        drawn = task.haplotypes
        haplotypes = HaplotypeReader(open_store(store), Reference(reference), drawn.variants)
        named = read_people(samples, haplotypes.store.samples)["sample"]
        people = PersonalTracks(haplotypes, drawn.share, drawn.inserted, set(named))
    train = make(windows["train"], length=length, reverse_complement=training.reverse_complement, people=people)
    updates = training.steps or max(1, round(training.epochs * len(train) / training.batch))
    identity = {
        "settings": dict(settings),
        "examples": table_digest(examples),
        "track_means": {name: float(track_means[name]) for name in tracks},
        "files": fingerprint([reference, *tracks.values(), *(path for path in (checkpoint, store) if path)]),
        **({"people": people.people} if samples and people else {}),
    }
    refuse_known_failure(checkpoints_of(folder, training, updates, seed, identity))  # before a model is loaded
    torch.manual_seed(seed)
    adapter = starting_model(settings["model"], checkpoint, seed, training.compute_dtype)
    coverage = adapt(adapter, adaptation)
    model = TrackModel(
        adapter,
        new_head(adaptation.head.kind, adapter.card.hidden_size, len(tracks)),
        [track_means[name] for name in tracks],
        squash=task.scaling.squash,
        soft_clip=task.scaling.soft_clip,
        loss=track_loss(task.loss, task.tweedie_power),
        frozen=adaptation.kind == "probe",
    )
    warnings = context_warning(adapter, task.windows.size)
    batches = partial(collate, tokenize=partial(adapter.tokenize, chunk=True))
    evaluate = None
    if "validation" in windows:
        held_out = spread(windows["validation"], EVALUATION_WINDOWS)
        items = ExampleList(make(held_out, length=length), len(held_out))
        evaluate = TrackEvaluation(DataLoader(items, batch_size=training.micro_batch, collate_fn=batches))
    fitted = fit(
        model,
        ExampleStream(train, len(train), updates * training.batch, seed),
        batches,
        training,
        updates,
        folder,
        seed,
        evaluate,
        identity,
    )
    if not is_first():
        return
    conclude(folder, model, fitted, warnings, task.windows.size, coverage)
    save_track_model(model, settings, track_means, folder / "model")


def starting_model(
    model: Mapping[str, Any], checkpoint: Path | str | None, seed: int, compute_dtype: str | None = None
) -> Adapter:
    """Return the adapter a run starts from, in float32: a checkpoint, or random weights.

    `compute_dtype` is the type of training under autocast, which flash-attention 2 goes by.
    """
    if checkpoint is not None:
        adapter = load_model(checkpoint, compute_dtype=compute_dtype)
    elif "new" in model:
        family, config = model["new"]["family"], model["new"].get("config", {})
        adapter = new_model(family, config, seed=seed, compute_dtype=compute_dtype)
    else:
        raise InputError("the model has no checkpoint to start from", where="models")
    if not adapter.card.can("per_base_states"):
        raise InputError(
            f"{adapter.card.family} gives no states per base: {adapter.card.cannot['per_base_states']}",
            where="models",
        )
    return adapter


def adapt(adapter: Adapter, adaptation: Adaptation) -> lora.Coverage | None:
    """Make a model ready to be trained as an adaptation says; return what LoRA trains, None without it."""
    coverage = None
    if adaptation.kind == "lora":
        coverage = lora.apply_lora(adapter, **adaptation.lora)
        log.info("LoRA: %s", coverage)
    if adaptation.train.gradient_checkpointing:
        adapter.gradient_checkpointing_enable()
    return coverage


def context_warning(adapter: Adapter, length: int) -> list[str]:
    """Say where a model has to read windows in overlapping chunks."""
    if adapter.card.context_bp is None or length <= adapter.card.context_bp:
        return []
    line = (
        f"windows of {length} bp are read in overlapping chunks of {adapter.card.context_bp} bp, "
        f"the context of {adapter.card.family}"
    )
    log.warning(line)
    return [line]


def save_track_model(
    model: TrackModel, settings: Mapping[str, Any], track_means: Mapping[str, float], folder: Path
) -> None:
    """Write the tuned backbone, the head and what is needed to predict with them again."""
    with atomic_path(folder) as temporary:
        model.adapter.save(temporary)
        save_file(
            {name: value.detach().cpu().contiguous() for name, value in model.head.state_dict().items()},
            temporary / "head.safetensors",
        )
        (temporary / "task.json").write_text(
            json.dumps({"settings": settings, "track_means": dict(track_means)}, indent=2) + "\n"
        )


def load_track_model(folder: Path) -> tuple[TrackModel, dict[str, Any]]:
    """Load what `save_track_model` wrote, in evaluation mode, with the settings of its run."""
    stored = json.loads((folder / "task.json").read_text())
    settings, means = stored["settings"], stored["track_means"]
    task = RnaseqTracks.model_validate(settings["task"])
    adaptation = Adaptation.model_validate(settings["adaptation"])
    adapter = load_model(folder)
    names = list(settings["tracks"])
    head = new_head(adaptation.head.kind, adapter.card.hidden_size, len(names))
    head.load_state_dict(load_file(folder / "head.safetensors"))
    model = TrackModel(
        adapter,
        head,
        [means[name] for name in names],
        squash=task.scaling.squash,
        soft_clip=task.scaling.soft_clip,
        loss=track_loss(task.loss, task.tweedie_power),
        frozen=True,
    )
    return model.eval(), settings
