"""Labels in an HDF5 file beside a table of regions, as BEND publishes them."""

import h5py
import numpy as np
import pandas as pd
import pytest
from glmflow.config.benchmark_sets import benchmark_set, set_names
from glmflow.config.tasks.sequences import Sequences
from glmflow.errors import InputError
from glmflow.labelled.label_arrays import array_labels, read_label_array
from glmflow.tasks.sequences.labelled_table import examples
from glmflow.tasks.tables import Division


def test_labels_in_hdf5_fit_their_regions(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["labels"] = np.eye(3)
    assert read_label_array(tmp_path / "x.h5", 3).shape == (3, 3)
    with pytest.raises(InputError, match="3 rows of labels for 4 regions"):
        read_label_array(tmp_path / "x.h5", 4)
    with pytest.raises(InputError, match="no data set 'y'"):
        read_label_array(tmp_path / "x.h5", 3, "y")


@pytest.mark.parametrize(
    ("array", "kind", "message"),
    [
        (np.zeros((4, 2, 2)), None, "a data set of float64"),
        (np.array([b"a", b"b"]), None, "Give a number a row"),
        (np.array([[0, 1], [1, np.nan]]), None, "labels.h5, row 2.*|not finite"),
        (np.array([[0, 1], [1, 2]]), "labels", "labels other than 0 and 1"),
        (np.eye(3), "classes", "3 labels a row, which are no class"),
        (np.zeros((0, 3)), None, "float64"),
    ],
)
def test_arrays_that_are_no_labels_are_one_line(array, kind, message):
    with pytest.raises(InputError, match=message) as found:
        array_labels(array, kind, None, "labels.h5")
    assert "\n" not in str(found.value) and "labels.h5" in str(found.value)


def test_what_an_array_holds_is_recognised():
    one = array_labels(np.array([2, 0, 2], np.uint8), None, {0: "no", 2: "yes"}, "x")
    assert (one.kind, one.classes, one.targets["target"].tolist()) == ("classes", ["no", "yes"], [1, 0, 1])
    several = array_labels(np.eye(3, dtype=bool), None, None, "x")
    assert several.kind == "labels" and (several.targets.to_numpy() == np.eye(3)).all()
    values = array_labels(np.array([[0.5, 2.0], [1.0, 3.0]]), None, None, "x")
    assert values.kind == "values" and values.targets["target_1"].tolist() == [2, 3]
    assert array_labels(np.array([0.25, 1.5]), None, None, "x").targets["target"].tolist() == [0.25, 1.5]
    exact = array_labels(np.array([[1234567.125], [0.1234567890123]]), None, None, "x").targets["target"]
    assert exact.tolist() == [1234567.125, 0.1234567890123]


BEND = [name for name in set_names() if benchmark_set(name).get("hdf5") and not benchmark_set(name).get("per_base")]


def published(folder, name, rows=60, data_set="labels"):
    """Write a set as BEND publishes it: a BED with a header line, labels of its rows in an HDF5 file."""
    generator = np.random.default_rng(0)
    own, count = name.split("/")[1], benchmark_set(name)["outputs"]
    bases = generator.choice(list("ACGT"), 200_000)
    (folder / "genome.fa").write_text(">chr1\n" + "".join(bases) + "\n")
    start = np.arange(rows) * 1_000
    split = np.array(["train", "train", "valid", "test"])[np.arange(rows) % 4]
    table = pd.DataFrame({"chromosome": "chr1", "start": start, "end": start + 512, "split": split})
    table.to_csv(folder / f"{own}.bed", sep="\t", index=False)
    labels = (generator.random((rows, count)) < 0.4).astype(np.uint8)
    labels[:8] = np.eye(8, count, dtype=np.uint8) | 1 - labels[:8]  # every label in training
    labels[0::4], labels[1::8] = 1, 0
    with h5py.File(folder / f"{own}.hdf5", "w") as file:
        file[data_set] = labels
    return folder / f"{own}.bed", table, labels


@pytest.mark.parametrize("name", BEND)
def test_published_sets_are_read_as_they_lie(tmp_path, name):
    assert len(BEND) == 3
    bed, table, labels = published(tmp_path, name)
    task = Sequences(kind="sequences", table=str(bed), preset=name)
    assert (task.predicts, task.target, task.length) == ("labels", "label_set", 512)
    assert str(tmp_path / bed.with_suffix(".hdf5").name) in task.named_files().values()
    made = examples(task, {"genome": tmp_path / "genome.fa"}, Division())
    found = made.table[[f"target_{number}" for number in range(labels.shape[1])]].to_numpy()
    assert (found == labels).all() and made.table["start"].tolist() == table["start"].tolist()
    assert made.table["split"].tolist() == table["split"].replace("valid", "validation").tolist()
    assert made.facts["classes.tsv"]["train"].tolist() == labels[table["split"] == "train"].sum(axis=0).tolist()
    assert any("data set labels" in note for note in made.facts["sources.tsv"]["note"])


def test_rows_that_are_left_out_keep_their_labels(tmp_path):
    bed, table, labels = published(tmp_path, "bend/cpg_methylation")
    table.assign(cell=np.where(np.arange(60) < 40, "a", "b")).to_csv(bed, sep="\t", index=False)
    task = Sequences(
        kind="sequences", table=str(bed), hdf5=str(bed.with_suffix(".hdf5")), labels="labels", only={"cell": "b"}
    )
    made = examples(task, {"genome": tmp_path / "genome.fa"}, Division())
    assert (made.table[[f"target_{number}" for number in range(7)]].to_numpy() == labels[40:]).all()


def test_labels_of_another_set_are_refused(tmp_path):
    bed, _, labels = published(tmp_path, "bend/cpg_methylation")
    task = Sequences(kind="sequences", table=str(bed), preset="bend/cpg_methylation")
    files = {"genome": tmp_path / "genome.fa"}
    for array, message in (
        (labels[:, :5], "5 labels a row, and the published set has 7"),
        (labels[1:], "59 rows of labels"),
    ):
        with h5py.File(bed.with_suffix(".hdf5"), "w") as file:
            file["labels"] = array
        with pytest.raises(InputError, match=message):
            examples(task, files, Division())
    bed.with_suffix(".hdf5").write_text("no HDF5")
    with pytest.raises(InputError, match="no HDF5 file"):
        examples(task, files, Division())
    bed.with_suffix(".hdf5").unlink()
    with pytest.raises(InputError, match="no such file"):
        examples(task, files, Division())
    with pytest.raises(ValueError, match="hdf5: has the labels of the rows of one `table`"):
        Sequences(kind="sequences", folder=str(tmp_path), hdf5="labels.hdf5")


def test_values_of_genes_stand_in_a_table_beside_their_starts(tmp_path):
    """As the long-range benchmark has RNA expression: starts that count from 1, genes of either strand, values by row."""
    bases = np.random.default_rng(0).choice(list("ACGT"), 4000)
    (tmp_path / "genome.fa").write_text(">chr1\n" + "".join(bases) + "\n")
    rows = 40
    starts, strand = 100 + 90 * np.arange(rows), np.array(["+", "-"])[np.arange(rows) % 2]
    table = pd.DataFrame({"id": [f"g{row}" for row in range(rows)], "chrom": "chr1", "strand": strand})
    table = table.assign(CAGE_representative_TSS=starts, split=["train"] * 24 + ["valid"] * 6 + ["test"] * 10)
    table.to_csv(tmp_path / "gene_coordinates.csv", index=False)
    values = np.random.default_rng(1).normal(size=(rows, 3)).round(6)
    file = tmp_path / "rna_expression_values.csv"
    pd.DataFrame(values, columns=["liver", "brain", "skin"]).to_csv(file, index=False)
    settings = {"kind": "sequences", "table": str(tmp_path / "gene_coordinates.csv"), "length": 101}
    task = Sequences(**settings, preset="lrb/bulk_rna_expression")
    made = examples(task, {"genome": tmp_path / "genome.fa"}, Division()).table
    assert made[["target_liver", "target_brain", "target_skin"]].to_numpy() == pytest.approx(values)
    middle = (made["start"] + 50).to_numpy()  # base `length // 2` of the window is the start of transcription
    assert (middle == starts - 1).all() and made["strand"].tolist() == strand.tolist()
    pd.DataFrame(values[1:], columns=["liver", "brain", "skin"]).to_csv(file, index=False)
    with pytest.raises(InputError, match="39 rows of labels for 40 regions"):
        examples(task, {"genome": tmp_path / "genome.fa"}, Division())
    pd.DataFrame({"gene": table["id"], "liver": 1.0}).to_csv(file, index=False)
    with pytest.raises(InputError, match=r"values\.csv, row 1, column gene: no number"):
        examples(task, {"genome": tmp_path / "genome.fa"}, Division())
