"""A tuned model of binding on the haplotypes of samples: how much each TF binds each region in each cell, and how they differ.

What is known of cells and of their accessibility is that of the run: what differs is the sequence, and the sites in it.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from glmflow.binding.binding_tables import Binding
from glmflow.binding.site_scores import site_scores
from glmflow.errors import InputError
from glmflow.files import atomic_path
from glmflow.genome.contigs import match_contigs
from glmflow.genome.gene_windows import GeneHaplotypes, GeneWindows
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.intervals import read_intervals
from glmflow.genome.packed import pack
from glmflow.genome.reasons import Reason
from glmflow.genome.reference import Reference
from glmflow.genome.store import VariantStore
from glmflow.genome.variants import build_store
from glmflow.genome.vcf_files import contigs_with_records
from glmflow.training.inputs.labelled_sequences import Middles
from glmflow.training.inputs.region_keys import of_regions, predicted
from glmflow.training.predict import load_predictor
from glmflow.training.ready import Predictor

from .applied_model import annotates, read_arguments
from .expression_apply import of_study

log = logging.getLogger(__name__)

LEAST, MOST = 1e-6, 1 - 1e-6
"""Probabilities beyond which log-odds are not told apart."""


def apply_binding(model: Path, arguments: argparse.Namespace, scratch: Path) -> Counter[Reason]:
    """Write the binding of each person's haplotypes that differ from the reference."""
    check_binding_arguments(arguments)
    tuned = load_predictor(model, Path(arguments.states or scratch / "states"))
    binding = binding_of_run(model, tuned)
    genome = Reference(arguments.fasta)
    rows = regions_asked(binding, genome, arguments.bed)
    store = store_of(arguments, genome, binding.regions["chrom"].iloc[rows].unique(), scratch)
    print(f"{arguments.vcf}: {store.summary('all')}", file=sys.stderr)
    windows = GeneWindows(HaplotypeReader(store, genome))
    rows = [row for row in rows if binding.regions["chrom"].iat[row] in store.contigs]
    count, schema = 0, None
    with atomic_path(arguments.output) as temporary:
        for table in allelic_binding(tuned, binding, windows, rows):
            found = pa.Table.from_pandas(table, schema, preserve_index=False)
            if schema is None:
                schema = found.schema
                writer = pq.ParquetWriter(temporary, schema)
            writer.write_table(found)
            count += len(table)
        if schema is None:
            raise InputError(
                "no haplotype differs from the reference in a region of the run",
                where=arguments.vcf,
                fix="Give samples that carry variants there, or other regions.",
            )
        writer.close()
    log.info("%s: %d rows, a person, region and key each", arguments.output, count)
    return Counter()


def store_of(arguments: argparse.Namespace, genome: Reference, contigs: Iterable[str], scratch: Path) -> VariantStore:
    """Return the genotypes of a VCF on the contigs of the regions."""
    known = contigs_with_records(arguments.vcf)
    shared = match_contigs(genome.contigs, known.names, where=arguments.vcf)
    chosen = [chrom for chrom in contigs if chrom in shared] if known.complete else []
    return build_store(arguments.vcf, genome, scratch / "store", contigs=chosen or None, **read_arguments(arguments))


def binding_of_run(model: Path, tuned: Predictor) -> Binding:
    """Return the regions and keys that a run was made from, where they lie in the results of its study.

    Raises
    ------
    InputError
        They are not there, or are of no genome.
    """
    settings = tuned.run.settings
    folder = of_study(model, f"examples/{settings['task_label']}")
    table = folder.with_name(f"{folder.name}.parquet")
    if not table.is_file():
        fix = "Give a run as it lies in the results of its study."
        raise InputError("which regions and keys?", where=table, fix=fix)
    if settings["task"].get("simulated"):
        fix = "Give a run on peaks or on the hackathon's files."
        raise InputError("simulated regions lie in no genome", where=model, fix=fix)
    return Binding(pd.read_parquet(table), folder)


