"""The kind as the workflow runs it: examples with splits, groups, subsets and audit; baselines; scores; items for training."""

import numpy as np
import pandas as pd
import pytest
from glmflow.baselines.fitting_data import FittingData
from glmflow.baselines.hotspots import FITS as HOTSPOTS
from glmflow.baselines.populations import FITS as POPULATIONS
from glmflow.baselines.sequences import FITS
from glmflow.config.baselines import BASELINES
from glmflow.config.blocks import kind_of
from glmflow.config.tasks.sequences import Sequences
from glmflow.errors import InputError
from glmflow.files import write_table
from glmflow.metrics import declared
from glmflow.tasks.class_scores import declared_scores
from glmflow.tasks.sequences import examples, score
from glmflow.tasks.tables import Division
from pydantic import ValidationError


@pytest.fixture
def table(tmp_path):
    """400 sequences of two classes, one with a motif; 40 families of three near copies."""
    generator = np.random.default_rng(0)
    rows = []
    for i in range(400):
        if 100 <= i < 180:
            text = list(rows[i % 40][0])
            text[int(generator.integers(5, 30))] = "ACGT"[generator.integers(4)]
            label = rows[i % 40][1]
            text = "".join(text)
        else:
            label = "site" if generator.random() < 0.5 else "none"
            text = "".join(generator.choice(list("ACGT"), 90))
            text = text[:40] + "TGACGTCA" + text[48:] if label == "site" else text
        rows.append((text, label))
    path = tmp_path / "t.csv"
    pd.DataFrame(rows, columns=["sequence", "label"]).to_csv(path, index=False)
    return path


def made(task, tmp_path, **files):
    found = examples(task, files, Division())
    folder = tmp_path / "tables"
    folder.mkdir(exist_ok=True)
    for name, facts in found.facts.items():
        write_table(facts, folder / name)
    return found, folder


def task_of(table, **settings):
    return Sequences(kind="sequences", table=str(table), length=90, bootstrap=50, **settings)


def settings_of(task, seed=1):
    keys = {"study": "s", "task_label": "t", "model_label": "m", "adaptation_label": "a", "seed": seed}
    return {**keys, "task": task.model_dump(mode="json")}


def test_examples_are_split_audited_and_grouped(table, tmp_path):
    task = task_of(table, splits={"by": "similarity", "test": 0.4})
    found, folder = made(task, tmp_path)
    rows = found.table
    assert set(rows["split"]) == {"train", "validation", "test"} and set(rows["target"]) == {"none", "site"}
    families = rows.groupby("group")["split"].nunique()
    assert (families == 1).all() and rows["group"].value_counts().iloc[0] == 3
    near = found.checks.set_index("check").loc["near: test"]
    assert near["found"] == 0 and near["leak"] == "no"
    assert (rows["subset"] == "").all()  # the clean part is the whole test split: scored once
    assert any("no_near_copy" in item for item in found.counts["item"])
    classes = pd.read_csv(folder / "classes.tsv", sep="\t")
    assert classes["class"].tolist() == ["none", "site"]
    assert classes[["train", "validation", "test"]].to_numpy().sum() == 400
    assert {"audit.tsv", "audit_pairs.tsv", "properties.tsv", "sources.tsv", "published.tsv"} <= set(found.facts)
    again = examples(task, {}, Division()).table
    assert again["split"].tolist() == rows["split"].tolist()


def test_a_random_split_is_said_to_leak_and_the_clean_subset_is_scored(table, tmp_path):
    task = task_of(table, splits={"by": "random", "test": 0.4})
    found, folder = made(task, tmp_path)
    near = found.checks.set_index("check").loc["near: test"]
    assert near["found"] > 20 and near["leak"] == "yes"
    held_out = found.table[found.table["split"] != "train"]
    right = (held_out["target"] == "site").to_numpy(float)
    predictions = pd.DataFrame({"example": held_out["example"], "prediction_none": 1 - right, "prediction_site": right})
    scored = score(settings_of(task), found.table, predictions, None, {"tables": folder})
    table = scored.metrics.set_index(["split", "subset", "metric"])["value"]
    assert table["test", "all", "mcc"] == table["test", "no_near_copy", "mcc"] == 1
    assert set(scored.metrics["metric"]) == set(declared("class_label"))
    confusion = scored.tables["confusion.tsv"]
    assert confusion.loc[confusion["observed"] != confusion["predicted"], "count"].sum() == 0
    assert scored.tables["classes.tsv"]["recall"].tolist() == [1.0] * 4
    with pytest.raises(InputError, match="1 held-out examples have no prediction"):
        score(settings_of(task), found.table, predictions.iloc[1:], None, {"tables": folder})


