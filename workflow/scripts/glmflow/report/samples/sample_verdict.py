"""The answer of a task with targets of genes in samples, class by class, read off its table of comparisons."""

from __future__ import annotations

import pandas as pd

from glmflow.report.study_tables import Study
from glmflow.report.verdict import Verdict, board, judge, notes_of, what_of
from glmflow.report.wording import number

from .gene_comparisons import CLASSES, genes_of, ranked

LITTLE = 0.2
"""Mean ceiling below which there is next to nothing to learn."""


def judge_samples(study: Study, task: str, scores: pd.DataFrame) -> Verdict:
    """Return the verdict on each class of a task: a sentence a class, what belongs beside it, and every run.

    Parameters
    ----------
    scores
        Scores of genes of the task (`sample_tables.read_samples`), for what could be reached at all.
    """
    metric, split = study.headlines[task], study.split(task)
    sentences, notes, boards = [], [], []
    for subset, name in CLASSES.items():
        cell, beside = study.compared[task].cell(metric.name, split, subset)
        if cell.empty:
            continue
        what = what_of(metric, split, name)
        sentences.append(judge(cell, metric, what))
        boards.append(board(cell, what))
        notes += [f"{name[0].upper()}{name[1:]}: {note}" for note in notes_of(cell, beside, study.given)]
        notes += _ceiling_notes(scores, task, subset)
    control = scores.loc[scores["task"] == task, "control"].iloc[0]
    if control != "none":
        name = control.replace("_", " ")
        notes.insert(
            0, f"This task is a control ({name}): its scores show what is reached without data of single samples."
        )
    sentence = " ".join(sentences) or "No runs were compared on unseen samples, so nothing can be said."
    return Verdict(sentence, tuple(_once(notes)), boards=tuple(boards))


def _once(notes: list[str]) -> list[str]:
    """Return notes, those that are the same for every class once and without its name."""
    texts = [note.partition(": ")[2] for note in notes]
    named = {f"{name[0].upper()}{name[1:]}" for name in CLASSES.values()}
    found = []
    for note, text in zip(notes, texts):
        shared = note.partition(": ")[0] in named and texts.count(text) > 1
        found.append(text if shared else note)
    return list(dict.fromkeys(found))


def _ceiling_notes(scores: pd.DataFrame, task: str, subset: str) -> list[str]:
    """Return what could be reached at all, and how many genes have nothing to learn."""
    rows = ranked(scores, task, subset)
    if rows.empty:
        return []
    genes = genes_of(scores, rows.iloc[0]["key"], subset)
    if "ceiling" not in genes or genes["ceiling"].isna().all():
        return []
    ceilings = genes["ceiling"].fillna(0)
    text = (
        f"On {CLASSES[subset]} the true genetic part itself correlates with the target by {number(float(ceilings.mean()))} on "
        "average"
    )
    if ceilings.mean() < LITTLE:
        flat = float((ceilings == 0).mean())
        text += f"; {flat:.0%} of the genes have no genetic part that varies: there is next to nothing to learn here"
    return [text + "."]
