"""Baselines of kind `rnaseq_tracks`: fitted on the training regions, predicted as any model's tracks are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from glmflow.files import read_table
from glmflow.genome.reference import Reference
from glmflow.tasks.rnaseq_tracks.labelled_part import labelled_part
from glmflow.tasks.tables import window_means
from glmflow.tracks.predictions import write_windows
from glmflow.tracks.reading import TrackReader

from .coverage_ridge import Predict, kmer_ridge_bins, kmer_ridge_promoter, mean_track
from .fitting_data import Apply, FittingData
from .nearest_training import TrackLookup, nearest_windows


class CoverageData:
    """What coverage baselines are fitted on, opened once."""

    def __init__(self, data: FittingData):
        regions = read_table(data.files["regions"])
        self.settings = data.settings["tracks"]
        self.training = labelled_part(regions[regions["split"] == "train"], data.settings["task"].get("labelled"))
        self.genome = Reference(data.files["fasta"])
        self.tracks = TrackReader(list(data.files["tracks"]))
        self.genes, self.exons = read_table(data.files["genes"]), read_table(data.files["exons"])

    def in_training(self) -> list[bool]:
        """Return which genes lie whole in a training region."""
        regions = self.training
        return [
            bool(
                (
                    (regions["chrom"] == gene.chrom) & (regions["start"] <= gene.start) & (gene.end <= regions["end"])
                ).any()
            )
            for gene in self.genes.itertuples(index=False)
        ]


def of_coverage(fit: Callable[[FittingData, CoverageData], Predict]) -> Callable[[FittingData], Apply]:
    """Return a fit whose predictions over any region are written as tracks."""

    def fitted(data: FittingData) -> Apply:
        opened = CoverageData(data)
        predict = fit(data, opened)
        return lambda folder: write_tracks(data, opened.genome, predict, folder)

    return fitted


def write_tracks(data: FittingData, genome: Reference, predict: Predict, folder: Path) -> pd.DataFrame:
    """Write the tracks over all held-out windows; return their means over each window."""
    windows = data.examples[data.examples["split"] != "train"].reset_index(drop=True)
    tracks = list(data.settings["tracks"])
    means = []

    def predictions():
        for window in windows.itertuples(index=False):
            predicted = predict(window.chrom, window.start, window.end)
            means.append(predicted.mean(axis=1))
            yield window.chrom, window.start, window.end, predicted

    paths = [folder / f"{name}.bw" for name in tracks]
    write_windows(predictions(), paths, genome.contigs, trim=data.settings["task"]["trim"])
    return window_means(windows, np.array(means), tracks)


def fit_bins(data: FittingData, opened: CoverageData) -> Predict:
    """Fit k-mers of bins and their neighbours."""
    block = data.baseline
    return kmer_ridge_bins(opened.training, opened.genome, opened.tracks, block.k, block.bin, block.alpha)


def fit_promoters(data: FittingData, opened: CoverageData) -> Predict:
    """Fit k-mers before annotated transcription starts."""
    block, inside = data.baseline, opened.in_training()
    return kmer_ridge_promoter(
        *(opened.genes, opened.exons, inside, opened.genome, opened.tracks, opened.settings),
        *(block.k, block.bin, block.alpha),
    )


def fit_lookup(data: FittingData, opened: CoverageData) -> Predict:
    """Find the training window that each held-out window is most like."""
    training = data.examples[data.examples["split"] == "train"].reset_index(drop=True)
    held_out = data.examples[data.examples["split"] != "train"]
    like = nearest_windows(opened.genome.fetch, training, held_out, data.baseline.share, data.cores)
    tracks = list(opened.settings.values())
    elsewhere = mean_track(opened.training, opened.tracks)
    return TrackLookup(like, training, opened.genome, opened.tracks.read, opened.training, tracks, elsewhere)


FITS = {
    "mean_track": of_coverage(lambda data, opened: mean_track(opened.training, opened.tracks)),
    "nearest_training": of_coverage(fit_lookup),
    "kmer_ridge_bins": of_coverage(fit_bins),
    "kmer_ridge_promoter": of_coverage(fit_promoters),
}