def regions_asked(binding: Binding, genome: Reference, bed: Path | None) -> list[int]:
    """Return the rows of the regions that share a base with the intervals of a BED file, all without one.

    Raises
    ------
    InputError
        None does, or the genome is not that of the run.
    """
    regions = binding.regions
    wanted = np.ones(len(regions), bool)
    if bed is not None:
        wanted[:] = False
        for chrom, start, end, _ in read_intervals(bed, genome.contigs):
            wanted |= ((regions["chrom"] == chrom) & (regions["start"] < end) & (regions["end"] > start)).to_numpy()
    rows = np.flatnonzero(wanted)
    if not len(rows):
        raise InputError("no region of the run lies there", where=bed, fix="Give intervals of the run's regions.")
    for row in rows[:: max(1, len(rows) // 20)]:
        own = regions.iloc[row]
        there = genome.contigs.get(own["chrom"], 0) >= own["end"]
        if not there or genome.fetch(own["chrom"], own["start"], own["end"]).tobytes().decode() != own["sequence"]:
            what = f"{own['chrom']}:{own['start']}-{own['end']} is not the sequence that the model was trained beside"
            raise InputError(what, where=genome.path, fix="Give the genome of the run.")
    return rows.tolist()


def allelic_binding(
    tuned: Predictor, binding: Binding, windows: GeneWindows, rows: list[int]
) -> Iterator[pd.DataFrame]:
    """Yield a table of each region that a sample's haplotypes differ in from the reference.

    Each distinct haplotype is predicted once, whoever carries it. A haplotype is read from the start of the region on, as
    many bases as the reference has there.

    Returns
    -------
    Iterator of DataFrame
        `example`, `chrom`, `start`, `end`, `split`, `sample`, `key`, `cell`, `tf`, `prediction_reference`,
        `prediction_haplotype1`, `prediction_haplotype2`, `allelic_log_odds` (natural; of haplotype 1 less that of 2).
    """
    people = windows.reader.store.samples
    names = binding.keys[["key", "cell", "tf"]]
    motifs, distinct, seen = binding.motifs(), 0, 0
    for done, row in enumerate(rows, start=1):
        own = binding.regions.iloc[row]
        found = windows.haplotypes(own["chrom"], int(own["start"]), int(own["end"]), "+", people)
        sequences, reference = with_reference(found, own["sequence"])
        carriers = np.flatnonzero((found.of_person != reference).any(axis=1))
        if len(carriers):
            values = predicted_sequences(tuned, binding, row, sequences, motifs)
            yield table_of(own, names, values, np.array(people, object)[carriers], found.of_person[carriers], reference)
            distinct, seen = distinct + len(sequences), seen + 2 * len(people)
        if done % 100 == 0 or done == len(rows):
            log.info("predicted %d of %d regions; %d distinct haplotypes of %d", done, len(rows), distinct, seen)


def with_reference(found: GeneHaplotypes, reference: str) -> tuple[list[NDArray[np.uint8]], int]:
    """Return distinct haplotypes with the reference among them, and its number."""
    own = np.frombuffer(reference.encode(), np.uint8)
    same = np.flatnonzero((found.sequences == own).all(axis=1))
    return (list(found.sequences), int(same[0])) if len(same) else ([*found.sequences, own], len(found.sequences))


def predicted_sequences(
    tuned: Predictor, binding: Binding, row: int, sequences: list[NDArray[np.uint8]], motifs: dict
) -> NDArray[np.float32]:
    """Return the probability of every key in each form of a region, `[sequences, keys]`."""
    packed = pack(sequences)
    occupancy = 1 / (1 + np.exp(-site_scores(packed, motifs).margins.astype(np.float64)))
    _, accessibility = of_regions(binding, np.array([row]))
    texts = pd.DataFrame({"sequence": [packed.text(place) for place in range(packed.count)]})
    middles = Middles(texts, tuned.run.task.length)
    keys = np.arange(len(binding.keys))
    items = [
        {"sequence": middles[place], "keys": keys, "occupancy": own, "accessibility": accessibility[0]}
        for place, own in enumerate(occupancy.astype(np.float32))
    ]
    both = tuned.run.adaptation.train.reverse_complement and tuned.kept is None
    return predicted(tuned, items, both)


def table_of(
    region: pd.Series,
    keys: pd.DataFrame,
    values: NDArray[np.float32],
    people: NDArray[np.object_],
    of_person: NDArray[np.int64],
    reference: int,
) -> pd.DataFrame:
    """Return the rows of a region: every key of every person who carries something."""
    count = len(keys)
    odds = np.log(np.clip(values, LEAST, MOST)) - np.log1p(-np.clip(values.astype(np.float64), LEAST, MOST))
    first, second = of_person.T
    place = {name: region[name] for name in ("example", "chrom", "start", "end", "split")}
    return pd.DataFrame({
        **{name: [value] * (count * len(people)) for name, value in place.items()},
        "sample": np.repeat(people, count),
        **{name: np.tile(keys[name].to_numpy(object), len(people)) for name in keys},
        "prediction_reference": np.tile(values[reference], len(people)),
        "prediction_haplotype1": values[first].ravel(),
        "prediction_haplotype2": values[second].ravel(),
        "allelic_log_odds": (odds[first] - odds[second]).ravel(),
    })  # fmt: skip


def check_binding_arguments(arguments: argparse.Namespace) -> None:
    """Refuse arguments that a model of binding has no use for, or too few."""
    if annotates(arguments) or arguments.output.suffix != ".parquet":
        raise InputError("binding of haplotypes is a table", where="--output", fix="Give NAME.parquet.")
    if arguments.vcf is None:
        raise InputError("whose haplotypes?", where="--vcf", fix="Give the phased VCF of the samples.")
    if arguments.genes or arguments.records_along or arguments.fasta.is_dir() or arguments.haplotype:
        fix = "Leave --genes, --records-along and --haplotype out; the table has both haplotypes."
        raise InputError("are for other kinds of models", where="--genes, --records-along, --haplotype", fix=fix)


APPLIES = {"region_keys": apply_binding}
