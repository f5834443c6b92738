"""Bits per base of held-out windows: controls, contexts, strata, baselines, and the sentence about the compressor."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from glmflow.baselines.fit_baseline import fit_of
from glmflow.baselines.fitting_data import FittingData
from glmflow.checks.examples_audit import audited
from glmflow.config.baselines.language_baselines import ContextMixture, FixedOrder, TrueSource
from glmflow.config.simulation import Repeats
from glmflow.config.tasks.language import Language
from glmflow.corpus.corpus_build import build
from glmflow.corpus.corpus_store import Corpus
from glmflow.corpus.sequence_records import letters
from glmflow.corpus.window_controls import asked_windows
from glmflow.errors import InputError
from glmflow.genome.canonical import opposite_strand
from glmflow.report.charts import Look
from glmflow.report.pages import language
from glmflow.report.pages.language import (
    against_compressor,
    beside_marks,
    by_context,
    context_chart,
    said_marks,
    said_masked,
)
from glmflow.simulate.repeat_genome import simulate_genome
from glmflow.tasks.language import examples, score
from glmflow.tasks.tables import Checks, Division, Made, counts_table
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


def test_what_masked_models_lose_is_another_number_and_beats_no_compressor(made):
    easy = predicted(made[2], lambda *_: 0.1).assign(both_sides=True)
    values, found = scored(made, easy)
    assert values["masked_bits_per_base", "all", "strict", 8] == pytest.approx(0.1 / np.log(2))
    assert "bits_per_base" not in values.index.get_level_values("metric")
    assert all("\tmasked_bits_per_base" in name for name in found.units)
    table = rows(net=("pretrained", 1.95), filler=("pretrained", 1.1), zip=("baseline", 1.90))
    metric = table["model"].map({"filler": "masked_bits_per_base"}).fillna("bits_per_base")
    table = table.assign(metric=metric, protocol="strict")
    assert "filler 1.1" in said_masked(table) and "net" not in said_masked(table)
    assert said_masked(table[table["model"] != "filler"]) == ""


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
    assert against_compressor(table, {"zip"}).startswith(begins) and "the compressor zip 1.9" in against_compressor(
        table, {"zip"}
    )
    named = table.assign(model=table["model"].replace("zip", "compressor"))
    assert "the compressor 1.9" in against_compressor(named, {"compressor"})
    assert "overlap" in against_compressor(rows(net=("scratch", 1.895), zip=("baseline", 1.9)), {"zip"})
    assert "no compressor" in against_compressor(table[table["model"] != "zip"], set())


def test_every_model_stands_beside_its_marks():
    rows = [
        (model, "test", context, value) for context in (16, 64) for model, value in (("net", 1.7), ("chance", 1.99))
    ]
    table = pd.DataFrame(rows, columns=["model", "split", "context", "value"])
    table = table.assign(subset="all", ci_low=np.nan, ci_high=np.nan, seeds=1)
    found = {"composition": {"chance"}, "compressor": set(), "source": {"truth"}}
    assert said_marks(table, found) == (
        "Marks, in bits per base at 64 bases of context: composition alone (chance) 1.990. Not run: the compressor."
    )
    truth = table.iloc[[0]].assign(model="truth", context=64, value=1.2)
    shown = by_context(beside_marks(pd.concat([table, truth]), found))
    by = {(row["model"], row["context"]): row for row in shown}
    assert by["net", "64"]["below composition"] == "+0.2900" and by["net", "64"]["above the source"] == "+0.5000"
    assert by["net", "16"]["above the source"] == "" and "below the compressor" not in by["net", "16"]


def test_the_source_of_a_simulated_genome_is_a_mark(tmp_path):
    repeats = Repeats(contigs={"g": 40_000}, seed=5, substitutions=0.05)
    simulate_genome(repeats, tmp_path / "g.fa", tmp_path / "repeats.npz")
    split = {"by": "position", "validation": 0, "test": 0.3, "max_shared": 0.5}
    build({"sources": [{"path": str(tmp_path / "g.fa")}], "split": split}, tmp_path / "corpus")
    task = Language(kind="language", corpus="c", contexts=[16, 256], scored=32, windows=100)
    files = {"corpus": str(tmp_path / "corpus/sequences.parquet"), "truth": str(tmp_path / "repeats.npz")}
    table = examples(task, files, Division()).table
    data = FittingData(TrueSource(kind="true_source"), {"task": task.model_dump(), "model_label": "m"}, table, files)
    found = fit_of("language", "true_source")(data)(None)
    bits = found.groupby(["context_bp", "control"])["prediction"].apply(
        lambda rows: np.stack(list(rows)).mean() / np.log(2)
    )
    # Near copies can be seen from 16 bases and the scored ones, far ones from 256; what is replaced is not seen.
    assert bits[256, ""] < bits[16, ""] - 0.2 and bits[256, "far_replaced"] == pytest.approx(bits[16, ""], abs=1e-6)
    with pytest.raises(InputError, match="simulated genome alone"):
        fit_of("language", "true_source")(data._replace(files={"corpus": files["corpus"]}))


def test_the_chart_draws_a_line_a_model_over_the_contexts():
    look = Look({"net": "#0072b2", "zip": "#d55e00"}, {})
    chart = context_chart(look)
    assert chart["data"] == {"name": "contexts"}
    marks = {layer["mark"]["type"]: layer["encoding"] for layer in chart["layer"]}
    assert {*marks} == {"rule", "line", "point"}
    for encoding in marks.values():
        assert encoding["x"]["field"] == "context" and encoding["color"]["scale"]["domain"] == ["net", "zip"]
    page = (Path(language.__file__).parent / "language.html").read_text()
    assert 'id="chart-contexts"' in page


def test_windows_that_training_holds_are_copies_and_scored_apart(made):
    task, files, table = made
    plain, none = audited(Made(table, counts_table({}), Checks().table()), task, files)
    assert none.empty and "no_near_copy" not in plain.table and "FAIL" not in set(plain.checks["status"])
    training = Corpus(Path(files["corpus"]).parent)
    own = letters(training.codes(training.of("train").index[0], 1_980, 2_028))  # over the border of two pieces
    planted = table.assign(sequence=[opposite_strand(own).tobytes().decode(), *table["sequence"][1:]])
    found, copies = audited(Made(planted, counts_table({}), Checks().table()), task, files)
    assert copies["example"].tolist() == [table["example"].iloc[0]] and copies["relation"].tolist() == ["near"]
    assert found.table["no_near_copy"].tolist() == [False] + [True] * (len(table) - 1)
    free = predicted(found.table, lambda row, *_: 0.0 if row.Index == 0 else np.log(2))
    values, result = scored((task, files, found.table), free)
    assert values["bits_per_base", "no_near_copy", "strict", 32] == pytest.approx(1, abs=1e-6)
    assert values["bits_per_base", "all", "strict", 32] == pytest.approx(1 - 1 / len(table), abs=1e-6)
    assert "test\tno_near_copy\tall\t32\tbits_per_base" in result.units


def test_vocabularies_stand_beside_what_they_cost_and_on_the_border_none_is_beaten_in_both():
    known = {"vocabulary": 10, "unigram_bits": 2.0, "unused": 0.0, "strands": 1.0, "changed": 1.0}
    bases = {"single": 1.0, "pairs": 4.0, "worse": 2.0}
    runs = [
        SimpleNamespace(model=m, model_cost={"vocabulary": known | {"bases_per_token": b}}) for m, b in bases.items()
    ]
    study = SimpleNamespace(runs=lambda task: runs)
    rows = [(m, "test", "all", "bits_per_base", "strict", 192, bits) for m, bits in zip(bases, (1.90, 1.95, 1.99))]
    rows += [(m, "test", "all", "bits_per_base", "strict", 64, 1.5) for m in bases]  # not the longest context
    rows += [(m, "train", "olmo", "parameters", "strict", np.nan, 8e6) for m in bases]
    columns = ["model", "split", "subset", "metric", "protocol", "context", "value"]
    found = {row["model"]: row for row in language.vocabulary_rows(study, "t", pd.DataFrame(rows, columns=columns))}
    assert [found[m]["million products a base"][0] for m in bases] == ["8", "2", "4"]
    assert [found[m]["bits per base"][:4] for m in bases] == ["1.90", "1.95", "1.99"]
    assert [found[m]["on the border"] for m in bases] == ["yes", "yes", "no"]


def test_how_far_a_model_was_trained_and_its_state_carried_are_two_numbers():
    made = {
        "recurrent": {"family": "rwkv7", "length": 1024, "carry_state_bp": 65536},
        "attention": {"family": "olmo", "length": 512, "carry_state_bp": None},
        "compressor": None,
    }
    runs = [SimpleNamespace(model=name, settings={"model": {"pretrain": block}}) for name, block in made.items()]
    rows = language.reach_rows(SimpleNamespace(runs=lambda task: runs), "t")
    assert [(row["model"], row["trained through"], row["carried"]) for row in rows] == [
        ("recurrent", "1,024 bases", "65,536 bases"),
        ("attention", "512 bases", "512 bases"),
    ]
