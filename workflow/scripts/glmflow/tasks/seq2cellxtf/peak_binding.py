"""Binding data from a user's own files: peaks, motifs, expression or features of cells, accessibility."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glmflow.binding import region_universe as universes
from glmflow.binding.binding_data import BindingData
from glmflow.binding.key_splits import split_keys
from glmflow.binding.keys import some_of
from glmflow.binding.motif_files import motifs_of, newest_versions, read_motifs
from glmflow.binding.motif_similarity import motif_clusters, tf_similarity
from glmflow.binding.negative_regions import negative_regions
from glmflow.binding.peak_files import Peaks, read_peaks, read_samples
from glmflow.binding.protein_similarity import read_proteins
from glmflow.config.tasks.seq2cellxtf import Seq2CellXTf
from glmflow.errors import InputError
from glmflow.files import read_named_rows, read_table
from glmflow.genome.intervals import read_intervals
from glmflow.genome.packed import fetch
from glmflow.genome.reference import Reference
from glmflow.text_files import as_table
from glmflow.tracks.reading import TrackReader, check_track_matches

AGREE = 0.3
"""Jaccard index of two replicates below which they are warned about."""


def read_peak_binding(task: Seq2CellXTf, files: Mapping[str, Any]) -> BindingData:
    """Read the files that the settings of a task name.

    Raises
    ------
    InputError
        A file is damaged, of another genome or lacks something; a cell has no expression, or a TF no motif.
    """
    genome = Reference(files["genome"])
    samples = read_samples(task.samples)
    peaks = read_peaks(samples, genome.contigs, task.exclude_tf, task.min_signal, task.min_q)
    notes: dict[str, int | str] = {"samples": len(peaks.samples), "peaks": len(peaks.table)}
    names = None if task.tf_names is None else aliases(task.tf_names)
    tfs = sorted(set(peaks.samples["tf"]))
    versions = read_motifs(task.motifs)
    motifs = motifs_of(tfs, newest_versions(versions), names, task.without_motif == "keep", versions)
    families = (
        {} if names is None or "family" not in names else dict(zip(names["tf"], names["family"].fillna(names["tf"])))
    )
    held_out = held_out_keys(task, peaks, motifs, families)
    universe = made_universe(task, peaks, relaxed_peaks(task, samples, genome), held_out, genome.contigs)
    few = universe.labels.sum(axis=1) <= task.universe.min_regions
    universe.labels[few] = False
    if universe.ambiguous is not None:
        universe.ambiguous[few] = False
    notes["samples that bind too few regions"] = int(few.sum())
    kept = ~on_blacklist(universe.regions, task.blacklist, genome.contigs)
    notes["regions on the blacklist"] = int((~kept).sum())
    if task.universe.bed is None and task.universe.regions != "bins":
        kept &= universe.labels.any(axis=0)
    used = universe.labels[:, kept].any(axis=1)
    universe = universe._replace(
        regions=universe.regions[kept].reset_index(drop=True),
        labels=universe.labels[:, kept],
        ambiguous=None if universe.ambiguous is None else universe.ambiguous[:, kept],
    )
    if universe.regions.empty or not used.any():
        raise InputError("no region is left", where="universe", fix="Leave more samples or regions in.")
    universe, found = with_negatives(task, universe, peaks, genome)
    notes |= found
    regions = universe.regions
    keys, labels = universes.by_key(universe.labels[used], peaks.samples["key"][used])
    ambiguous = None
    if universe.ambiguous is not None:
        ambiguous = universes.by_key(universe.ambiguous[used], peaks.samples["key"][used])[1] & ~labels
    agreements = universes.replicate_agreement(universe.labels[used], peaks.samples["key"][used])
    for key, agreement in agreements.items():
        if agreement < AGREE:
            notes[f"replicates of {key} share {agreement:.2f} of their regions"] = 1
    rows = peaks.samples.drop_duplicates("key").set_index("key").loc[keys]
    table = pd.DataFrame({"key": keys, "cell": rows["cell"].to_numpy(), "tf": rows["tf"].to_numpy()})
    cells = sorted(set(table["cell"]))
    proteins = None
    if task.proteins is not None:
        proteins = read_proteins(task.proteins, sorted(set(table["tf"])))
        notes["TFs without a protein"] = table["tf"].nunique() - len(proteins)
    return BindingData(
        regions=regions.assign(sequence=sequences_of(genome, regions)),
        keys=table,
        labels=labels,
        motifs={tf: motifs[tf] for tf in sorted(set(table["tf"]))},
        expression=None if task.expression is None else expression_of(task.expression, task.expression_cells, cells),
        components=None if task.cells is None else features_of(task.cells, cells),
        accessibility=accessibility_of(task.accessibility, cells, regions, genome.contigs),
        proteins=proteins,
        samples=described_samples(peaks, universe, agreements),
        families=families,
        held_out={key: split for key, split in held_out.items() if split != "train"},
        ambiguous=ambiguous,
        notes=notes,
    )


def described_samples(peaks: Peaks, universe: universes.Universe, agreements: Mapping[str, float]) -> pd.DataFrame:
    """Return what became of each sample (`BindingData.samples`)."""
    count = np.bincount(peaks.table["sample"].to_numpy(np.int64), minlength=len(peaks.samples))
    lost = universes.lost_peaks(universe.regions, peaks)
    return peaks.samples[["sample", "key", "peaks"]].assign(
        regions=universe.labels.sum(axis=1),
        lost=lost / np.maximum(count, 1),
        replicates=peaks.samples["key"].map(agreements),
    )


def aliases(path: str) -> pd.DataFrame:
    """Return the table `tf`, `motif`, and `family` where it has it."""
    with as_table(path):
        names = read_table(path)
    missing = [name for name in ("tf", "motif") if name not in names]
    if missing:
        raise InputError(f"no column {', '.join(missing)}", where=path, fix="Give tf and motif.")
    return names


def held_out_keys(task: Seq2CellXTf, peaks: Peaks, motifs: Mapping, families: Mapping[str, str]) -> dict[str, str]:
    """Return the split of each key, before its regions are known."""
    keys = peaks.samples.drop_duplicates("key").sort_values("key", ignore_index=True)[["key", "cell", "tf"]]
    units = units_of(motifs, families)
    return dict(zip(keys["key"], split_keys(keys, task.keys.model_dump(), units)))


def units_of(motifs: Mapping, families: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return `family` and `motif_cluster` of each TF; a family that is not known is its cluster."""
    clusters = motif_clusters(tf_similarity(motifs))
    return {"family": {tf: families.get(tf, clusters[tf]) for tf in motifs}, "motif_cluster": clusters}


