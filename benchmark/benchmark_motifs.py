"""Sites of motifs: processor time of a motif and strand beside a plain numpy scan, and MOODS where it is installed.

    python benchmark/benchmark_motifs.py [--megabases 4] [--motifs 40] [--meme motifs.meme]

(1) All sites of p < 1e-4 in one long sequence. (2) The best site in each of its pieces of 1,000 bases. Motifs are
those of a file, or drawn: 6 to 20 bases wide, about as telling as JASPAR's. The plain scan adds up a column at a time over all
places; what is found is compared.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from glmflow.binding.motif_files import Motif, read_motifs
from glmflow.binding.motif_scan import CODES, all_hits, best_sites, threshold_of
from glmflow.genome.packed import Packed

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
    whole = Packed(letters, np.array([0, bases]))
    pieces = Packed(letters, np.arange(0, bases + 1, PIECE))
    each = 2 * len(matrices) * bases / 1e6
    print("what", "ms a motif, strand and Mb", "times as fast as plain numpy", sep="\t")
    some = range(0, len(matrices), max(1, len(matrices) // PLAIN))
    plain, expected = timed(lambda: [plain_hits(CODES[letters], matrices[motif], least[motif]) for motif in some])
    plain *= 1000 / (2 * len(some) * bases / 1e6)
    print("sites of p < 1e-4, plain numpy", f"{plain:.2f}", "1", sep="\t")
    seconds, found = timed(lambda: all_hits(whole, matrices, least))
    line("sites of p < 1e-4, glmflow", seconds * 1000 / each, plain)
    if [int((found.motif == motif).sum()) for motif in some] != expected:
        raise SystemExit("the plain scan finds other sites")
    best, expected = timed(lambda: [plain_best(CODES[letters], matrices[motif]) for motif in some])
    best *= 1000 / (2 * len(some) * bases / 1e6)
    print(f"best sites in {PIECE:,} bases, plain numpy", f"{best:.2f}", "1", sep="\t")
    seconds, sites = timed(lambda: best_sites(pieces, matrices))
    line(f"best sites in {PIECE:,} bases, glmflow", seconds * 1000 / each, best)
    if not np.allclose(sites.score[:, list(some)], np.stack(expected, axis=1)):
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


def scores(codes: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return the score at every place, a column at a time."""
    count = len(codes) - len(matrix) + 1
    total = np.zeros(count)
    for offset, column in enumerate(matrix):
        total += column[codes[offset : offset + count]]
    return total


def plain_hits(codes: np.ndarray, matrix: np.ndarray, least: float) -> int:
    """Return how many sites reach a threshold."""
    return sum(int((scores(codes, own) >= least).sum()) for own in (matrix, matrix[::-1, ::-1]))


def plain_best(codes: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return the best score in each piece."""
    last = PIECE - len(matrix) + 1
    both = [scores(codes, own) for own in (matrix, matrix[::-1, ::-1])]
    padded = [np.append(own, np.full(len(matrix) - 1, -np.inf)).reshape(-1, PIECE)[:, :last] for own in both]
    return np.maximum(*(own.max(axis=1) for own in padded))


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


def line(what: str, milliseconds: float, plain: float) -> None:
    """Print a line with its ratio."""
    print(what, f"{milliseconds:.3f}", f"{plain / milliseconds:.1f}", sep="\t", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
