"""How what a model gives is scored: loss by context, what a copy is worth by its distance, and the comparison of runs."""

import numpy as np
import pandas as pd
import pytest
from glmflow.errors import InputError
from glmflow.genome.repeated_segments import find_repeats, markov_chain, markov_sequences, needles, plant_copies
from glmflow.tasks import context_extension
from glmflow.tasks.context_extension.drawn_windows import loss_examples, recall_examples
from glmflow.tasks.context_extension.losses_by_context import score_losses
from glmflow.training.inputs.segments import queries

SEGMENT = 32


def make_examples():
    rng = np.random.default_rng(0)
    chain = markov_chain(rng)
    windows = plant_copies(markov_sequences(chain, 6, 512, rng), rng)
    found = needles(markov_sequences(chain, 4, 512, rng), rng, [64, 300], SEGMENT)
    return windows, found, pd.concat([loss_examples(windows, 64), recall_examples(found, SEGMENT)])


def copier(query):
    """A model that knows a base when the 12 before it occur earlier, on this strand, and guesses otherwise."""
    nats = np.full(query.scored, np.log(4.0))
    distance = find_repeats(query.sequence, 12)[-query.scored :]
    for place in np.flatnonzero(distance):
        index = len(query.sequence) - query.scored + place
        right = query.sequence[index] == query.sequence[index - distance[place]]
        nats[place] = 0.1 if right else 3.0
    return nats


def predict(examples, contexts, model=copier, masked=False):
    rows = []
    for query in queries(examples, contexts):
        nats = model(query)
        rows.append((query.example, query.context_bp, np.where(query.hidden, nats, np.nan) if masked else nats))
    return pd.DataFrame(rows, columns=["example", "context_bp", "prediction"])


def by_key(rows):
    return {(row["metric"], row["subset"], row["context_bp"]): row for row in rows}


@pytest.mark.parametrize("masked", [False, True])
def test_the_same_bases_are_scored_at_every_context(masked):
    windows, _, examples = make_examples()
    rows = by_key(score_losses(examples, predict(examples, [128, 256, 512], masked=masked), draws=50))
    asked = np.arange(64) % 7 == 0 if masked else np.ones(64, bool)
    last = windows.repeat[:, -64:][:, asked]
    for context in (128, 256, 512):
        assert rows["loss", "all", context]["n"] == 6  # windows, the units that are resampled
        repeat, background = (rows["loss", subset, context]["value"] for subset in ("repeat", "background"))
        pooled = last.mean() * repeat + (1 - last.mean()) * background
        assert rows["loss", "all", context]["value"] == pytest.approx(pooled)


def test_a_model_that_copies_gains_on_repeats_alone():
    _, _, examples = make_examples()
    rows = by_key(score_losses(examples, predict(examples, [128, 512]), draws=50))
    assert rows["loss", "repeat", 512]["value"] < rows["loss", "repeat", 128]["value"] - 0.1
    assert rows["loss", "background", 512]["value"] == pytest.approx(np.log(4), abs=0.1)


def test_recall_is_what_the_copy_is_worth():
    _, _, examples = make_examples()
    rows = by_key(score_losses(examples, predict(examples, [128]), draws=50))
    for distance in (64, 300):
        exact = rows["copy_advantage", "exact", distance]
        # 24 bases are scored: the copier recognises the copy after 12, of which 8 are left out of scoring.
        assert exact["value"] == pytest.approx((24 - 4) / 24 * (np.log(4) - 0.1), abs=0.02)
        assert exact["n"] == 4
        assert rows["copy_advantage", "mutated", distance]["value"] < exact["value"]
        assert rows["copy_advantage", "reverse_complement", distance]["value"] == pytest.approx(0, abs=0.05)


def test_a_control_is_asked_once_for_all_its_needles():
    _, found, examples = make_examples()
    assert len(found) == 4 * 2 * 3
    assert (examples["variant"] == "control").sum() == 4


def test_a_context_that_cannot_be_asked_is_refused():
    _, _, examples = make_examples()
    for context in (64, 1024):
        with pytest.raises(InputError, match=f"a context of {context} bases"):
            list(queries(examples, [context]))


def test_a_missing_prediction_is_refused():
    _, _, examples = make_examples()
    predictions = predict(examples, [128])
    with pytest.raises(InputError, match="1 examples have no prediction, loss0"):
        score_losses(examples, predictions[predictions["example"] != "loss0"])


SETTINGS = {"study": "s", "task_label": "context", "adaptation_label": "as_it_is", "seed": 1, "task": {"bootstrap": 5}}


@pytest.mark.parametrize("models", [["one"], ["one", "two"]])
def test_all_runs_of_a_task_are_compared_and_one_alone_with_none(models, tmp_path):
    """Of one seed: the six windows are the pairs, and a run has no other to be compared with where it is alone."""
    _, _, examples = make_examples()
    asked = [128, 512]
    guess = predict(examples, asked, lambda query: np.full(query.scored, np.log(4.0)))
    predictions = [predict(examples, asked), guess][: len(models)]
    metrics = [
        context_extension.score(SETTINGS | {"model_label": model}, examples, predicted, tmp_path, {}).metrics
        for model, predicted in zip(models, predictions)
    ]
    table = context_extension.compare(examples, metrics, predictions)
    assert len(table) == (0 if models == ["one"] else 2 * len(metrics[0]))
    if len(models) > 1:
        row = table.set_index(["model", "metric", "subset", "context_bp"]).loc["one", "loss", "repeat", 512]
        assert row["reference"] == "two" and row["windows"] == 6 and row["high"] < 0
