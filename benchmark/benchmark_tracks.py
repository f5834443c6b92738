"""Tracks and windows of sequence, beside the tools people use, in one run.

    GLMFLOW_TEST_DATA=... python benchmark/benchmark_tracks.py [--cores 2]

Replicates are the 12 RNA-seq tracks of chromosome 21 in `$GLMFLOW_TEST_DATA/brainspan_chr21` or, without it, 12
simulated ones. Each line is a ratio with both figures, the best of three runs, each in a process that does nothing
else; elapsed seconds need cores that are free, CPU seconds do not; memory is the peak of the largest process.
"Reading" takes every base of every file out with pyBigWig, in pieces of a megabase (its best case), and does nothing
with it: averaging is to take at most twice as long, which is 0.5 times as fast.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from measuring import processor

STEP = 1_000_000
LENGTH = 32_768
WINDOWS = 3_000
RUNS = 3


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--cores", type=int, default=cores, help="processes that average (default: all cores)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        given = Path(os.environ.get("GLMFLOW_TEST_DATA", "")) / "brainspan_chr21"
        paths = sorted(given.glob("*.bw")) or [simulate_track(folder / f"{number}.bw") for number in range(12)]
        genome = simulate_genome(folder / "genome.fa")
        print(f"# {len(paths)} tracks of {paths[0].parent.name}, {arguments.cores} cores, {processor()}")
        print("what", "glmflow", "MB", "other", "MB", "times better", "the other", sep="\t")
        compare_averaging(paths, folder, arguments.cores)
        compare_windows(paths, genome)
    return 0


def compare_averaging(paths: list[Path], folder: Path, cores: int) -> None:
    """Print the lines on averaging, and whether the means are equal."""
    ours, plain = folder / "ours.bw", folder / "plain.bw"
    reading = best(read_all, paths)
    all_cores, one_core = best(our_mean, paths, ours, cores), best(our_mean, paths, ours, 1)
    loop = best(plain_mean, paths, plain)
    line(f"averaging, {cores} cores, elapsed s", all_cores, reading, "reading alone, pyBigWig")
    line("averaging, 1 core, CPU s", one_core, reading, "reading alone, pyBigWig")
    line(f"averaging, {cores} cores, elapsed s", all_cores, loop, "a loop over pyBigWig")
    line("averaging, 1 core, CPU s", one_core, loop, "a loop over pyBigWig")
    line("writing the mean again, CPU s", best(our_copy, ours, folder), best(plain_copy, ours, folder), "pyBigWig")
    equal = all(np.array_equal(*pair) for pair in zip(dense(ours), dense(plain)))
    print(f"equal to float32 of the float64 mean at every base: {'yes' if equal else 'NO'}")
    for tool, command in {
        "wiggletools": ["wiggletools", "write_bg", str(folder / "w.bg"), "mean", *map(str, paths)],
        "bigwigAverage": [
            "bigwigAverage",
            "-b",
            *map(str, paths),
            "-bs",
            "1",
            "-p",
            str(cores),
            "-o",
            str(folder / "d"),
        ],
    }.items():
        if shutil.which(tool):
            line(f"averaging, {cores} cores, elapsed s", all_cores, best(run_tool, command), tool)
        else:
            print(f"{tool} is not on PATH: not compared")


def compare_windows(paths: list[Path], genome: Path) -> None:
    """Print the lines on windows."""
    for number in (1, len(paths)):
        name = f"windows of {number} track{'s' if number > 1 else ''}, /CPU s"
        line(name, best(our_tracks, paths[:number]), best(plain_tracks, paths[:number]), "pyBigWig, NaN left in")
    ours = best(our_sequence, genome)
    line("windows of sequence, /CPU s", ours, best(pysam_sequence, genome), "pysam, as text")
    line("windows of sequence, /CPU s", ours, best(pyfaidx_sequence, genome), "pyfaidx, as text")


class Figures(NamedTuple):
    """The best of some runs: windows a CPU second, or seconds elapsed and of CPU; and the peak memory in MB."""

    rate: float | None
    elapsed: float
    cpu: float
    memory: float


def line(what: str, ours: Figures, other: Figures, name: str) -> None:
    """Print one ratio with its figures."""
    if ours.rate:
        values, ratio = (ours.rate, other.rate), ours.rate / other.rate
    else:
        values = (ours.cpu, other.cpu) if what.endswith("CPU s") else (ours.elapsed, other.elapsed)
        ratio = values[1] / values[0]
    figures = (f"{values[0]:.4g}", f"{ours.memory:.0f}", f"{values[1]:.4g}", f"{other.memory:.0f}", f"{ratio:.2f}")
    print(what, *figures, name, sep="\t", flush=True)


def best(function: Callable, *arguments) -> Figures:
    """Run a function in fresh processes."""
    results = []
    for _ in range(RUNS):
        # Not a daemon, so that it may have processes of its own.
        receiver, sender = multiprocessing.get_context("spawn").Pipe(duplex=False)
        process = multiprocessing.get_context("spawn").Process(target=_measured, args=(sender, function, arguments))
        process.start()
        sender.close()
        results.append(receiver.recv())
        process.join()
    rates, elapsed, cpu, memory = zip(*results)
    return Figures(max(rates) if rates[0] else None, min(elapsed), min(cpu), max(memory))


def _measured(sender, function: Callable, arguments: tuple) -> None:
    """Send the figures of one run; modules are imported before the clock starts."""
    import pybigtools  # noqa: F401
    import pyBigWig  # noqa: F401
    from glmflow.tracks import averaging, reading  # noqa: F401

    start, used = time.perf_counter(), cpu_seconds()
    rate = function(*arguments)
    elapsed, cpu = time.perf_counter() - start, cpu_seconds() - used
    status = Path("/proc/self/status").read_text()
    own = int(status.partition("VmHWM:")[2].split()[0])
    memory = max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024
    sender.send(Figures(rate, elapsed, cpu, memory))


def cpu_seconds() -> float:
    """Return the CPU time of this process and of those it has waited for."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


