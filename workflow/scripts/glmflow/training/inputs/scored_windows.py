"""Input `scored_windows`: the loss of the last bases of windows as a model is, at each context and under each control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from glmflow.corpus.window_controls import PHASE, asked_windows
from glmflow.errors import InputError
from glmflow.models.adapter import Adapter
from glmflow.models.kmer_vocabulary import readings
from glmflow.models.masked_diffusion import DIFFUSION
from glmflow.models.parameter_counts import body_parameters
from glmflow.models.row_tags import tagged

from ..parts import Parts
from ..ready import Predictor
from .diffusion_bound import bounds
from .segments import Query, in_batches, last_losses

TOLD = ("own_tag", "other_tag")
"""Controls of models that are told what a sequence is: the truth, and something else."""
HIDDEN_EVERY = 7
"""A masked model predicts every seventh of the scored bases in one pass: it needs the others around them."""


def predict(
    predictor: Predictor, examples: pd.DataFrame, files: Mapping[str, Any], parts: Parts, folder: Path
) -> pd.DataFrame:
    """Ask a model for every window; contexts beyond what it can read are not asked.

    Causal models of consecutive k-mers read windows from where whole k-mers end with them: bases left over at the end would
    be tokens of another kind, that training windows may never have had.

    Returns
    -------
    DataFrame
        `example`, `context_bp`, `control` (of models with tags `own_tag` and `other_tag` too), `prediction` (nats of the scored
        bases, not a number where not asked), `parameters` (of the model, without embeddings); of a model of masked diffusion
        bounds from above, with `error` (standard error of their sum over the draws of masks); of other masked models
        `both_sides` (true): their nats are no cost of a sequence. Causal models of consecutive k-mers are asked in all k
        readings too, as controls ``phase_0`` to ``phase_{k-1}``: where their k-mers begin in a window.

    Raises
    ------
    InputError
        It can read none of the contexts.
    """
    task, model = predictor.run.task, predictor.model
    contexts = readable(task.contexts, task.scored, model.card.context_bp)
    if not contexts:
        raise InputError(
            f"the model reads {model.card.context_bp} bases, fewer than the shortest context with the scored bases",
            where="tasks.*.contexts",
            fix="Add a shorter context.",
        )
    hidden = np.arange(task.scored) % HIDDEN_EVERY == 0
    own_tags = tags_of(model, examples)
    k = readings(model.tokenizer) if model.card.objective == "causal" and model.card.bases_per_token > 1 else 1
    rows, queries, tags = [], [], []
    for window in asked_windows(examples, contexts, task.controls, task.seed):
        name = f"{window.example}\t{window.control}"
        rows.append((window.example, window.context_bp, window.control))
        whole = window.sequence[len(window.sequence) % k :]
        queries.append(Query(name, window.context_bp, whole, task.scored, hidden))
        tags.append(0)
        if not window.control and window.example in own_tags:
            for control, tag in zip(TOLD, own_tags[window.example]):
                rows.append((window.example, window.context_bp, control))
                queries.append(queries[-1])
                tags.append(tag)
    table = pd.DataFrame(rows, columns=["example", "context_bp", "control"])
    table = table.assign(parameters=body_parameters(model.network))
    if model.origin.get("objective") == DIFFUSION:
        found = [own for batch in in_batches(queries) for own in bounds(model, batch, task.draws, task.seed)]
        return table.assign(prediction=[nats for nats, _ in found], error=[error for _, error in found])
    if model.card.objective == "masked":
        table = table.assign(both_sides=True)
    found, done = [], 0
    for batch in in_batches(queries):
        told = torch.tensor(tags[done : done + len(batch)], device=model.device)
        with tagged(told if own_tags else None):
            found += list(last_losses(model, batch))
        done += len(batch)
    table = table.assign(prediction=found)
    return table if k == 1 else pd.concat([table, in_phases(model, table, queries, k)], ignore_index=True)


def in_phases(model: Adapter, table: pd.DataFrame, queries: Sequence[Query], k: int) -> pd.DataFrame:
    """Return rows of the windows as they are, in each of the k readings that begin 0 to k - 1 bases later.

    The first one, which ends with a whole k-mer, has been asked. Of the others, bases left over at the end are not asked for.
    Contexts of which a reading leaves less than a k-mer have no such rows.
    """
    found = []
    plain = ((table["control"] == "") & (table["context_bp"] >= 3 * k - 2)).to_numpy().nonzero()[0]
    for phase in range(k):
        own = [queries[at]._replace(sequence=queries[at].sequence[phase:]) for at in plain]
        nats = [table["prediction"][at] for at in plain]
        if phase:
            nats = [one for batch in in_batches(own) for one in last_losses(model, batch)]
        ends = [len(query.sequence) % k for query in own]
        whole = [np.where(np.arange(len(one)) < len(one) - end, one, np.nan) for one, end in zip(nats, ends)]
        found.append(table.iloc[plain].assign(control=f"{PHASE}{phase}", prediction=whole))
    return pd.concat(found)


def tags_of(model: Adapter, examples: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """Return of each window the number of its own tag and of another one, in turn; of those whose tag the model knows.

    Of models of masked diffusion none: their bound is asked without.
    """
    names, column = list(model.config.get("tags") or ()), model.origin.get("tagged_by")
    if len(names) < 2 or column not in examples or model.origin.get("objective") == DIFFUSION:
        return {}
    found = {}
    for row, (example, name) in enumerate(zip(examples["example"], examples[column])):
        if name in names:
            own = names.index(name)
            found[example] = (own + 1, (own + 1 + row % (len(names) - 1)) % len(names) + 1)
    return found


def readable(contexts: Sequence[int], scored: int, limit: int | None) -> list[int]:
    """Return the contexts that fit into a model with the scored bases behind them."""
    return [context for context in contexts if limit is None or context + scored <= limit]
