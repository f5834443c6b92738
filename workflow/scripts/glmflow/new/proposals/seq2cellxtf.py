"""Binding of TFs in cells is proposed for peak files that a table names (--table with `file`, `cell`, `tf`) or that
are called CELL_TF.narrowPeak (--bed), with --fasta and --motifs.
"""

from __future__ import annotations

from pathlib import Path

from glmflow.binding.keys import some_of
from glmflow.binding.motif_files import motifs_of, newest_versions, read_motifs
from glmflow.binding.peak_files import PEAKS, SAMPLE_COLUMNS, read_samples, samples_of_folder
from glmflow.errors import InputError
from glmflow.new.divisions import divide
from glmflow.new.draft import BASELINE, Draft
from glmflow.new.found_files import FoundFiles
from glmflow.new.machine import Machine
from glmflow.new.recipes import baselines, listed, small_network

PUBLISHED = ("nucleotide-transformer-v2-500m", "caduceus-ph-131k")
FETCHED = ("jaspar", "resources/jaspar/vertebrates.meme")
"""The public set with motifs, and its file."""
LENGTH = 1000
COMPONENTS = 8
SIMPLE = (
    *("key_prevalence", "region_width", "region_composition", "known_frequency", "known_tf_mean", "known_cell_mean"),
    *("known_tf_cell_mean", "best_motif", "nearest_key", "pooled_logistic", "pooled_boosting"),
)


def propose(found: FoundFiles, machine: Machine) -> Draft | None:
    """Return binding in unseen cells, of unseen TFs and of unseen pairs, with motifs and known keys as explanations."""
    source = source_of(found)
    if source is None:
        return None
    contigs = found.genome_for("a set of peaks")
    samples = samples_of_folder(Path(source)) if Path(source).is_dir() else read_samples(source)
    for path in samples["file"]:
        if not Path(path).is_file():
            raise InputError(f"no such file: {path}", where=source, fix="Name files beside the table, or whole paths.")
    cells, tfs = sorted(set(samples["cell"])), sorted(set(samples["tf"]))
    guesses = [
        f"{len(samples):,} peak files: {len(cells):,} cells ({some_of(cells)}), {len(tfs):,} TFs ({some_of(tfs)})"
    ]
    task = {
        "kind": "seq2cellxtf",
        "samples": source,
        **motifs_for(found, tfs, guesses),
        **features_for(found, cells, guesses),
        "splits": divide(contigs, LENGTH).splits,
        "keys": held_out(len(cells), len(tfs), len(samples), guesses),
        "length": LENGTH,
    }
    models, simple = listed(*PUBLISHED), baselines(*SIMPLE)
    probe = {"kind": "probe", "head": "bilinear"}
    train = {"optimizer": "adamw", "learning_rate": 1.0e-3, "epochs": 20, "batch": 256, "micro_batch": 16, "bf16": True}
    settings = {
        "data": [] if found.motifs else [FETCHED[0]],
        "tasks": {"binding": task, "binding_permuted_tfs": {**task, "control": "permuted_tfs"}},
        "models": {"cnn_of_regions": {"new": {"family": "promoter_cnn"}}, **simple, **models},
        "adaptations": {
            "of_regions": {"head": "motif_query", **small_network(batch=64, reverse_complement=True)},
            **BASELINE,
            "probe_of_regions": {**probe, "train": train},
            "probe_of_regions_random": {**probe, "weights": "random", "train": train},
        },
        "runs": [
            {"tasks": ["binding"], "models": ["cnn_of_regions"], "adaptations": ["of_regions"], "seeds": [1, 2, 3]},
            {"tasks": ["binding"], "models": list(simple), "adaptations": ["baseline"]},
            {
                "tasks": ["binding_permuted_tfs"],
                "models": ["best_motif", "pooled_logistic"],
                "adaptations": ["baseline"],
            },
            {
                "tasks": ["binding"],
                "models": list(models),
                "adaptations": ["probe_of_regions", "probe_of_regions_random"],
                "seeds": [1, 2, 3],
            },
        ],
    }
    comments = {
        ("tasks", "binding", "splits"): "How regions are divided; `keys` says which cells, TFs and pairs are held out.",
        ("tasks", "binding_permuted_tfs"): "Control: what is known of a TF goes to another one.",
        (
            "models",
            "key_prevalence",
        ): "Simple explanations: width and letters of a region, what training keys bind there, "
        "the best site of the motif.",
    }
    second = "" if found.motifs or not found.bed else "peaks of TFs in cells (their motifs are then given by --motifs)"
    return Draft({key: value for key, value in settings.items() if value}, comments, guesses, list(models), second)


