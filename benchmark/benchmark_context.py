"""Peak memory of one extended layer of AIDO.DNA's shape, from 4 kb to 64 kb: it grows with L, not with L x L.

    python benchmark/benchmark_context.py [--kb 4 16 64] [--method yarn]

The model is the family's own code with one layer and two heads of 64 channels (the published 300M has 24 layers and 16
heads of that size) and random weights. Scores of all pairs at 64,000 tokens would take 30 GB for the two heads in
float32. Each length runs in a process of its own; memory is what that process holds at most beyond the loaded model.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time

LAYER = {"hidden_size": 128, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 344}
TRAINED = 4000


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--kb", nargs="+", type=int, default=[4, 16, 64], help="lengths in 1,000 tokens (default: 4 16 64)"
    )
    parser.add_argument("--method", default="yarn", help="method of extension (default: yarn)")
    arguments = parser.parse_args()
    print("tokens\tCPU seconds\tpeak MB\tMB per 1,000 tokens")
    for kb in arguments.kb:
        process = multiprocessing.get_context("spawn").Process(target=measure, args=(1000 * kb, arguments.method))
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit(process.exitcode)


def measure(length: int, method: str) -> None:
    """Print the line of one length."""
    import torch
    from glmflow.models import new_model

    torch.set_num_threads(1)
    model = new_model("aido_dna", LAYER, seed=1).eval()
    if length > TRAINED:
        model.extend(method, length / TRAINED, original_length=TRAINED)
    ids = torch.randint(5, 9, (1, length))
    with torch.no_grad():
        model(ids[:, :64])
        before, start = peak_mb(), time.process_time()
        model.hidden_states(ids)
    used = peak_mb() - before
    print(f"{length}\t{time.process_time() - start:.1f}\t{used:.0f}\t{1000 * used / length:.1f}", flush=True)


def peak_mb() -> float:
    """Return the largest memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
