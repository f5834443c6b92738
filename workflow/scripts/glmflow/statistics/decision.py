"""Which runs beat what, and why not: the rule by which a verdict is made, on the scores of units.

A model *beats* its rivals where, at once,

* its paired difference from each rival that plays is above 0: interval, and p times the number of models compared,
* its own score is above chance (interval and adjusted p),
* samples permuted within their groups score as high in less than 5 % of permutations,
* what is left of the score without the groups' means is above 0 (the null of structure),
* it leads over its own control, if that was run,
* every one of its seeds is ahead of every rival.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from glmflow.errors import InputError

from .influence import Score
from .resampling import Estimate, difference, interval

ALPHA = 0.05

Role = Literal["model", "baseline", "structure", "told", "control"]
"""`structure`: a row that knows groups alone (population mean, row zero); `told`: is given what a model has to find out."""


@dataclass(frozen=True)
class Run:
    """The scores of one run in one class of held-out units.

    Attributes
    ----------
    key, label
        Its name in tables and in sentences.
    role
        What it is.
    scores
        Once a seed (a control: once a draw), over the same units as those of all other runs.
    within
        The same scores with the means of groups (populations, batches) taken off; empty where no groups are known.
    p
        p of the permutations within groups; None where there are none for the kind of task.
    control_of
        Of a control, the `key` of the model it is the control of.
    seeded
        False where nothing about the run is random, so that one seed is all there is.
    backbone, random
        Architecture that a pretrained model has, and whether this run started from its random weights.
    """

    key: str
    label: str
    role: Role
    scores: tuple[Score, ...]
    within: tuple[Score, ...] = ()
    p: float | None = None
    control_of: str | None = None
    seeded: bool = True
    backbone: str | None = None
    random: bool = False

    @property
    def plays(self) -> bool:
        """Whether it has a score and predicts more than one value for everything."""
        return self.scored and any(score.plays for score in self.scores)

    @property
    def scored(self) -> bool:
        """Whether the score of every seed is a number."""
        return bool(np.isfinite(self.values).all())

    @property
    def values(self) -> list[float]:
        """The score of each seed."""
        return [score.value for score in self.scores]


class Decision(NamedTuple):
    """What can be said of the runs of one class.

    Attributes
    ----------
    rows
        A row a run, best first, those that do not play last: `key`, `label`, `role`, `value`, `low`, `high`, `seeds`,
        `seed_sd`, `seed_low`, `seed_high`, `within` with `within_low`, `within_high`, `p`; `rival` (label of the best
        rival that plays), `difference` with `difference_low`, `difference_high`, `difference_p`; `control_gain` with its
        limits; `verdict` (`beats`, `above the null`, `ahead`, `not clearly ahead`, `behind`, `cannot play`; of what is no
        model empty), `against` (labels of what it beats), `leads`, `ties` (labels of the runs that share the first
        place), `reasons`.
    notes
        Sentences that belong beside any of it.
    """

    rows: pd.DataFrame
    notes: tuple[str, ...]


def decide(
    runs: Sequence[Run],
    higher_is_better: bool = True,
    chance: float | None = 0.0,
    groups_known: bool | None = True,
    bounds: tuple[float, float] | None = None,
) -> Decision:
    """Compare the runs of one class of held-out units.

    Parameters
    ----------
    runs
        Every run, with baselines and controls.
    higher_is_better
        False for errors and losses.
    chance
        Score of a model that knows nothing; None where there is none (errors, coverage).
    groups_known
        Whether the groups of samples are known: where they are not, the verdict says that the null knows no structure; None
        where nothing is measured in samples.
    bounds
        Least and largest value of the score, between which its interval stays; None where it has none.

    Raises
    ------
    InputError
        Two runs were scored over different units.
    """
    _require_same_units(runs)
    signed = [run if higher_is_better else _negated(run) for run in runs]
    level = None if chance is None else chance if higher_is_better else -chance
    bounds = bounds if higher_is_better or bounds is None else (-bounds[1], -bounds[0])
    models = [run for run in signed if run.role == "model" and run.plays]
    first = _first_place([run for run in signed if run.role in ("model", "baseline", "structure") and run.plays])
    rows = []
    for run in sorted(signed, key=lambda run: (not run.plays, -float(np.mean(run.values)))):
        row = _own(run, bounds) | {
            "leads": [run] == first,
            "ties": _labels(first) if len(first) > 1 and run in first else "",
        }
        if run.role == "model":
            row |= _judged(run, signed, level, len(models), bounds)
        rows.append(row if higher_is_better else _turned(row))
    table = pd.DataFrame(rows, columns=COLUMNS)
    table[["verdict", "against", "reasons"]] = table[["verdict", "against", "reasons"]].fillna("")
    return Decision(table, (*_pretraining(signed), *_notes(runs, models, groups_known)))


def _require_same_units(runs: Sequence[Run]) -> None:
    """Stop where runs cannot be compared unit by unit."""
    first: Run | None = None
    for run in runs:
        first = first or run
        shapes = {score.influence.shape for score in (*first.scores, *run.scores)}
        if len(shapes) > 1:
            sizes = " and ".join(f"{loci} x {samples}" for loci, samples in sorted(shapes))
            raise InputError(
                f"{first.label} and {run.label} were scored over different units (loci x samples: {sizes})",
                where="verdict",
                fix="Score every run on the same examples.",
            )


COLUMNS = [
    *("key", "label", "role", "value", "low", "high", "seeds", "seed_sd", "seed_low", "seed_high"),
    *("within", "within_low", "within_high", "p"),
    *("rival", "difference", "difference_low", "difference_high", "difference_p"),
    *("control_gain", "control_gain_low", "control_gain_high", "verdict", "against", "leads", "ties", "reasons"),
]


def _own(run: Run, bounds: tuple[float, float] | None) -> dict:
    """Return what a run's row says of itself."""
    found = interval(run.scores, bounds)
    values = run.values
    row = {"key": run.key, "label": run.label, "role": run.role, "value": found.value, "low": found.low}
    row |= {"high": found.high, "seeds": len(values), "seed_low": min(values), "seed_high": max(values), "p": run.p}
    row["seed_sd"] = float(np.std(values, ddof=1)) if len(values) > 1 else np.nan
    if run.within:
        inside = interval(run.within)
        row |= {"within": inside.value, "within_low": inside.low, "within_high": inside.high}
    return row


