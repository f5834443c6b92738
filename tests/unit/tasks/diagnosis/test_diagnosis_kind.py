"""Kind `diagnosis` from tables to scores: splits, refused crops, baselines at the known figures, controls and verdicts."""

import numpy as np
import pandas as pd
import pytest
from diagnosis_data import data_folder, expected
from glmflow.baselines.fit_baseline import run_baseline
from glmflow.checks.examples_audit import audited
from glmflow.config.tasks import task_block
from glmflow.errors import InputError
from glmflow.genome.canonical import opposite_strand
from glmflow.statistics.group_draws import group_weights
from glmflow.tasks.diagnosis import examples, score
from glmflow.tasks.diagnosis.answer_calibration import abstention, best_temperature, risk_by_coverage, tempered
from glmflow.tasks.diagnosis.answer_scoring import answers_of, clean_verdict
from glmflow.tasks.diagnosis.reading_controls import UNREAD, UNUSED, USED, Answers, reading, verdict
from glmflow.tasks.diagnosis.simulated_questions import simulate_questions, sites
from pydantic import ValidationError


def of_pathways(**settings):
    folder = data_folder() / "kegg"
    table = {"train": str(folder / "val.json"), "test": str(folder / "test.json")}
    given = {"kind": "diagnosis", "layout": "kegg", "table": table, "bootstrap": 100, **settings}
    return task_block(given)


@pytest.fixture(scope="module")
def official():
    task = of_pathways(splits={"by": "official", "validation": 0})
    return task, examples(task, {}, None)


def settings_of(task, baseline):
    return {
        "study": "s",
        "task_label": "t",
        "model_label": "m",
        "adaptation_label": "a",
        "seed": 1,
        "task": task.model_dump(mode="json"),
        "model": {"baseline": {"kind": baseline} if isinstance(baseline, str) else baseline},
    }


@pytest.fixture
def scored(tmp_path):
    def run(task, made, baseline):
        tables = tmp_path / "tables"
        tables.mkdir(exist_ok=True)
        for name, table in made.facts.items():
            table.to_csv(tables / name, sep="\t", index=False)
        settings = settings_of(task, baseline)
        run_baseline(settings, made.table, {"tables": str(tables)}, tmp_path / "run")
        predictions = pd.read_parquet(tmp_path / "run/predictions.parquet")
        found = score(settings, made.table, predictions, tmp_path / "run/predicted", {"tables": str(tables)})
        rows = found.metrics[(found.metrics["split"] == "test") & (found.metrics["subset"] == "all")]
        return found, rows.set_index("metric")["value"]

    return run


@pytest.mark.parametrize(
    ("baseline", "right"),
    [
        ("majority", 24),
        ("answer_lookup", 115),
        ({"kind": "answer_lookup", "by": ["network"]}, 97),
        ({"kind": "answer_lookup", "by": ["pathway"]}, 100),
        ({"kind": "answer_lookup", "by": ["gene", "network", "pathway"]}, 118),
        ({"kind": "answer_lookup", "by": ["chromosome"]}, 63),
        ("nearest_reference", 104),
        ("question_tfidf", 117),
        pytest.param("reference_kmers", 104, marks=pytest.mark.slow),
    ],
)
def test_baselines_reach_what_is_known_of_the_pathway_questions(official, scored, baseline, right):
    task, made = official
    _, values = scored(task, made, baseline)
    assert round(values["accuracy"] * 146) == right
    if baseline == "question_tfidf":
        floor = expected("floors")["text: TF-IDF words + logistic"]["macro_f1"]
        assert values["f1_macro"] == pytest.approx(floor, abs=5e-5)


def test_the_audit_stands_beside_the_examples(official):
    _, made = official
    checks = made.checks.set_index("check")["found"]
    assert checks["test: the pair of alleles is one of training"] == 34
    assert checks["test: the reference is one of training"] == 64
    assert checks["test: gene is known from training"] == 120
    assert made.checks.set_index("check").loc["test: gene is known from training", "status"] == "FAIL"
    rules = made.facts["lookups.tsv"].set_index("rule")
    assert rules.loc["gene", ["seen", "correct"]].tolist() == [120, 113]
    assert rules.loc["nearest reference, 500 or more shared 31-mers", ["seen", "correct"]].tolist() == [104, 100]
    unanswerable = made.table[(made.table["split"] == "test") & (made.table["subset"] == "")]
    assert len(unanswerable) == 8


