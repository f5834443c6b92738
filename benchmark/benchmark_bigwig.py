"""Three bigWig libraries at the work of a study: this project's, pybigtools and pyBigWig, in one run.

    GLMFLOW_TEST_DATA=... python benchmark/benchmark_bigwig.py

Tracks are the 12 of chromosome 21 in `$GLMFLOW_TEST_DATA/brainspan_chr21` or, without it, simulated ones. Every figure is
of a process that does nothing else: CPU seconds (the best of three; pybigtools writes in several threads) and peak memory.
Where a library has no arrays of intervals, it is given its fastest way: dense values to read, an iterable of tuples to
write.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from benchmark_tracks import LENGTH, STEP, best, entries, simulate_track
from measuring import processor

WINDOWS = 300
DENSE = 5_000_000


def main() -> int:
    """Print the table."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        given = Path(os.environ.get("GLMFLOW_TEST_DATA", "")) / "brainspan_chr21"
        paths = sorted(given.glob("*.bw")) or [simulate_track(folder / f"{number}.bw") for number in range(12)]
        print(f"# {len(paths)} tracks of {paths[0].parent.name}, {processor()}; CPU seconds (MB)")
        print("what", *LIBRARIES, sep="\t")
        mean = folder / "mean.bw"
        average(paths, mean, "glmflow")
        for what, function, arguments in (
            (f"{WINDOWS} windows of {len(paths)} tracks, first time", windows, (paths, 1)),
            ("the same windows again, 10 times", windows, (paths, 11)),
            ("the same, nothing remembered", forgetful_windows, (paths, 11)),
            (f"every base of {len(paths)} tracks", everything, (paths,)),
            (f"mean of {len(paths)} tracks, written", average, (paths, folder / "out.bw")),
            ("writing the mean again", copy, (mean, folder / "out.bw")),
            (f"writing {DENSE / 1e6:g} Mb of predictions", predictions, (folder / "out.bw",)),
            ("means of 1,000 bins of 48 Mb (zoom levels)", bins, (mean,)),
        ):
            found = [best(function, *arguments, library) for library in LIBRARIES]
            print(what, *(f"{one.cpu:.2f} ({one.memory:.0f})" for one in found), sep="\t", flush=True)
        sizes = [predictions(folder / f"{library}.bw", library) for library in LIBRARIES]
        print("size of the predictions, MB", *(f"{size / 1e6:.1f}" for size in sizes), sep="\t")
    return 0


LIBRARIES = ("glmflow", "pybigtools", "pyBigWig")
Dense = Callable[[str, int, int], np.ndarray]


def opened(path: Path, library: str) -> tuple[dict[str, int], Dense]:
    """Return the contigs of a file and a function that reads dense values, 0 where there are none."""
    if library == "glmflow":
        from glmflow.bigwig import BigWig

        file = BigWig(path)
        return file.contigs, file.values
    if library == "pybigtools":
        import pybigtools

        file = pybigtools.open(str(path))
        return file.chroms(), lambda chrom, start, end: file.values(chrom, start, end, fillna=0.0)
    import pyBigWig

    file = pyBigWig.open(str(path))
    return file.chroms(), lambda chrom, start, end: np.nan_to_num(file.values(chrom, start, end, numpy=True))


