"""Intervals without their genome: what splits share by coordinates is found, baselines that read no base are run, others not."""

import numpy as np
import pandas as pd
import pytest
from glmflow.baselines.fitting_data import FittingData
from glmflow.baselines.sequences import FITS
from glmflow.config.baselines import BASELINES
from glmflow.config.blocks import kind_of
from glmflow.config.tasks.sequences import Sequences
from glmflow.errors import InputError
from glmflow.files import write_table
from glmflow.tasks.sequences import examples, score
from glmflow.tasks.tables import Division


def made(task, folder):
    found = examples(task, {}, Division())
    for name, facts in found.facts.items():
        write_table(facts, folder / name)
    return found


def fitted(name, task, found, folder):
    block = next(block for block in BASELINES if kind_of(block) == name)(kind=name)
    keys = {"study": "s", "task_label": "t", "model_label": name, "adaptation_label": "b", "seed": 1}
    settings = {**keys, "task": task.model_dump(mode="json")}
    predictions = FITS[name](FittingData(block, settings, found.table, {"tables": folder}))(folder)
    metrics = score(settings, found.table, predictions, None, {"tables": folder}).metrics
    return metrics.query("split == 'test' and subset == 'all'").set_index("metric")["value"]


@pytest.fixture
def written(tmp_path):
    """Intervals of which each test interval overlaps a training interval of its class."""
    folder = tmp_path / "set"
    generator = np.random.default_rng(0)
    for number, label in enumerate(("negative", "positive")):
        start = 1000 * (2 * generator.permutation(400)[:150] + number)
        for split, own, shift in (("train", start, 0), ("test", start[:60], 40)):
            table = pd.DataFrame(
                {"id": range(len(own)), "region": "chr1", "start": own + shift, "end": own + shift + 100}
            )
            (folder / split).mkdir(parents=True, exist_ok=True)
            table.assign(strand="+").to_csv(folder / split / f"{label}.csv.gz", index=False)
    return Sequences(kind="sequences", folder=str(folder), length=100, bootstrap=20)


def test_overlaps_and_what_the_place_tells_are_found_without_a_genome(written, tmp_path):
    found = made(written, tmp_path)
    checks = found.checks.set_index("check")
    row = checks.loc["overlap: test"]
    assert (row["status"], row["found"], row["of"]) == ("FAIL", 120, 120)
    assert checks.loc["nearest training interval alone", "status"] == "WARN"
    assert "sequence" not in found.table


def test_remembering_is_run_and_what_reads_bases_is_refused(written, tmp_path):
    found = made(written, tmp_path)
    assert fitted("nearest_training", written, found, tmp_path)["accuracy"] == 1
    assert fitted("majority", written, found, tmp_path)["mcc"] == 0
    with pytest.raises(InputError, match=r"gc_only reads sequences, and there are intervals alone"):
        fitted("gc_only", written, found, tmp_path)


@pytest.mark.real
def test_the_official_split_of_non_tata_promoters_is_remembered(test_data, tmp_path):
    folder = test_data / "sequences/gb_human_nontata_promoters/coordinates/human_nontata_promoters"
    preset = "genomic_benchmarks/human_nontata_promoters"
    task = Sequences(kind="sequences", folder=str(folder), preset=preset, length=251, bootstrap=20)
    found = made(task, tmp_path)
    row = found.checks.set_index("check").loc["overlap: test"]
    assert row["status"] == "FAIL" and row["of"] == 9034
    scores = fitted("nearest_training", task, found, tmp_path)
    assert scores["accuracy"] == pytest.approx(0.9971, abs=0.0005)
    published = pd.read_csv(tmp_path / "published.tsv", sep="\t")
    assert scores["accuracy"] > published["value"].max()  # no published model reaches it
