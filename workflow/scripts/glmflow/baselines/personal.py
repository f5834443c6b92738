"""Fit a baseline of personal expression gene by gene and write its predictions as any model's are written."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.config.models import Baseline
from glmflow.files import atomic_path, write_table
from glmflow.genome.gene_windows import GeneAlleles
from glmflow.training.cost import peak_memory_mb
from glmflow.training.mutation import VARIANT_COLUMNS, variant_names
from glmflow.training.personal_data import Gene, PersonalWindows, genes_of

from .personal_haplotypes import KmerRidge, nearest_haplotype
from .personal_linear import LinearFit, blup, elastic_net, top_variant


class Predicted(NamedTuple):
    """Predictions of a gene's people, and the effects of its variants where the model has any."""

    values: NDArray[np.float64]
    variants: pd.DataFrame | None = None


def run_personal_baseline(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    windows: PersonalWindows,
    populations: Mapping[str, str],
    folder: Path,
    cores: int = 1,
) -> None:
    """Fit a baseline on training people and write `predictions.parquet`, `variants.tsv`, `weights.tsv` and `cost.json`.

    Parameters
    ----------
    settings
        Resolved settings of the run.
    examples
        Examples table of the task.
    windows
        Haplotypes and alleles of the cohort.
    populations
        Population of people, for the population mean.
    cores
        Processes; genes are shared out among them.
    """
    baseline, seed = Baseline.model_validate(settings["model"]["baseline"]), int(settings["seed"])
    started = time.monotonic()
    genes = list(genes_of(examples))
    elsewhere = float(examples.loc[examples["split"] == "train", "target"].mean())
    if baseline.kind == "kmer_ridge_haplotypes":
        predict: Callable[[Gene], Predicted] = fit_kmers(baseline, genes, windows)
    else:
        predict = partial(predict_gene, baseline, seed, windows, populations, elsewhere)
    found = list(each(predict, genes, cores))
    held_out = [gene.split != "train" for gene in genes]
    predictions = pd.DataFrame(
        {
            "example": np.concatenate([gene.example[keep] for gene, keep in zip(genes, held_out)]),
            "prediction": np.concatenate([item.values[keep] for item, keep in zip(found, held_out)]),
        }
    )
    write_table(predictions, folder / "predictions.parquet")
    variants = [item.variants for item in found if item.variants is not None]
    table = pd.concat(variants, ignore_index=True) if variants else pd.DataFrame(columns=list(VARIANT_COLUMNS))
    write_table(table, folder / "variants.tsv")
    used = table.loc[table["effect"] != 0, ["gene", "variant", "effect"]]
    write_table(used.rename(columns={"effect": "weight"}), folder / "weights.tsv")
    cost = {
        "train_seconds": round(time.monotonic() - started, 1),
        "peak_memory_mb": round(peak_memory_mb(), 1),
        "device": "CPU",
        "genes": len(genes),
        "warnings": [],
    }
    with atomic_path(folder / "cost.json") as temporary:
        temporary.write_text(json.dumps(cost, indent=2) + "\n")


def each(predict: Callable[[Gene], Predicted], genes: list[Gene], cores: int) -> Iterator[Predicted]:
    """Yield the predictions of every gene, in order, computed on so many cores."""
    if cores == 1:
        yield from map(predict, genes)
        return
    with ProcessPoolExecutor(cores) as pool:
        yield from pool.map(predict, genes, chunksize=16)


def predict_gene(
    baseline: Baseline,
    seed: int,
    windows: PersonalWindows,
    populations: Mapping[str, str],
    elsewhere: float,
    gene: Gene,
) -> Predicted:
    """Fit a baseline to the training people of a gene and predict everyone.

    A gene without training people gets the mean of all training examples (`elsewhere`): these models know nothing else
    of genes they have not seen.
    """
    training = gene.split == "train"
    if not training.any():
        return Predicted(np.full(len(gene.people), elsewhere))
    target = gene.target
    match baseline.kind:
        case "gene_mean":
            return Predicted(np.full(len(gene.people), target[training].mean()))
        case "population_mean":
            return Predicted(population_mean(gene, populations))
        case "nearest_haplotype":
            return Predicted(nearest_haplotype(windows.alleles(gene).carried, target, training))
    alleles = common_alleles(windows.alleles(gene), training, baseline.min_maf)
    dosages = alleles.dosages
    fit = fit_linear(baseline, dosages[training], target[training], seed)
    return Predicted(fit.predict(dosages), effects_of(gene, alleles, training, fit))


def fit_linear(baseline: Baseline, dosages: NDArray[np.float64], target: NDArray[np.float64], seed: int) -> LinearFit:
    """Fit the linear model that the configuration names to training people."""
    match baseline.kind:
        case "top_variant":
            return top_variant(dosages, target)
        case "blup":
            return blup(dosages, target).fit
        case "elastic_net" | "lasso":
            folds = np.random.default_rng(seed).permutation(np.arange(len(target)) % baseline.folds)
            return elastic_net(dosages, target, 1.0 if baseline.kind == "lasso" else 0.5, folds)
    raise ValueError(f"{baseline.kind} is no linear model of dosages")


def population_mean(gene: Gene, populations: Mapping[str, str]) -> NDArray[np.float64]:
    """Return the mean of the training people of each person's population; of all, where it has none."""
    training = gene.split == "train"
    own = pd.Series([populations.get(person) for person in gene.people])
    means = pd.Series(gene.target[training]).groupby(own[training].to_numpy()).mean()
    return own.map(means).fillna(gene.target[training].mean()).to_numpy(np.float64)


def common_alleles(alleles: GeneAlleles, training: NDArray[np.bool_], min_maf: float) -> GeneAlleles:
    """Keep the variants that differ between training people, often enough."""
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


def fit_kmers(baseline: Baseline, genes: list[Gene], windows: PersonalWindows) -> Callable[[Gene], Predicted]:
    """Fit k-mers of both haplotypes to all training examples."""
    model = KmerRidge(baseline.k, baseline.alpha)
    for gene in genes:
        training = gene.keep(gene.split == "train")
        if len(training.people):
            model.add(*windows.haplotypes(training), training.target)
    model.solve()
    return partial(predict_kmers, model, windows)


def predict_kmers(model: KmerRidge, windows: PersonalWindows, gene: Gene) -> Predicted:
    """Predict everyone of a gene from the k-mers of both haplotypes."""
    return Predicted(model.predict(*windows.haplotypes(gene)))
