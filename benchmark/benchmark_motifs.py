"""Sites of motifs: processor time of a motif and strand beside a plain numpy scan, and MOODS where it is installed.

    python benchmark/benchmark_motifs.py [--megabases 4] [--motifs 40] [--meme motifs.meme]

(1) All sites of p < 1e-4 in one long sequence. (2) The best site in each of its pieces of 1,000 bases. Motifs are
those of a file, or drawn: 6 to 20 bases wide, about as telling as JASPAR's. The plain scan adds up a column at a time over all
places; what is found is compared. Memory is the peak of a process that does one of them alone, libraries with it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from glmflow.binding.motif_files import Motif, read_motifs
from glmflow.binding.motif_scan import CODES, all_hits, best_sites, threshold_of
from glmflow.genome.packed import Packed
from measuring import apart

PIECE = 1000
BACKGROUND = [0.3, 0.2, 0.2, 0.3]
PLAIN = 6
"""Motifs that the plain scan is timed with."""


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabases", type=float, default=4)
    parser.add_argument("--motifs", type=int, default=40)
    parser.add_argument("--meme", help="motifs to scan with, MEME or JASPAR")
    arguments = parser.parse_args()
    rng = np.random.default_rng(1)
    bases = int(arguments.megabases * 1e6) // PIECE * PIECE
    letters = np.frombuffer(b"ACGT", np.uint8)[rng.choice(4, bases, p=BACKGROUND)]
    motifs = read_motifs(arguments.meme) if arguments.meme else drawn(arguments.motifs, rng)
    matrices = [motif.log_odds() for motif in motifs]
    least = [threshold_of(matrix) for matrix in matrices]
    each, some = 2 * len(matrices) * bases / 1e6, slice(None, None, max(1, len(matrices) // PLAIN))
    few = 2 * len(matrices[some]) * bases / 1e6
    print("what", "ms a motif, strand and Mb", "times as fast as plain numpy", "peak MB", sep="\t")
    plain, expected = compared(
        "sites of p < 1e-4, plain numpy", plain_hits, few, (letters, matrices[some], least[some])
    )
    _, found = compared("sites of p < 1e-4, glmflow", our_hits, each, (letters, matrices, least), plain)
    if found[some] != expected:
        raise SystemExit("the plain scan finds other sites")
    best = f"best sites in {PIECE:,} bases"
    slow, expected = compared(f"{best}, plain numpy", plain_best, few, (letters, matrices[some]))
    _, scored = compared(f"{best}, glmflow", our_best, each, (letters, matrices), slow)
    if not np.allclose(scored[:, some], expected):
        raise SystemExit("the plain scan finds other best sites")
    moods(letters, matrices, least, each, plain)
    return 0


def drawn(count: int, rng: np.random.Generator) -> list[Motif]:
    """Return random motifs."""
    found = []
    for number, width in enumerate(rng.integers(6, 21, count)):
        telling = rng.random(width) < 0.6
        columns = np.where(telling[:, None], rng.dirichlet([0.1] * 4, width), rng.dirichlet([2.0] * 4, width))
        found.append(Motif(f"M{number}", f"TF{number}", np.rint(columns * 500)))
    return found


def compared(what: str, side: Callable, each: float, given: tuple, plain: float | None = None) -> tuple[float, object]:
    """Print the line of a side; return its milliseconds a motif, strand and megabase, and what it finds."""
    found, seconds, megabytes = apart(side, *given)
    milliseconds = seconds * 1000 / each
    line(what, milliseconds, plain or milliseconds, f"{megabytes:.0f}")
    return milliseconds, found


def our_hits(letters: np.ndarray, matrices: list, least: list[float]) -> list[int]:
    """Return how many sites of each motif reach its threshold."""
    found = all_hits(Packed(letters, np.array([0, len(letters)])), matrices, least)
    return np.bincount(found.motif, minlength=len(matrices)).tolist()


def our_best(letters: np.ndarray, matrices: list) -> np.ndarray:
    """Return the best score of each motif in each piece, `[pieces, motifs]`."""
    return best_sites(Packed(letters, np.arange(0, len(letters) + 1, PIECE)), matrices).score


def scores(codes: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return the score at every place, a column at a time."""
    count = len(codes) - len(matrix) + 1
    total = np.zeros(count)
    for offset, column in enumerate(matrix):
        total += column[codes[offset : offset + count]]
    return total


def plain_hits(letters: np.ndarray, matrices: list, least: list[float]) -> list[int]:
    """Return the same as `our_hits`, a column at a time over all places."""
    codes = CODES[letters]
    return [
        sum(int((scores(codes, own) >= enough).sum()) for own in (matrix, matrix[::-1, ::-1]))
        for matrix, enough in zip(matrices, least)
    ]


def plain_best(letters: np.ndarray, matrices: list) -> np.ndarray:
    """Return the same as `our_best`, a column at a time over all places."""
    codes, found = CODES[letters], []
    for matrix in matrices:
        last = PIECE - len(matrix) + 1
        both = [scores(codes, own) for own in (matrix, matrix[::-1, ::-1])]
        padded = [np.append(own, np.full(len(matrix) - 1, -np.inf)).reshape(-1, PIECE)[:, :last] for own in both]
        found.append(np.maximum(*(own.max(axis=1) for own in padded)))
    return np.stack(found, axis=1)


def moods(letters: np.ndarray, matrices: list, least: list[float], each: float, plain: float) -> None:
    """Print the line of MOODS, where it is installed."""
    try:
        from MOODS import scan, tools
    except ImportError:
        print("sites of p < 1e-4, MOODS", "not installed", "", sep="\t")
        return
    both = [tuple(map(tuple, own.T)) for matrix in matrices for own in (matrix, matrix[::-1, ::-1])]
    scanner = scan.Scanner(min(7, *map(len, matrices)))
    scanner.set_motifs(both, tools.flat_bg(4), [value for value in least for _ in range(2)])
    text = letters.tobytes().decode()
    line("sites of p < 1e-4, MOODS", timed(lambda: scanner.scan(text))[0] * 1000 / each, plain)


def timed(call: Callable) -> tuple[float, object]:
    """Return processor seconds and what a call returns."""
    began = time.process_time()
    found = call()
    return time.process_time() - began, found


def line(what: str, milliseconds: float, plain: float, megabytes: str = "") -> None:
    """Print a line with its ratio."""
    print(what, f"{milliseconds:.3f}", f"{plain / milliseconds:.1f}", megabytes, sep="\t", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
