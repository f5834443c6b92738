"""Audit of 289,061 labelled sequences (116 Mb) on one core, beside seqleak if it is installed.

    python benchmark/benchmark_audit.py [--sequences 289061] [--seqleak PATH]

The sequences are cut out of a random genome of 300 Mb with repeats: 100,000 copies of an element like Alu (4 to 18 % from
its consensus) and 80,000 pieces of one like L1, as much as in the human genome. seqleak 0.4.1 says of itself 75 s and
3.9 GB for as many.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

GENOME = 300_000_000
LETTERS = np.frombuffer(b"ACGT", np.uint8)


def main() -> None:
    """Print CPU seconds, peak memory and what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sequences", type=int, default=289_061, help="number of sequences (default: 289061)")
    parser.add_argument("--seqleak", help="its command; the one on the path by default")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "set.csv"
        for target, own in ((make, (table, arguments.sequences)), (measure, (table,))):
            process = multiprocessing.get_context("spawn").Process(target=target, args=own)
            process.start()
            process.join()
            if process.exitcode:
                raise SystemExit(process.exitcode)
        command = arguments.seqleak or shutil.which("seqleak")
        if command is None:
            print("seqleak\tnot installed (pip install seqleak)")
            return
        words = [command, "audit", "--data", str(table), "--seq-col", "sequence", "--label-col", "label"]
        words += [
            "--split-col",
            "split",
            "--threads",
            "1",
            "--homology",
            "off",
            "--quiet",
            "--out",
            f"{folder}/found.json",
        ]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)  # of the making of the set and of our audit
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
        print(f"seqleak\t{seconds:.1f} CPU s\t{used.ru_maxrss / 1000:.0f} MB")


def make(table: Path, count: int) -> None:
    """Write the sequences with labels and splits."""
    generator = np.random.default_rng(1)
    genome = generator.integers(0, 4, GENOME, dtype=np.uint8)
    for length, copies, divergence, whole in ((290, 100_000, 0.12, True), (6000, 80_000, 0.18, False)):
        consensus = generator.integers(0, 4, length, dtype=np.uint8)
        families = [
            np.where(generator.random(length) < 0.05, generator.integers(0, 4, length), consensus) for _ in range(5)
        ]
        for _ in range(copies):
            size = length if whole else int(generator.integers(100, 1000))
            start = int(generator.integers(0, length - size + 1))
            element = families[generator.integers(5)][start : start + size].astype(np.uint8)
            changed = generator.random(size) < divergence * generator.uniform(0.3, 1.5)
            element[changed] = generator.integers(0, 4, int(changed.sum()))
            place = int(generator.integers(0, GENOME - size))
            genome[place : place + size] = (3 - element)[::-1] if generator.random() < 0.5 else element
    lengths = np.clip(generator.normal(400, 130, count), 71, 802)
    lengths = np.clip(lengths * (116e6 / 289_061 * count / lengths.sum()), 71, 802).astype(int)
    with table.open("w") as handle:
        handle.write("sequence,label,split\n")
        for row, length in enumerate(lengths.tolist()):
            start = int(generator.integers(0, GENOME - length))
            own = genome[start : start + length]
            text = LETTERS[(3 - own)[::-1] if generator.random() < 0.5 else own].tobytes().decode()
            handle.write(f"{text},{row % 3},{'train' if row % 5 else 'test'}\n")


def measure(table: Path) -> None:
    """Read and audit the sequences, and print what it took."""
    from glmflow.genome.packed import pack
    from glmflow.labelled.data_audit import audit
    from glmflow.labelled.sources import read_source

    started = time.process_time()
    data = read_source({"table": table})
    packed = pack(data.rows["sequence"])
    read = time.process_time() - started
    found = audit(data.rows, packed, data.rows["target"].to_numpy(), data.labels.classes)
    whole = time.process_time() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"glmflow\t{whole:.1f} CPU s (reading {read:.1f})\t{memory:.0f} MB\t{packed.count:,} sequences", end="")
    near = found.facts["near_copies"]
    print(
        f", {len(packed.codes) / 1e6:.0f} Mb: {near['pairs']:,} pairs of near copies in {near['components']:,} components"
    )


if __name__ == "__main__":
    main()