def _judged(
    run: Run, runs: Sequence[Run], chance: float | None, compared: int, bounds: tuple[float, float] | None
) -> dict:
    """Return the verdict of a model, with the reasons for which it is no better."""
    if not run.plays:
        why = "it predicts one value for everything" if run.scored else "its score is not a number"
        return {"verdict": "cannot play", "reasons": why}
    baselines = [other for other in runs if other.role in ("baseline", "structure")]
    rivals = sorted((other for other in baselines if other.plays), key=lambda other: -float(np.mean(other.values)))
    controls = [other for other in runs if other.role == "control" and other.control_of == run.key and other.plays]
    gaps = [difference(run.scores, other.scores) for other in rivals]
    gains = [difference(run.scores, other.scores) for other in controls]
    reasons = [_behind(other.label, gap, compared) for other, gap in zip(rivals, gaps)]
    reasons += [_behind(f"its control, {other.label},", gain, compared) for other, gain in zip(controls, gains)]
    beaten = [other.label for other, reason in zip([*rivals, *controls], reasons) if not reason]
    reasons += _own_reasons(run, chance, compared, bounds)
    reasons += [
        f"its seeds disagree: {sum(value <= np.mean(other.values) for value in run.values)} of {len(run.values)} "
        f"are not ahead of {other.label}"
        for other in [*rivals, *controls]
        if len(run.values) > 1 and np.mean(run.values) > np.mean(other.values) >= min(run.values)
    ]
    reasons = list(filter(None, reasons))
    row: dict = {"reasons": "; ".join(reasons), "against": _joined(beaten)}
    if gaps:
        row |= {"rival": rivals[0].label} | _limits("difference", gaps[0]) | {"difference_p": gaps[0].p}
    if gains:
        row |= _limits("control_gain", gains[0])
    if not reasons:
        return row | {"verdict": "beats" if beaten else "above the null"}
    row["against"] = ""
    if any(gap.high < 0 for gap in gaps):
        return row | {"verdict": "behind"}
    return row | {"verdict": "ahead" if gaps and all(gap.low > 0 for gap in gaps) else "not clearly ahead"}


