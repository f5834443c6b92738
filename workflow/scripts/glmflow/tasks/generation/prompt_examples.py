"""Prompts of held-out sequence, and what real sequences and controls look like: computed once for all models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glmflow.config.tasks.generation import Generation
from glmflow.corpus.corpus_store import Corpus
from glmflow.corpus.corpus_windows import CorpusWindows
from glmflow.corpus.sequence_records import UNKNOWN, letters
from glmflow.corpus.training_part import part_texts, training_part, training_pieces
from glmflow.errors import InputError
from glmflow.likeness.compared_groups import RealPieces, real_pieces, real_side
from glmflow.likeness.group_values import GENERATED
from glmflow.likeness.pieces import cut
from glmflow.likeness.stored_groups import real_tables
from glmflow.tasks.tables import WARN, Checks, Division, Made, counts_table, examples_table

from .recovered_bases import BASES
from .region_prompts import Prompt, following, region_prompts

ATTEMPTS = 100
"""Draws for each prompt that is wanted."""
REFERENCE = 4
"""Pieces of the reference for each piece of a group: more would be counted for long and move little."""


def examples(task: Generation, files: Mapping[str, Any], division: Division) -> Made:
    """Return a row a sequence that is to be drawn: prompt (`sequence`, `group`), way (`subset`), and what really follows the
    prompt (`following`; empty where that is not known).

    Further tables hold facts of real pieces and of controls, which all models are set beside.

    Raises
    ------
    InputError
        The test part is too short for prompts or for real pieces.
    """
    corpus = Corpus(Path(files["corpus"]).parent)
    training = training_part(corpus, task.most_training, task.piece_bp)
    prompts, pieces = _compared(task, corpus, training.texts, files)
    rows = [
        {"example": f"{name}_{copy}:{way}", "split": "test", "subset": way, "group": name, **prompt._asdict()}
        for way in task.ways
        for name, prompt in prompts.items()
        for copy in range(task.copies)
    ]
    real = real_side(pieces, training.texts, task.piece_bp)
    checks = Checks()
    left = training.left
    detail = (
        "spread over all sequences; copies of these are not found; raise `most_training`"
        if left
        else "copies are looked for in all of them"
    )
    checks.add(
        "training bases that copies are not looked for in", left, training.bases, detail, False, WARN if left else None
    )
    counts = {"sequences drawn by each model": len(rows), "prompts": len(prompts), "bases of a piece": task.piece_bp}
    counts |= {f"pieces of {name}": len(group.longest) for name, group in real.groups.items()}
    return Made(examples_table(pd.DataFrame(rows)), counts_table(counts), checks.table(), real_tables(real))


def judged(task: Generation, files: Mapping[str, Any], predictions: pd.DataFrame | None) -> RealPieces:
    """Return the pieces that models and motifs are asked about: of what was released, or real ones and controls where None."""
    if predictions is not None:
        return RealPieces({GENERATED: cut([text for text in predictions["prediction"] if text], task.piece_bp)}, [])
    corpus = Corpus(Path(files["corpus"]).parent)
    return _compared(task, corpus, training_part(corpus, task.most_training, task.piece_bp).texts, files)[1]


def _compared(
    task: Generation, corpus: Corpus, training: Sequence[str], files: Mapping[str, Any]
) -> tuple[dict[str, Prompt], RealPieces]:
    """Return the prompts by their place, and the pieces that are compared: the same whenever they are asked for.

    Raises
    ------
    InputError
        The test part is too short for prompts or for real pieces.
    """
    generator = np.random.default_rng([task.seed, 18])
    if "regions" in files:
        prompts = region_prompts(corpus, Path(files["regions"]), task.prompt_bp, task.prompts, BASES)
    else:
        prompts = _prompts(task, corpus, generator)
    most = min(task.most, len(prompts) * task.copies * (task.length // task.piece_bp))
    try:
        return prompts, real_pieces(
            part_texts(corpus, "test"), training, {}, task.piece_bp, most, generator, REFERENCE * most
        )
    except InputError as error:
        fix = "Hold out more of the corpus, or take a smaller `piece`, more `prompts` or more `copies`."
        raise InputError(f"too little to compare with: {error.what}", where="tasks.*.piece", fix=fix) from None


def compared(task: Generation, files: Mapping[str, Any], table: pd.DataFrame) -> pd.DataFrame | str:
    """Return what is compared for copies: the prompts, and the training sequences of the corpus.

    What models draw is compared with training when it is scored (`copied`).
    """
    if not task.prompt_bp:
        return (
            "models start from nothing, so that no prompt can be a copy; what they draw is compared when it is scored"
        )
    prompts = table.drop_duplicates("group")[["group", "split", "sequence"]].set_axis(
        ["example", "split", "sequence"], axis=1
    )
    training = training_pieces(Corpus(Path(files["corpus"]).parent), task.most_training, task.prompt_bp)
    return pd.concat([prompts, training], ignore_index=True)


def _prompts(task: Generation, corpus: Corpus, generator: np.random.Generator) -> dict[str, Prompt]:
    """Return the prompts by the place that they are of; one empty prompt where models start from nothing."""
    if not task.prompt_bp:
        return {f"start{number}": Prompt("") for number in range(task.prompts)}
    windows, found = CorpusWindows(corpus, "test", task.prompt_bp, both_strands=False), {}
    for _ in range(ATTEMPTS * task.prompts):
        if len(found) == task.prompts:
            return found
        row, start, codes = windows.place(generator)
        if not ((codes & 7) >= UNKNOWN).any():
            name = f"{corpus.table.loc[row, 'sequence']}_{start}"
            behind = following(corpus, row, start + task.prompt_bp, BASES, start)
            found[name] = Prompt(letters(codes).tobytes().decode(), behind)
    raise InputError(
        f"the test part holds {len(found)} of {task.prompts} prompts of {task.prompt_bp} known bases",
        where="tasks.*.prompts",
        fix="Take fewer or shorter prompts, or hold out more.",
    )
