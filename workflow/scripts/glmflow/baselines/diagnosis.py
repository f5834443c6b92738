"""Baselines of kind `diagnosis`: what look-ups, the words of the question, or the reference alone reach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.genome.allele_change import change_of
from glmflow.labelled.simple_predictors import by_quantile, logistic, shares
from glmflow.tasks.diagnosis.answer_lookups import jaccard, lookup
from glmflow.tasks.diagnosis.question_audit import own
from glmflow.tasks.diagnosis.question_texts import network_elements, network_key, pathway_genes
from glmflow.tasks.diagnosis.shared_references import shared_kmers

from .fitting_data import FittingData
from .labelled_fits import of_classes

Predict = Callable[[pd.DataFrame], NDArray[np.float64]]
DOUBT = 0.1
"""Weight of the shares of all answers beside that of the nearest row."""
KEYS: dict[str, Callable[[pd.DataFrame], Sequence[Hashable]]] = {
    "gene": lambda rows: own(rows["gene"]),
    "network": lambda rows: [network_key(value) for value in own(rows["network"])],
    "pathway": lambda rows: [pathway_genes(value) or None for value in own(rows["pathway"])],
    "chromosome": lambda rows: own(rows["chromosome"]),
    "question": lambda rows: own(rows["text_question"]),
}


def numbered(training: pd.DataFrame, classes: list[str]) -> NDArray[np.int64]:
    """Return the place of the class of each training row."""
    place = {name: number for number, name in enumerate(classes)}
    return training["target"].map(place).to_numpy(np.int64)


def column(rows: pd.DataFrame, name: str) -> pd.Series:
    """Return a column of the examples.

    Raises
    ------
    InputError
        There is no such column.
    """
    if name not in rows:
        known = ", ".join(map(str, rows.columns))
        raise InputError(f"no column {name!r}", where="models.*.baseline.column", fix=f"The examples have {known}.")
    return rows[name]


def fit_majority(data: FittingData, training: pd.DataFrame, classes: list[str]) -> Predict:
    """Give the shares of the answers in training."""
    overall = shares(numbered(training, classes), len(classes))
    return lambda rows: np.tile(overall, (len(rows), 1))


def fit_lookup(data: FittingData, training: pd.DataFrame, classes: list[str]) -> Predict:
    """Give the shares of the answers of the first key that training knows; all rows together count as one more."""
    overall = shares(numbered(training, classes), len(classes))
    place = {name: number for number, name in enumerate(classes)}
    answers = training["target"].tolist()

    def row(counts: Counter) -> NDArray[np.float64]:
        found = overall.copy()
        for answer, number in counts.items():
            found[place[answer]] += number
        return found / found.sum()

    def predict(rows: pd.DataFrame) -> NDArray[np.float64]:
        tables = [lookup(KEYS[key](training), answers, KEYS[key](rows)).counts for key in data.baseline.by]
        return np.array([row(next((one for one in found if one), Counter())) for found in zip(*tables)])

    return predict


def nearest_answers(similarity: NDArray, truth: NDArray, classes: int, least: float) -> NDArray[np.float64]:
    """Return the answer of the training row most alike, with some doubt; the shares of all where nothing is alike.

    Parameters
    ----------
    similarity : float[asked, known]
    """
    overall = shares(truth, classes)
    best = similarity.argmax(axis=1)
    found = (1 - DOUBT) * np.eye(classes)[truth[best]] + DOUBT * overall
    return np.where((similarity.max(axis=1) >= least)[:, None], found, overall)


def fit_nearest_reference(data: FittingData, training: pd.DataFrame, classes: list[str]) -> Predict:
    """Give the answer of the training row that shares most 31-mers of the reference."""
    truth, known = numbered(training, classes), training["sequence_ref"].tolist()

    def predict(rows: pd.DataFrame) -> NDArray[np.float64]:
        return nearest_answers(
            shared_kmers(rows["sequence_ref"].tolist(), known), truth, len(classes), data.baseline.least
        )

    return predict


def fit_nearest_text(data: FittingData, training: pd.DataFrame, classes: list[str]) -> Predict:
    """Give the answer of the training row with most genes of the pathway, or elements of the network, in common."""
    name = data.baseline.by
    of = {"pathway": pathway_genes, "network": network_elements}[name]
    truth, known = numbered(training, classes), [of(value) for value in own(training[name])]

    def predict(rows: pd.DataFrame) -> NDArray[np.float64]:
        asked = [of(value) for value in own(rows[name])]
        return nearest_answers(jaccard(asked, known), truth, len(classes), 1e-9)

    return predict


def fit_tfidf(data: FittingData, training: pd.DataFrame, classes: list[str]) -> Predict:
    """Fit a logistic regression to the words of the question."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(sublinear_tf=True)
    try:
        features = words.fit_transform(training["text_question"])
    except ValueError:  # no word at all
        return fit_majority(data, training, classes)
    return of_features(features, lambda rows: words.transform(rows["text_question"]), data, training, classes)


