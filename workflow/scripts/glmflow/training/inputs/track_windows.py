"""Input `track_windows`: a window of sequence, and the coverage over it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from glmflow.bases import reverse_complement
from glmflow.files import read_table
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.people import read_people
from glmflow.genome.reference import Reference
from glmflow.genome.variants import open_store
from glmflow.models.interface import Tokens
from glmflow.tasks.tables import window_means
from glmflow.tracks.predictions import write_windows
from glmflow.tracks.reading import TrackReader

from ..parts import Parts
from ..ready import Predictor, Ready
from ..stream import Item, other_strand_drawn, spread
from ..tuned import RunBlocks, Tuned
from .carried_haplotypes import CarriedTracks

log = logging.getLogger(__name__)

EVALUATION_WINDOWS = 64
"""Validation windows that are looked at during training, at most."""


class TrackExamples:
    """Makes the item of a window: its sequence (`uint8 [L]`) and raw coverage (`float32 [T, L]`).

    Parameters
    ----------
    windows
        Table with `chrom`, `start`, `end`.
    length
        Bases of an item. Longer windows are cropped at random while training; shorter ones are padded with N.
    swap
        For each track the track that takes its place on the reverse strand (`[T]`); itself where unstranded.
    reverse_complement
        Turn half of the training items around.
    carried
        Reads a share of the training items from the haplotypes of samples.
    """

    def __init__(
        self,
        windows: pd.DataFrame,
        reference: Reference,
        tracks: TrackReader,
        length: int,
        swap: Sequence[int],
        reverse_complement: bool = False,
        carried: CarriedTracks | None = None,
    ):
        self.chrom = windows["chrom"].to_numpy(dtype=object)
        self.start = windows["start"].to_numpy(dtype=np.int64)
        self.end = windows["end"].to_numpy(dtype=np.int64)
        self.reference, self.tracks, self.length = reference, tracks, length
        self.swap, self.reverse_complement, self.carried = list(swap), reverse_complement, carried

    def __len__(self) -> int:
        return len(self.chrom)

    def describe(self, index: int) -> str:
        """Return the place of a window."""
        return f"{self.chrom[index]}:{self.start[index]}-{self.end[index]}"

    def __call__(self, index: int, generator: np.random.Generator | None) -> Item:
        """Return the item of window `index`; without a generator it is the window as it is."""
        chrom, start, end = self.chrom[index], int(self.start[index]), int(self.end[index])
        if generator is not None and end - start > self.length:
            start += int(generator.integers(0, end - start - self.length + 1))
        drawn = self.carried.draw(generator, chrom, start, end) if generator is not None and self.carried else None
        if drawn is not None:
            sequence, targets, labelled = self.carried.read(drawn, chrom, start, end, self.length, self.tracks)
        else:
            sequence, targets, labelled = self._reference(chrom, start, end)
        mask = labelled[None].astype(np.float32)
        if other_strand_drawn(generator, self.reverse_complement):
            sequence = reverse_complement(sequence)
            targets, mask = targets[self.swap, ::-1].copy(), mask[:, ::-1].copy()
        return {"sequence": sequence.tobytes().decode("ascii"), "targets": targets, "mask": mask}

    def _reference(self, chrom: str, start: int, end: int) -> tuple[NDArray, NDArray, NDArray]:
        """Return sequence, targets, and which bases are labelled."""
        covered = min(end - start, self.length)
        sequence = self.reference.fetch(chrom, start, start + self.length).copy()
        sequence[covered:] = ord("N")
        targets = np.zeros((len(self.swap), self.length), dtype=np.float32)
        targets[:, :covered] = self.tracks.read(chrom, start, start + covered)
        return sequence, targets, np.arange(self.length) < covered


def strand_swap(tracks: dict[str, dict[str, str]]) -> list[int]:
    """Return for each track the index of the same biosample's track on the other strand (itself where there is none)."""
    names = list(tracks)
    opposite = {"+": "-", "-": "+", ".": "."}
    swap = []
    for index, name in enumerate(names):
        track = tracks[name]
        partner = [
            other
            for other, item in enumerate(tracks.values())
            if item["biosample"] == track["biosample"] and item["strand"] == opposite[track["strand"]]
        ]
        swap.append(partner[0] if partner else index)
    return swap


def collate(items: Sequence[Item], tokenize: Callable[[list[str]], Tokens], kept: Any = None) -> dict[str, Any]:
    """Stack items into a batch: the fields of `Tokens`, `targets` `[B, tracks, L]` and `mask` `[B, 1, L]`."""
    batch = tokenize([item["sequence"] for item in items])._asdict()
    for name in ("targets", "mask"):
        if name in items[0]:
            batch[name] = torch.from_numpy(np.stack([item[name] for item in items]))
    return batch


