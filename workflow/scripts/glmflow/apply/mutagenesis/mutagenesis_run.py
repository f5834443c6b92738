"""A run of `glmflow mutagenesis`, in parts that a killed run resumes from."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.apply.sequence_logo import BASES, information
from glmflow.apply.variants.variant_sources import union
from glmflow.apply.variants.variants_run import Named, model_hash, named_models, open_model
from glmflow.effects.likelihood_model import LikelihoodModel
from glmflow.effects.pass_plan import timed
from glmflow.effects.score_catalogue import SCORES, asked
from glmflow.effects.score_runs import part_size
from glmflow.effects.scored_edits import Settings
from glmflow.errors import InputError
from glmflow.files import write_table
from glmflow.genome.annotation import Annotation, read_annotation
from glmflow.genome.gene_starts import read_gene_starts
from glmflow.genome.intervals import read_intervals
from glmflow.genome.reference import Reference
from glmflow.training.parts import Parts

from .base_effects import BaseEffects, base_effects
from .mutagenesis_outputs import Region, draw_region, hot_spots, mean_effect, table_of, write_track

log = logging.getLogger(__name__)

LONGEST = 4000
"""Bases of the longest interval that is drawn."""


def run(arguments: argparse.Namespace) -> None:
    """Compute and write the mutagenesis with each model."""
    genome = Reference(arguments.fasta)
    order = {chrom: place for place, chrom in enumerate(genome.contigs)}
    given = read_intervals(arguments.bed, genome.contigs) if arguments.bed else around_genes(arguments, genome)
    intervals = sorted(union(given), key=lambda one: (order[one[0]], one[1]))
    annotation = read_annotation(arguments.genes, genome.contigs) if arguments.genes else None
    models = named_models(arguments.model)
    for named in models:
        folder = arguments.output / named.name if len(models) > 1 else arguments.output
        _with_model(named, arguments, genome, intervals, annotation, folder)


def around_genes(arguments: argparse.Namespace, genome: Reference) -> list[tuple[str, int, int]]:
    """Return `--around` bases on both sides of the start of each gene, cut at the ends of contigs."""
    starts = read_gene_starts(arguments.genes, genome.contigs)
    return [
        (chrom, max(0, tss - arguments.around), min(genome.contigs[chrom], tss + arguments.around + 1))
        for chrom, tss in zip(starts["chrom"], starts["tss"].astype(int))
    ]


def _with_model(
    named: Named,
    arguments: argparse.Namespace,
    genome: Reference,
    intervals: list[tuple[str, int, int]],
    annotation: Annotation | None,
    folder: Path,
) -> None:
    """Compute and write the mutagenesis with one model."""
    model = open_model(named, arguments)
    names = asked(model, arguments.score.split(",") if arguments.score else None).equal
    window = arguments.window or model.default_window()
    most = model.adapter.card.context_bp
    if most is not None and window > most and model.kind != "bpe":
        raise InputError(f"{model.name} takes {most:,} bases", where=f"--window {window}", fix="Give a smaller one.")
    settings = Settings(window, arguments.edges, frames=arguments.frames)
    bases = sum(end - start for _, start, end in intervals)
    passes = planned_passes(model, bases, names, settings)
    log.info("%s: %s bases, about %s passes", named.name, f"{bases:,}", f"{passes:,}")
    if arguments.plan:
        rate = timed(model, window)
        print(f"{named.name}: {', '.join(names)} of {bases:,} bases: {passes:,} passes; at {rate:.3g} passes a second here "
              f"about {passes / rate / 3600:.2g} hours")  # fmt: skip
        return
    identity = {
        "model": model_hash(named),
        "genome": [str(arguments.fasta.resolve()), arguments.fasta.stat().st_mtime_ns],
        "intervals": intervals,
        "scores": list(names),
        "settings": asdict(settings),
        "layer": model.layer,
        "precision": model.precision,
    }
    folder.mkdir(parents=True, exist_ok=True)
    parts = Parts(folder / "parts", identity)
    size = part_size(model, asked(model, list(names)), settings)
    regions = [
        Region(*interval, _region(model, genome, interval, names, settings, parts, number, size))
        for number, interval in enumerate(intervals)
    ]
    _write(regions, names, genome, annotation, arguments, folder)
    parts.remove()


def planned_passes(model: LikelihoodModel, bases: int, names: tuple[str, ...], settings: Settings) -> int:
    """Return about how many passes a mutagenesis takes: L a strand where one masked pass tells all, else 3 L."""
    tokens = max(1, settings.window // model.k)
    frames = model.k if settings.frames == "all" and model.kind == "kmer" else 1
    fast = model.masked and model.kind == "base"
    total = 0.0
    for name in names:
        if fast and name in ("llr", "llr_marginal"):
            total += bases
        elif name in ("llr", "llr_marginal", "next"):
            total += bases * frames
        elif name == "pll":
            total += 4 * tokens * bases * frames
    pairs = [name for name in names if name not in ("llr", "llr_marginal", "next", "pll")]
    if pairs:
        total += bases * frames * (1.5 if model.continues() else 3 if not model.masked else 4)
    return round(2 * total)


def _region(
    model: LikelihoodModel,
    genome: Reference,
    interval: tuple[str, int, int],
    names: tuple[str, ...],
    settings: Settings,
    parts: Parts,
    number: int,
    size: int,
) -> BaseEffects:
    """Return the effects of one interval, computed some bases at a time."""
    chrom, start, end = interval
    found = []
    for place, begin in enumerate(range(start, end, size)):
        stop = min(begin + size, end)

        def make(begin=begin, stop=stop) -> NDArray[np.float64]:
            effects = base_effects(model, genome, chrom, begin, stop, names, settings)
            return np.concatenate([effects.scores, effects.probabilities[None]])

        found.append(parts.array(number * 1_000_000 + place, make))
    whole = np.concatenate(found, 1)
    return BaseEffects(genome.fetch(chrom, start, end), whole[:-1], whole[-1])


def _write(
    regions: list[Region],
    names: tuple[str, ...],
    genome: Reference,
    annotation: Annotation | None,
    arguments: argparse.Namespace,
    folder: Path,
) -> None:
    """Write table, tracks, hot spots and pictures."""
    write_table(pd.concat([table_of(region, names) for region in regions], ignore_index=True), folder / "ism.parquet")

    def track(name: str, values) -> None:
        pieces: Iterator = ((region.chrom, region.start, values(region.effects)) for region in regions)
        write_track(folder / f"{name}.bw", genome.contigs, pieces, arguments.bedgraph)

    for row, name in enumerate(names):
        for column, base in enumerate(BASES):
            track(f"{name}_{base}", lambda effects, row=row, column=column: effects.scores[row, :, column])
        track(f"{name}_mean", lambda effects, row=row: mean_effect(effects.scores[row], effects.codes))
    if any(np.isfinite(region.effects.probabilities).any() for region in regions):
        for column, base in enumerate(BASES):
            track(f"logo_{base}", lambda effects, column=column: _logo(effects)[:, column])
    spots = [
        hot_spots(region, region.effects.scores[row], name) for region in regions for row, name in enumerate(names)
    ]
    write_table(pd.concat(spots, ignore_index=True), folder / "hot_spots.tsv")
    drawn = [region for region in regions if region.end - region.start <= LONGEST][: arguments.pictures]
    if len(drawn) < len(regions):
        log.info("%d of %d intervals drawn (--pictures; up to %s bp each)", len(drawn), len(regions), f"{LONGEST:,}")
    (folder / "pictures").mkdir(exist_ok=True)
    for region in drawn:
        for row, name in enumerate(names):
            stem = folder / "pictures" / f"{region.chrom}_{region.start}_{region.end}.{name}"
            draw_region(region, region.effects.scores[row], name, SCORES[name].words, annotation, stem)


def _logo(effects: BaseEffects) -> NDArray[np.float64]:
    """Return the heights of the letters of a prediction logo, in bits; NaN where nothing is predicted."""
    known = np.isfinite(effects.probabilities).all(1)
    heights = np.full(effects.probabilities.shape, np.nan)
    heights[known] = information(effects.probabilities[known])
    return heights
