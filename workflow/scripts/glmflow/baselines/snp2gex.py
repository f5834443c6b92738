"""Baselines of kind `snp2gex`: fitted on training samples, gene by gene or on all genes together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.files import read_table, write_table
from glmflow.genome.gene_windows import GeneAlleles
from glmflow.genome.reference import Reference
from glmflow.tasks.snp2gex.gene_units import people_of
from glmflow.training.inputs.cohort_genes import CohortWindows, Gene, genes_of, open_windows
from glmflow.training.inputs.mutation import VARIANT_COLUMNS, variant_names

from .dosage_models import LinearFit, blup, elastic_net, top_variant
from .fitting_data import Apply, Fit, FittingData
from .haplotype_models import KmerRidge, nearest_haplotype
from .nearest_training import GeneLookup, gene_lookup


class Predicted(NamedTuple):
    """Predictions of a gene's samples, and the effects of its variants where the model has any."""

    values: NDArray[np.float64]
    variants: pd.DataFrame | None = None


Predict = Callable[[Gene], Predicted]


def of_samples(predictor: Callable[[FittingData, CohortWindows, list[Gene]], Predict]) -> Fit:
    """Return a fit that predicts gene by gene, from what makes the prediction of a gene.

    What is fitted gene by gene takes most of its time while it is applied; all of it counts as training.
    """

    def fitted(data: FittingData) -> Apply:
        task = data.settings["task"]
        windows = open_windows(task, data.files["store"], data.files["fasta"], data.examples)
        genes = list(genes_of(data.examples))
        found = list(each(predictor(data, windows, genes), genes, data.cores))
        return lambda folder: write_predicted(genes, found, folder)

    return fitted


def write_predicted(genes: list[Gene], found: list[Predicted], folder: Path) -> pd.DataFrame:
    """Write `variants.tsv` and `weights.tsv`; return the predictions of all held-out examples."""
    held_out = [gene.split != "train" for gene in genes]
    variants = [item.variants for item in found if item.variants is not None]
    table = pd.concat(variants, ignore_index=True) if variants else pd.DataFrame(columns=list(VARIANT_COLUMNS))
    write_table(table, folder / "variants.tsv")
    used = table.loc[table["effect"] != 0, ["gene", "variant", "effect"]]
    write_table(used.rename(columns={"effect": "weight"}), folder / "weights.tsv")
    return pd.DataFrame(
        {
            "example": np.concatenate([gene.example[keep] for gene, keep in zip(genes, held_out)]),
            "prediction": np.concatenate([item.values[keep] for item, keep in zip(found, held_out)]),
        }
    )


def gene_by_gene(fit: Callable[[FittingData, Gene, CohortWindows], Predicted]) -> Fit:
    """Return a fit from one that knows the training samples of a gene.

    A gene without training samples gets the mean of all training examples: these models know nothing else of genes they
    have not seen.
    """

    def predictor(data: FittingData, windows: CohortWindows, genes: list[Gene]) -> Predict:
        elsewhere = float(data.examples.loc[data.examples["split"] == "train", "target"].mean())
        slim = data._replace(examples=data.examples.iloc[:0])  # goes to every process
        return partial(predict_gene, fit, slim, windows, elsewhere)

    return of_samples(predictor)


def each(predict: Predict, genes: list[Gene], cores: int) -> Iterator[Predicted]:
    """Yield the predictions of every gene, in order, computed on `cores` cores."""
    if cores == 1:
        yield from map(predict, genes)
        return
    with ProcessPoolExecutor(cores) as pool:
        yield from pool.map(predict, genes, chunksize=16)


def predict_gene(
    fit: Callable[[FittingData, Gene, CohortWindows], Predicted],
    data: FittingData,
    windows: CohortWindows,
    elsewhere: float,
    gene: Gene,
) -> Predicted:
    """Fit a baseline to the training samples of a gene and predict all samples."""
    if not (gene.split == "train").any():
        return Predicted(np.full(len(gene.samples), elsewhere))
    return fit(data, gene, windows)


def gene_mean(data: FittingData, gene: Gene, windows: CohortWindows) -> Predicted:
    """Predict the mean of the training samples."""
    return Predicted(np.full(len(gene.samples), gene.target[gene.split == "train"].mean()))


def population_mean(data: FittingData, gene: Gene, windows: CohortWindows) -> Predicted:
    """Predict the mean of the training samples of each sample's population; of all, where it has none."""
    populations = known_populations(data.files["tables"])
    training = gene.split == "train"
    own = pd.Series([populations.get(sample) for sample in gene.samples])
    means = pd.Series(gene.target[training]).groupby(own[training].to_numpy()).mean()
    return Predicted(own.map(means).fillna(gene.target[training].mean()).to_numpy(np.float64))


@lru_cache
def known_populations(tables: str) -> dict[str, str]:
    """Return the populations of a task's samples."""
    return dict(people_of(read_table(f"{tables}/samples.tsv")).populations)


