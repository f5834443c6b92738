"""Baselines of answers in words: look-ups and small models of the text alone, or of the reference alone.

They are given what a model is given, or less, so a model has to lead over them: a question that names a gene has said its answer.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..blocks import BaselineBlock

TARGET = "answer_text"
Inverse = Annotated[float, Field(gt=0)]


class AnswerLookup(BaselineBlock):
    """The answers that training gives to what the text names, most frequent first; the next key where one is not known."""

    kind: Literal["answer_lookup"]
    target = TARGET

    by: list[Literal["gene", "network", "pathway", "chromosome", "question"]] = Field(
        ["gene"], min_length=1, description="Keys in turn; then the most frequent answer."
    )


class NearestReference(BaselineBlock):
    """The answer of the training question whose reference shares most 31-mers: the locus, without the variant."""

    kind: Literal["nearest_reference"]
    target = TARGET

    least: Annotated[int, Field(ge=1)] = Field(1, description="Shared 31-mers below which nothing is near.")


class NearestText(BaselineBlock):
    """The answer of the training question with most genes of the pathway, or elements of the network, in common."""

    kind: Literal["nearest_text"]
    target = TARGET

    by: Literal["pathway", "network"] = Field("pathway", description="What is compared (shared share of both).")


class QuestionTfidf(BaselineBlock):
    """Logistic regression on the words of the question (TF-IDF, sublinear)."""

    kind: Literal["question_tfidf"]
    target = TARGET

    c: Inverse = Field(200.0, description="Inverse of the L2 penalty.")


class ReferenceKmers(BaselineBlock):
    """Logistic regression on the k-mers of the reference: DNA without the variant."""

    kind: Literal["reference_kmers"]
    target = TARGET

    k: Annotated[int, Field(ge=1, le=8)] = Field(6, description="Length of a k-mer.")
    c: Inverse = Field(100.0, description="Inverse of the L2 penalty.")


class ChangedBases(BaselineBlock):
    """Logistic regression on the bases that change, those next to them, CpG, and the kind and length of the change."""

    kind: Literal["changed_bases"]
    target = TARGET

    around: Annotated[int, Field(ge=0, le=10)] = Field(3, description="Bases on each side.")
    c: Inverse = Field(1.0, description="Inverse of the L2 penalty.")


class AnswerColumn(BaselineBlock):
    """The shares of the answers among training questions of the same value of a column (consequence, exon), or about it."""

    kind: Literal["answer_column"]
    target = TARGET
    told = "a column of the table"

    column: str = Field(description="Column of the table: names, or numbers (phyloP, CADD), by their quantiles.")
    bins: Annotated[int, Field(ge=2)] = Field(20, description="Quantiles of numbers.")


class NearestPosition(BaselineBlock):
    """The answer of the nearest training variant on the same chromosome, by its position."""

    kind: Literal["nearest_position"]
    target = TARGET
    told = "positions and answers of neighbouring variants"