def relaxed_peaks(task: Seq2CellXTf, samples: pd.DataFrame, genome: Reference) -> Peaks | None:
    """Return the peaks of laxer thresholds that a sample table names; None without any.

    Raises
    ------
    InputError
        Regions are no bins: what only such a peak touches is unbound elsewhere.
    """
    if "relaxed" not in samples:
        return None
    if task.universe.regions != "bins" or task.universe.bed is not None:
        fix = "Say universe.regions: bins, or leave the column out."
        raise InputError("relaxed peaks are read for bins alone", where=task.samples, fix=fix)
    return read_peaks(samples.assign(file=samples["relaxed"]), genome.contigs, task.exclude_tf)


def made_universe(
    task: Seq2CellXTf, peaks: Peaks, relaxed: Peaks | None, held_out: Mapping[str, str], contigs: Mapping[str, int]
) -> universes.Universe:
    """Return the regions as the settings say, with the labels of all samples."""
    settings = task.universe
    if settings.bed is not None:
        rows = read_intervals(Path(settings.bed), contigs)
        return universes.given_universe(pd.DataFrame(rows, columns=["chrom", "start", "end", "name"]), peaks)
    if settings.regions == "bins":
        return universes.binned_universe(peaks, contigs, relaxed, settings.bin, settings.step)
    source = peaks
    if settings.made_from == "train":
        source = peaks.keep((peaks.samples["key"].map(held_out) == "train").to_numpy())
    if settings.regions == "merged":
        regions = universes.merged_regions(source.table)
        return universes.Universe(regions, universes.labels_by_overlap(regions, peaks))
    regions = universes.summit_regions(source, contigs, settings.width, settings.within)
    return universes.Universe(regions, universes.labels_by_summit(regions, peaks, settings.within))


def with_negatives(
    task: Seq2CellXTf, universe: universes.Universe, peaks: Peaks, genome: Reference
) -> tuple[universes.Universe, dict[str, int]]:
    """Return the regions with the unbound ones that the settings ask for, in order, and what is to be said of them."""
    if task.universe.negatives == "universe":
        return universe, {}
    listed = [universe.regions, peaks.table[universes.REGION]]
    if task.blacklist is not None:
        rows = read_intervals(Path(task.blacklist), genome.contigs)
        listed.append(pd.DataFrame(rows, columns=[*universes.REGION, "name"])[universes.REGION])

    def accessibility(regions: pd.DataFrame) -> np.ndarray:
        cells = sorted(task.accessibility)
        return accessibility_of(task.accessibility, cells, regions, genome.contigs).max(axis=0).to_numpy()

    drawn, lost = negative_regions(
        universe.regions,
        pd.concat(listed, ignore_index=True),
        genome.contigs,
        genome.fetch,
        task.universe.negatives == "matched",
        accessibility if task.accessibility else None,
    )
    labels = np.concatenate([universe.labels, np.zeros((len(universe.labels), len(drawn)), bool)], axis=1)
    regions = pd.concat([universe.regions, drawn], ignore_index=True)
    order = regions.sort_values(["chrom", "start"], kind="stable").index.to_numpy()
    made = universes.Universe(regions.iloc[order].reset_index(drop=True), labels[:, order])
    return made, {f"unbound regions ({task.universe.negatives})": len(drawn), **lost}


