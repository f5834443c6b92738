"""Labelled bases as the workflow runs them: windows and labels, training on them, baselines, scores."""

import h5py
import numpy as np
import pandas as pd
import pytest
from glmflow.baselines.base_labels import FITS, period_strength
from glmflow.baselines.fitting_data import FittingData
from glmflow.config.baselines import BASELINES
from glmflow.config.blocks import kind_of
from glmflow.config.tasks.base_labels import BaseLabels
from glmflow.errors import InputError
from glmflow.files import write_table
from glmflow.genome.reference import Reference
from glmflow.tasks.base_labels import examples, score
from glmflow.tasks.tables import Division
from glmflow.tasks.window_labels import (
    labels_table,
    mean_probabilities,
    open_probabilities,
    other_strand,
    read_labels,
)
from glmflow.training.finetune import finetune
from glmflow.training.inputs.labelled_bases import LabelledBases
from glmflow.training.predict import predict
from pydantic import ValidationError
from sklearn.metrics import f1_score, matthews_corrcoef, roc_auc_score

SIZE = 64
SPLITS = {"by": "contig", "train": ["1"], "validation": ["2"], "test": ["3"]}
MOTIF = "TATAAA"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A genome with a motif in every second window: its bases, on either strand, are the class `box`."""
    folder = tmp_path_factory.mktemp("bases")
    generator = np.random.default_rng(0)
    turned = MOTIF.translate(str.maketrans("ACGT", "TGCA"))[::-1]
    lines = []
    with (folder / "g.fa").open("w") as file:
        for chrom, windows in (("1", 80), ("2", 20), ("3", 30)):
            bases = generator.choice(list("ACG"), windows * SIZE)
            for window in range(0, windows, 2):
                start = window * SIZE + int(generator.integers(8, 48))
                strand = "+-"[int(generator.integers(2))]
                bases[start : start + 6] = list(MOTIF if strand == "+" else turned)
                lines.append(f"{chrom}\t{start}\t{start + 6}\tbox\t0\t{strand}\n")
            file.write(f">{chrom}\n{''.join(bases)}\n")
    (folder / "s.bed").write_text("".join(lines))
    return folder


def task(folder, **settings):
    source = {} if "regions" in settings else {"segments": str(folder / "s.bed")}
    windows = {"size": SIZE}
    return BaseLabels.model_validate({"kind": "base_labels", "windows": windows, "bootstrap": 30, **source, **settings})


def made(folder, **settings):
    return examples(task(folder, **settings), {"fasta": str(folder / "g.fa")}, Division(SPLITS, SIZE))


def written(found, folder):
    for name in ("classes.tsv", "labels.parquet"):
        write_table(found.facts[name], folder / name)
    return {"tables": str(folder), "fasta": ""}


def settings_of(folder, adaptation=None, model=None, **settings):
    return {
        "study": "s", "task_label": "t", "model_label": "m", "adaptation_label": "a", "seed": 1,
        "task": task(folder, **settings).model_dump(mode="json"), "adaptation": adaptation, "model": model,
    }  # fmt: skip


def test_labels_are_those_of_the_segments(data, tmp_path):
    found = made(data)
    written(found, tmp_path)
    assert found.facts["classes.tsv"]["class"].tolist() == ["none", "box"]
    assert found.facts["classes.tsv"]["test"].tolist() == [30 * SIZE - 15 * 6, 15 * 6]
    labels = read_labels(tmp_path, found.table["example"])
    genome = Reference(data / "g.fa")
    text = {c: genome.fetch_string(c, 0, genome.contigs[c]) for c in "123"}
    for row, own in zip(found.table.itertuples(), labels):
        marked = "".join(text[row.chrom][row.start + i] for i in np.flatnonzero(own == 1))
        assert marked in ("", MOTIF, "TTTATA")
    by_strand = made(data, by_strand=True)
    assert by_strand.facts["classes.tsv"]["class"].tolist() == ["none", "box", "box-"]
    assert other_strand(["none", "box", "box-"]) == [0, 2, 1]
    binned = made(data, bin=8, edge=4)
    written(binned, tmp_path)
    assert read_labels(tmp_path, binned.table["example"]).shape == (130, 8)


def test_a_turned_item_has_turned_labels(data, tmp_path):
    found = made(data, by_strand=True)
    written(found, tmp_path)
    rows = found.table[found.table["split"] == "train"]
    labels = read_labels(tmp_path, rows["example"])
    items = LabelledBases(rows, labels, Reference(data / "g.fa"), [0, 2, 1], turn=True)
    seen = set()
    for seed in range(12):
        item = items(0, np.random.default_rng(seed))
        text = item["sequence"].tobytes().decode()
        for kind, motif in ((1, MOTIF), (2, "TTTATA")):
            where = np.flatnonzero(item["target"] == kind)
            if len(where):
                assert text[where[0] : where[0] + 6] == motif
                seen.add(kind)
    assert seen == {1, 2}


def test_scores_are_those_of_scikit_learn(data, tmp_path):
    found = made(data, edge=3)
    files = written(found, tmp_path)
    held = found.table[found.table["split"] != "train"].reset_index(drop=True)
    generator = np.random.default_rng(5)
    truth = read_labels(tmp_path, held["example"])
    table = open_probabilities(tmp_path, (len(held), SIZE, 2))
    second = np.clip(0.3 * (truth > 0) + generator.random(truth.shape) * 0.7, 0, 1)
    table[:] = np.stack([1 - second, second], axis=2)
    predictions = mean_probabilities(held, table, ["none", "box"])
    got = score(settings_of(data, edge=3), found.table, predictions, tmp_path, files).metrics
    rows = got[(got["split"] == "test") & (got["subset"] == "all")].set_index(["track", "metric"])["value"]
    test = (held["split"] == "test").to_numpy()
    known = truth[test] >= 0
    y, p = truth[test][known], np.asarray(table[test])[known]
    assert known.sum() == test.sum() * (SIZE - 6)
    assert rows["all", "mcc"] == pytest.approx(matthews_corrcoef(y, p.argmax(axis=1)))
    assert rows["box", "f1"] == pytest.approx(f1_score(y, p.argmax(axis=1)))
    assert rows["mean", "auroc"] == pytest.approx(roc_auc_score(y, p[:, 1].astype(float)), abs=2e-3)
    each = [
        matthews_corrcoef(a[k], b[k].argmax(axis=1)) for a, b, k in zip(truth[test], np.asarray(table[test]), known)
    ]
    assert rows["all", "mcc_per_sequence"] == pytest.approx(np.mean(each))


def test_baselines_see_what_they_say(data, tmp_path):
    found = made(data)
    files = written(found, tmp_path) | {"fasta": str(data / "g.fa")}
    reached = {}
    for name in ("majority", "base_kmers", "codon_period"):
        block = next(one for one in BASELINES if kind_of(one) == name)
        run = settings_of(data)
        table = FITS[name](FittingData(block(kind=name), run, found.table, files))(tmp_path)
        rows = score(run, found.table, table, tmp_path, files).metrics
        rows = rows[(rows["split"] == "test") & (rows["subset"] == "all")].set_index(["track", "metric"])["value"]
        reached[name] = rows["all", "mcc"]
    assert reached["majority"] == 0 and reached["base_kmers"] > 0.95


def test_coding_sequence_repeats_every_three_places():
    generator = np.random.default_rng(0)
    plain = generator.choice(np.frombuffer(b"ACGT", np.uint8), 900)
    coding = plain.copy()
    coding[300:600:3] = ord("G")
    strength = period_strength(coding, 60)
    assert strength[400:500].min() > 3 * strength[:200].mean() and 0.5 < strength[:200].mean() < 2


@pytest.mark.parametrize("kind", ["full", "probe"])
def test_a_network_learns_the_motif_and_is_the_same_after_loading(data, tmp_path, kind):
    found = made(data)
    files = written(found, tmp_path) | {"fasta": str(data / "g.fa")}
    adaptation = {
        "kind": kind, "weights": "random" if kind == "probe" else "given",
        "head": {"kind": "per_base", "hidden": 16, "dropout": 0.0}, "loss": {"kind": "cross_entropy"},
        "train": {
            "optimizer": "adamw", "learning_rate": 0.01, "steps": 60, "batch": 16, "micro_batch": 16, "evaluations": 1,
            "reverse_complement": True,
        },
    }  # fmt: skip
    run = settings_of(data, adaptation, {"new": {"family": "promoter_cnn", "config": {"filters": 16, "channels": 16}}})
    finetune(run, found.table, files, None, tmp_path)
    predict(run, found.table, files, tmp_path / "model", tmp_path)
    first = np.load(tmp_path / "predicted/probabilities.npy")
    table = pd.read_parquet(tmp_path / "predictions.parquet")
    rows = score(run, found.table, table, tmp_path / "predicted", files).metrics
    rows = rows[(rows["split"] == "test") & (rows["subset"] == "all")].set_index(["track", "metric"])["value"]
    assert rows["mean", "auroc"] > (0.9 if kind == "full" else 0.6)
    predict(run, found.table, files, tmp_path / "model", tmp_path)
    assert (np.load(tmp_path / "predicted/probabilities.npy") == first).all()


def test_regions_with_rows_of_labels(data, tmp_path):
    with h5py.File(tmp_path / "l.hdf5", "w") as file:
        file["labels"] = np.array(
            [[0] * 70 + [1] * 60, [0] * 60 + [1] * 4 + [-1] * 66, [0] * 30 + [1] * 30 + [-1] * 70]
        )
    (tmp_path / "r.bed").write_text(
        "chromosome\tstart\tend\tsplit\n1\t0\t130\ttrain\n2\t0\t64\tvalid\n3\t4\t64\ttest\n"
    )
    regions = {"bed": str(tmp_path / "r.bed"), "hdf5": str(tmp_path / "l.hdf5"), "given_splits": True}
    found = made(data, regions=regions, classes=["none", "exon"])
    assert found.table[["chrom", "start", "split"]].to_numpy().tolist() == [
        ["1", 0, "train"], ["1", 64, "train"], ["1", 128, "train"], ["2", 0, "validation"], ["3", 4, "test"],
    ]  # fmt: skip
    written(found, tmp_path)
    labels = read_labels(tmp_path, found.table["example"])
    assert labels[1].tolist() == [0] * 6 + [1] * 58 and labels[2].tolist() == [1] * 2 + [-1] * 62
    assert labels[4].tolist() == [0] * 30 + [1] * 30 + [-1] * 4
    with h5py.File(tmp_path / "l.hdf5", "a") as file:
        file["labels"][0, 0] = 2
    with pytest.raises(InputError, match="a label 2, and 2 classes are named"):
        made(data, regions=regions, classes=["none", "exon"])


def test_gene_finding_by_its_name(data, tmp_path):
    """Numbers of the classes as in BEND (Marin et al. 2024, Table A8): exon, donor, intron, acceptor of each strand, none."""
    each = np.repeat(np.arange(9), 16)
    with h5py.File(tmp_path / "l.hdf5", "w") as file:
        file["labels"] = np.stack([each, np.full(144, 8), each[::-1], np.full(144, 8)])
    (tmp_path / "r.bed").write_text(
        "chromosome\tstart\tend\tsplit\n1\t0\t144\ttrain\n1\t200\t344\ttrain\n2\t0\t144\tvalid\n3\t0\t144\ttest\n"
    )
    regions = {"bed": str(tmp_path / "r.bed"), "hdf5": str(tmp_path / "l.hdf5")}
    found = made(data, preset="bend/gene_finding", regions=regions)
    assert found.table["split"].tolist() == ["train"] * 6 + ["validation"] * 3 + ["test"] * 3
    table = found.facts["classes.tsv"].set_index("class")
    assert table.index.tolist() == [
        "exon", "donor", "intron", "acceptor", "exon-", "donor-", "intron-", "acceptor-", "intergenic",
    ]  # fmt: skip
    assert table["train"].tolist() == [16] * 8 + [160] and table.loc["intergenic", "test"] == 144
    assert other_strand(table.index.tolist()) == [4, 5, 6, 7, 0, 1, 2, 3, 8]
    # A window of intergenic bases alone is background, though the number of that class is the highest.
    more = {"regions": regions, "windows": {"size": 24, "labelled_only": True}}
    assert len(made(data, preset="bend/gene_finding", **more).table.query("split == 'train'")) == 6
    own = BaseLabels.model_validate({"kind": "base_labels", "preset": "bend/enhancer_annotation", "regions": regions})
    assert (own.bin, own.classes) == (128, ["none", "enhancer"])
    for preset, message in (
        ("nt_revised/H3K27ac", "name a set of labels of bases"),
        ("bend/gene_findin", "Did you mean"),
    ):
        with pytest.raises(ValidationError, match=message):
            task(data, preset=preset, regions=regions)
    with pytest.raises(ValidationError, match="give them as `regions`"):
        BaseLabels.model_validate({"kind": "base_labels", "preset": "bend/gene_finding", "segments": "s.bed"})


def test_parts_for_cross_validation(data, tmp_path):
    """As BEND's enhancers have them: part k by name is the test, the next one validation, and behind the last comes the first."""
    with h5py.File(tmp_path / "l.hdf5", "w") as file:
        file["labels"] = np.tile([0, 1], (6, 32))
    parts = ["part2", "part0", "part1", "part10", "part0", "part2"]  # by name: 0, 1, 10, 2
    lines = [f"1\t{100 * row}\t{100 * row + 64}\t{part}\n" for row, part in enumerate(parts)]
    (tmp_path / "r.bed").write_text("chromosome\tstart\tend\tsplit\n" + "".join(lines))
    regions = {"bed": str(tmp_path / "r.bed"), "hdf5": str(tmp_path / "l.hdf5"), "given_splits": True}

    def splits(**more):
        return made(data, regions=regions | more, classes=["none", "exon"]).table["split"].tolist()

    assert splits(fold=2) == ["train", "train", "test", "validation", "train", "train"]
    assert splits(fold=4) == ["test", "validation", "train", "train", "validation", "test"]
    with pytest.raises(InputError, match=r"r\.bed: fold 5 of 4 parts"):
        splits(fold=5)
    with pytest.raises(InputError, match=r"names parts \(part0.*Say regions: \{fold: 1\}"):
        splits()
    block = task(data, regions=regions | {"given_splits": False, "fold": 1}, classes=["none", "exon"])
    assert list(block.regions.unread()) == [("fold", "it is read of `given_splits: true`")]


def test_mistakes_are_one_line(data, tmp_path):
    (tmp_path / "s.bed").write_text("1\t5\t9\n")
    with pytest.raises(InputError, match="no class in the fourth column"):
        made(data, segments=str(tmp_path / "s.bed"))
    (tmp_path / "s.bed").write_text("1\t5\t999999\tbox\n")
    with pytest.raises(InputError, match="reaches beyond the 5,120 bases of 1"):
        made(data, segments=str(tmp_path / "s.bed"))
    (tmp_path / "s.bed").write_text("3\t5\t9\tbox\n")
    with pytest.raises(InputError, match="class box has no base to train on"):
        made(data, segments=str(tmp_path / "s.bed"))
    with pytest.raises(ValidationError, match="not a multiple of bin"):
        task(data, bin=7)
    with pytest.raises(ValidationError, match="one of them"):
        BaseLabels.model_validate({"kind": "base_labels"})


def test_labels_come_back_as_they_were(tmp_path):
    labels = np.array([[0, -1, 3], [1, 2, -1]], np.int8)
    write_table(labels_table(["a", "b"], labels), tmp_path / "labels.parquet")
    assert (read_labels(tmp_path, pd.Series(["b", "a"])) == labels[::-1]).all()