def _own_reasons(run: Run, chance: float | None, compared: int, bounds: tuple[float, float] | None) -> list[str]:
    """Return for which reasons a run's own score may be no skill."""
    reasons = []
    if chance is not None:
        own = interval(run.scores, bounds)
        above = _behind("chance", _against(own, chance), compared)
        reasons.append(above)
    if run.p is not None and run.p * compared >= ALPHA:
        of = f", times {compared} models" if compared > 1 else ""
        reasons.append(f"samples permuted within their groups score as high in {run.p:.1%} of permutations{of}")
    if run.within and not interval(run.within).low > 0:
        inside = interval(run.within)
        reasons.append(f"without what groups share {_shown(inside)} is left: that the groups differ explains the rest")
    return reasons


def _against(own: Estimate, chance: float) -> Estimate:
    """Return the difference between a score and a fixed number."""
    gap = own.value - chance
    p = 2 * float(stats.t.sf(abs(gap) / own.error, own.freedom)) if own.error > 0 else float(gap == 0 or own.p)
    return own._replace(value=gap, low=own.low - chance, high=own.high - chance, p=p)


def _behind(name: str, gap: Estimate, compared: int) -> str:
    """Say why a difference is no lead; empty where it is one."""
    if np.isnan(gap.low):
        return f"it cannot be compared with {name}: {gap.note}"
    if gap.value == 0 and gap.error == 0:
        return f"it equals {name}"
    if not gap.low > 0:
        how = "it is behind" if gap.high < 0 else "it is not clearly ahead of"
        return f"{how} {name}: difference {_shown(gap)}"
    if gap.p * compared >= ALPHA:
        return (
            f"its lead over {name} ({_shown(gap)}) may be that of the best of {compared} models: p = {gap.p:.2g} each"
        )
    return ""


def _first_place(runs: Sequence[Run]) -> list[Run]:
    """Return the runs that share the first place: the best one, and those that it is not clearly ahead of."""
    if not runs:
        return []
    ordered = sorted(runs, key=lambda run: -float(np.mean(run.values)))
    best = ordered[0]
    tied = [
        other
        for other in ordered[1:]
        if not difference(best.scores, other.scores).low > 0 or min(best.values) <= np.mean(other.values)
    ]
    return [best, *tied]


def _pretraining(runs: Sequence[Run]) -> Iterator[str]:
    """Yield what pretraining adds to each architecture: its best run over the best one from random weights."""
    ranked = sorted((run for run in runs if run.plays and run.backbone), key=lambda run: -float(np.mean(run.values)))
    for backbone in sorted({run.backbone for run in ranked if not run.random}):
        alike = [run for run in ranked if run.backbone == backbone]
        best, scratch = (next((run for run in alike if run.random is random), None) for random in (False, True))
        if scratch is None:
            continue
        gap = difference(best.scores, scratch.scores)
        clear = "it is behind" if gap.high < 0 else "it is ahead" if gap.low > 0 else "that may be chance"
        limits = "the interval is not known" if np.isnan(gap.low) else clear
        yield (
            f"What pretraining adds: {best.label} against {scratch.label}, the best from random weights: "
            f"difference {_shown(gap) if not np.isnan(gap.low) else f'{gap.value:+.3f}'}; {limits}."
        )