def test_the_most_that_can_be_right_stands_beside_what_is_reached(official):
    _, made = official
    most = made.facts["groups.tsv"].set_index(["groups", "left_out"])["correct"]
    assert most["gene_or_locus", "the most that can be right"] == 222
    assert most["gene_or_locus", "nearest_reference_31mers"] == 4
    assert most["by gene", "the most that can be right"] / 290 == pytest.approx(0.966, abs=5e-4)
    assert most["by gene and network", "the most that can be right"] / 290 == pytest.approx(0.983, abs=5e-4)


def test_more_rows_than_are_compared_each_with_each_are_audited_too(official, monkeypatch):
    monkeypatch.setattr("glmflow.tasks.diagnosis.question_splits.MOST", 100)
    task, whole = official
    made = examples(task, {}, None)
    assert "more than 100 rows" in made.facts["sources.tsv"]["note"].iloc[0]
    pd.testing.assert_frame_equal(made.checks, whole.checks)
    rules, every = (one.facts["lookups.tsv"].set_index("rule")["correct"] for one in (made, whole))
    assert rules["gene"] == 113 and set(every.index) - set(rules.index) == {
        name for name in every.index if name.startswith("nearest reference")
    }


@pytest.mark.parametrize(
    ("by", "column"),
    [
        ("gene", "gene"),
        pytest.param("pathway", "network", marks=pytest.mark.slow),
        pytest.param("chromosome", "chromosome", marks=pytest.mark.slow),
    ],
)
def test_groups_are_never_parted(by, column):
    made = examples(of_pathways(splits={"by": by, "test": 0.3}), {}, None)
    parted = made.table.groupby(made.table[column].str.replace("*", ""))["split"].nunique()
    assert parted.max() == 1 and set(made.table["split"]) == {"train", "validation", "test"}
    if by != "chromosome":
        assert made.checks.set_index("check")["found"]["test: the reference is one of training"] == 0


@pytest.mark.slow
def test_merged_splits_are_scored_as_one_and_said(tmp_path):
    folder = data_folder() / "kegg_hard"
    table = {
        "train": str(folder / "val.json"),
        "validation": str(folder / "test.json"),
        "test": str(folder / "test.json"),
    }
    task = of_pathways(table=table, splits={"by": "official", "merge": True})
    made = examples(task, {}, None)
    assert (made.table["split"] == "test").sum() == 292
    assert (made.checks["status"] == "WARN").any()


def test_a_crop_that_hides_the_change_is_refused_with_its_count():
    with pytest.raises(InputError, match="290 of 290 questions show the same reference and variant"):
        examples(of_pathways(crop="first", flank=512), {}, None)
    made = examples(of_pathways(crop="first", flank=1500, splits={"by": "official"}), {}, None)
    assert len(made.table) == 290


@pytest.mark.parametrize(
    "settings",
    [
        {"table": None},
        {"simulated": {}},
        {"splits": {"by": "column"}},
        {"splits": {"by": "gene", "merge": True}},
        {"table": "one.json", "splits": {"by": "official"}},
    ],
)
def test_settings_that_make_no_sense(settings):
    given = {"kind": "diagnosis", "table": {"train": "a", "test": "b"}, **settings}
    with pytest.raises((ValidationError, InputError)):
        task_block(given)


def test_an_answer_outside_of_the_list_is_refused():
    with pytest.raises(InputError, match="not in the list"):
        examples(of_pathways(classes=["melanoma"], splits={"by": "official"}), {}, None)


def test_short_windows_of_one_locus_are_one_group(tmp_path):
    rng = np.random.default_rng(1)
    loci = ["".join(rng.choice(list("ACGT"), 150)) for _ in range(12)]
    rows = []
    for number in range(120):
        locus, start = loci[number % 12], int(rng.integers(40))
        ref = locus[start : start + 100]
        rows.append({
            "question": "Does it matter?", "answer": ("yes", "no")[number % 2], "reference_sequence": ref,
            "variant_sequence": ref[:50] + "ACGT"["CGTA".index(ref[50])] + ref[51:], "locus": number % 12,
        })  # fmt: skip
    table = tmp_path / "short.jsonl"
    pd.DataFrame(rows).to_json(table, orient="records", lines=True)
    made = examples(task_block({"kind": "diagnosis", "table": str(table), "unchanged": "no", "flank": 20}), {}, None)
    assert made.table.groupby("locus")["split"].nunique().max() == 1
    assert made.table.groupby("locus")["group"].nunique().max() == 1 and made.table["group"].nunique() == 12


