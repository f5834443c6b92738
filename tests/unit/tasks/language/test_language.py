"""Bits a base of held-out windows: controls, contexts, strata, baselines, and the sentence about the compressor."""

import numpy as np
import pandas as pd
import pytest
from glmflow.baselines.fit_baseline import fit_of
from glmflow.baselines.fitting_data import FittingData
from glmflow.config.baselines.language_baselines import ContextMixture, FixedOrder
from glmflow.config.tasks.language import Language
from glmflow.corpus.corpus_build import build
from glmflow.corpus.window_controls import asked_windows
from glmflow.errors import InputError
from glmflow.report.pages.language import against_compressor
from glmflow.tasks.language import examples, score
from glmflow.tasks.tables import Division
from glmflow.training.inputs.scored_windows import readable

KEYS = {"study": "s", "task_label": "t", "model_label": "m", "adaptation_label": "a", "seed": 1}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A chain in which A follows G, lower case in part, its last fifth held out: task, files and examples."""
    folder = tmp_path_factory.mktemp("language")
    rng = np.random.default_rng(1)
    codes = rng.integers(4, size=30_000)
    for place in range(1, len(codes)):
        if codes[place - 1] == 2 and rng.random() < 0.8:
            codes[place] = 0
    text = "".join("ACGT"[code] for code in codes)
    (folder / "a.fa").write_text(f">a\n{text[:26_000]}{text[26_000:].lower()}\n")
    settings = {"sources": [{"path": str(folder / "a.fa"), "division": "made"}]}
    build(settings | {"split": {"by": "position", "validation": 0, "test": 0.2}}, folder / "corpus")
    task = Language(kind="language", corpus="c", contexts=[8, 32], scored=16, windows=60, bootstrap=50)
    files = {"corpus": str(folder / "corpus/sequences.parquet")}
    return task, files, examples(task, files, Division()).table


def test_windows_are_of_held_out_sequence_and_have_known_scored_bases(made):
    task, _, table = made
    starts = table["example"].str.extract(r":(\d+)-(\d+)$").astype(int)
    assert (starts[0] >= 0).all() and (starts[1] - starts[0] == 48).all()
    assert set(table["split"]) == {"test"} and table["example"].is_unique and len(table) == task.windows
    assert table["example"].str.startswith("a:24000-30000").all()
    assert (table["far"] != table["sequence"]).all()


def test_controls_change_the_far_bases_and_no_others(made):
    _, _, table = made
    asked = list(asked_windows(table, [8, 32], ["far_replaced", "shuffled"], 1))
    assert len(asked) == 4 * len(table)
    whole = {one.example: one.sequence for one in asked if one.context_bp == 32 and not one.control}
    far = table.set_index("example")["far"]
    for one in asked:
        own = whole[one.example]
        if one.context_bp == 8:
            assert not one.control and (one.sequence == own[-24:]).all()
            continue
        assert (one.sequence[24:] == own[24:]).all()
        if one.control == "far_replaced":
            assert one.sequence[:24].tobytes().decode() == far[one.example][-48:][:24]
        if one.control == "shuffled":
            assert sorted(one.sequence[:24]) == sorted(own[:24])


def predicted(table, cost, contexts=(8, 32), controls=("", "far_replaced")):
    rows = [
        (row.example, context, control, np.full(16, cost(row, context, control), np.float32))
        for context in contexts
        for control in (controls if context > 8 else ("",))
        for row in table.itertuples()
    ]
    return pd.DataFrame(rows, columns=["example", "context_bp", "control", "prediction"])


def scored(made, predictions):
    task, _, table = made
    found = score({**KEYS, "task": task.model_dump()}, table, predictions, None, {})
    return found.metrics.set_index(["metric", "subset", "protocol", "context_bp"])["value"], found


def test_two_bits_for_a_uniform_model_and_the_worth_of_context(made):
    uniform = np.log(4)
    values, found = scored(
        made, predicted(made[2], lambda row, context, control: uniform - (context == 32 and not control))
    )
    assert values["bits_per_base", "all", "strict", 8] == pytest.approx(2)
    assert values["bits_per_base", "all", "strict", 32] == pytest.approx(2 - 1 / np.log(2))
    assert values["bits_per_base", "all", "far_replaced", 32] == pytest.approx(2)
    assert values["bits_of_context", "all", "strict", 32] == pytest.approx(1 / np.log(2))
    assert all("\tbits_per_base" in name for name in found.units) and len(found.units) >= 2


def test_strata_are_scored_apart_and_add_up(made):
    def cost(row, context, control):
        return 1.0 if "1" in row.marks else 2.0

    table = made[2]
    values, _ = scored(made, predicted(table, cost))
    lower = np.array([[mark in "13" for mark in marks] for marks in table["marks"]])
    assert 0 < lower.mean() < 1
    mixed = lower.any(1)
    expected = (np.where(mixed, 1.0, 2.0)).mean() / np.log(2)
    assert values["bits_per_base", "all", "strict", 8] == pytest.approx(expected)
    assert values["bits_per_base", "soft_masked", "strict", 8] == pytest.approx(1 / np.log(2))


def test_a_missing_prediction_is_said(made):
    with pytest.raises(InputError, match="have no prediction"):
        scored(made, predicted(made[2].iloc[1:], lambda *_: 1.0))


def test_baselines_find_what_is_there_and_orders_are_ordered(made):
    task, files, table = made
    bits = {}
    for name, block in {
        "composition": FixedOrder(kind="fixed_order", order=0),
        "order1": FixedOrder(kind="fixed_order", order=1, reverse_complement=False),
        "mixture": ContextMixture(kind="context_mixture", orders=[1, 2, 3, 11], reverse_complement=False),
    }.items():
        data = FittingData(block, {"task": task.model_dump()}, table, files)
        predictions = fit_of("language", block.kind)(data)(None)
        assert np.isfinite(np.stack(predictions["prediction"].to_list())).all()
        bits[name] = scored(made, predictions)[0]["bits_per_base", "all", "strict", 32]
    assert 1.9 < bits["composition"] < 2.05
    # A fifth of the bases follow a G and cost 1.0 bits instead of 2.
    assert bits["order1"] < bits["composition"] - 0.1
    assert abs(bits["mixture"] - bits["order1"]) < 0.05


def test_contexts_that_a_model_can_read():
    assert readable([16, 64, 256], 64, 128) == [16, 64]
    assert readable([16, 64], 64, None) == [16, 64]


def rows(**values):
    table = [
        {"model": name, "origin": origin, "value": value, "ci_low": value - 0.01, "ci_high": value + 0.01}
        for name, (origin, value) in values.items()
    ]
    return pd.DataFrame(table).assign(subset="all", split="test", context=64)


@pytest.mark.parametrize(
    ("value", "begins"),
    [
        (1.95, "The best model does not beat the compressor"),
        (1.90, "The best model does not beat the compressor"),
        (1.80, "The best model is below the compressor by 0.1"),
    ],
)
def test_the_first_sentence_says_whether_the_compressor_is_beaten(value, begins):
    table = rows(
        net=("pretrained", value), worse=("pretrained", 1.99), zip=("baseline", 1.90), order6=("baseline", 1.7)
    )
    assert against_compressor(table, {"zip"}).startswith(begins)
    assert "overlap" in against_compressor(rows(net=("scratch", 1.895), zip=("baseline", 1.9)), {"zip"})
    assert "no compressor" in against_compressor(table[table["model"] != "zip"], set())
