"""Baselines of the expression of genes in samples."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..blocks import BaselineBlock

MinMaf = Annotated[float, Field(ge=0, lt=0.5)]
MIN_MAF = "Rarest minor allele, among training samples, that a linear model of dosages is given."
Folds = Annotated[int, Field(ge=2)]
FOLDS = "Folds of training samples that choose the penalty."


class GeneMean(BaselineBlock):
    """The mean of a gene over training samples."""

    kind: Literal["gene_mean"]
    target = "expression"


class PopulationMean(BaselineBlock):
    """The mean of a gene over the training samples of a population."""

    kind: Literal["population_mean"]
    target = "expression"
    structure = True


class TopVariant(BaselineBlock):
    """Regression on the variant that is most correlated with a gene's expression."""

    kind: Literal["top_variant"]
    target = "expression"

    min_maf: MinMaf = Field(0.01, description=MIN_MAF)


class ElasticNet(BaselineBlock):
    """Elastic net on a gene's dosages (PrediXcan)."""

    kind: Literal["elastic_net"]
    target = "expression"

    folds: Folds = Field(5, description=FOLDS)
    min_maf: MinMaf = Field(0.01, description=MIN_MAF)


class Lasso(BaselineBlock):
    """LASSO on a gene's dosages."""

    kind: Literal["lasso"]
    target = "expression"

    folds: Folds = Field(5, description=FOLDS)
    min_maf: MinMaf = Field(0.01, description=MIN_MAF)


class Blup(BaselineBlock):
    """Best linear unbiased prediction from a gene's dosages."""

    kind: Literal["blup"]
    target = "expression"

    min_maf: MinMaf = Field(0.01, description=MIN_MAF)


class NearestHaplotype(BaselineBlock):
    """The mean of the training samples with the most similar haplotypes."""

    kind: Literal["nearest_haplotype"]
    target = "expression"


class KmerRidgeHaplotypes(BaselineBlock):
    """Ridge regression on the k-mer counts of both haplotypes, one model for all genes."""

    kind: Literal["kmer_ridge_haplotypes"]
    target = "expression"

    k: Annotated[int, Field(ge=1, le=8)] = Field(4, description="Length of a k-mer.")
    alpha: Annotated[float, Field(gt=0)] = Field(1.0, description="Ridge penalty per training row.")
