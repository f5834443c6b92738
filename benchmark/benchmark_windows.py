"""Baselines on windows of a genome: CPU seconds and peak memory, beside the bases that are read.

    python benchmark/benchmark_windows.py [--windows 1900000] [--length 8192] [--k 4]

The windows overlap on a random genome of 100 Mb. Held as text, 1.9 million of 8,192 bases would be 15.6 GB.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
from pathlib import Path

import numpy as np

GENOME = 100_000_000
LETTERS = np.frombuffer(b"ACGT", np.uint8)


def main() -> None:
    """Print a line a baseline."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=1_900_000, help="number of windows (default: 1900000)")
    parser.add_argument("--length", type=int, default=8192, help="bases of a window (default: 8192)")
    parser.add_argument("--k", type=int, default=4, help="length of k-mers (default: 4)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fasta = Path(folder) / "genome.fa"
        print("baseline\tGB of sequence\tCPU seconds\tpeak GB", flush=True)
        settings = fasta, arguments.windows, arguments.length, arguments.k
        fits = [(measure, (name, *settings)) for name in ("length_only", "gc_only", "kmer_logistic")]
        for target, own in [(make, (fasta,)), *fits]:  # each in a process of its own, whose peak is its own
            process = multiprocessing.get_context("spawn").Process(target=target, args=own)
            process.start()
            process.join()
            if process.exitcode:
                raise SystemExit(process.exitcode)


def make(fasta: Path) -> None:
    """Write a random genome."""
    bases = LETTERS[np.random.default_rng(0).integers(0, 4, GENOME, np.uint8)]
    fasta.write_bytes(b">chr1\n" + bases.tobytes() + b"\n")


def measure(name: str, fasta: Path, windows: int, length: int, k: int) -> None:
    """Fit one baseline to four fifths of the windows and predict the others."""
    import pandas as pd
    from glmflow.baselines.sequence_predictors import PREDICTORS, SequenceData
    from glmflow.genome.packed import OnGenome
    from glmflow.genome.reference import Reference

    generator = np.random.default_rng(1)
    start = generator.integers(0, GENOME - length, windows)
    rows = pd.DataFrame({"chrom": pd.Categorical.from_codes(np.zeros(windows, np.int8), ["chr1"]), "start": start})
    rows["end"] = start + length
    split = np.array(["train", "train", "train", "train", "test"], object)[np.arange(windows) % 5]
    target = generator.integers(0, 2, windows)
    data = SequenceData(rows, OnGenome(Reference(fasta), rows), target, 2, split)
    settings = {"k": [k], "c": [1.0]} if name == "kmer_logistic" else {}
    PREDICTORS[name](data, **settings)
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds, peak = used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e9
    print(f"{name}\t{windows * length / 1e9:.2f}\t{seconds:.1f}\t{peak:.2f}", flush=True)


if __name__ == "__main__":
    main()