def fit_reference_kmers(data: FittingData, training: pd.DataFrame, classes: list[str]) -> Predict:
    """Fit a logistic regression to the k-mers of the reference, each row of unit length."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.preprocessing import normalize

    k = data.baseline.k
    words = CountVectorizer(analyzer="char", ngram_range=(k, k), lowercase=False)
    features = normalize(words.fit_transform(training["sequence_ref"]).astype(np.float64))

    def of(rows: pd.DataFrame) -> Any:
        return normalize(words.transform(rows["sequence_ref"]).astype(np.float64))

    return of_features(features, of, data, training, classes)


def of_features(
    features: Any, of: Callable[[pd.DataFrame], Any], data: FittingData, training: pd.DataFrame, classes: list[str]
) -> Predict:
    """Return the logistic regression of sparse features; a class without a training row has probability 0."""
    from sklearn.linear_model import LogisticRegression

    truth = numbered(training, classes)
    if len(np.unique(truth)) == 1:
        return fit_majority(data, training, classes)
    model = LogisticRegression(C=data.baseline.c, max_iter=3000).fit(features, truth)

    def predict(rows: pd.DataFrame) -> NDArray[np.float64]:
        found = np.zeros((len(rows), len(classes)))
        found[:, model.classes_] = model.predict_proba(of(rows))
        return found

    return predict


def changed(rows: pd.DataFrame, around: int) -> NDArray[np.float64]:
    """Return what changes, as numbers: bases lost and gained, their neighbours, CpG on either side, kind and length."""
    table = []
    for ref, alt in zip(rows["sequence_ref"], rows["sequence_alt"]):
        change = change_of(ref, alt)
        lost, gained = ref[change.start : change.ref_end], alt[change.start : change.alt_end]
        near = [
            float(0 <= place < len(ref) and ref[place] == base)
            for place in (*range(change.start - around, change.start), *range(change.ref_end, change.ref_end + around))
            for base in "ACGT"
        ]
        edges = [
            text[max(0, change.start - 1) : end + 1] for text, end in ((ref, change.ref_end), (alt, change.alt_end))
        ]
        table.append([
            *(lost.count(base) for base in "ACGT"),
            *(gained.count(base) for base in "ACGT"),
            *(float(lost == one and gained == other) for one in "ACGT" for other in "ACGT"),
            *(float("CG" in text) for text in edges),
            float((len(gained) - len(lost)) % 3 != 0),
            np.log1p(abs(len(gained) - len(lost))),
            *near,
        ])  # fmt: skip
    return np.array(table, np.float64)


def fit_changed_bases(data: FittingData, training: pd.DataFrame, classes: list[str]) -> Predict:
    """Fit a logistic regression to what changes and what is next to it."""
    around = data.baseline.around
    predict = logistic(changed(training, around), numbered(training, classes), len(classes), data.baseline.c)
    return lambda rows: predict(changed(rows, around))


def fit_column(data: FittingData, training: pd.DataFrame, classes: list[str]) -> Predict:
    """Give the shares of the answers of each value of a column; of numbers by their quantiles, missing ones at the median."""
    name, truth = data.baseline.column, numbered(training, classes)
    values = column(training, name)
    numbers = pd.to_numeric(values, errors="coerce")
    if pd.api.types.is_numeric_dtype(values) and numbers.notna().any():
        middle = float(numbers.median())
        predict = by_quantile(numbers.fillna(middle), truth, len(classes), data.baseline.bins)
        return lambda rows: predict(pd.to_numeric(column(rows, name), errors="coerce").fillna(middle))
    overall, answers = shares(truth, len(classes)), training["target"].tolist()
    known = values.astype(str).tolist()

    def of(rows: pd.DataFrame) -> NDArray[np.float64]:
        counts = lookup(known, answers, column(rows, name).astype(str).tolist()).counts
        each = np.array([[one[answer] for answer in classes] for one in counts], np.float64) + overall
        return each / each.sum(axis=1, keepdims=True)

    return of


def fit_nearest_position(data: FittingData, training: pd.DataFrame, classes: list[str]) -> Predict:
    """Give the answer of the nearest training variant on the chromosome."""
    truth = numbered(training, classes)
    if training[["chromosome", "position"]].isna().any().any():
        what = "some questions do not say where their variant lies"
        raise InputError(what, where="models.*.baseline", fix="Leave nearest_position out.")
    at, where = training["position"].to_numpy(np.float64), training["chromosome"].astype(str).to_numpy(object)

    def predict(rows: pd.DataFrame) -> NDArray[np.float64]:
        own_at, own_where = rows["position"].to_numpy(np.float64), rows["chromosome"].astype(str).to_numpy(object)
        close = np.array([
            np.where(where == name, 1 / (1 + np.abs(at - place)), 0) for name, place in zip(own_where, own_at)
        ])  # fmt: skip
        return nearest_answers(close, truth, len(classes), 1e-12)

    return predict


FITS = {
    name: of_classes(fit)
    for name, fit in {
        "majority": fit_majority,
        "answer_lookup": fit_lookup,
        "nearest_reference": fit_nearest_reference,
        "nearest_text": fit_nearest_text,
        "question_tfidf": fit_tfidf,
        "reference_kmers": fit_reference_kmers,
        "changed_bases": fit_changed_bases,
        "answer_column": fit_column,
        "nearest_position": fit_nearest_position,
    }.items()
}
