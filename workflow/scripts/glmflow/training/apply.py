"""A tuned track model on sequences it has not seen: a genome, parts of it, a person's haplotypes, or variants."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml
from numpy.typing import NDArray

from glmflow.config.adaptations import Adaptation
from glmflow.errors import InputError
from glmflow.files import atomic_path, write_table
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.intervals import Interval
from glmflow.genome.reference import Reference
from glmflow.genome.windows import tile
from glmflow.tracks.predictions import write_windows

from .annotated_vcf import Field, annotate, field_name, is_plain
from .finetune import load_track_model
from .predict import predict_codes
from .track_data import strand_swap
from .track_model import TrackModel

log = logging.getLogger(__name__)

N = ord("N")
PSEUDOCOUNT = 0.01  # of a track's mean over its non-zero bases: keeps ratios of silent windows near zero

Predict = Callable[[str, int, int], NDArray[np.float32]]
"""Coverage `[T, end - start]` of a stretch of the reference, in reference coordinates."""


@dataclass(frozen=True)
class Tuned:
    """A tuned model and what of its run is needed to apply it.

    Attributes
    ----------
    model
        The model, in evaluation mode.
    tracks
        Names of the tracks it predicts.
    means
        Mean of each track over its non-zero training bases.
    size, overlap, trim
        Windows of the task it was tuned for, in bp: length, bases shared by neighbours, bases not used at both ends.
    swap
        Track that stands for each track on the other strand, where the model was trained on both strands.
    """

    model: TrackModel
    tracks: list[str]
    means: NDArray[np.float32]
    size: int
    overlap: int
    trim: int
    swap: list[int] | None

    def coverage(self, codes: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Predict sequences of one length, `[n, T, L]` in the unit of the tracks."""
        return predict_codes(self.model, codes, self.swap)


def model_of(folder: Path) -> tuple[Path, str]:
    """Return the model folder of a run, given it or the run's own folder, and the kind of the task it was tuned to.

    Raises
    ------
    InputError
        There is no model that was tuned to a task.
    """
    if _of_baseline(folder) or (folder.name == "model" and _of_baseline(folder.parent)):
        mend = "Give a run of a model that was trained (full, lora or probe)."
        raise InputError("a baseline's run: baselines leave no model to apply", where=folder, mend=mend)
    folder = folder / "model" if (folder / "model").is_dir() else folder
    record = folder / "task.json"
    if not record.exists():
        mend = "Give the folder `model` of a run (results/STUDY/runs/TASK/MODEL/ADAPTATION/seedN/model)."
        raise InputError("no task.json: not the model of a run", where=folder, mend=mend)
    return folder, json.loads(record.read_text())["settings"]["task"]["kind"]


def _of_baseline(run: Path) -> bool:
    """Whether a folder is the run of a baseline, by its record."""
    record = run / "run.yaml"
    return record.is_file() and "baseline" in (yaml.safe_load(record.read_text()).get("model") or {})


def load_tuned(folder: Path) -> Tuned:
    """Load the model folder of a run of a track task."""
    model, settings = load_track_model(folder)
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    both = Adaptation.model_validate(settings["adaptation"]).train.reverse_complement
    task = settings["task"]
    return Tuned(
        model,
        list(settings["tracks"]),
        model.track_means[:, 0].cpu().numpy(),
        task["windows"]["size"],
        task["windows"]["overlap"],
        task["trim"],
        strand_swap(settings["tracks"]) if both else None,
    )


def on_reference(tuned: Tuned, genome: Reference) -> Predict:
    """Predict the reference itself."""
    return lambda chrom, start, end: tuned.coverage([genome.fetch(chrom, start, end)])[0]


def on_haplotypes(tuned: Tuned, reader: HaplotypeReader, sample: str, haplotypes: Sequence[int]) -> Predict:
    """Predict a person's haplotypes in reference coordinates, their mean where there are several.

    Inserted bases have no place in the reference and are left out; deleted bases have no coverage. A contig without
    variants is the reference.
    """
    genome = reader.reference

    def predict(chrom: str, start: int, end: int) -> NDArray[np.float32]:
        if chrom not in reader.store.contigs:
            return tuned.coverage([genome.fetch(chrom, start, end)])[0]
        left, right = max(start, 0), min(end, genome.contigs[chrom])
        total = np.zeros((len(tuned.tracks), end - start), np.float32)
        for haplotype in haplotypes:
            window = reader.region(sample, haplotype, chrom, left, right)
            before, after = np.full(left - start, N, np.uint8), np.full(end - right, N, np.uint8)
            predicted = tuned.coverage([np.concatenate([before, window.sequence, after])])[0]
            predicted = predicted[:, len(before) : len(before) + len(window.sequence)]
            placed = window.position >= 0
            total[:, window.position[placed] - start] += predicted[:, placed]
        return total / len(haplotypes)

    return predict


