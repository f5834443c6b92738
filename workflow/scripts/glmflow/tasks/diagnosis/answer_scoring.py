"""Scores of a run's answers: ranked classes, what they rest on, how far they can be trusted, and texts where it wrote some."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glmflow.files import read_table
from glmflow.tasks import class_scores
from glmflow.tasks.held_out import groups_of, held_out_rows
from glmflow.tasks.tables import Scored, clean_part, metric_row, metrics_table, run_keys

from .answer_calibration import abstention, best_temperature, log_loss, risk_by_coverage, tempered
from .official_answers import official_csv, official_rows
from .reading_controls import Answers, reading
from .text_scoring import listed_metrics, text_metrics
from .trace_statements import statements

ERRORS = (0.01, 0.05, 0.1)
"""Errors at which answers are withheld."""
SHOWN = 5
"""Classes of a question that are kept with their probabilities."""
CONTROLS, GENERATED, THOUGHT = "controls.parquet", "generated.parquet", "thought.parquet"
LOGS, EMPTY, LISTED = "logp.parquet", "content_free.parquet", "held_to_list.parquet"
EXPLAINED = ("attribution", "scan")
"""Tables of what some answers rest on."""


def score(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    predictions: pd.DataFrame,
    predicted: Path,
    files: Mapping[str, Any],
) -> Scored:
    """Score the probabilities of the answers on validation and test questions; intervals resample groups.

    Parameters
    ----------
    predictions
        `example`, and `prediction_{class}`.
    predicted
        `controls.parquet` (answers with other alleles) and `generated.parquet` (texts), of runs that have them.
    files
        `tables`: the folder with `classes.tsv`.

    Returns
    -------
    Scored
        Tables `reading.tsv` and `verdict.tsv` (what answers rest on), `risk.tsv`, `calibration.tsv`, `answers.tsv` (the
        likeliest classes of each question), `attribution.tsv` and `scan.tsv` (what some rest on); of texts `official.csv`, and
        `statements.tsv` (what they say of the DNA).
    """
    found = class_scores.score(settings, examples, predictions, predicted, files)
    classes = read_table(f"{files['tables']}/classes.tsv")["class"].astype(str).tolist()
    columns = [f"prediction_{name}" for name in classes]
    rows = held_out_rows(examples, predictions, classes)
    task = settings["task"]
    tables, metrics = dict(found.tables), []
    calibrated, trust = calibration(rows, columns, classes)
    tables |= trust
    metrics += calibrated
    tables["answers.tsv"] = likeliest(rows, columns, classes)
    if (predicted / CONTROLS).exists():
        controls, own = pd.read_parquet(predicted / CONTROLS), []
        asked = rows[rows["example"].isin(set(controls["example"]))]
        for split, part in asked.groupby("split", sort=True):
            given = answers_of(part, columns, classes, task["unchanged"])
            table, told = reading(given, controls, part["example"].tolist(), columns, task["bootstrap"])
            own.append(table.assign(split=split))
            if told is not None and split == "test":
                clean = clean_verdict(part, controls, columns, classes, task)
                tables["verdict.tsv"] = pd.DataFrame([told._asdict() | clean])
                for name, three in (("dna_lead", told[1:4]), ("variant_lead", told[4:7])):
                    metrics.append(bounded(name, three, told.n, split))
        tables["reading.tsv"] = pd.concat(own, ignore_index=True)
    if (predicted / EMPTY).exists():
        metrics += corrected(rows, pd.read_parquet(predicted / LOGS), pd.read_parquet(predicted / EMPTY), classes)
    if (predicted / LISTED).exists():
        test = rows[rows["split"] == "test"].merge(
            pd.read_parquet(predicted / LISTED), on="example", suffixes=("_as_is", "")
        )
        metrics += listed_metrics(test["answer"], test["target"])
    for name in EXPLAINED:
        if (predicted / f"{name}.parquet").exists():
            tables[f"{name}.tsv"] = pd.read_parquet(predicted / f"{name}.parquet")
    if (predicted / GENERATED).exists():
        texts = rows.merge(pd.read_parquet(predicted / GENERATED), on="example")
        test = texts[texts["split"] == "test"]
        metrics += text_metrics(test, classes)
        greedy = test[test["draw"] == 0]
        published = official_rows(greedy["generation"], greedy["answer"], greedy["text_question"])
        tables["official.csv"] = official_csv(published)
        tables["statements.tsv"] = statements(greedy["generation"], greedy["sequence_ref"], greedy["sequence_alt"])
    if (predicted / THOUGHT).exists():
        metrics += behind_thoughts(rows, pd.read_parquet(predicted / THOUGHT), classes)
    keys = {**run_keys(settings), "context_bp": found.metrics["context_bp"].iloc[0]}
    every = pd.concat([found.metrics, metrics_table(metrics, **keys)], ignore_index=True)
    return Scored(every, tables, found.units)


def clean_verdict(
    part: pd.DataFrame, controls: pd.DataFrame, columns: list[str], classes: list[str], task: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the verdict on test questions that are no copies of training, `clean_verdict` and `clean_n`; "" where all are none.

    Who remembers the pairs of training answers a copy by its pair, and needs the variant for nothing else.
    """
    clean = clean_part(part, "example")
    if clean is None:
        return {"clean_verdict": "", "clean_n": 0}
    given = answers_of(clean, columns, classes, task["unchanged"])
    _, told = reading(given, controls, clean["example"].tolist(), columns, task["bootstrap"])
    return {"clean_verdict": told.verdict if told else "", "clean_n": len(clean)}


