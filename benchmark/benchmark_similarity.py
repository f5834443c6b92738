"""Copies of training sequences: time and memory of one core, beside seqleak, and of a human genome's windows.

    python benchmark/benchmark_similarity.py [--sequences 289061] [--seqleak path/to/bin/seqleak] [--genome-mb 200]

Everything is simulated, the same for a seed, each measurement in a process of its own: CPU seconds, and the peak of memory.
(1) A benchmark of sequences: 289,061 of about 402 bp (116 Mb) drawn from a genome so that a tenth overlap, a quarter held
out; the audit of `glmflow audit`, in steps. seqleak is given the same table and
the same three questions (exact and near copies, look-up of the nearest). (2) Windows of a
genome, 32,768 bp with half of it overlapping, with 350 copies of an Alu-like repeat a megabase, the last tenth held out,
in a FASTA file; compared as the examples of a study are, and divided by homology; time is extrapolated to 3.1 Gb in
proportion, memory by the pieces of windows.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from glmflow.checks.copied_windows import copied_windows
from glmflow.genome.homology import divided
from glmflow.genome.reference import Reference
from glmflow.genome.similarity import exact_copies, near_copies, nearest, sketch, suited_fraction
from glmflow.genome.window_sequences import PIECE

HUMAN = 3.1e9
WINDOW, STEP = 32_768, 16_384
CONTIG = 50_000_000
BYTES = 250
"""Bytes of a piece of a window in the tables of a comparison."""


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sequences", type=int, default=289_061)
    parser.add_argument("--seqleak", type=Path, help="the command, from an environment of its own")
    parser.add_argument("--genome-mb", type=float, default=200, help="0: not measured")
    parser.add_argument("--cores", type=int, default=2, help="threads for the genome (default: 2)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print("what", "CPU s", "wall s", "peak GB", "found", sep="\t", flush=True)
        apart("glmflow, one core", audit_sequences, arguments.sequences)
        if arguments.seqleak:
            table = Path(folder) / "table.csv"
            apart("(writing the table for seqleak)", write_table, arguments.sequences, table)
            apart("seqleak", run_seqleak, arguments.seqleak, table, Path(folder))
    if not arguments.genome_mb:
        return 0
    amount, times = f"{arguments.genome_mb:g} Mb", HUMAN / (arguments.genome_mb * 1e6)
    with tempfile.TemporaryDirectory() as folder:
        given = (arguments.genome_mb, Path(folder), arguments.cores)
        cpu, fixed, grows = apart(f"windows of {amount}", audit_genome, *given)
        print(
            f"extrapolated to 3.1 Gb: {cpu * times / 60:.1f} minutes of one core, {cpu * times / 60 / arguments.cores:.1f} on "
            f"{arguments.cores}; {fixed + (times - 1) * grows * 1e-9:.1f} GB"
        )
        cpu, _, _ = apart(f"splits by homology of {amount}", split_genome, *given)
        print(f"extrapolated to 3.1 Gb: {cpu * times / 60:.1f} minutes of one core")
    return 0


def apart(name: str, function: Callable, *arguments) -> tuple[float, float, int]:
    """Run a function in a process of its own, print what it took, and return CPU seconds, peak in GB and bytes that grow."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found, cpu, wall, memory = pool.apply(_measured, (function, *arguments))
    text, grows = found if isinstance(found, tuple) else (found, 0)
    print(name, f"{cpu:.1f}", f"{wall:.1f}", f"{memory:.2f}", text, sep="\t", flush=True)
    return cpu, memory, grows


def _measured(function: Callable, *arguments) -> tuple[object, float, float, float]:
    """Return a result with the time and memory of it and of the processes it started."""
    who = resource.RUSAGE_CHILDREN if function is run_seqleak else resource.RUSAGE_SELF
    prepared = function(*arguments)
    setup = next(prepared)
    del setup
    before, wall = resource.getrusage(who), time.perf_counter()
    found = next(prepared)
    after = resource.getrusage(who)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return found, cpu, time.perf_counter() - wall, after.ru_maxrss / 1e6


