"""Fit a baseline to a task and write its predictions as any model's are written."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glmflow.config.models import Baseline
from glmflow.files import atomic_path
from glmflow.genome.reference import Reference
from glmflow.tracks.predictions import write_windows
from glmflow.tracks.reading import TrackReader
from glmflow.training.cost import peak_memory_mb
from glmflow.training.predict import write_prediction_means

from .tracks import Predict, kmer_ridge_bins, kmer_ridge_promoter, mean_track


def run_track_baseline(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    regions: pd.DataFrame,
    reference: str,
    tracks: Mapping[str, str],
    genes: pd.DataFrame,
    exons: pd.DataFrame,
    folder: Path,
) -> None:
    """Fit a baseline on the training windows and write `{track}.bw`, `predictions.parquet` and `cost.json`.

    Parameters
    ----------
    settings
        Resolved settings of the run.
    examples, regions
        Examples table, and the regions every split owns.
    tracks
        Averaged bigWig of each track.
    genes, exons
        Tables of the annotation.
    """
    baseline = Baseline.model_validate(settings["model"]["baseline"])
    genome, reader = Reference(reference), TrackReader(list(tracks.values()))
    started = time.monotonic()
    training = regions[regions["split"] == "train"]
    predict = fit_baseline(baseline, settings, training, genome, reader, genes, exons)
    fitted = time.monotonic()
    windows = examples[examples["split"] != "train"].reset_index(drop=True)
    means = []

    def predictions():
        for window in windows.itertuples(index=False):
            predicted = predict(window.chrom, window.start, window.end)
            means.append(predicted.mean(axis=1))
            yield window.chrom, window.start, window.end, predicted

    paths = [folder / f"{name}.bw" for name in tracks]
    write_windows(predictions(), paths, genome.contigs, trim=settings["task"]["trim"])
    write_prediction_means(windows, np.array(means), list(tracks), folder / "predictions.parquet")
    cost = {
        "train_seconds": round(fitted - started, 1),
        "predict_seconds": round(time.monotonic() - fitted, 1),
        "peak_memory_mb": round(peak_memory_mb(), 1),
        "device": "CPU",
        "warnings": [],
    }
    with atomic_path(folder / "cost.json") as temporary:
        temporary.write_text(json.dumps(cost, indent=2) + "\n")


def fit_baseline(
    baseline: Baseline,
    settings: Mapping[str, Any],
    training: pd.DataFrame,
    genome: Reference,
    tracks: TrackReader,
    genes: pd.DataFrame,
    exons: pd.DataFrame,
) -> Predict:
    """Fit the baseline that the configuration names."""
    match baseline.kind:
        case "mean_track":
            return mean_track(training, tracks)
        case "kmer_ridge_bins":
            return kmer_ridge_bins(training, genome, tracks, baseline.k, baseline.bin, baseline.alpha)
        case "kmer_ridge_promoter":
            inside = [
                bool(
                    (
                        (training["chrom"] == gene.chrom)
                        & (training["start"] <= gene.start)
                        & (gene.end <= training["end"])
                    ).any()
                )
                for gene in genes.itertuples(index=False)
            ]
            return kmer_ridge_promoter(
                *(genes, exons, inside, genome, tracks, settings["tracks"]),
                baseline.k,
                baseline.bin,
                baseline.alpha,
            )