@pytest.mark.slow
def test_measured_variants_by_exon(scored):
    path = data_folder() / "brca1_sge.jsonl"
    task = task_block({
        "kind": "diagnosis", "table": str(path), "flank": 32, "unchanged": "functional", "bootstrap": 50,
        "splits": {"by": "column", "column": "exon", "validation": ["X2"], "test": ["X3", "X4", "X5"]},
    })  # fmt: skip
    made = examples(task, {}, None)
    assert set(made.table.loc[made.table["split"] == "test", "group"]) == {"X3", "X4", "X5"}
    assert not made.checks["check"].str.contains("gene|network|pathway|chromosome").any(), (
        "no question says any of them"
    )
    assert "gene" not in set(made.facts["lookups.tsv"]["rule"])
    assert made.facts["classes.tsv"]["class"].tolist() == ["functional", "intermediate", "loss of function"]
    _, common = scored(task, made, "majority")
    _, consequence = scored(task, made, {"kind": "answer_column", "column": "consequence"})
    _, conserved = scored(task, made, {"kind": "answer_column", "column": "phylop"})
    assert consequence["accuracy"] > common["accuracy"] and conserved["auroc"] > 0.6


# --- simulated questions -----------------------------------------------------------------------------------------


def test_simulated_truth_needs_text_and_dna():
    rows = simulate_questions(600, 50, 64, 8, False, 1, "no disease")
    assert rows["split"].value_counts().to_dict() == {"train": 600, "validation": 50, "test": 50}
    broken = rows["case"] == "broken"
    assert (rows["answer"].ne("no disease") == broken).all() and 0.4 < broken.mean() < 0.6
    assert rows[broken].groupby("gene")["answer"].nunique().eq(1).all()
    for ref, alt, hit in zip(rows["reference_sequence"], rows["variant_sequence"], broken):
        differ = [place for place, (one, other) in enumerate(zip(ref, alt)) if one != other]
        assert differ == [32] and sites(ref) == 1 and sites(alt) == (not hit)


def test_in_the_leaky_world_the_text_gives_every_answer(scored):
    task = task_block(
        {"kind": "diagnosis", "simulated": {"train": 80, "test": 40, "leaky": True}, "flank": 32, "bootstrap": 20}
    )
    made = examples(task, {}, None)
    _, values = scored(task, made, "answer_lookup")
    assert values["accuracy"] == 1
    assert made.facts["classes.tsv"]["class"].iloc[-1] == "no disease"


# --- what answers rest on ----------------------------------------------------------------------------------------


def judged(own, others, unvaried, truth, known=True, moved=None):
    """Return the verdict on answers by class: the unchanged one is 0."""
    one = np.eye(3)
    given = Answers(one[own], np.array(truth), np.arange(len(truth)).astype(object), 0, known)
    weights = group_weights(given.groups, 500)
    return verdict(given, [one[others]], one[unvaried], weights, [] if moved is None else [one[moved]])


def test_verdicts_follow_lower_bounds():
    truth = [0, 1] * 40
    swapped = [1, 0] * 40
    assert judged(truth, truth, truth, truth).verdict == UNUSED
    assert judged(truth, swapped, truth, truth).verdict == UNREAD
    assert judged(truth, swapped, [0] * 80, truth).verdict == USED


def test_a_few_changed_answers_are_no_reading_of_the_variant():
    """Answers that the reference gives away: a tenth of them change, clearly more than none, and most stay."""
    truth, swapped = [0, 1] * 100, [1, 0] * 100
    unvaried = [0 if place % 20 == 1 else answer for place, answer in enumerate(truth)]
    found = judged(truth, swapped, unvaried, truth)
    assert found.variant_low > 0 and found.stay == pytest.approx(0.9) and found.verdict == UNREAD
    assert judged(truth, swapped, unvaried, truth, known=False).verdict == USED


def test_to_see_that_anything_is_changed_is_no_reading_of_the_variant():
    """Every question is about a variant that matters: equal alleles have an answer that no question has."""
    truth, swapped = [1, 2] * 40, [2, 1] * 40
    found = judged(truth, swapped, [0] * 80, truth, known=False, moved=truth)
    assert found.variant == 1 and found.stay == 0 and found.elsewhere == 0 and found.verdict == UNREAD
    assert judged(truth, swapped, [0] * 80, truth, known=False, moved=[0] * 80).verdict == USED
    assert judged([0, 1] * 40, [1, 0] * 40, [0] * 80, [0, 1] * 40, known=True, moved=[0, 1] * 40).verdict == USED