def _notes(runs: Sequence[Run], models: Sequence[Run], groups_known: bool | None) -> list[str]:
    """Return what has to be said whatever the verdict is."""
    notes = []
    if len(models) > 1:
        notes.append(
            f"{len(models)} models were compared on these units: the best of {len(models)} owes some of its score to the "
            f"choice, so each lead has to hold at p < {ALPHA:g} / {len(models)}."
        )
    idle = [run.label for run in runs if run.role in ("baseline", "structure") and not run.plays and run.scored]
    if unscored := [run.label for run in runs if not run.scored]:
        notes.append(f"Not compared, since the score is not a number: {_joined(unscored)}.")
    if idle:
        notes.append(f"Not counted as beaten, since they predict one value for everything here: {_joined(idle)}.")
    if not any(run.role in ("baseline", "structure") for run in runs):
        notes.append("No baseline was run, so what a simple method would reach is unknown.")
    random = {run.backbone for run in runs if run.random}
    missing = sorted({run.backbone for run in models if run.backbone} - random)
    if missing:
        notes.append(f"No row of random weights of {_joined(missing)}: what its pretraining adds is unknown.")
    if groups_known is False:
        notes.append("No population is known: the null does not account for structure.")
    elif groups_known and not any(run.within for run in runs):
        notes.append("One population holds all samples here: the null does not account for structure within it.")
    elif groups_known and not any(run.role == "structure" for run in runs):
        notes.append(
            "No baseline that knows populations alone was run (population_mean): what structure by itself reaches is known only "
            "from permutations within populations and from what is left without their means."
        )
    for seeds, what in (
        (1, "One seed, whose spread is not known"),
        (2, "Two seeds, from which a spread is hardly known"),
    ):
        few = [run.label for run in runs if run.role == "model" and run.seeded and len(run.scores) == seeds]
        if few:
            notes.append(f"{what}: {_joined(few)}.")
    for run in runs:
        if run.role in ("model", "control") and len(run.scores) > 1:
            what = "draws" if run.role == "control" else "seeds"
            values = run.values
            notes.append(
                f"{run.label}: {len(values)} {what}, {min(values):.3f} to {max(values):.3f} "
                f"(standard deviation {np.std(values, ddof=1):.3f})."
            )
        elif run.role == "control":
            notes.append(f"{run.label}: one draw of the control, whose spread is not known.")
    few = {interval(run.scores).note for run in runs if run.scored} - {""}
    return notes + [f"{text[0].upper()}{text[1:]}." for text in sorted(few)]


def _limits(name: str, found: Estimate) -> dict[str, float]:
    """Return a value and its limits as columns."""
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def _negated(run: Run) -> Run:
    """Return a run whose scores are better when higher."""
    turned = [
        tuple(Score(-s.value, -s.influence, s.plays, -s.bias) for s in scores) for scores in (run.scores, run.within)
    ]
    return replace(run, scores=turned[0], within=turned[1])


def _turned(row: dict) -> dict:
    """Return a row with its own values as they were given; differences stay such that a positive one is a lead."""
    row = dict(row)
    for name, low, high in (
        ("value", "low", "high"),
        ("within", "within_low", "within_high"),
        ("", "seed_low", "seed_high"),
    ):
        if low in row:
            row[low], row[high] = -row[high], -row[low]
        if name in row:
            row[name] = -row[name]
    return row


def _shown(found: Estimate) -> str:
    """Write a value with its interval."""
    return f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]".replace("-", "−")


def _labels(runs: Sequence[Run]) -> str:
    """Return the labels of runs as they stand in a sentence."""
    return _joined([run.label for run in runs])


def _joined(names: Sequence[str]) -> str:
    """Return names as they stand in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""