@pytest.mark.parametrize("classes", [2, 4])
def test_metrics_of_all_draws_at_once_are_the_declared_ones(classes):
    generator = np.random.default_rng(0)
    truth, scores = generator.integers(0, classes, 60), generator.dirichlet(np.ones(classes), 60)
    found = declared_scores(truth, scores, np.ones((1, 60)))
    assert set(found) == {name for name in declared("class_label") if classes == 2 or name != "f1"}
    for name, metric in ((name, declared("class_label")[name]) for name in found):
        assert found[name][0] == pytest.approx(metric.value(truth, scores), abs=1e-9), name


@pytest.mark.parametrize("name", sorted(name for name in FITS if not name.endswith("ridge")))
def test_every_baseline_predicts_every_held_out_example(table, tmp_path, name):
    if name == "gkm_svm":
        pytest.importorskip("gkmsvm")
    task = task_of(table, splits={"by": "similarity", "test": 0.3})
    found, folder = made(task, tmp_path)
    block = next(block for block in BASELINES if kind_of(block) == name)(kind=name)
    if name == "genomic_benchmarks_cnn":
        block = block.model_copy(update={"epochs": 1})
    data = FittingData(block, settings_of(task), found.table, {"tables": folder})
    predictions = FITS[name](data)(tmp_path)
    held_out = found.table.loc[found.table["split"] != "train", "example"]
    assert predictions["example"].tolist() == held_out.tolist()
    assert predictions[["prediction_none", "prediction_site"]].sum(axis=1).to_numpy() == pytest.approx(1)
    scored = score(settings_of(task), found.table, predictions, None, {"tables": folder}).metrics
    mcc = scored[(scored["metric"] == "mcc") & (scored["split"] == "test") & (scored["subset"] == "all")]["value"].iloc[
        0
    ]
    assert mcc > 0.5 if name == "position_logistic" else mcc >= -0.3


def test_every_baseline_of_classes_has_its_settings():
    of_sequences = ("class_label", "label_set", "measured_values")
    blocks = {kind_of(block) for block in BASELINES if any(map(block.suits, of_sequences))}
    assert blocks == {*FITS, *HOTSPOTS, *POPULATIONS}
    assert all(block.told for block in BASELINES if kind_of(block) == "nearest_training")


def test_intervals_are_read_from_the_genome_when_they_are_asked_for(tmp_path):
    from glmflow.training.inputs.labelled_sequences import Middles

    generator = np.random.default_rng(0)
    genome = tmp_path / "g.fa"
    bases = "".join(generator.choice(list("ACGT"), 60_000))
    genome.write_text(f">chr1\n{bases}\n")
    lines = [f"1\t{i * 500}\t{i * 500 + 100 + i}\t{'ab'[i % 2]}\t0\t{'+-'[i % 2]}" for i in range(100)]
    (tmp_path / "r.bed").write_text("\n".join(lines) + "\n")
    task = Sequences(kind="sequences", bed=str(tmp_path / "r.bed"), length=60, splits={"by": "random"})
    found, _ = made(task, tmp_path, genome=str(genome))
    assert "sequence" not in found.table and (found.table["chrom"] == "chr1").all()
    middles = Middles(found.table, 60, str(genome))
    turned = str.maketrans("ACGT", "TGCA")
    for row in (0, 1, 50):
        region = found.table.iloc[row]
        first = region["start"] + (region["end"] - region["start"] - 60) // 2
        expected = bases[first : first + 60]
        expected = expected.translate(turned)[::-1] if region["strand"] == "-" else expected
        assert middles[row].tobytes().decode() == expected
    alone = examples(task, {}, Division())
    assert "sequence" not in alone.table and "as there is no genome" in " ".join(alone.counts["item"])
    text = Middles(pd.DataFrame({"sequence": ["ACGTACGT", "AC"]}), 4)
    assert [text[i].tobytes() for i in (0, 1)] == [b"GTAC", b"AC"]


def test_settings_that_do_not_fit_are_refused():
    for settings, words in (
        ({}, "give one of table, fasta, bed, folder"),
        ({"table": "a", "bed": "b"}, "found table and bed"),
        ({"table": "a", "preset": "gue/nothing"}, "no published set"),
        ({"table": "a", "splits": {"by": "column"}}, "name the column"),
    ):
        with pytest.raises(ValidationError, match=words):
            Sequences(kind="sequences", **settings)


def test_published_numbers_stand_beside_ours(table, tmp_path):
    task = task_of(table, preset="genomic_benchmarks/human_enhancers_cohn", splits={"by": "random"})
    published = made(task, tmp_path)[0].facts["published.tsv"]
    assert {"CNN (PyTorch)", "HyenaDNA", "Caduceus-PH"} <= set(published["model"])
    assert set(published.columns) == {"model", "metric", "value", "protocol", "source"}


@pytest.fixture
def measured(tmp_path):
    """300 sequences, how often they hold a C and a G, and whether that is often."""
    generator = np.random.default_rng(0)
    rows = pd.DataFrame({"seq": ["".join(generator.choice(list("ACGT"), 60)) for _ in range(300)]})
    rows["c"], rows["g"] = rows["seq"].str.count("C") / 2, rows["seq"].str.count("G") * 3.0
    rows["many_c"], rows["many_g"] = (rows["c"] > 7.5).astype(int), (rows["g"] > 45).astype(int)
    path = tmp_path / "m.csv"
    rows.to_csv(path, index=False)
    return path