def test_a_lead_within_chance_is_none():
    truth = [0, 1] * 10
    others = [*truth[:-1], 0]
    found = judged(truth, others, truth, truth)
    assert found.dna == pytest.approx(1 / 20) and found.dna_low == 0 and found.verdict == UNUSED


# --- how far probabilities can be trusted -------------------------------------------------------------------------


def test_a_temperature_undoes_what_was_done_to_probabilities():
    generator = np.random.default_rng(0)
    sound = generator.dirichlet(np.ones(4), 4000)
    truth = np.array([generator.choice(4, p=row) for row in sound])
    assert best_temperature(tempered(sound, 0.4), truth) == pytest.approx(2.5, rel=0.1)
    assert best_temperature(sound[:0], truth[:0]) == 1
    assert tempered(sound, 1) == pytest.approx(sound)


def test_answers_are_withheld_where_they_would_be_wrong():
    sure, unsure = [0.9, 0.1], [0.6, 0.4]
    probabilities = np.array([sure] * 8 + [unsure] * 2)
    truth = np.array([0] * 8 + [1, 0])
    curve = risk_by_coverage(probabilities, truth)
    assert curve["coverage"].tolist()[-1] == 1.0
    rule = abstention(curve, 0.05)
    assert rule.threshold == 0.9 and rule.risk == 0 and rule.coverage == pytest.approx(0.8)
    assert abstention(risk_by_coverage(probabilities, 1 - truth), 0.05).coverage == 0


def test_references_that_training_holds_are_copies_and_the_others_a_subset(tmp_path):
    rng, bases = np.random.default_rng(2), np.frombuffer(b"ACGT", np.uint8)
    references = rng.choice(bases, (12, 401))
    references[9] = opposite_strand(references[0])
    references[9, ::40] = rng.choice(bases, 11)
    rows = pd.DataFrame({"question": "Which?", "answer": ["one", "two"] * 6})
    rows["reference_sequence"] = [own.tobytes().decode() for own in references]
    rows["variant_sequence"] = [
        text[:200] + ("A" if text[200] != "A" else "C") + text[201:] for text in rows["reference_sequence"]
    ]
    for name, part in (("train", rows[:6]), ("test", rows[6:])):
        part.to_csv(tmp_path / f"{name}.csv", index=False)
    table = {name: str(tmp_path / f"{name}.csv") for name in ("train", "test")}
    task = task_block(
        {"kind": "diagnosis", "table": table, "splits": {"by": "official", "validation": 0}, "flank": 150}
    )
    made = examples(task, {}, None)
    found, copies = audited(made, task, {})
    assert copies["example"].tolist() == ["question9"] and copies["strand"].tolist() == ["-"]
    assert copies["nearest_training"].tolist() == ["question0"]
    assert found.table["no_near_copy"].tolist() == [False] * 6 + [True] * 3 + [False] + [True] * 2
    simulated = task_block({"kind": "diagnosis", "simulated": {"train": 40, "test": 8}})
    said = audited(examples(simulated, {}, None), simulated, {})[0].checks.set_index("check")
    assert "independent" in said.loc["copies of training", "detail"]


def test_remembered_copies_are_no_reading_of_the_variant():
    """Copies are answered by their own pair alone; the others have one answer whatever is shown."""
    classes = ["a", "b", "none"]
    columns = [f"prediction_{name}" for name in classes]
    part = pd.DataFrame({"example": [f"q{row}" for row in range(80)], "target": ["a", "b"] * 40, "split": "test"})
    part["group"], part["no_near_copy"] = part["example"], np.arange(80) < 40
    truth = part["target"].map(classes.index).to_numpy()
    own = np.where(part["no_near_copy"], 0, truth)
    part[columns] = np.eye(3)[own]
    shown = {name: np.where(part["no_near_copy"], 0, 2) for name in ("others", "ref_as_alt", "elsewhere")}
    controls = pd.concat([
        pd.DataFrame(np.eye(3)[said], columns=columns).assign(example=part["example"], control=name, draw=0)
        for name, said in shown.items()
    ])  # fmt: skip
    task = {"unchanged": "none", "bootstrap": 200}
    _, told = reading(answers_of(part, columns, classes, "none"), controls, part["example"].tolist(), columns, 200)
    assert told.verdict == USED
    assert clean_verdict(part, controls, columns, classes, task) == {"clean_verdict": UNUSED, "clean_n": 40}
    assert clean_verdict(part.drop(columns="no_near_copy"), controls, columns, classes, task)["clean_n"] == 0
