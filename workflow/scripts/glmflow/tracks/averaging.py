"""The mean of replicate tracks, exact at every base."""

from __future__ import annotations

import logging
import os
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glmflow.bigwig import BigWig, Runs, Sections, encode, join, spread, write_sections
from glmflow.errors import InputError
from glmflow.genome.contigs import renamed_contigs, some

log = logging.getLogger(__name__)

_WIDE = 1 << 20  # bases of a place
_MOST_RUNS = 1 << 18  # of all files that are added up at once: some 30 MB
_REMEMBERED = 1 << 16  # bytes of a file: the section that reaches into the next place is decoded once


class Place(NamedTuple):
    """A stretch of a contig: the contig's number and name, and a 0-based half-open interval."""

    number: int
    chrom: str
    start: int
    end: int


class Mean(NamedTuple):
    """The mean along a stretch, ready to be written (None where it is 0); what is unusual, and NaN or infinite by file."""

    sections: Sections | None
    counts: Counter
    not_finite: list[int]


def average(
    paths: Sequence[str | os.PathLike[str]], output: str | os.PathLike[str], cores: int = 1, sign: int = 1
) -> dict[str, int]:
    """Write the mean of tracks: at every base the float64 mean over all files, as float32.

    A base without a value counts as 0, and so does a value that is not finite; the sum is divided by the number
    of files, not by the number that have a value. A contig that one file lacks is 0 in that file. Bases whose
    mean is 0 are not written. Reading and adding up run in `cores` processes, each within 100 MB; the result does
    not depend on their number.

    Parameters
    ----------
    paths
        bigWig files.
    output
        bigWig file to write.
    cores
        Processes that read.
    sign
        -1 for files that hold coverage as negative numbers, as some pipelines write minus strands.

    Returns
    -------
    dict[str, int]
        `files`; `non_finite` and `negative`: bases with such a value, summed over the files; `bases`: bases whose mean
        is not 0.

    Raises
    ------
    InputError
        A file is missing, damaged, not bigWig, given twice or also the output; two files give a contig different
        lengths, or one has no contig of the others; or `cores` is not positive.
    """
    if cores < 1:
        raise InputError(f"{cores} cores", fix="Give at least 1.")
    paths = [Path(path) for path in paths]
    _check_paths(paths, Path(output))
    contigs, names = _align(paths)
    places = [
        Place(number, chrom, start, min(start + _WIDE, length))
        for number, (chrom, length) in enumerate(contigs.items())
        for start in range(0, length, _WIDE)
    ]
    counts = Counter(files=len(paths), non_finite=0, negative=0, bases=0)
    odd: Counter[Path] = Counter()

    def means() -> Iterator[Sections]:
        for mean, found, not_finite in _means(paths, names, places, cores, sign):
            counts.update(found)
            odd.update(dict(zip(paths, not_finite)))
            if mean is not None:
                yield mean

    write_sections(output, contigs, means())
    for path, bases in (+odd).items():
        log.warning("%s: %s bases hold NaN or infinity: taken as 0", path, f"{bases:,}")
    return dict(counts)


def check_coverage(counts: Mapping[str, int], track: str, paths: Sequence[str | os.PathLike[str]]) -> None:
    """Stop where an average is no coverage: some of its files' values are negative, their sign turned where it is to be.

    Raises
    ------
    InputError
        `counts`, as `average` returns them, has negative values.
    """
    if counts["negative"]:
        raise InputError(
            f"coverage of {track} is negative at {counts['negative']:,} bases",
            where=some(map(str, paths)),
            fix="Give coverage, each strand in files of its own; say `negate: true` where all of it is negative.",
        )


def union_of_contigs(paths: Sequence[str | os.PathLike[str]]) -> dict[str, int]:
    """Return the contigs that any of some tracks has, named as in the first that has them.

    Raises
    ------
    InputError
        Two files give a contig different lengths, or as `BigWig`.
    """
    return _align(paths)[0]


def _align(paths: Sequence[str | os.PathLike[str]]) -> tuple[dict[str, int], list[dict[str, str]]]:
    """Return the length of every contig of any file and, for each file, what it calls those that it has."""
    contigs: dict[str, int] = {}
    first: dict[str, str | os.PathLike[str]] = {}
    names: list[dict[str, str]] = []
    for path in paths:
        with BigWig(path) as file:
            file.check_index()
            theirs = file.contigs
        ours = {name: chrom for chrom, name in renamed_contigs(contigs, theirs, "the other tracks'", path).items()}
        known: dict[str, str] = {}
        for name, length in theirs.items():
            chrom = ours.get(name, name)
            if contigs.setdefault(chrom, length) != length:
                raise InputError(
                    f"contig {name} has {length:,} bases, in {first[chrom]} {contigs[chrom]:,}",
                    where=path,
                    fix="Average tracks of one genome build.",
                )
            first.setdefault(chrom, path)
            known[chrom] = name
        names.append(known)
    files = Counter(chrom for known in names for chrom in known)
    for path, known in zip(paths, names):
        if len(names) > 1 and all(files[chrom] == 1 for chrom in known):
            raise InputError(
                f"no contig of the other tracks: it has {some(known) or 'none'},"
                f" they {some(chrom for chrom in contigs if chrom not in known)}",
                where=path,
                fix="Average replicates of one genome.",
            )
    return contigs, names


