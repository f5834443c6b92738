"""The look-up of every kind: what a planted copy was measured as in training, on either strand; elsewhere the mean."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from glmflow.baselines import region_expression
from glmflow.baselines.diagnosis import fit_column
from glmflow.baselines.fit_baseline import fit_of
from glmflow.baselines.fitting_data import FittingData
from glmflow.baselines.nearest_training import donors
from glmflow.binding.region_table import RegionTable
from glmflow.config.baselines.lookup_baselines import NearestTraining
from glmflow.config.tasks import KINDS, task_block
from glmflow.files import read_table, write_table
from glmflow.genome.canonical import opposite_strand
from glmflow.genome.packed import pack
from glmflow.modules import module
from glmflow.tasks.base_labels import examples as base_examples
from glmflow.tasks.diagnosis.question_layouts import read_questions
from glmflow.tasks.region_expression import examples as region_examples
from glmflow.tasks.region_expression import motif_matrix
from glmflow.tasks.seq2cellxtf import examples as binding_examples
from glmflow.tasks.tables import Division
from glmflow.tasks.window_labels import read_probabilities
from planted_copies import BASES, mutated, write_genome

SIZE, SHIFT = 512, 37


def fitting(kind, task, table, files):
    settings = {"study": "s", "task_label": "t", "model_label": "m", "adaptation_label": "baseline", "seed": 1}
    block = NearestTraining(kind="nearest_training")
    return fit_of(kind, block.kind)(FittingData(block, settings | {"task": task}, table, files))


def turned(text):
    return text.translate({ord(a): b for a, b in zip("ACGT", "TGCA")})[::-1]


def test_donors_are_known_sequences_and_nothing_that_is_unlike():
    rng = np.random.default_rng(0)
    known = [rng.choice(BASES, 300) for _ in range(5)]
    asked = [opposite_strand(mutated(rng, known[3], 0.05)), rng.choice(BASES, 300)]
    mask = np.array([True, False, True, True, True, False, True])
    order = [known[0], asked[0], *known[1:4], asked[1], known[4]]
    assert donors(order, mask).tolist() == [0, 4, 2, 3, 4, -1, 6]


@pytest.mark.parametrize("strand", ["+", "-"])
@pytest.mark.parametrize("size", [1, 8])
def test_labels_of_bases_are_laid_over_a_copy(tmp_path, strand, size):
    rng = np.random.default_rng(1)
    train, test = rng.choice(BASES, 12 * SIZE), rng.choice(BASES, 2 * SIZE)
    begin = 5 * SIZE + (SHIFT if size == 1 else 40)
    copied = mutated(rng, train[begin : begin + SIZE], 0.02)
    test[SIZE:] = opposite_strand(copied) if strand == "-" else copied
    fasta = write_genome(tmp_path / "g.fa", {"a": train, "b": rng.choice(BASES, SIZE), "c": test})
    bed = "".join(f"a\t{n * SIZE + 100}\t{n * SIZE + 300}\texon\t0\t{'+-'[n % 2]}\n" for n in range(12))
    (tmp_path / "s.bed").write_text(bed + f"b\t1\t9\texon\t0\t+\nc\t{SIZE + 1}\t{SIZE + 9}\texon\t0\t+\n")
    task = {"kind": "base_labels", "segments": str(tmp_path / "s.bed"), "windows": {"size": SIZE}, "bin": size,
            "by_strand": True}  # fmt: skip
    splits = {"by": "contig", "train": ["a"], "validation": ["b"], "test": ["c"]}
    found = base_examples(task_block(task), {"fasta": fasta}, Division(splits, SIZE))
    for name in ("classes.tsv", "labels.parquet"):
        write_table(found.facts[name], tmp_path / "tables" / name)
    table = fitting("base_labels", task, found.table, {"tables": str(tmp_path / "tables"), "fasta": fasta})(tmp_path)
    likely = read_probabilities(tmp_path)[-1].astype(float)
    names = read_table(tmp_path / "tables/classes.tsv")["class"].tolist()
    # The exon of window 5 is on strand -, 100 to 300 of it; the copy begins `begin` further on, or is turned around.
    left, right = 100 - (begin - 5 * SIZE), 300 - (begin - 5 * SIZE)
    label = "exon-"
    if strand == "-":
        left, right, label = SIZE - right, SIZE - left, "exon"
    left, right = -(-max(left, 0) // size), right // size
    assert (likely[left:right, names.index(label)] == 1).all()
    past = likely[-1] if strand == "+" else likely[0]  # bases of the neighbouring window, which was not looked up
    assert past.max() < 1 and past.sum() == pytest.approx(1, abs=1e-2)
    assert table["example"].iloc[-1] == f"c:{SIZE}-{2 * SIZE}"


def test_a_copied_region_binds_what_its_source_binds(tmp_path):
    task = {
        "kind": "seq2cellxtf", "length": 200, "components": 3, "bootstrap": 20,
        "simulated": {"regions": 300, "cells": 8, "tfs": 10, "width": 200, "seed": 1},
        "keys": {"cells": 1, "tfs": 2, "pairs": 0.1, "validation": 0.2},
    }  # fmt: skip
    found = binding_examples(task_block(task), {}, Division())
    for name, one in found.facts.items():
        write_table(one, tmp_path / name)
    table = found.table.reset_index(drop=True)
    source = int(np.flatnonzero(table["split"] == "train")[3])
    copy, other = np.flatnonzero(table["split"] == "test")[:2].tolist()
    table.loc[copy, "sequence"] = turned(table["sequence"][source])
    predicted = fitting("seq2cellxtf", task, table, {"tables": str(tmp_path)})(tmp_path).set_index("example")
    keys, bound = read_table(tmp_path / "keys.tsv"), pd.read_parquet(tmp_path / "labels.parquet")
    training = set(np.flatnonzero(table["split"] == "train"))
    for column in predicted:
        tf = keys.loc[keys["key"] == column.removeprefix("prediction_"), "tf"].item()
        learned = keys.index[keys["split"] == "train"]
        own = learned[(keys.loc[learned, "tf"] == tf).to_numpy()]
        own = set(own if len(own) else learned)
        hits = bound[bound["key"].isin(own)]
        expected = (hits["region"] == source).sum() / len(own)
        assert predicted.loc[table["example"][copy], column] == pytest.approx(expected)
        usual = hits["region"].isin(training).sum() / len(own) / len(training)
        assert predicted.loc[table["example"][other], column] == pytest.approx(usual, rel=1e-5)


def test_a_copied_promoter_is_expressed_as_its_source(tmp_path, monkeypatch):
    task = {"kind": "region_expression", "cells": {"test": 2}, "window": 20,
            "simulated": {"regions": 200, "cells": 6, "tfs": 8, "width": 150, "seed": 2}}  # fmt: skip
    block = task_block(task)
    files = {"matrix": str(tmp_path / "matrix"), "tables": str(tmp_path / "tables")}
    (tmp_path / "matrix").mkdir()
    motif_matrix(block, {}, tmp_path / "matrix")
    found = region_examples(block, files, Division())
    for name, one in found.facts.items():
        write_table(one, tmp_path / "tables" / name)
    table = RegionTable(found.table, files["tables"], files["matrix"])
    both = table.promoters.all(axis=1)
    learned = table.training.any(axis=1) & both
    source = int(np.flatnonzero(learned)[0])
    copy, other = np.flatnonzero((table.split_of_regions == "test") & both & table.predicted.any(axis=1))[:2].tolist()
    texts = ["".join(map(chr, np.random.default_rng(n).choice(BASES, 150))) for n in range(200)]
    rows = table.regions["row"].to_numpy()
    texts[rows[copy]] = turned(texts[rows[source]])
    monkeypatch.setattr(
        region_expression, "simulate_expression", lambda **_: SimpleNamespace(sequences=pack(pd.Series(texts)))
    )
    predicted = fitting("region_expression", task, found.table, files)(tmp_path).set_index("example")
    cells = [name for name, split in zip(table.cell_names, table.split_of_cells) if split == "train"]
    for side, strand in enumerate(("plus", "minus")):
        measured = pd.read_parquet(tmp_path / f"tables/expression_{strand}.parquet")[cells].to_numpy()
        open_ = pd.read_parquet(tmp_path / "tables/accessibility.parquet")[cells].to_numpy() > 0
        own = predicted.loc[table.regions["example"][copy]].filter(like=f"_{strand}").dropna()
        assert len(own) and np.allclose(own, measured[source][open_[source]].mean(), rtol=1e-5)
        usual = predicted.loc[table.regions["example"][other]].filter(like=f"_{strand}").dropna()
        train = table.training[:, :, None] & table.promoters[:, None, :]
        assert np.allclose(usual, table.expression[train].mean(), rtol=1e-5), side


def test_every_kind_that_learns_from_examples_has_a_look_up():
    """Language and alleles have none: nothing was measured of the one, and nothing is trained on the other."""
    without = {"language", "context_extension", "variant_effects", "diagnosis"}
    for block in KINDS:
        kind = block.model_fields["kind"].annotation.__args__[0]
        if kind not in without:
            assert callable(fit_of(kind, "nearest_training")), kind
    assert module("glmflow.baselines", "populations").FITS["nearest_training"]


def test_consequence_with_each_exon_left_out_in_turn_is_as_known_of_brca1(test_data):
    """Most frequent answer of a variant's consequence in the other exons, without the intermediate variants (README of the data)."""
    rows = read_questions("table", test_data / "diagnosis/brca1_sge.jsonl")
    rows = rows[rows["target"] != "intermediate"]
    assert (rows["target"] == "functional").mean() == pytest.approx(0.7741, abs=5e-5)
    classes, right = sorted(set(rows["target"])), 0
    data = SimpleNamespace(baseline=SimpleNamespace(column="consequence", bins=10))
    for exon in rows["exon"].unique():
        held_out = rows["exon"] == exon
        found = fit_column(data, rows[~held_out], classes)(rows[held_out]).argmax(axis=1)
        right += sum(classes[one] == truth for one, truth in zip(found, rows.loc[held_out, "target"]))
    assert right / len(rows) == pytest.approx(0.8447, abs=5e-5)