def source_of(found: FoundFiles) -> str | None:
    """Return the table of peak files, or the folder of files that are named after cell and TF; None without either."""
    if found.peak_table:
        return found.table_path
    named = [Path(path) for path in found.bed]
    if len(named) < 2 or not all(PEAKS.search(path.name) and "_" in PEAKS.sub("", path.name) for path in named):
        return None
    folders = {path.parent for path in named}
    there = [path for path in named[0].parent.iterdir() if PEAKS.search(path.name)]
    if len(folders) > 1 or len(there) != len(named):
        if not found.motifs:
            return None
        raise InputError(
            "peak files of several folders, or not all of one",
            where=named[0],
            fix=f"List them in a table with the columns {', '.join(SAMPLE_COLUMNS)} (--table).",
        )
    return str(named[0].parent)


def motifs_for(found: FoundFiles, tfs: list[str], guesses: list[str]) -> dict[str, str]:
    """Return the settings of motifs; TFs without one are kept, and named."""
    path = found.motifs or FETCHED[1]
    if not found.motifs:
        guesses.append(f"no motifs are given: JASPAR's are taken, `snakemake -c1 fetch --config data={FETCHED[0]}`")
    if not Path(path).is_file():
        return {"motifs": path}
    without = [tf for tf, own in motifs_of(tfs, newest_versions(read_motifs(path)), keep=True).items() if not own]
    if not without:
        return {"motifs": path}
    if len(without) == len(tfs):
        raise InputError(f"no motif of {some_of(tfs)}", where=path, fix="Name TFs as the motifs are named.")
    guesses.append(
        f"{len(without)} TFs have no motif and are kept without: {some_of(without)} (`tf_names` says aliases)"
    )
    return {"motifs": path, "without_motif": "keep"}


def features_for(found: FoundFiles, cells: list[str], guesses: list[str]) -> dict[str, str | int]:
    """Return the settings of what is known of cells."""
    if not found.expression:
        guesses.append("nothing is known of the cells: give --expression (genes x cells) to tell unseen cells apart")
        return {}
    from glmflow.files import read_table

    columns = [str(name) for name in read_table(found.expression).columns[1:]]
    absent = [cell for cell in cells if cell not in columns]
    if absent:
        raise InputError(
            f"no column of cell {some_of(absent)}: it has {some_of(columns)}",
            where=found.expression,
            fix="Name the columns after the cells of the peaks.",
        )
    count = max(0, min(COMPONENTS, len(columns) - len(cells) // 4 - 2))
    guesses.append(f"cells are described by {count} principal components of {found.expression}")
    return {"expression": found.expression, "components": count}


def held_out(cells: int, tfs: int, samples: int, guesses: list[str]) -> dict[str, int | float]:
    """Return which keys are held out: a quarter of the cells, a fifth of the TFs, and pairs of the rest."""
    keys = {"cells": cells // 4, "tfs": tfs // 5, "pairs": 0.15 if samples >= 10 else 0.3, "validation": 0.1}
    guesses.append(
        f"held out: {keys['cells']} cells, {keys['tfs']} TFs and {keys['pairs']:.0%} of the other pairs, drawn"
    )
    return keys