def windows(paths: list[Path], times: int, library: str) -> None:
    """Read the same windows of all tracks some times, as float32[tracks, bases]."""
    if library == "glmflow":
        from glmflow.tracks.reading import TrackReader

        reader = TrackReader(paths)
        contigs, read = reader.contigs, reader.read
    else:
        files = [opened(path, library) for path in paths]
        contigs = files[0][0]

        def read(chrom: str, start: int, end: int) -> np.ndarray:
            return np.stack([values(chrom, start, end) for _, values in files]).astype(np.float32, copy=False)

    chrom, length = next(iter(contigs.items()))
    starts = np.random.default_rng(1).integers(length // 3, length - LENGTH, WINDOWS).tolist()
    for _ in range(times):
        for at in starts:
            read(chrom, at, at + LENGTH)


def forgetful_windows(paths: list[Path], times: int, library: str) -> None:
    """Read the same windows, each from disk."""
    from glmflow.tracks import reading

    reading._MEMORY = 0
    windows(paths, times, library)


def everything(paths: list[Path], library: str) -> None:
    """Read every base of every file in pieces of a megabase, as runs where the library has them."""
    for path in paths:
        if library == "glmflow":
            from glmflow.bigwig import BigWig

            with BigWig(path) as file:
                for _ in file.all_runs():
                    pass
        else:
            contigs, values = opened(path, library)
            for chrom, length in contigs.items():
                for start in range(0, length, STEP):
                    values(chrom, start, min(start + STEP, length))


def average(paths: list[Path], output: Path, library: str) -> None:
    """Write the mean of tracks; with the other libraries by a loop over dense megabases."""
    if library == "glmflow":
        from glmflow.tracks.averaging import average as our_average

        our_average(paths, output)
        return
    files = [opened(path, library) for path in paths]

    def means() -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
        for chrom, length in files[0][0].items():
            for start in range(0, length, STEP):
                total = sum(values(chrom, start, min(start + STEP, length)).astype(np.float64) for _, values in files)
                mean = (total / len(files)).astype(np.float32)
                first = np.append(0, np.flatnonzero(np.diff(mean)) + 1)
                last = np.append(first[1:], len(mean))
                kept = mean[first] != 0
                yield chrom, first[kept] + start, last[kept] + start, mean[first[kept]]

    write(output, files[0][0], means(), library)


def write(path: Path, contigs: dict[str, int], blocks: Iterator[tuple], library: str) -> None:
    """Write blocks of intervals."""
    if library == "glmflow":
        from glmflow.bigwig import write_bigwig

        write_bigwig(path, contigs, blocks)
    elif library == "pybigtools":
        import pybigtools

        pybigtools.open(str(path), "w").write(
            contigs,
            (
                (chrom, *interval)
                for chrom, *columns in blocks
                for interval in zip(*(np.asarray(column).tolist() for column in columns))
            ),
        )
    else:
        import pyBigWig

        file = pyBigWig.open(str(path), "w")
        file.addHeader(list(contigs.items()))
        for chrom, starts, ends, values in blocks:
            if len(starts):
                file.addEntries([chrom] * len(starts), starts, ends=ends, values=values)
        file.close()


def copy(path: Path, output: Path, library: str) -> None:
    """Write the intervals of a track again (read with this project's reader)."""
    contigs, _ = opened(path, "glmflow")
    write(output, contigs, entries(path), library)


def predictions(output: Path, library: str) -> int:
    """Write another value at every base, in blocks of 2^18; return the size of the file."""
    blocks = range(0, DENSE, 1 << 18)
    values = np.random.default_rng(1).gamma(1, 3, 1 << 18).astype(np.float32)
    if library == "pyBigWig":
        import pyBigWig

        file = pyBigWig.open(str(output), "w")
        file.addHeader([("chr1", DENSE)])
        for start in blocks:  # its form for values in even steps
            file.addEntries("chr1", start, values=values[: DENSE - start], span=1, step=1)
        file.close()
    else:
        made = (np.arange(start, min(start + (1 << 18), DENSE)) for start in blocks)
        write(output, {"chr1": DENSE}, (("chr1", at, at + 1, values[: len(at)]) for at in made), library)
    return output.stat().st_size


def bins(path: Path, library: str) -> None:
    """Take the means of a thousand bins; this project reads no zoom levels but the data, exactly."""
    contigs, values = opened(path, library)
    chrom, length = next(iter(contigs.items()))
    if library == "glmflow":
        edges = np.linspace(0, length, 1_001).astype(int).tolist()
        for start, end in pairwise(edges):
            values(chrom, start, end).mean()
    elif library == "pybigtools":
        import pybigtools

        pybigtools.open(str(path)).values(chrom, 0, length, bins=1_000, fillna=0.0)
    else:
        import pyBigWig

        pyBigWig.open(str(path)).stats(chrom, 0, length, nBins=1_000)


if __name__ == "__main__":
    raise SystemExit(main())