def ready(run: RunBlocks, examples: pd.DataFrame, files: Mapping[str, Any]) -> Ready:
    """Return the training and validation windows of a run.

    Parameters
    ----------
    examples
        `chrom`, `start`, `end`, `split`.
    files
        `fasta`, `tracks` (in the order of the run's), `statistics` of the tracks, and where haplotypes of samples are
        learned from their variant `store` and, where given, the table `samples`.

    Raises
    ------
    InputError
        The table of samples cannot be used.
    """
    task, training = run.task, run.adaptation.train
    tracks = dict(zip(run.settings["tracks"], files["tracks"]))
    means = read_table(files["statistics"]).set_index("track")["track_mean"]
    windows = {split: table.reset_index(drop=True) for split, table in examples.groupby("split")}
    genome = Reference(files["fasta"])
    reader = TrackReader(list(tracks.values()))
    make = partial(TrackExamples, reference=genome, tracks=reader, swap=strand_swap(run.settings["tracks"]))
    length = training.crop or task.windows.size
    carried, identity = None, {}
    if task.haplotypes:
        drawn = task.haplotypes
        haplotypes = HaplotypeReader(open_store(files["store"]), Reference(files["fasta"]), drawn.variants)
        named = read_people(files.get("samples") or None, haplotypes.store.samples)["sample"]
        carried = CarriedTracks(haplotypes, drawn.share, drawn.inserted, set(named))
        identity = {"samples": carried.samples} if files.get("samples") else {}
    train = make(windows["train"], length=length, reverse_complement=training.reverse_complement, carried=carried)
    validation = None
    if "validation" in windows:
        validation = make(spread(windows["validation"], EVALUATION_WINDOWS), length=length)
    return Ready(
        train=train,
        validation=validation,
        collate=collate,
        fitted={"track_means": {name: float(means[name]) for name in tracks}},
        length=task.windows.size,
        files=[files["fasta"], *tracks.values(), *([files["store"]] if task.haplotypes else [])],
        identity=identity,
    )


def predict(
    predictor: Predictor, examples: pd.DataFrame, files: Mapping[str, Any], parts: Parts, folder: Path
) -> pd.DataFrame:
    """Write the predicted tracks of all held-out windows, `{track}.bw`, and return their means over each window.

    Overlapping windows are averaged per base, without the bases near a window's ends that the task does not score. A
    model that was trained on both strands is read on both, and its two predictions are averaged.
    """
    run, model = predictor.run, predictor.model
    task, training = run.task, run.adaptation.train
    tracks, batch = run.settings["tracks"], max(1, training.micro_batch)
    genome = Reference(files["fasta"])
    windows = examples[examples["split"] != "train"].reset_index(drop=True)
    swap = strand_swap(tracks) if training.reverse_complement else None
    means = []

    def predictions() -> Iterator[tuple[str, int, int, NDArray[np.float32]]]:
        for first in range(0, len(windows), batch):
            part = windows.iloc[first : first + batch]
            predicted = parts.array(first, partial(predict_windows, model, genome, part, swap))
            means.append(predicted.mean(axis=2))
            yield from zip(part["chrom"], part["start"], part["end"], predicted)
            log.info("predicted %d of %d windows", first + len(part), len(windows))

    write_windows(predictions(), [folder / f"{name}.bw" for name in tracks], genome.contigs, trim=task.trim)
    return window_means(windows, np.concatenate(means), list(tracks))


def predict_windows(
    model: Tuned, genome: Reference, windows: pd.DataFrame, swap: list[int] | None
) -> NDArray[np.float32]:
    """Predict windows of one length, `[n, T, L]` in the units of the tracks.

    With `swap` (the track that stands for each track on the other strand) the mean of both strands is returned.
    """
    codes = [genome.fetch(window.chrom, window.start, window.end) for window in windows.itertuples(index=False)]
    return predict_codes(model, codes, swap)


def predict_codes(model: Tuned, codes: Sequence[NDArray[np.uint8]], swap: list[int] | None) -> NDArray[np.float32]:
    """Predict sequences of one length (ASCII codes), `[n, T, L]` in the units of the tracks; `swap` as above."""
    predicted = _coverage(model, codes)
    if swap is not None:
        turned = _coverage(model, [reverse_complement(code) for code in codes])
        predicted = (predicted + turned[:, swap, ::-1]) / 2
    return predicted


def _coverage(model: Tuned, codes: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """Run the model on sequences without gradients."""
    tokens = model.adapter.tokenize(codes, chunk=True).to(model.device)
    with torch.inference_mode():
        return model.target.coverage(model(**tokens._asdict())["predictions"].float()).cpu().numpy()
