"""Forward passes of frozen backbones: what a study of samples' haplotypes computes, beside a loop over all of its rows.

    python benchmark/benchmark_frozen.py [--samples 50] [--genes 4] [--seeds 3]

Haplotypes of genes are drawn so that a gene has about as many distinct ones as windows of 1,000 haplotypes have in
`benchmark_haplotypes.py`: each is carried by 5.9 rows. The loop is what is usually written: every row through the
backbone in batches, no gradients, once a seed, for nothing is kept. glmflow computes each distinct sequence once, writes
its features, and every seed reads them. Both use one core and the same batches; each is a process of its own, whose
processor seconds and peak memory (libraries with it) are printed. The features are compared.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from measuring import Measured, apart

LENGTH, BATCH, BINS, CARRIED_BY = 1024, 16, 4, 5.9
Cohort = list[tuple[np.ndarray, np.ndarray]]
"""For each gene its distinct haplotypes, `uint8[D, L]`, and which of them each row carries, `int[rows]`."""
SIZES = {"hidden_size": 96, "num_heads": 4, "num_layers": 2, "context": 1024}


def main() -> int:
    """Print the lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=50, help="samples, of two haplotypes (default: 50)")
    parser.add_argument("--genes", type=int, default=4, help="genes (default: 4)")
    parser.add_argument("--seeds", type=int, default=3, help="seeds that train a head on the features (default: 3)")
    arguments = parser.parse_args()
    cohort = drawn(arguments.samples, arguments.genes)
    once = [(sequences, np.arange(len(sequences))) for sequences, _ in cohort]
    rows, distinct = (sum(len(carried) for _, carried in genes) for genes in (cohort, once))
    print(f"# {rows} rows of {LENGTH:,} bases, {distinct} distinct sequences, one core")
    print("what", "glmflow s", "MB", "loop s", "MB", "ratio", sep="\t")
    asked = [("distinct sequences alone", once, 1), ("all rows, one seed", cohort, 1)]
    for what, genes, seeds in [*asked, (f"all rows, {arguments.seeds} seeds", cohort, arguments.seeds)]:
        with tempfile.TemporaryDirectory() as folder:
            line(what, apart(kept, genes, seeds, Path(folder)), apart(looped, genes, seeds))
    return 0


def line(what: str, ours: Measured, loop: Measured) -> None:
    """Print a line of both sides; their features have to agree."""
    (seconds, features), (others, expected) = ours.result, loop.result
    np.testing.assert_allclose(features, expected, rtol=1e-4)
    figures = (f"{seconds:.2f}", f"{ours.megabytes:.0f}", f"{others:.2f}", f"{loop.megabytes:.0f}")
    print(what, *figures, f"{others / seconds:.2f}", sep="\t", flush=True)


def drawn(samples: int, genes: int) -> Cohort:
    """Return genes of samples with two haplotypes each."""
    rng = np.random.default_rng(1)
    distinct = max(1, round(2 * samples / CARRIED_BY))
    letters = np.frombuffer(b"ACGT", np.uint8)
    return [(rng.choice(letters, (distinct, LENGTH)), rng.integers(distinct, size=2 * samples)) for _ in range(genes)]


def model():
    """Return a probe on a frozen transformer of random weights."""
    import torch
    from glmflow.config.adaptations import Adaptation
    from glmflow.config.settings import adaptation_settings
    from glmflow.config.tasks.snp2gex import Snp2gex
    from glmflow.models import new_model
    from glmflow.training.tuned import RunBlocks, new_tuned

    torch.set_num_threads(1)
    task = Snp2gex(kind="snp2gex", windows={"size": LENGTH})
    probe = Adaptation.model_validate({"kind": "probe", "head": {"kind": "binned", "bins": BINS}, "loss": "pairwise"})
    settings = {
        **{"study": "s", "task_label": "t", "model_label": "m", "adaptation_label": "a", "seed": 1, "model": {}},
        **{"task": task.model_dump(mode="json"), "adaptation": adaptation_settings(probe, task)},
    }
    return new_tuned(RunBlocks.of(settings), new_model("small", SIZES, seed=1), {"mean": 0.0, "total": 1.0}).eval()


def kept(cohort: Cohort, seeds: int, folder: Path) -> tuple[float, float]:
    """Return processor seconds and the mean feature of all rows, read once a seed from what was kept."""
    from glmflow.training.frozen_states import fill, open_states

    network = model()
    network.kept_of(cohort[0][0][:BATCH])  # warm
    began, means = time.process_time(), []
    store = open_states(folder, network)
    fill(store, network, (sequences for sequences, _ in cohort), BATCH)
    for _ in range(seeds):
        means += [float(store(sequences)[carried].mean()) for sequences, carried in cohort]
    return time.process_time() - began, float(np.mean(means))


def looped(cohort: Cohort, seeds: int) -> tuple[float, float]:
    """Return the same of a loop that keeps nothing."""
    import torch

    network = model()
    network.kept_of(cohort[0][0][:BATCH])  # warm
    began, means = time.process_time(), []
    for _ in range(seeds):
        for sequences, carried in cohort:
            rows = sequences[carried]
            parts = [network.kept_of(rows[at : at + BATCH]) for at in range(0, len(rows), BATCH)]
            means.append(float(torch.cat(parts).mean()))
    return time.process_time() - began, float(np.mean(means))


if __name__ == "__main__":
    raise SystemExit(main())