def ranked_metrics(names: tuple[str, str], logs: np.ndarray, truth: np.ndarray) -> list[dict[str, Any]]:
    """Return accuracy and log loss on test questions of the answers' log probabilities, each under a name of its own."""
    shares = np.exp(logs - logs.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    found = (float((shares.argmax(axis=1) == truth).mean()), log_loss(shares, truth))
    return [metric_row(name, value, len(truth), split="test") for name, value in zip(names, found)]


def ranked_on_test(rows: pd.DataFrame, logs: pd.DataFrame, classes: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the log probabilities of the answers to test questions, and the places of the true ones."""
    part = rows.loc[rows["split"] == "test", ["example", "target"]].merge(logs, on="example")
    truth = part["target"].map({name: place for place, name in enumerate(classes)}).to_numpy(np.int64)
    return part[classes].to_numpy(np.float64), truth


def corrected(rows: pd.DataFrame, logs: pd.DataFrame, empty: pd.DataFrame, classes: list[str]) -> list[dict[str, Any]]:
    """Return accuracy and log loss on test questions of answers less what they have without any content."""
    found, truth = ranked_on_test(rows, logs, classes)
    if not len(truth):
        return []
    return ranked_metrics(
        ("corrected_accuracy", "corrected_log_loss"), found - empty[classes].to_numpy(np.float64), truth
    )


def behind_thoughts(rows: pd.DataFrame, logs: pd.DataFrame, classes: list[str]) -> list[dict[str, Any]]:
    """Return accuracy and log loss of the answers behind the model's own thoughts, and the share of thoughts that end."""
    found, truth = ranked_on_test(rows, logs, classes)
    ended = metric_row("thoughts_ended", float(logs["ended"].mean()), len(logs), split="test")
    return [*ranked_metrics(("thought_accuracy", "thought_log_loss"), found, truth), ended]


def answers_of(part: pd.DataFrame, columns: list[str], classes: list[str], unchanged: str) -> Answers:
    """Return the answers of some questions with their truth and groups."""
    number = {name: place for place, name in enumerate(classes)}
    truth = part["target"].map(number).to_numpy(np.int64)
    known = bool((part["target"] == unchanged).any())
    return Answers(part[columns].to_numpy(np.float64), truth, groups_of(part), number[unchanged], known)


def bounded(name: str, three: tuple[float, float, float], n: int, split: str) -> dict[str, Any]:
    """Return a row of metrics with an interval."""
    value, low, high = three
    return {**metric_row(name, value, n, split=split), "ci_low": low, "ci_high": high}


def calibration(
    rows: pd.DataFrame, columns: list[str], classes: list[str]
) -> tuple[list[dict[str, Any]], dict[str, pd.DataFrame]]:
    """Return the log loss of test answers at the temperature that is best on validation, and what withholding answers does."""
    number = {name: place for place, name in enumerate(classes)}

    def of(split: str) -> tuple[np.ndarray, np.ndarray]:
        part = rows[rows["split"] == split]
        return part[columns].to_numpy(np.float64), part["target"].map(number).to_numpy(np.int64)

    (chosen_on, known), (asked, truth) = of("validation"), of("test")
    if not len(truth):
        return [], {}
    heat = best_temperature(chosen_on, known)
    cooled = tempered(asked, heat)
    curve = risk_by_coverage(cooled, truth)
    lines = []
    for error in ERRORS:
        rule = abstention(risk_by_coverage(tempered(chosen_on, heat), known), error) if len(known) else None
        given = cooled.max(axis=1) >= (rule.threshold if rule else np.inf)
        wrong = (cooled.argmax(axis=1) != truth)[given]
        lines.append({
            "error": error,
            "threshold": rule.threshold if rule else np.inf,
            "coverage": float(given.mean()),
            "risk": float(wrong.mean()) if len(wrong) else np.nan,
            "temperature": heat,
        })  # fmt: skip
    metrics = [
        metric_row("calibrated_log_loss", log_loss(cooled, truth), len(truth), split="test"),
        metric_row("risk_area", float(np.trapezoid(curve["risk"], curve["coverage"])), len(truth), split="test"),
        metric_row("coverage_at_5", lines[1]["coverage"], len(truth), split="test"),
    ]
    return metrics, {"risk.tsv": curve, "calibration.tsv": pd.DataFrame(lines)}


def likeliest(rows: pd.DataFrame, columns: list[str], classes: list[str]) -> pd.DataFrame:
    """Return the likeliest classes of each test question: `example`, `question`, `truth`, `rank`, `answer`, `probability`."""
    part = rows[rows["split"] == "test"]
    values = part[columns].to_numpy(np.float64)
    order = np.argsort(-values, axis=1, kind="stable")[:, :SHOWN]
    found = [
        (row.example, row.text_question, row.target, rank + 1, classes[place], own[place])
        for row, own, places in zip(part.itertuples(index=False), values, order)
        for rank, place in enumerate(places)
    ]
    return pd.DataFrame(found, columns=["example", "question", "truth", "rank", "answer", "probability"])
