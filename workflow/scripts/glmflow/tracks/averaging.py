"""The mean of replicate tracks, exact at every base."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glmflow.errors import InputError
from glmflow.genome.contigs import find_contig
from glmflow.tracks.bigwig import BigWig, Runs, Sections, encode
from glmflow.tracks.writing import join, write_sections

_CHUNK = 1 << 19


class Place(NamedTuple):
    """A stretch of a contig: the contig's number and name, and a 0-based half-open interval."""

    number: int
    chrom: str
    start: int
    end: int


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
        lengths; or `cores` is not positive.
    """
    if cores < 1:
        raise InputError(f"{cores} cores", mend="Give at least 1.")
    paths = [Path(path) for path in paths]
    _check_paths(paths, Path(output))
    contigs, names = _align(paths)
    places = [
        Place(number, chrom, start, min(start + _CHUNK, length))
        for number, (chrom, length) in enumerate(contigs.items())
        for start in range(0, length, _CHUNK)
    ]
    counts = Counter(files=len(paths), non_finite=0, negative=0, bases=0)

    def means() -> Iterator[Sections]:
        for mean, found in _means(paths, names, places, cores, sign):
            counts.update(found)
            if mean is not None:
                yield mean

    write_sections(output, contigs, means())
    return dict(counts)


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
            theirs = file.contigs
        known: dict[str, str] = {}
        for name, length in theirs.items():
            alike = find_contig(name, contigs)
            # A file that has chrM and chrMT means two contigs.
            chrom = name if alike is None or alike in theirs else alike
            if contigs.setdefault(chrom, length) != length:
                raise InputError(
                    f"contig {name} has {length:,} bases, in {first[chrom]} {contigs[chrom]:,}",
                    where=path,
                    mend="Average tracks of one genome build.",
                )
            first.setdefault(chrom, path)
            known[chrom] = name
        names.append(known)
    return contigs, names


def _check_paths(paths: Sequence[Path], output: Path) -> None:
    """Stop when there is nothing to average, a file counts twice, or the output would overwrite an input."""
    if not paths:
        raise InputError("no tracks to average", mend="Give at least one bigWig file.")
    seen = Counter(path.resolve() for path in paths)
    for path, times in seen.items():
        if times > 1:
            raise InputError("the same track twice", where=path, mend="Give every replicate once.")
    if output.resolve() in seen:
        raise InputError("the output is also an input", where=output, mend="Give another name.")


def _means(
    paths: list[Path], names: list[dict[str, str]], places: list[Place], cores: int, sign: int
) -> Iterator[tuple[Sections | None, Counter]]:
    """Yield the mean over every place, in order; few are held at a time, however slow the writer."""
    if cores == 1:
        yield from map(_Replicates(paths, names, sign).mean, places)
        return
    portion = max(8 // cores, 1)  # of places a task: fewer hand-overs on few cores, less memory on many
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


def _means_in_worker(places: list[Place]) -> list[tuple[Sections | None, Counter]]:
    """Return the mean over some places, in a worker process."""
    return [_replicates.mean(place) for place in places]


class _Replicates:
    """Open tracks and the mean of them."""

    def __init__(self, paths: list[Path], names: list[dict[str, str]], sign: int):
        self.sign = sign
        self.files = [BigWig(path) for path in paths]
        self.names = names
        self.total = np.zeros(_CHUNK)

    def mean(self, place: Place) -> tuple[Sections | None, Counter]:
        """Return the mean over one place, ready to be written, and the counts of unusual values."""
        number, chrom, start, end = place
        total = self.total[: end - start]
        total.fill(0)
        counts: Counter = Counter()
        for file, names in zip(self.files, self.names):
            if (name := names.get(chrom)) is None:
                continue
            parts = list(file.runs(name, start, end))
            if not parts:
                continue
            starts, ends, values = map(np.concatenate, zip(*parts))
            lengths = ends - starts
            values = self.sign * values
            finite = np.isfinite(values)
            if not finite.all():
                counts["non_finite"] += int(lengths[~finite].sum())
                values = np.where(finite, values, 0)
            if values.min() < 0:
                counts["negative"] += int(lengths[values < 0].sum())
            # Coverage is sparse: only the bases that have a value, one behind another.
            behind = np.cumsum(lengths)
            covered = np.arange(behind[-1])
            covered += np.repeat(starts - start - behind + lengths, lengths)
            np.add.at(total, covered, np.repeat(values.astype(np.float64), lengths))
        block = self._stretches(total, start)
        counts["bases"] = int((block.ends - block.starts).sum())
        return (encode(block, number) if len(block.starts) else None), counts

    def _stretches(self, total: np.ndarray, start: int) -> Runs:
        """Return where the mean is not 0: the sum is looked at where it changes, which is at few bases."""
        changes = np.flatnonzero(total[1:] != total[:-1]) + 1
        starts, ends = np.append(0, changes), np.append(changes, len(total))
        covered = total[starts] != 0
        starts, ends = starts[covered], ends[covered]
        mean = (total[starts] / len(self.files)).astype(np.float32)
        return join([Runs(starts + start, ends + start, mean)])  # sums that differ may have the same float32 mean
