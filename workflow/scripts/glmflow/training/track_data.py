"""Examples of a track task: a window of sequence and the coverage over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from glmflow.genome.reference import Reference
from glmflow.models.adapter import Tokens
from glmflow.models.tokenizers import reverse_complement
from glmflow.tracks.reading import TrackReader

from .stream import Item
from .track_haplotypes import PersonalTracks


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
    people
        Reads a share of the training items from people's haplotypes.
    """

    def __init__(
        self,
        windows: pd.DataFrame,
        reference: Reference,
        tracks: TrackReader,
        length: int,
        swap: Sequence[int],
        reverse_complement: bool = False,
        people: PersonalTracks | None = None,
    ):
        self.chrom = windows["chrom"].to_numpy(dtype=object)
        self.start = windows["start"].to_numpy(dtype=np.int64)
        self.end = windows["end"].to_numpy(dtype=np.int64)
        self.reference, self.tracks, self.length = reference, tracks, length
        self.swap, self.reverse_complement, self.people = list(swap), reverse_complement, people

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
        person = self.people.draw(generator, chrom, start, end) if generator is not None and self.people else None
        if person is not None:
            sequence, targets, labelled = self.people.read(person, chrom, start, end, self.length, self.tracks)
        else:
            sequence, targets, labelled = self._reference(chrom, start, end)
        mask = labelled[None].astype(np.float32)
        if generator is not None and self.reverse_complement and generator.random() < 0.5:
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


def collate(items: Sequence[Item], tokenize: Callable[[list[str]], Tokens]) -> dict[str, Any]:
    """Stack items into a batch: the fields of `Tokens`, `targets` `[B, tracks, L]` and `mask` `[B, 1, L]`."""
    batch = tokenize([item["sequence"] for item in items])._asdict()
    for name in ("targets", "mask"):
        if name in items[0]:
            batch[name] = torch.from_numpy(np.stack([item[name] for item in items]))
    return batch