NUMBERS = {"values": ["c", "g"], "labels": ["many_c", "many_g"]}


def numbers_task(path, labels, **settings):
    columns = {"sequence": "seq", "label": NUMBERS[labels]}
    keys = {"length": 60, "bootstrap": 30, "splits": {"by": "random", "test": 0.4}}
    return Sequences(kind="sequences", table=str(path), labels=labels, columns=columns, **keys, **settings)


@pytest.mark.parametrize(
    ("labels", "baseline"),
    [("values", "kmer_ridge"), ("labels", "kmer_logistic"), ("values", "kmers"), ("labels", "kmers")],
)
def test_several_values_and_labels_are_read_predicted_and_scored(measured, tmp_path, labels, baseline):
    from sklearn.metrics import r2_score, roc_auc_score

    task = numbers_task(measured, labels)
    assert task.target == {"values": "measured_values", "labels": "label_set"}[labels]
    found, folder = made(task, tmp_path)
    names = NUMBERS[labels]
    block = next(block for block in BASELINES if kind_of(block) == baseline)(kind=baseline, k=1)
    predictions = FITS[baseline](FittingData(block, settings_of(task), found.table, {"tables": folder}))(tmp_path)
    scored = score(settings_of(task), found.table, predictions, None, {"tables": folder})
    metrics = scored.metrics[(scored.metrics["split"] == "test") & (scored.metrics["subset"] == "all")]
    table = metrics.set_index(["track", "metric"])["value"]
    assert set(metrics["metric"]) == set(declared(task.target)) and set(metrics["track"]) == {*names, "mean"}
    rows = found.table.merge(predictions, on="example").query("split == 'test'")
    name, metric = ("r2", r2_score) if labels == "values" else ("auroc", roc_auc_score)
    each = [metric(rows[f"target_{one}"], rows[f"prediction_{one}"]) for one in names]
    assert [table[one, name] for one in names] == pytest.approx(each)
    assert table["mean", name] == pytest.approx(np.mean(each)) and min(each) > 0.95
    with pytest.raises(InputError, match=r"1 held-out examples have no prediction"):
        score(settings_of(task), found.table, predictions.iloc[1:], None, {"tables": folder})


@pytest.mark.parametrize(
    "name", ["majority", "gc_only", "nearest_training", "position_ridge", "genomic_benchmarks_cnn"]
)
def test_baselines_predict_one_value(measured, tmp_path, name):
    several = numbers_task(measured, "values").model_dump()
    task = Sequences.model_validate(several | {"columns": {"sequence": "seq", "label": "c"}, "scale": "log"})
    found, folder = made(task, tmp_path)
    truth = pd.read_csv(measured)["c"].to_numpy()
    assert found.table["target_c"].to_numpy() == pytest.approx(np.log2(1 + truth))
    block = next(block for block in BASELINES if kind_of(block) == name)(kind=name)
    data = FittingData(block, settings_of(task), found.table, {"tables": folder})
    predictions = FITS[name](data)(tmp_path)
    assert np.isfinite(predictions["prediction_c"]).all()
    metrics = score(settings_of(task), found.table, predictions, None, {"tables": folder}).metrics
    r2 = metrics.query("split == 'test' and metric == 'r2' and subset == 'all'")["value"].item()
    assert r2 > 0.4 if name == "position_ridge" else r2 < 0.01 if name == "majority" else True


def test_a_label_that_all_sequences_of_a_part_have_is_left_out_of_the_mean(measured, tmp_path):
    task = numbers_task(measured, "labels")
    found, folder = made(task, tmp_path)
    rows = found.table.copy()
    rows.loc[rows["split"] == "test", "target_many_g"] = 1
    held_out = rows[rows["split"] != "train"]
    said = {f"prediction_{name}": held_out[f"target_{name}"].astype(float) for name in NUMBERS["labels"]}
    predictions = held_out[["example"]].assign(**said)
    metrics = score(settings_of(task), rows, predictions, None, {"tables": folder}).metrics
    assert set(metrics.query("split == 'test'")["track"]) == {"all"}
    assert metrics.query("metric == 'auroc'")["value"].tolist() == [1.0] * len(metrics.query("metric == 'auroc'"))


def test_labels_of_another_sort_are_refused_with_their_sort(measured, tmp_path):
    task = numbers_task(measured, "labels")
    other = Sequences.model_validate(task.model_dump() | {"columns": {"sequence": "seq", "label": ["c", "g"]}})
    with pytest.raises(InputError, match="labels other than 0 and 1"):
        examples(other, {}, Division())
    with pytest.raises(ValidationError, match="scale: is for values"):
        Sequences.model_validate(task.model_dump() | {"scale": "log"})
