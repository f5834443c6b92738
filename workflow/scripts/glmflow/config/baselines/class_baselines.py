"""Baselines of the class, the labels or the measured values of a sequence."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..base import Positive
from ..blocks import BaselineBlock

Length = Annotated[int, Field(ge=1, le=8)]
Inverse = Annotated[float, Field(gt=0)]
PENALTIES = [0.01, 0.1, 1.0, 10.0]
ALPHAS = [1.0, 10.0, 100.0, 1000.0]
CLASSES = ("class_label", "label_set")
ANY = (*CLASSES, "measured_values")
OF_WINDOWS = {"neighbours": "it reads the counts of neighbouring windows, and examples of this task have none"}
OF_HAPLOTYPES = {"haplotypes": "it reads the variants that haplotypes carry, and examples of this task are none"}


class Majority(BaselineBlock):
    """The shares of the classes (or the mean value) in training, for every sequence (or base)."""

    kind: Literal["majority"]
    target = (*ANY, "base_class", "answer_text")


class LengthOnly(BaselineBlock):
    """The shares of the classes among training sequences of about the same length."""

    kind: Literal["length_only"]
    target = ANY


class GcOnly(BaselineBlock):
    """The shares of the classes among training sequences of about the same GC content."""

    kind: Literal["gc_only"]
    target = ANY


class CpgOnly(BaselineBlock):
    """The shares of the classes among training sequences with about as many CpG as expected."""

    kind: Literal["cpg_only"]
    target = ANY


class NFraction(BaselineBlock):
    """The shares of the classes among training sequences of about the same share of N."""

    kind: Literal["n_fraction"]
    target = ANY


class KmerLogistic(BaselineBlock):
    """Logistic regression on counts of k-mers; what does best on the validation split is taken."""

    kind: Literal["kmer_logistic"]
    target = CLASSES

    k: Length | list[Length] = Field([3, 4, 5, 6], description="Length of a k-mer, or those that are tried.")
    c: Inverse | list[Inverse] = Field(PENALTIES, description="Inverse of the L2 penalty, or those that are tried.")
    both_strands: bool = Field(False, description="Count k-mers with their reverse complements.")


class Kmers(BaselineBlock):
    """Linear model of counts of k-mers, whatever is predicted: logistic regression of classes and labels, ridge of values.

    One row over tasks of both sorts; length and penalty are those that do best on the validation split.
    """

    kind: Literal["kmers"]
    target = ANY

    k: Length | list[Length] = Field([3, 4, 5, 6], description="Length of a k-mer, or those that are tried.")
    both_strands: bool = Field(False, description="Count k-mers with their reverse complements.")


class PositionLogistic(BaselineBlock):
    """Logistic regression on the base at each position of aligned sequences (one length, up to 400 bases)."""

    kind: Literal["position_logistic"]
    target = CLASSES

    c: Inverse | list[Inverse] = Field(PENALTIES, description="Inverse of the L2 penalty, or those that are tried.")


class KmerRidge(BaselineBlock):
    """Ridge regression on counts of k-mers; what does best on the validation split is taken."""

    kind: Literal["kmer_ridge"]
    target = "measured_values"

    k: Length | list[Length] = Field([3, 4, 5, 6], description="Length of a k-mer, or those that are tried.")
    alpha: Inverse | list[Inverse] = Field(ALPHAS, description="L2 penalty, or those that are tried.")
    both_strands: bool = Field(False, description="Count k-mers with their reverse complements.")


class PositionRidge(BaselineBlock):
    """Ridge regression on the base at each position of aligned sequences (one length, up to 400 bases)."""

    kind: Literal["position_ridge"]
    target = "measured_values"

    alpha: Inverse | list[Inverse] = Field(ALPHAS, description="L2 penalty, or those that are tried.")


class GkmSvm(BaselineBlock):
    """Support vector machine on gapped k-mers (package gkmsvm-lite), for up to 20,000 training sequences."""

    kind: Literal["gkm_svm"]
    target = ANY

    length: Positive = Field(10, description="Bases of a word.")
    k: Positive = Field(6, description="Bases of a word that count.")
    mismatches: Annotated[int, Field(ge=0)] = Field(3, description="Most differences between two words.")
    c: Inverse = Field(1.0, description="Penalty of the SVM.")


class GenomicBenchmarksCnn(BaselineBlock):
    """The convolutional network that Genomic Benchmarks publishes, trained from random weights."""

    kind: Literal["genomic_benchmarks_cnn"]
    target = ANY

    epochs: Positive = Field(10, description="Most passes over the training sequences; the best on validation is kept.")
    learning_rate: Annotated[float, Field(gt=0)] = Field(1e-3, description="Learning rate (Adam).")


class NeighbourCount(BaselineBlock):
    """The shares of the classes among training windows whose two neighbours hold about as many variants."""

    kind: Literal["neighbour_count"]
    target = "class_label"
    needs = OF_WINDOWS
    told = "the counts of the neighbouring windows"


class AlleleLogistic(BaselineBlock):
    """Logistic regression on the variants that a haplotype carries, window by window."""

    kind: Literal["allele_logistic"]
    target = "class_label"
    needs = OF_HAPLOTYPES

    c: Inverse = Field(1.0, description="Inverse of the L2 penalty.")


class NearestHaplotypeClass(BaselineBlock):
    """The classes of the training haplotypes that differ at the fewest variants of the window."""

    kind: Literal["nearest_haplotype_class"]
    target = "class_label"
    needs = OF_HAPLOTYPES


class AltCount(BaselineBlock):
    """The shares of the classes among training haplotypes with about as many alternative alleles."""

    kind: Literal["alt_count"]
    target = "class_label"
    needs = OF_HAPLOTYPES
