"""Bases per second and peak memory of one long sequence that a recurrent model reads as a stream (`glmflow stream`).

    python benchmark/benchmark_stream.py [--mb 1 8] [--family rwkv7] [--hidden 64] [--layers 2]

The model has random weights and the sequence is random: what is measured is the path. A line a length, each in a process of
its own, on one core: bases per second of processor time, and the peak of memory beyond that of the loaded model.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Iterator

import numpy as np

PIECE = 1_000_000


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mb", nargs="+", type=float, default=[1, 8], help="lengths in megabases (default: 1 8)")
    parser.add_argument("--family", default="rwkv7", help="rwkv7 or mamba (default: rwkv7)")
    parser.add_argument("--hidden", type=int, default=64, help="hidden size (default: 64)")
    parser.add_argument("--layers", type=int, default=2, help="layers (default: 2)")
    arguments = parser.parse_args()
    print("Mb", "bases/s", "CPU s", "peak MB", "bits per base", sep="\t", flush=True)
    failed = 0
    for megabases in arguments.mb:
        process = multiprocessing.get_context("spawn").Process(
            target=measure, args=(megabases, arguments.family, arguments.hidden, arguments.layers)
        )
        process.start()
        process.join()
        failed |= process.exitcode != 0
    return int(failed)


def measure(megabases: float, family: str, hidden: int, layers: int) -> None:
    """Print the line of a length."""
    import torch
    from glmflow.apply.stream_bits import stream_bits
    from glmflow.models import new_model
    from glmflow.training.peak_memory import peak_memory_mb

    torch.set_num_threads(1)
    model = new_model(family, {"hidden_size": hidden, "num_layers": layers}, seed=1)
    stream_bits(model, [b"ACGT" * 8])  # what is loaded with the first pass is not of the stream
    before, started = peak_memory_mb(), time.process_time()
    found = stream_bits(model, random_pieces(int(megabases * 1e6)))[-1]
    seconds = time.process_time() - started
    row = (f"{megabases:g}", f"{found.bases / seconds:,.0f}", f"{seconds:.1f}", f"{peak_memory_mb() - before:.0f}")
    print(*row, f"{found.carried:.3f}", sep="\t", flush=True)


def random_pieces(bases: int) -> Iterator[bytes]:
    """Yield random bases, a piece at a time."""
    rng = np.random.default_rng(1)
    for start in range(0, bases, PIECE):
        yield np.frombuffer(b"ACGT", np.uint8)[rng.integers(0, 4, min(PIECE, bases - start))].tobytes()


if __name__ == "__main__":
    raise SystemExit(main())