def of_neighbours(data: FittingData, gene: Gene, windows: CohortWindows) -> Predicted:
    """Predict from the training samples with the most similar haplotypes."""
    carried = windows.alleles(gene).carried
    return Predicted(nearest_haplotype(carried, gene.target, gene.split == "train"))


def of_dosages(
    fit: Callable[[FittingData, NDArray[np.float64], NDArray[np.float64]], LinearFit],
) -> Callable[[FittingData, Gene, CohortWindows], Predicted]:
    """Return a fit from a linear model of the dosages of a gene's common variants."""
    return partial(predict_from_dosages, fit)


def predict_from_dosages(
    fit: Callable[[FittingData, NDArray[np.float64], NDArray[np.float64]], LinearFit],
    data: FittingData,
    gene: Gene,
    windows: CohortWindows,
) -> Predicted:
    """Fit a linear model to training samples; predict all samples, with the effects of the variants."""
    training = gene.split == "train"
    alleles = common_alleles(windows.alleles(gene), training, data.baseline.min_maf)
    dosages = alleles.dosages
    fitted = fit(data, dosages[training], gene.target[training])
    return Predicted(fitted.predict(dosages), effects_of(gene, alleles, training, fitted))


def top(data: FittingData, dosages: NDArray[np.float64], target: NDArray[np.float64]) -> LinearFit:
    """Regress on the variant that is most correlated with the target."""
    return top_variant(dosages, target)


def best_linear(data: FittingData, dosages: NDArray[np.float64], target: NDArray[np.float64]) -> LinearFit:
    """Fit the best linear unbiased predictor."""
    return blup(dosages, target).fit


def net(l1_ratio: float, data: FittingData, dosages: NDArray[np.float64], target: NDArray[np.float64]) -> LinearFit:
    """Fit an elastic net with a share of L1; folds are drawn from the run's seed."""
    rng = np.random.default_rng(int(data.settings["seed"]))
    return elastic_net(dosages, target, l1_ratio, rng.permutation(np.arange(len(target)) % data.baseline.folds))


def common_alleles(alleles: GeneAlleles, training: NDArray[np.bool_], min_maf: float) -> GeneAlleles:
    """Keep the variants that differ between training samples, often enough."""
    frequency = alleles.carried[training].mean(axis=(0, 1))
    rarer = np.minimum(frequency, 1 - frequency)
    keep = (rarer > 0) & (rarer >= min_maf)
    return GeneAlleles(alleles.variants[keep].reset_index(drop=True), alleles.carried[:, :, keep])


def effects_of(gene: Gene, alleles: GeneAlleles, training: NDArray[np.bool_], fit: LinearFit) -> pd.DataFrame:
    """Return the weight of every variant a model was given, as what one copy does (columns of `VARIANT_COLUMNS`)."""
    frequency = alleles.carried[training].mean(axis=(0, 1))
    table = alleles.variants.assign(
        gene=gene.name,
        chrom=gene.chrom,
        maf=np.minimum(frequency, 1 - frequency),
        dosage_sd=alleles.dosages[training].std(axis=0),
        carriers=(alleles.dosages > 0).sum(axis=0),
        effect=fit.weights,
    )
    return table.assign(variant=variant_names(table))[list(VARIANT_COLUMNS)]


def fit_kmers(data: FittingData, windows: CohortWindows, genes: list[Gene]) -> Predict:
    """Fit k-mers of both haplotypes to all training examples."""
    model = KmerRidge(data.baseline.k, data.baseline.alpha)
    for gene in genes:
        training = gene.keep(gene.split == "train")
        if len(training.samples):
            model.add(*windows.haplotypes(training), training.target)
    model.solve()
    return partial(predict_kmers, model, windows)


def predict_kmers(model: KmerRidge, windows: CohortWindows, gene: Gene) -> Predicted:
    """Predict all samples in a gene from the k-mers of both haplotypes."""
    return Predicted(model.predict(*windows.haplotypes(gene)))


def fit_lookup(data: FittingData, windows: CohortWindows, genes: list[Gene]) -> Predict:
    """Find the training gene that each unseen gene is most like."""
    return partial(look_up, gene_lookup(genes, Reference(data.files["fasta"]), data.baseline.share, data.cores))


def look_up(lookup: GeneLookup, gene: Gene) -> Predicted:
    """Predict what was measured in the most similar training gene."""
    return Predicted(lookup(gene))


FITS = {
    "gene_mean": gene_by_gene(gene_mean),
    "population_mean": gene_by_gene(population_mean),
    "top_variant": gene_by_gene(of_dosages(top)),
    "blup": gene_by_gene(of_dosages(best_linear)),
    "elastic_net": gene_by_gene(of_dosages(partial(net, 0.5))),
    "lasso": gene_by_gene(of_dosages(partial(net, 1.0))),
    "nearest_training": of_samples(fit_lookup),
    "nearest_haplotype": gene_by_gene(of_neighbours),
    "kmer_ridge_haplotypes": of_samples(fit_kmers),
}