# Data where there are none
def simulate_track(path: Path) -> Path:
    """Write 50 Mb of sparse coverage."""
    from glmflow.bigwig import write_bigwig

    random = np.random.default_rng(int(path.stem))
    starts = np.sort(random.choice(50_000_000 // 20, 150_000, replace=False)) * 20
    ends = starts + random.integers(5, 20, len(starts))
    write_bigwig(path, {"chr1": 50_000_000}, [("chr1", starts, ends, random.gamma(0.5, 10, len(starts)))])
    return path


def simulate_genome(path: Path) -> Path:
    """Write and index 20 Mb of sequence."""
    from glmflow.genome.reference import prepare_reference

    bases = np.random.default_rng(1).choice(np.frombuffer(b"ACGT", np.uint8), 20_000_000).tobytes().decode()
    raw = path.with_suffix(".raw")
    raw.write_text(f">chr1\n{bases}\n")
    prepare_reference(raw, path)
    raw.unlink()
    return path


# Averaging
def pieces(paths: list[Path]) -> Iterator[tuple[list, str, int, int, int]]:
    """Open the files; yield them and every megabase that the first of them has."""
    import pyBigWig

    files = [pyBigWig.open(str(path)) for path in paths]
    for chrom, length in files[0].chroms().items():
        for start in range(0, length, STEP):
            yield files, chrom, length, start, min(start + STEP, length)


def read_all(paths: list[Path]) -> None:
    """Read every base of every file."""
    for files, chrom, _, start, end in pieces(paths):
        for file in files:
            file.values(chrom, start, end, numpy=True)


def our_mean(paths: list[Path], output: Path, cores: int) -> None:
    """Average with glmflow."""
    from glmflow.tracks.averaging import average

    average(paths, output, cores)


def plain_mean(paths: list[Path], output: Path) -> None:
    """Average as a loop over pyBigWig does."""
    import pyBigWig

    out = None
    for files, chrom, _, start, end in pieces(paths):
        if out is None:
            out = pyBigWig.open(str(output), "w")
            out.addHeader(list(files[0].chroms().items()))
        total = np.zeros(end - start)
        for file in files:
            total += np.nan_to_num(file.values(chrom, start, end, numpy=True))
        mean = (total / len(files)).astype(np.float32)
        first = np.append(0, np.flatnonzero(np.diff(mean)) + 1)
        last = np.append(first[1:], len(mean))
        kept = mean[first] != 0
        if kept.any():
            names = [chrom] * int(kept.sum())
            out.addEntries(names, first[kept] + start, ends=last[kept] + start, values=mean[first[kept]])
    out.close()


def dense(path: Path) -> Iterator[np.ndarray]:
    """Yield every megabase of a track."""
    for (file,), chrom, _, start, end in pieces([path]):
        yield np.nan_to_num(file.values(chrom, start, end, numpy=True))


def entries(path: Path) -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield the intervals of a track."""
    from glmflow.bigwig import BigWig

    with BigWig(path) as file:
        for chrom, length in file.contigs.items():
            for runs in file.runs(chrom, 0, length):
                yield chrom, *runs


def our_copy(path: Path, folder: Path) -> None:
    """Write the intervals of a track with glmflow."""
    from glmflow.bigwig import BigWig, write_bigwig

    with BigWig(path) as file:
        write_bigwig(folder / "our_copy.bw", file.contigs, entries(path))


def plain_copy(path: Path, folder: Path) -> None:
    """Write the intervals of a track with pyBigWig."""
    import pyBigWig
    from glmflow.bigwig import BigWig

    out = pyBigWig.open(str(folder / "plain_copy.bw"), "w")
    with BigWig(path) as file:
        out.addHeader(list(file.contigs.items()))
    for chrom, starts, ends, values in entries(path):
        out.addEntries([chrom] * len(starts), starts, ends=ends, values=values)
    out.close()


def run_tool(command: list[str]) -> None:
    """Run a command."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


# Windows
def rate(read: Callable[[int], object], length: int) -> float:
    """Return windows a second at random places."""
    starts = np.random.default_rng(1).integers(length // 3, length - LENGTH, WINDOWS).tolist()
    for at in starts[: WINDOWS // 10]:
        read(at)
    start = time.process_time()
    for at in starts:
        read(at)
    return WINDOWS / (time.process_time() - start)


def our_tracks(paths: list[Path]) -> float:
    """Read windows of tracks with glmflow."""
    from glmflow.tracks.reading import TrackReader

    reader = TrackReader(paths)
    chrom, length = next(iter(reader.contigs.items()))
    return rate(lambda at: reader.read(chrom, at, at + LENGTH), length)


def plain_tracks(paths: list[Path]) -> float:
    """Read windows of tracks with pyBigWig."""
    import pyBigWig

    files = [pyBigWig.open(str(path)) for path in paths]
    chrom, length = next(iter(files[0].chroms().items()))
    return rate(lambda at: [file.values(chrom, at, at + LENGTH, numpy=True) for file in files], length)


def our_sequence(genome: Path) -> float:
    """Read windows of sequence with glmflow."""
    from glmflow.genome.reference import Reference

    reference = Reference(genome)
    return rate(lambda at: reference.fetch("chr1", at, at + LENGTH), reference.contigs["chr1"])


def pysam_sequence(genome: Path) -> float:
    """Read windows of sequence with pysam."""
    import pysam

    fasta = pysam.FastaFile(str(genome))
    return rate(lambda at: fasta.fetch("chr1", at, at + LENGTH), fasta.get_reference_length("chr1"))


def pyfaidx_sequence(genome: Path) -> float:
    """Read windows of sequence with pyfaidx."""
    import pyfaidx

    fasta = pyfaidx.Faidx(str(genome))
    return rate(lambda at: fasta.fetch("chr1", at + 1, at + LENGTH).seq, fasta.index["chr1"].rlen)


if __name__ == "__main__":
    raise SystemExit(main())
