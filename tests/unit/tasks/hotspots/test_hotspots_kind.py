"""Hotspots as the workflow runs them: examples with their audit, the baseline of neighbours, scores without vain curves."""

import gzip

import numpy as np
import pandas as pd
import pytest
from glmflow.baselines.fitting_data import FittingData
from glmflow.baselines.hotspots import FITS
from glmflow.config.baselines.class_baselines import NeighbourCount
from glmflow.config.tasks.hotspots import Hotspots
from glmflow.errors import InputError
from glmflow.files import write_table
from glmflow.tasks.hotspots import examples, score
from glmflow.tasks.tables import Division

SIZE, COUNT = 100, 120
SPLITS = {"by": "contig", "train": ["1"], "validation": ["2"], "test": ["3"]}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Three contigs; runs of windows with many variants, in the third contig sixty of them."""
    folder = tmp_path_factory.mktemp("hotspots")
    generator = np.random.default_rng(0)
    with (folder / "g.fa").open("w") as file:
        for chrom in "123":
            file.write(f">{chrom}\n{''.join(generator.choice(list('ACGT'), SIZE * COUNT))}\n")
    lines = ["##fileformat=VCFv4.2", *(f"##contig=<ID={c},length={SIZE * COUNT}>" for c in "123")]
    lines.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO")
    for chrom in "123":
        for window in range(COUNT):
            many = window % 20 < (10 if chrom == "3" else 4)
            for offset in range(30 if many else 2):
                lines.append(f"{chrom}\t{window * SIZE + 1 + 3 * offset}\t.\tA\tC\t.\tPASS\t.")
    (folder / "sites.vcf").write_text("\n".join(lines) + "\n")
    with gzip.open(folder / "mask.bed.gz", "wt") as file:
        file.write("1\t0\t50\n1\t20\t150\nX\t0\t10\n")
    return {"fasta": str(folder / "g.fa"), "vcf": [str(folder / "sites.vcf")], "blacklist": str(folder / "mask.bed.gz")}


def task(**settings):
    return Hotspots.model_validate({"kind": "hotspots", "windows": {"size": SIZE}, "bootstrap": 20, **settings})


def test_examples_are_hotspots_and_as_many_others_in_each_split(files):
    made = examples(task(), files, Division(SPLITS, SIZE))
    table = made.table
    counted = table.groupby(["split", "target"]).size().to_dict()
    assert counted == {
        (split, kind): n
        for split, n in (("train", 24), ("validation", 24), ("test", 60))
        for kind in ("hotspot", "other")
    }
    hot = table["target"] == "hotspot"
    assert (table.loc[hot, "variants"] == 30).all() and (table.loc[~hot, "variants"] == 2).all()
    assert made.facts["classes.tsv"]["class"].tolist() == ["other", "hotspot"]
    assert len(made.facts["windows.tsv"]) == 3 * COUNT
    assert (made.facts["dispersion.tsv"]["variance_over_mean"] > 5).all()
    assert table.equals(examples(task(), files, Division(SPLITS, SIZE)).table)
    assert set(table.loc[table["split"] == "test", "group"].str.split(":").str[0]) == {"3"}


def test_masked_bases_are_counted_once_and_may_leave_windows_out(files):
    windows = examples(task(), files, Division(SPLITS, SIZE)).facts["windows.tsv"]
    assert windows["masked"].tolist()[:3] == [1.0, 0.5, 0.0] and windows["masked"].sum() == 1.5
    left = examples(task(windows={"size": SIZE, "max_masked_fraction": 0.7}), files, Division(SPLITS, SIZE))
    assert left.facts["windows.tsv"]["used"].tolist()[:3] == [False, True, True]
    assert "left out" in set(left.facts["masked.tsv"]["class"])


def test_blocks_of_one_contig_leak_through_their_neighbours(files):
    splits = {"by": "block", "block": 2000, "gap": 200, "validation": 0.2, "test": 0.3, "seed": 1}
    checks = examples(task(), files, Division(splits, SIZE)).checks.set_index("check")
    row = checks.loc["test windows within 1,000,000 bp of a training window"]
    assert row["leak"] == "yes" and row["found"] == row["of"] > 0
    apart = examples(task(), files, Division(SPLITS, SIZE)).checks.set_index("check")
    assert apart.loc["test windows within 1,000,000 bp of a training window", "leak"] == "no"


def test_neighbours_tell_and_few_windows_get_no_curve(files, tmp_path):
    made = examples(task(), files, Division(SPLITS, SIZE))
    write_table(made.facts["classes.tsv"], tmp_path / "classes.tsv")
    settings = {
        "study": "s", "task_label": "t", "model_label": "m", "adaptation_label": "b", "seed": 1,
        "task": task().model_dump(mode="json"),
    }  # fmt: skip
    given = {"tables": str(tmp_path), "genome": files["fasta"]}
    fitted = FITS["neighbour_count"](FittingData(NeighbourCount(kind="neighbour_count"), settings, made.table, given))
    predictions = fitted(tmp_path)
    found = score(settings, made.table, predictions, tmp_path, {"tables": str(tmp_path)}).metrics
    rows = found[found["subset"] == "all"].set_index(["split", "metric"])["value"]
    assert rows["test", "auroc"] > 0.9  # neighbours inside a run of hotspots are hotspots
    assert ("validation", "auroc") not in rows and ("validation", "mcc") in rows  # 24 of a class


def test_permuted_labels_change_places_in_training_alone(files):
    plain, permuted = (
        examples(task(control=name), files, Division(SPLITS, SIZE)).table for name in ("none", "permuted_labels")
    )
    differs = plain["target"] != permuted["target"]
    assert differs[plain["split"] == "train"].any() and not differs[plain["split"] == "test"].any()
    assert (plain.groupby("split")["target"].value_counts() == permuted.groupby("split")["target"].value_counts()).all()


def test_mistakes_are_one_line(files):
    with pytest.raises(InputError, match="split train: no window is a hotspot"):
        examples(task(q=1e-300), files, Division(SPLITS, SIZE))
    with pytest.raises(InputError, match="no window of 1,000,000 bases fits"):
        examples(task(windows={"size": 1_000_000}), files, Division(SPLITS, SIZE))
    few = {**SPLITS, "test": []}
    with pytest.raises(InputError, match="the test split has no rows"):
        examples(task(), files, Division(few, SIZE))


def test_the_table_of_windows_is_whole(files):
    table = examples(task(expected="trinucleotides"), files, Division(SPLITS, SIZE))
    windows = table.facts["windows.tsv"]
    for _, own in windows.groupby("chrom"):
        assert own["expected"].sum() == pytest.approx(own["variants"].sum())
    assert isinstance(windows, pd.DataFrame) and (windows["q"] <= 1).all()
