"""Input `allele_pairs`: what a model as it is says of alleles, by the engine that scores files of variants."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.config.task_block import TaskBlock
from glmflow.effects.channel_distances import channel_distances
from glmflow.effects.kept_parts import KeptParts
from glmflow.effects.likelihood_model import LikelihoodModel
from glmflow.effects.null_scores import SITES, Nulls, comparable, indel_scores, neutral_scores, neutral_sites
from glmflow.effects.score_catalogue import SIGNED, Asked, asked, why_not
from glmflow.effects.score_runs import Columns, KeptScores, ModelScores, score_parts
from glmflow.effects.scored_edits import Settings
from glmflow.errors import InputError
from glmflow.files import write_table
from glmflow.genome.edit_sets import AlleleTable
from glmflow.genome.edits import Records, edits_of
from glmflow.genome.first_look import FirstLook, look, require_matching
from glmflow.genome.intervals import read_intervals
from glmflow.genome.reasons import Reason, described
from glmflow.genome.reference import Reference

from ..parts import Parts
from ..ready import Predictor

log = logging.getLogger(__name__)

APART = 2**20
"""Numbers of parts that one window may take."""
LENGTH_FREE = ("ll_flank", "flank")
"""Scores of the bases that both windows share."""
COSTS = 2**41
"""The first number of the parts that say what other parts took."""
NULLS, CHANNELS = 2**19, 2**40
"""The first number of parts of neutral sites and random indels, within those of a window; and of states by channel."""
AT_ONCE = 512
"""Alleles of a part of states by channel."""


def predict(
    predictor: Predictor, examples: pd.DataFrame, files: Mapping[str, Any], parts: Parts, folder: Path
) -> pd.DataFrame:
    """Score all alleles of a task, at every window that is asked for.

    Returns
    -------
    DataFrame
        `example`; `prediction` of the first window, by the first score that the model has for edits of this kind (`score`),
        its strands `prediction_fwd` and `prediction_rev`, `signed` (whether it is a difference of log-likelihoods), the
        `reason` where there is none; and `prediction_{score}_{window}` of all that was computed. `folder` gets
        `asked.tsv` and, where the task asks for the ceiling, `channels.npy`.

    Raises
    ------
    InputError
        The model has none of the scores, or no language-model head.
    """
    task = predictor.run.task
    model = LikelihoodModel(predictor.model, predictor.run.settings["model_label"], layer=task.layer)
    genome = Reference(files["fasta"])
    source = AlleleTable(examples, Path(files["fasta"]))
    scores = asked(model, able(model, task.scores), alone=True)
    rows = pd.DataFrame({"example": examples["example"].to_numpy()})
    notes = []
    for place, window in enumerate(windows_of_model(model, task)):
        settings = Settings(window, task.edges, min(task.share, max(1, window // 2)), task.mnv, task.frames)
        found = look(source, genome, far=window + 1)
        if not place:
            require_matching(found, genome, source.path, task.mismatches)
        counted = Counted(parts, model)
        own = Numbered(counted, place * APART)
        scored = _one_window(model, source, genome, scores, settings, own, found, task, files)
        note = _note(model, scores, settings, scored, counted)
        for name, values in scored.fields(strands=False).items():
            rows[f"prediction_{name}_{window}"] = values
        if not place:
            rows = pd.concat([rows, compared(scored, scores, examples)], axis=1)
        notes += [note | {"score": name, "signed": _signed(name), "compared": not place and name in _first(scores)}
                  for name in scored.fields(strands=False)]  # fmt: skip
    if task.ceiling:
        size = Settings(windows_of_model(model, task)[0], task.edges, 1, task.mnv)
        np.save(folder / "channels.npy", _channels(model, genome, source, size, Numbered(parts, CHANNELS)))
    write_table(pd.DataFrame(notes), folder / "asked.tsv")
    return rows


class Counted:
    """Parts that say what they took, also where an attempt before has made them."""

    def __init__(self, parts: KeptParts, model: LikelihoodModel):
        self._parts, self._model = parts, model
        self._costs: dict[int, NDArray] = {}

    @property
    def cost(self) -> NDArray[np.float64]:
        """Passes, tokens and seconds of all parts that were asked for, `float64[3]`."""
        return np.sum([np.zeros(3), *self._costs.values()], 0)

    def array(self, number: int, make: Callable[[], NDArray]) -> NDArray:
        """Return the array of a part: as it was kept, or made now and kept, and its cost with it."""
        made: list[NDArray] = []

        def measured() -> NDArray[np.float64]:
            begin, passes, tokens = time.monotonic(), self._model.passes, self._model.tokens
            made.append(make())
            return np.array([self._model.passes - passes, self._model.tokens - tokens, time.monotonic() - begin])

        self._costs[number] = self._parts.array(COSTS + number, measured)
        return self._parts.array(number, (lambda: made[0]) if made else make)


class Numbered:
    """Parts of one of several computations that are kept side by side: their numbers begin at `first`."""

    def __init__(self, parts: KeptParts, first: int):
        self._parts, self._first = parts, first

    def array(self, number: int, make: Callable[[], NDArray]) -> NDArray:
        """Return the array of a part: as it was kept, or made now and kept."""
        return self._parts.array(self._first + number, make)


def able(model: LikelihoodModel, names: list[str] | None) -> list[str] | None:
    """Return the scores that a model has, of those a task names for all its models; None: the model's defaults.

    Raises
    ------
    InputError
        It has none of them.
    """
    if names is None:
        return None
    had = [name for name in names if why_not(name, model) is None]
    if not had:
        name = names[0]
        _, words = why_not(name, model)
        raise InputError(
            f"{model.name} has none of the scores {', '.join(names)}: {name}: {words}",
            where="tasks.*.scores",
            fix="Name one that it has (glmflow variants --list-scores), or leave `scores` out.",
        )
    left = [name for name in names if name not in had]
    if left:
        log.info("%s: without %s, which it has not", model.name, ", ".join(left))
    return had


def windows_of_model(model: LikelihoodModel, task: TaskBlock) -> list[int]:
    """Return the windows at which a model is asked, the one compared first; none is longer than its context."""
    most = model.adapter.card.context_bp if model.kind != "bpe" else None
    asked_for = list(dict.fromkeys(task.window or [model.default_window()]))
    if most is None:
        return asked_for
    fits = [window for window in asked_for if window <= most]
    if len(fits) < len(asked_for):
        longer = [window for window in asked_for if window > most]
        log.warning(
            "%s: windows of %s bp are beyond its context of %d bp", model.name, ", ".join(map(str, longer)), most
        )
    if asked_for[0] > most:
        fits = list(dict.fromkeys([most, *fits]))
    return fits


def _one_window(
    model: LikelihoodModel,
    source: AlleleTable,
    genome: Reference,
    scores: Asked,
    settings: Settings,
    parts: Numbered,
    found: FirstLook,
    task: TaskBlock,
    files: Mapping[str, Any],
) -> ModelScores:
    """Return the scores of all alleles in one window."""
    nulls = _nulls(model, genome, found, scores, settings, parts, task, files)
    counts = score_parts(model, source, genome, scores, settings, parts, found=found, nulls=nulls)
    columns = Columns(scores.names, nulls.names if nulls else ())
    scored = ModelScores(model.name, columns, KeptScores(parts, columns).take(found.alleles))
    without = sum(count for reason, count in counts.items() if reason)
    log.info("%s, window %d bp: %s alleles scored, %s with a reason instead",
             model.name, settings.window, f"{found.alleles - without:,}", f"{without:,}")  # fmt: skip
    for line in described(counts):
        log.info("  %s", line)
    return scored


def _note(
    model: LikelihoodModel, scores: Asked, settings: Settings, scored: ModelScores, counted: Counted
) -> dict[str, Any]:
    """Return what was asked in one window, and what it took."""
    looked = scored.table[:, 4:6].min(1) >= 0
    passes, tokens, seconds = counted.cost.tolist()
    return {
        "window": settings.window,
        "equal": ", ".join(scores.equal),
        "changed": ", ".join(scores.changed),
        "passes": int(passes),
        "tokens": int(tokens),
        "seconds": round(seconds, 1),
        "precision": model.precision,
        "single_token_share": float((scored.table[looked, 4:6] == 1).all(1).mean()) if looked.any() else np.nan,
    }


def _channels(
    model: LikelihoodModel, genome: Reference, source: AlleleTable, settings: Settings, parts: Numbered
) -> NDArray[np.float32]:
    """Return the distances of states by channel of all alleles, `float32[n, D]`."""

    def made(records: Records) -> Callable[[], NDArray]:
        return lambda: channel_distances(model, genome, edits_of(records, genome), settings)

    return np.concatenate([parts.array(number, made(some)) for number, some in enumerate(source.parts(AT_ONCE))])


def _nulls(
    model: LikelihoodModel,
    genome: Reference,
    found: FirstLook,
    scores: Asked,
    settings: Settings,
    parts: Numbered,
    task: TaskBlock,
    files: Mapping[str, Any],
) -> Nulls | None:
    """Score neutral sites and random indels, as far as the task asks for them."""
    if not files.get("neutral") and not task.length_matched:
        return None
    nulls = Nulls()
    names = comparable(scores, changed=False)
    if files.get("neutral") and names:
        places = neutral_sites(genome, read_intervals(Path(files["neutral"]), genome.contigs), SITES, task.seed)
        nulls.calibrated = names
        kept = Numbered(parts, NULLS)
        nulls.neutral = neutral_scores(model, genome, places, names, settings, kept)
    names = comparable(scores, changed=True)
    if task.length_matched and names and found.lengths:
        nulls.matched = names
        kept = Numbered(parts, NULLS + NULLS // 2)
        lengths = list(found.lengths)
        nulls.indels = indel_scores(model, genome, lengths, names, settings, task.length_matched, kept, task.seed)
    return nulls


def compared(scored: ModelScores, scores: Asked, examples: pd.DataFrame) -> pd.DataFrame:
    """Return the score that is compared: the first for edits that keep the length, for indels the first length-free one."""
    changes = examples["ref"].astype(str).str.len().to_numpy() != examples["alt"].astype(str).str.len().to_numpy()
    names = np.where(changes, _of_indels(scores), _name(scores.equal)).astype(object)
    both = np.full((len(examples), 2), np.nan)
    for name in {*names} - {""}:
        inside = names == name
        both[inside] = scored.strands(name)[inside]
    labels = {int(reason): reason.label for reason in Reason}
    reason = [labels[code] for code in scored.reason.tolist()]
    return pd.DataFrame({
        "prediction": both.mean(1),
        "prediction_fwd": both[:, 0],
        "prediction_rev": both[:, 1],
        "score": names,
        "signed": [_signed(name) for name in names],
        "reason": reason,
    })  # fmt: skip


def _name(names: tuple[str, ...]) -> str:
    return names[0] if names else ""


def _of_indels(scores: Asked) -> str:
    """Return the score that indels are compared by: sums over windows spread with the length of an indel."""
    free = tuple(name for name in scores.changed if name in LENGTH_FREE)
    return _name(free or scores.changed)


def _first(scores: Asked) -> set[str]:
    return {_name(scores.equal), _of_indels(scores)}


def _signed(name: str) -> bool:
    """Whether a score, or its comparison with neutral ones, is a difference of log-likelihoods."""
    return name.removesuffix("_calibrated").removesuffix("_z") in SIGNED