def _check_paths(paths: Sequence[Path], output: Path) -> None:
    """Stop when there is nothing to average, a file counts twice, or the output would overwrite an input."""
    if not paths:
        raise InputError("no tracks to average", fix="Give at least one bigWig file.")
    seen = Counter(path.resolve() for path in paths)
    for path, times in seen.items():
        if times > 1:
            raise InputError("the same track twice", where=path, fix="Give every replicate once.")
    if output.resolve() in seen:
        raise InputError("the output is also an input", where=output, fix="Give another name.")


def _means(
    paths: list[Path], names: list[dict[str, str]], places: list[Place], cores: int, sign: int
) -> Iterator[Mean]:
    """Yield the means along the places, in order; few are held at a time, however slow the writer."""
    if cores == 1:
        with closing(_Replicates(paths, names, sign)) as replicates:
            for place in places:
                yield from replicates.means(place)
        return
    portion = max(4 // cores, 1)  # of places a task: fewer hand-overs on few cores, less memory on many
    waiting: deque = deque()
    with ProcessPoolExecutor(cores, initializer=_open_in_worker, initargs=(paths, names, sign)) as pool:
        for first in range(0, len(places), portion):
            waiting.append(pool.submit(_means_in_worker, places[first : first + portion]))
            if len(waiting) > cores + 1:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _open_in_worker(paths: list[Path], names: list[dict[str, str]], sign: int) -> None:
    """Open a worker process's own handles."""
    global _replicates
    _replicates = _Replicates(paths, names, sign)


def _means_in_worker(places: list[Place]) -> list[Mean]:
    """Return the means along some places, in a worker process."""
    return [mean for place in places for mean in _replicates.means(place)]


class _Replicates:
    """Open tracks and the mean of them."""

    def __init__(self, paths: list[Path], names: list[dict[str, str]], sign: int):
        self.sign = sign
        self.files = [BigWig(path, _REMEMBERED) for path in paths]
        self.names = names

    def close(self) -> None:
        """Close the files."""
        for file in self.files:
            file.close()

    def means(self, place: Place) -> Iterator[Mean]:
        """Yield the mean along a place in parts, ready to be written, and the counts of unusual values."""
        files = [
            (which, file, names[place.chrom])
            for which, (file, names) in enumerate(zip(self.files, self.names))
            if place.chrom in names
        ]
        for start, end in pairwise([place.start, *_cuts(files, place.start, place.end), place.end]):
            yield self._mean(files, place.number, start, end)

    def _mean(self, files: list[tuple[int, BigWig, str]], number: int, start: int, end: int) -> Mean:
        """Return the mean over a stretch of files that each have the contig under some name."""
        counts: Counter = Counter()
        tracks = []
        not_finite = [0] * len(self.files)
        for which, file, chrom in files:
            parts = list(file.runs(chrom, start, end))
            if parts:
                before = counts["non_finite"]
                tracks.append(self._counted(Runs(*map(np.concatenate, zip(*parts))), counts))
                not_finite[which] = counts["non_finite"] - before
        total = _sum(tracks, start, end)
        mean = (total.values / len(self.files)).astype(np.float32)
        covered = mean != 0  # a float32 may be 0 where the float64 was not
        block = join([Runs(total.starts[covered], total.ends[covered], mean[covered])])
        counts["bases"] = int((block.ends - block.starts).sum())
        return Mean(encode(block, number) if len(block.starts) else None, counts, not_finite)

    def _counted(self, runs: Runs, counts: Counter) -> Runs:
        """Count values that are unusual, and make those 0 that are no numbers."""
        values = self.sign * runs.values
        finite = np.isfinite(values)
        if not finite.all():
            counts["non_finite"] += int((runs.ends - runs.starts)[~finite].sum())
            values = np.where(finite, values, 0)
        if values.min() < 0:
            counts["negative"] += int((runs.ends - runs.starts)[values < 0].sum())
        return runs._replace(values=values)


def _cuts(files: list[tuple[int, BigWig, str]], start: int, end: int) -> list[int]:
    """Return where a stretch is cut so that the runs of a part fit in memory, however dense the tracks are."""
    if (end - start) * len(files) <= _MOST_RUNS:  # a run a base
        return []
    first, runs = map(np.concatenate, zip(*(file.sections(chrom, start, end) for _, file, chrom in files)))
    order = first.argsort(kind="stable")
    portion = np.cumsum(runs[order]) // _MOST_RUNS
    cuts = np.unique(first[order][1:][portion[1:] > portion[:-1]])
    return cuts[(cuts > start) & (cuts < end)].tolist()


def _sum(tracks: list[Runs], start: int, end: int) -> Runs:
    """Add up tracks over a stretch: runs of float64 sums.

    Between two neighbouring ends of any track's runs no track changes: these segments are far fewer than the bases.
    """
    is_edge = np.zeros(end - start + 1, bool)
    for runs in tracks:
        is_edge[runs.starts - start] = True
        is_edge[runs.ends - start] = True
    edges = is_edge.nonzero()[0]
    segment = np.empty(end - start + 1, np.int32)  # of the edges: which segment begins there
    segment[edges] = np.arange(len(edges))
    total = np.zeros(max(len(edges) - 1, 0))
    for runs in tracks:
        starts, ends = segment[runs.starts - start], segment[runs.ends - start]
        total[starts[0] : ends[-1]] += spread(Runs(starts, ends, runs.values))
    return Runs(edges[:-1] + start, edges[1:] + start, total)