def on_blacklist(regions: pd.DataFrame, path: str | None, contigs: Mapping[str, int]) -> np.ndarray:
    """Return which regions share a base with a listed one."""
    if path is None:
        return np.zeros(len(regions), bool)
    rows = read_intervals(Path(path), contigs)
    listed = pd.DataFrame(rows, columns=["chrom", "start", "end", "name"]).assign(sample=0)
    return universes.labels_by_overlap(regions, Peaks(pd.DataFrame({"sample": ["blacklist"]}), listed))[0]


def sequences_of(genome: Reference, regions: pd.DataFrame) -> list[str]:
    """Return the bases of regions, upper case."""
    packed = fetch(genome, regions)
    return [packed.text(row) for row in range(packed.count)]


def expression_of(path: str, cells_path: str | None, cells: list[str]) -> pd.DataFrame:
    """Return log1p of expression, samples (index `cell`) x genes, of the cells of the study and any others of the file."""
    with as_table(path):
        table = read_named_rows(path)
    genes = table.iloc[:, 0].astype(str)
    values = table.iloc[:, 1:]
    wrong = [name for name in values if not pd.api.types.is_numeric_dtype(values[name])]
    if wrong:
        raise InputError(f"column {some_of(wrong)} is no number", where=path, fix="Give genes x samples.")
    owner = {name: name for name in values}
    if cells_path is not None:
        with as_table(cells_path):
            given = read_table(cells_path)
        lacking = [name for name in ("sample", "cell") if name not in given]
        if lacking:
            raise InputError(f"no column {', '.join(lacking)}", where=cells_path, fix="Give sample and cell.")
        owner = dict(zip(given["sample"], given["cell"]))
        unknown = [name for name in values if name not in owner]
        if unknown:
            raise InputError(f"sample {some_of(unknown)} has no cell", where=cells_path, fix="Name its cell.")
    found = np.log1p(values.T.set_axis(genes.to_numpy(), axis=1).astype(np.float64))
    found = found.loc[:, ~found.columns.duplicated()]
    found.index = pd.Index([owner[name] for name in values], name="cell")
    require_cells(cells, set(found.index), path, "RNA")
    return found


def features_of(path: str, cells: list[str]) -> pd.DataFrame:
    """Return ready features of the cells of a study."""
    with as_table(path):
        table = read_named_rows(path)
    table = table.set_index(table.columns[0]).rename_axis("cell")
    require_cells(cells, set(table.index), path, "features")
    return table.loc[cells].astype(np.float64)


def require_cells(cells: list[str], known: set[str], path: str, what: str) -> None:
    """Stop where a cell of the study is not known, and say which."""
    without = [cell for cell in cells if cell not in known]
    if without:
        raise InputError(
            f"{len(without)} cells without {what}: {some_of(without)}",
            where=path,
            fix="Give theirs, or leave them out.",
        )


def accessibility_of(
    files: Mapping[str, list[str]], cells: list[str], regions: pd.DataFrame, contigs: Mapping[str, int]
) -> pd.DataFrame | None:
    """Return log1p of the mean signal of each cell in each region; NaN for cells without a file; None without any.

    Raises
    ------
    InputError
        A bigWig of another genome, or a cell that is none of the study.
    """
    if not files:
        return None
    unknown = [cell for cell in files if cell not in cells]
    if unknown:
        raise InputError(
            f"no key has cell {some_of(unknown)}", where="accessibility", fix=f"Cells are {some_of(cells)}."
        )
    found = np.full((len(cells), len(regions)), np.nan, np.float32)
    for cell, paths in files.items():
        for path in paths:
            check_track_matches(path, contigs)
        reader = TrackReader(paths)
        means = [
            np.nan_to_num(reader.read(row.chrom, row.start, row.end)).mean() for row in regions.itertuples(index=False)
        ]
        found[cells.index(cell)] = np.log1p(np.maximum(means, 0))
    return pd.DataFrame(found, index=pd.Index(cells, name="cell"))
