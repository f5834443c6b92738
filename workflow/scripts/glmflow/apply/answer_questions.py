"""What a tuned model answers to new questions about pairs of alleles."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from glmflow import tasks
from glmflow.errors import InputError
from glmflow.genome.reasons import WORDS
from glmflow.modules import module
from glmflow.training.inputs.allele_controls import Asking
from glmflow.training.inputs.question_items import probabilities
from glmflow.training.parts import Parts
from glmflow.training.predict import load_predictor

from .applied_model import model_of
from .variant_questions import questions_about

log = logging.getLogger(__name__)

TARGET = "answer_text"


class Variants(NamedTuple):
    """Variants of a VCF and the words in which they are asked about (see `variant_questions.questions_about`)."""

    vcf: Path
    fasta: Path
    question: str
    variant: str | None = None


def answers(run: Path, asked: Path | Variants, most: int = 3, sure: float = 0.0) -> pd.DataFrame:
    """Return the likeliest answers to the questions of a table, or about variants of a VCF, a row an answer.

    `variant` (of a VCF), `question`, `rank`, `answer`, `probability` (among the answers that the run knows),
    `answer_without_change` (the first answer with the reference in the variant's place), `withheld` (whether the first answer
    is less sure than `sure`).

    Raises
    ------
    InputError
        The run answers no questions, a row of the table is wrong, or the VCF has nothing to ask about.
    """
    folder, task = model_of(run)
    if task.target != TARGET:
        what = f"a model of kind {task.kind}, which answers no questions"
        raise InputError(what, where=run, fix="Give a run that was trained on questions about alleles.")
    kind, questions = module(tasks.__name__, task.kind), asked
    if isinstance(asked, Variants):
        found = questions_about(asked.vcf, asked.fasta, asked.question, task.flank, asked.variant)
        for reason, count in found.left_out.items():
            log.warning("%s: %d alleles are left out: %s", asked.vcf, count, WORDS[reason])
        questions = found.rows
    rows = kind.asked(questions, task)
    with tempfile.TemporaryDirectory() as scratch:
        asking = Asking(load_predictor(folder, Path(scratch) / "states"), rows)
        asking.keep(asking.own())
        views, kept = asking.own(), Parts(Path(scratch) / "parts", {})
        own = probabilities(asking.ranked(views, kept, 0))
        unvaried = probabilities(asking.ranked([view.unvaried() for view in views], kept, 1))
    names = np.array(asking.classes, object)
    order = np.argsort(-own, axis=1, kind="stable")[:, :most]
    rows_of_answers = [
        {
            **({"variant": rows["variant"].iloc[row]} if isinstance(asked, Variants) else {}),
            "question": question,
            "rank": rank + 1,
            "answer": names[place],
            "probability": own[row, place],
            "answer_without_change": names[unvaried[row].argmax()],
            "withheld": bool(own[row, order[row, 0]] < sure),
        }
        for row, question in enumerate(rows["text_question"])
        for rank, place in enumerate(order[row])
    ]
    return pd.DataFrame(rows_of_answers)
