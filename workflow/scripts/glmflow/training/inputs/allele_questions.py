"""Input `allele_questions`: a question in words, both alleles around the change, and the answer."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.files import read_table, write_table

from ..parts import Parts
from ..ready import Predictor, Ready
from ..tuned import RunBlocks
from .allele_controls import Asking, controls
from .answer_attribution import attributions, cases_of, mutation_scan
from .question_items import (
    AlleleQuestions,
    collate,
    placed_pair,
    probabilities,
    require_length,
    seen_by,
    tokenizer_of,
    views_of,
    words_of,
)
from .written_answers import behind_thoughts, generated, held_to_list

log = logging.getLogger(__name__)

CONTROLS = "controls.parquet"


def ready(run: RunBlocks, examples: pd.DataFrame, files: Mapping[str, Any]) -> Ready:
    """Return the training and validation questions of a run.

    Parameters
    ----------
    files
        `tables`: the folder with `classes.tsv`.

    Raises
    ------
    InputError
        Nothing to learn from, a question that is too long, or a tokenizer that joins prompts and answers.
    """
    head, task = run.adaptation.head_for(run.task.target), run.task
    classes = read_table(f"{files['tables']}/classes.tsv")["class"].astype(str).tolist()
    learned, held_out = (examples[examples["split"] == split] for split in ("train", "validation"))
    if learned.empty:
        raise InputError("no training question", where="examples", fix="Give rows of the split train.")
    fitted = {"classes": classes, "flank": task.flank, "tokenizer": ""}
    tokenizer = tokenizer_of(head, fitted, learned)
    words = words_of(head, fitted, tokenizer)
    words.require_joints()
    unchanged = classes.index(task.unchanged)
    make = partial(AlleleQuestions, words=words, no_change=head.no_change, unchanged=unchanged)
    train = make(learned, seen_by(head, views_of(learned, task), learned, run.seed))
    require_length(train, words)
    validation = make(held_out, views_of(held_out, task)) if len(held_out) else None
    at_once = 2 * run.adaptation.train.micro_batch

    def distinct() -> Iterator[list[NDArray[np.uint8]]]:
        views = [view for items in filter(None, (train, validation)) for view in items.views]
        for first in range(0, len(views), at_once):
            yield [own for view in views[first : first + at_once] for own in placed_pair(view)]

    log.info("%d training and %d validation questions, %d answers", len(learned), len(held_out), len(classes))
    return Ready(
        train=train,
        validation=validation,
        collate=collate,
        fitted=fitted,
        length=task.window_bp,
        files=[str(Path(text) / "config.json")] if (text := getattr(head, "text_folder", None)) else [],
        distinct=distinct,
        at_once=at_once,
    )


def predict(
    predictor: Predictor, examples: pd.DataFrame, files: Mapping[str, Any], parts: Parts, folder: Path
) -> pd.DataFrame:
    """Return the probabilities of all answers of held-out questions, `prediction_{class}`.

    `logp.parquet` holds their log probabilities, and `content_free.parquet` those behind an empty question and no alleles
    of any kind (the mean of all in every place). `controls.parquet`: test questions with other alleles in place of their own
    (`allele_controls`); `attribution.parquet` and `scan.parquet`: what some answers rest on (`answer_attribution`);
    `held_to_list.parquet`: the answers that are written token by token, none of which leads off the list.
    `generated.parquet`: texts of each test question, where the head writes some, and `thought.parquet` the log probabilities
    behind the model's own thoughts, where it learned some.
    """
    held_out = examples[examples["split"] != "train"].reset_index(drop=True)
    asking = Asking(predictor, held_out)
    asking.keep(asking.own())
    logs = asking.ranked(asking.own(), parts, 0)
    names = [f"prediction_{name}" for name in asking.classes]
    table = pd.concat([held_out[["example"]], pd.DataFrame(probabilities(logs), columns=names)], axis=1)
    write_table(
        pd.concat([held_out[["example"]], pd.DataFrame(logs, columns=asking.classes)], axis=1), folder / "logp.parquet"
    )
    if asking.head.reads_dna:
        found = controls(asking, parts)
        write_table(found.rename(columns=dict(zip(asking.classes, names))), folder / CONTROLS)
        cases = cases_of(logs, asking.items.targets, asking.test)
        write_table(attributions(asking, cases), folder / "attribution.parquet")
        write_table(mutation_scan(asking, cases, logs, parts), folder / "scan.parquet")
    if asking.words.tokenizer is not None:
        empty = pd.DataFrame([asking.content_free()], columns=asking.classes)
        write_table(empty, folder / "content_free.parquet")
        write_table(held_to_list(asking, parts), folder / "held_to_list.parquet")
    texts = generated(asking, parts)
    if texts is not None:
        write_table(texts, folder / "generated.parquet")
    if texts is not None and asking.words.traces:
        write_table(behind_thoughts(asking, texts, parts), folder / "thought.parquet")
    return table