def sequences_of(count: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Return sequences drawn from a genome, and which are held out."""
    rng = np.random.default_rng(0)
    letters = np.frombuffer(b"ACGT", np.uint8)
    length = np.clip(rng.normal(402, 120, count), 150, 800).astype(int)
    bases = letters[rng.integers(0, 4, int(length.sum()), dtype=np.uint8)]
    ends = np.cumsum(length)
    found = [bases[end - size : end] for end, size in zip(ends, length)]
    for row in rng.choice(count, count // 10, replace=False):  # shifted by up to half of another one
        other = found[rng.integers(count)]
        keep = int(rng.integers(len(other) // 2, len(other)))
        found[row] = np.concatenate([other[-keep:], found[row][: len(other) - keep]])
    return found, rng.random(count) < 0.25


def audit_sequences(count: int) -> Iterator:
    """Sketch, compare held-out with training sequences, find the nearest, count exact copies."""
    sequences, held_out = sequences_of(count)
    yield len(sequences)
    sketches = sketch(sequences)
    queries, targets = sketches.of(held_out), sketches.of(~held_out)
    pairs = near_copies(queries, targets)
    nearest(queries, targets)
    copies = exact_copies(sequences)["copy"].nunique()
    yield f"{sum(map(len, sequences)) / 1e6:.0f} Mb, {pairs.queries:,} near copies, {copies:,} distinct"


def write_table(count: int, path: Path) -> Iterator:
    """Write the table that seqleak reads."""
    yield None
    sequences, held_out = sequences_of(count)
    with path.open("w") as handle:
        handle.write("sequence,split,label\n")
        for row, (sequence, held) in enumerate(zip(sequences, held_out)):
            handle.write(f"{sequence.tobytes().decode()},{'test' if held else 'train'},{row % 2}\n")
    yield ""


def run_seqleak(command: Path, table: Path, folder: Path) -> Iterator:
    """Run seqleak's audit of the same table."""
    yield None
    options = ["--data", str(table), "--seq-col", "sequence", "--split-col", "split", "--label-col", "label"]
    options += ["--homology", "off", "--threads", "1", "--out", str(folder / "report.json"), "--quiet"]
    options += ["--checks", "overlap.exact,overlap.near,baseline.lookup"]
    done = subprocess.run([command, "audit", *options], capture_output=True, text=True)
    if not (folder / "report.json").exists():
        yield f"failed: {done.stderr.strip().splitlines()[-1:]}"
    near = json.loads((folder / "report.json").read_text())["checks"]["overlap.near"]
    yield f"{near['statistic']}: {near['value']:.4f} of {near['n']}"


def contigs(megabases: float) -> Iterator[np.ndarray]:
    """Yield contigs of a genome with an Alu-like repeat."""
    rng = np.random.default_rng(1)
    letters = np.frombuffer(b"ACGT", np.uint8)
    repeat = letters[rng.integers(0, 4, 300)]
    left = int(megabases * 1e6)
    while left > 0:
        size = min(left, CONTIG)
        bases = np.concatenate(
            [
                letters[rng.integers(0, 4, min(1 << 22, size - start), dtype=np.uint8)]
                for start in range(0, size, 1 << 22)
            ]
        )
        for place in rng.integers(0, size - 300, int(size * 350 / 1e6)):
            copy = repeat.copy()
            changed = rng.random(300) < rng.uniform(0.02, 0.15)
            copy[changed] = letters[rng.integers(0, 4, int(changed.sum()))]
            bases[place : place + 300] = copy
        yield bases
        left -= size


def written(megabases: float, folder: Path) -> Reference:
    """Return the genome, written to a FASTA file and read from it as studies do."""
    path, index = folder / "genome.fa", []
    with path.open("wb") as handle:
        for number, bases in enumerate(contigs(megabases)):
            handle.write(f">{number}\n".encode())
            index.append(f"{number}\t{len(bases)}\t{handle.tell()}\t{len(bases)}\t{len(bases) + 1}\n")
            handle.write(bases)
            handle.write(b"\n")
    (folder / "genome.fa.fai").write_text("".join(index))
    return Reference(path)


def audit_genome(megabases: float, folder: Path, cores: int) -> Iterator:
    """Compare windows of the last tenth of a genome with those of the rest; the genome is written before."""
    reference = written(megabases, folder)
    yield len(reference.contigs)
    rows = [
        (name, start, start + WINDOW)
        for name, length in reference.contigs.items()
        for start in range(0, length - WINDOW, STEP)
    ]
    windows = pd.DataFrame(rows, columns=["chrom", "start", "end"])
    place = np.arange(len(windows)) / len(windows)
    windows["split"] = np.where(place > 0.9, "test", np.where(place < 0.89, "train", ""))
    found = copied_windows(reference.fetch, windows, cores=cores)
    pieces = int(megabases * 1e6 / PIECE)
    fraction = suited_fraction(int(megabases * 1e6))
    text = f"{len(windows):,} windows, 1/{1 / fraction:.0f} of the k-mers, {len(found.table)} hold copies"
    yield text, BYTES * pieces  # the k-mers that are kept do not grow with the genome, the pieces do


def split_genome(megabases: float, folder: Path, cores: int) -> Iterator:
    """Divide the same genome by homology, in blocks of a megabase; the genome is written before."""
    reference = written(megabases, folder)
    yield len(reference.contigs)
    splits = {"by": "homology", "block": 1_000_000, "gap": WINDOW, "validation": 0.1, "test": 0.1, "seed": 1}
    found = divided(splits, reference.contigs, reference.fetch, WINDOW, cores)
    yield f"{len(found['regions']):,} regions"


if __name__ == "__main__":
    sys.exit(main())
