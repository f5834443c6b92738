"""Seconds a gene of the predictors of personal expression, beside scikit-learn's elastic net.

    OMP_NUM_THREADS=1 python benchmark/benchmark_personal.py [--samples 462] [--variants 10 100 1000] [--genes 3]

Haplotypes are simulated (msprime); expression has three causal variants and heritability 0.4. Windows of 1.2, 10 and
100 kb hold about 10, 100 and 1000 variants with a minor allele frequency of 0.01 or more. Processor time of one core is
counted, which other work on the machine changes little, and the peak memory of a process that does one gene (libraries
with it); hours are those of 20,000 genes on two cores.
ElasticNetCV is given the same dosages, folds and penalties, and both must predict the same.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from functools import partial

import msprime
import numpy as np
from glmflow.baselines.dosage_models import PENALTIES, SMALLEST, blup, elastic_net, top_variant
from glmflow.baselines.haplotype_models import KmerRidge, nearest_haplotype
from measuring import apart, processor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNetCV
from sklearn.model_selection import PredefinedSplit

GENES, CORES = 20_000, 2


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=462, help="samples, all of them training (default: 462)")
    parser.add_argument("--variants", nargs="+", type=int, default=[10, 100, 1000], help="variants of a window")
    parser.add_argument("--genes", type=int, default=3, help="genes of each size (default: 3)")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(f"# {processor()}, one core, {arguments.samples} samples")
    columns = ("method", "variants", "ms a gene", f"hours for {GENES:,} genes on {CORES} cores", "peak MB")
    print(*columns, "largest difference in sd", sep="\t")
    for variants in arguments.variants:
        genes = [simulated(arguments.samples, variants, seed) for seed in range(1, arguments.genes + 1)]
        timed = methods(genes)
        for method, fit in timed.items():
            seconds = []
            for gene in range(len(genes)):
                started = time.process_time()
                fit(gene)
                seconds.append(time.process_time() - started)
            mean = float(np.mean(seconds))
            hours = mean * GENES / CORES / 3600
            peak = apart(one_gene, method, arguments.samples, variants).megabytes
            far = f"{from_scikit_learn(genes, timed):.1e}" if method == "elastic net" else ""
            print(f"{method}\t{variants}\t{1000 * mean:.1f}\t{hours:.2f}\t{peak:.0f}\t{far}", flush=True)


def one_gene(method: str, samples: int, variants: int) -> None:
    """Fit one gene by a method."""
    warnings.simplefilter("ignore", ConvergenceWarning)  # a process of its own
    methods([simulated(samples, variants, 1)])[method](0)


def from_scikit_learn(genes: list, timed: dict[str, Callable[[int], object]]) -> float:
    """Return how far predictions of our elastic net are from scikit-learn's at most, in standard deviations."""
    far = []
    for gene, (carried, target, _) in enumerate(genes):
        ours = timed["elastic net"](gene).predict(carried.sum(axis=1, dtype=float))
        far.append(np.abs(ours - timed["sklearn ElasticNetCV"](gene)).max() / target.std())
    return float(max(far))


def simulated(people: int, variants: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return alleles `[P, 2, V]`, expression `[P]` and folds `[P]` of a gene."""
    rng = np.random.default_rng(seed)
    trees = msprime.sim_ancestry(
        people, population_size=1e4, sequence_length=150 * variants + 2000, recombination_rate=1e-8, random_seed=seed
    )
    trees = msprime.sim_mutations(trees, rate=3e-8, random_seed=seed, model=msprime.BinaryMutationModel())
    carried = trees.genotype_matrix().T.reshape(people, 2, -1)
    frequency = carried.mean(axis=(0, 1))
    common = np.flatnonzero(np.minimum(frequency, 1 - frequency) >= 0.01)[:variants]
    carried = carried[:, :, common].astype(np.uint8)
    dosages = carried.sum(axis=1, dtype=float)
    genetic = dosages[:, rng.choice(len(common), 3, replace=False)] @ rng.normal(size=3)
    noise = rng.normal(size=people) * genetic.std() * np.sqrt(0.6 / 0.4)
    return carried, genetic + noise, rng.permutation(np.arange(people) % 5)


def methods(genes: list) -> dict[str, Callable[[int], object]]:
    """Return what is timed, functions of the number of a gene."""

    def linear(fit: Callable) -> Callable[[int], object]:
        return lambda gene: fit(genes[gene][0].sum(axis=1, dtype=float), genes[gene][1])

    def net(gene: int, l1_ratio: float):
        carried, target, folds = genes[gene]
        return elastic_net(carried.sum(axis=1, dtype=float), target, l1_ratio, folds)

    def oracle(gene: int):
        carried, target, folds = genes[gene]
        dosages = carried.sum(axis=1, dtype=float)
        x = (dosages - dosages.mean(axis=0)) / dosages.std(axis=0)
        model = ElasticNetCV(l1_ratio=0.5, eps=SMALLEST, alphas=PENALTIES, cv=PredefinedSplit(folds))
        return model.fit(x, target).predict(x)

    def nearest(gene: int):
        carried, target, _ = genes[gene]
        return nearest_haplotype(carried, target, np.arange(len(target)) % 3 > 0)

    timed: dict[str, Callable[[int], object]] = {
        "top variant": linear(top_variant),
        "elastic net": partial(net, l1_ratio=0.5),
        "LASSO": partial(net, l1_ratio=1.0),
        "BLUP": linear(blup),
        "nearest haplotype": nearest,
        "sklearn ElasticNetCV": oracle,
    }
    if genes[0][0].shape[2] <= 10:
        timed["5-mer ridge, 1.2 kb"] = kmers(genes)
    return timed


def kmers(genes: list) -> Callable[[int], object]:
    """Return the time of adding a gene to the ridge on k-mers, its sequences drawn at random."""
    rng = np.random.default_rng(0)
    model = KmerRidge(5, 1.0)

    def add(gene: int) -> None:
        carried, target, _ = genes[gene]
        distinct, which = np.unique(carried.reshape(2 * len(target), -1), axis=0, return_inverse=True)
        sequences = rng.choice(np.frombuffer(b"ACGT", np.uint8), (len(distinct), 1200))
        model.add(sequences, which.reshape(-1, 2), target)

    return add


if __name__ == "__main__":
    main()