def windows_over(intervals: Sequence[Interval], tuned: Tuned) -> list[tuple[str, int, int]]:
    """Return windows of the model's length whose bases that count cover all intervals, in the order of the intervals.

    They reach past the ends of a contig (into N) by what is not used at their ends, so that every base is covered.
    """
    found: dict[tuple[str, int, int], None] = {}
    for chrom, start, end, _ in intervals:
        first, last = start - tuned.trim, end + tuned.trim
        short = max(0, tuned.size - (last - first))
        first -= short // 2
        for offset in tile(max(last - first, tuned.size), tuned.size, tuned.overlap):
            found[chrom, first + int(offset), first + int(offset) + tuned.size] = None
    return list(found)


def write_tracks(
    tuned: Tuned, predict: Predict, intervals: Sequence[Interval], contigs: Mapping[str, int], folder: Path
) -> None:
    """Write one bigWig a track into a folder; where windows overlap, their mean."""
    order = {chrom: place for place, chrom in enumerate(contigs)}
    windows = sorted(windows_over(intervals, tuned), key=lambda window: (order[window[0]], window[1]))

    def predictions() -> Iterator[tuple[str, int, int, NDArray[np.float32]]]:
        for done, (chrom, start, end) in enumerate(windows, start=1):
            yield chrom, start, end, predict(chrom, start, end)
            log.info("predicted %d of %d windows", done, len(windows))

    with atomic_path(folder) as temporary:
        temporary.mkdir()
        write_windows(predictions(), [temporary / f"{name}.bw" for name in tuned.tracks], contigs, trim=tuned.trim)


def interval_means(tuned: Tuned, predict: Predict, intervals: Sequence[Interval]) -> pd.DataFrame:
    """Return the mean predicted coverage of each interval, `prediction_{track}`, one row an interval."""
    rows = []
    for done, (chrom, start, end, name) in enumerate(intervals, start=1):
        total, count = np.zeros((len(tuned.tracks), end - start)), np.zeros(end - start)
        for _, first, last in windows_over([(chrom, start, end, name)], tuned):
            used = slice(max(first + tuned.trim, start), min(last - tuned.trim, end))
            if used.start < used.stop:
                predicted = predict(chrom, first, last)[:, used.start - first : used.stop - first]
                total[:, used.start - start : used.stop - start] += predicted
                count[used.start - start : used.stop - start] += 1
        means = (total / count).mean(1)
        rows.append([chrom, start, end, name, *means])
        log.info("predicted %d of %d intervals", done, len(intervals))
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "name", *(f"prediction_{n}" for n in tuned.tracks)])


def annotate_variants(tuned: Tuned, genome: Reference, vcf: Path, output: Path) -> dict[str, int]:
    """Write a VCF with what each alternative allele does to the predicted coverage around it.

    For each track the field `GLM_{track}` (one value an alternative allele) is the log2 ratio of the mean coverage that
    is predicted for a window with the alternative allele in its middle, over that with the reference allele; both
    have `PSEUDOCOUNT` of the track's mean added. Alleles that are not written in A, C, G and T get no value.

    Returns
    -------
    Alleles that were `scored` and `skipped`.

    Raises
    ------
    InputError
        The file cannot be read, names a contig that the genome lacks, or a reference allele that is not the genome's.
    """
    counts = {"scored": 0, "skipped": 0}
    floor = PSEUDOCOUNT * tuned.means
    what = "log2 ratio of predicted mean coverage of {}, alternative over reference allele, {} bp window"
    fields = [Field(field_name(name), "Float", what.format(name, tuned.size)) for name in tuned.tracks]

    def values(record: Any) -> dict[str, list[str | None]]:
        effects = []
        for allele in record.alts or ():
            plain = is_plain(record, allele)
            counts["scored" if plain else "skipped"] += 1
            effects.append(_effect(tuned, genome, record, allele, floor) if plain else None)
        if all(effect is None for effect in effects):
            return {}
        return {
            field.name: [None if effect is None else f"{effect[track]:.5g}" for effect in effects]
            for track, field in enumerate(fields)
        }

    annotate(vcf, genome, output, fields, values)
    return counts


def _effect(
    tuned: Tuned, genome: Reference, record: Any, allele: str, floor: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Log2 ratio of mean coverage, `[T]`; both sequences are of the model's length and begin at the same base."""
    start = record.start - tuned.size // 2
    before = genome.fetch(record.chrom, start, record.start)
    after = genome.fetch(record.chrom, record.stop, record.stop + tuned.size)
    codes = [
        np.concatenate([before, np.frombuffer(text.upper().encode(), np.uint8), after])[: tuned.size]
        for text in (record.ref, allele)
    ]
    used = slice(tuned.trim, tuned.size - tuned.trim)
    reference, alternative = tuned.coverage(codes)[:, :, used].mean(-1)
    return np.log2((alternative + floor) / (reference + floor))


def write_means(table: pd.DataFrame, path: Path) -> None:
    """Write the means of intervals as parquet."""
    write_table(table, path)
