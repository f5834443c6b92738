"""Planted copies are found by content, repeats stop nothing, and groups keep what is alike together."""

import json

import numpy as np
import pandas as pd
import pytest
from glmflow.checks.audit import exit_status
from glmflow.checks.copies import compare_splits, homology_groups
from glmflow.genome.canonical import opposite_strand
from glmflow.genome.window_sequences import WindowSequences
from planted_copies import BASES, mutated


def drawn(rng, length):
    return rng.choice(BASES, length)


ACTIONS = {
    "exact": (lambda rng, x: x, "exact", "+"),
    "reverse-complemented": (lambda rng, x: opposite_strand(x), "exact", "-"),
    "1 %": (lambda rng, x: mutated(rng, x, 0.01), "near", "+"),
    "5 %": (lambda rng, x: mutated(rng, x, 0.05), "related", "+"),
    "5 %, other strand": (lambda rng, x: opposite_strand(mutated(rng, x, 0.05)), "related", "-"),
    "shifted by a third": (lambda rng, x: np.concatenate([x[len(x) // 3 :], drawn(rng, len(x) // 3)]), "near", "+"),
    "in the middle of a longer one": (lambda rng, x: np.concatenate([drawn(rng, 90), x, drawn(rng, 50)]), "near", "+"),
}


@pytest.fixture(scope="module", params=[200, 2000])
def planted(request):
    """300 training sequences with an Alu-like family in a third of all; 100 held out, of which some are copies."""
    rng = np.random.default_rng(request.param)
    alu = drawn(rng, 120)
    sequences = [drawn(rng, request.param) for _ in range(400)]
    for number in range(0, 400, 3):
        place = rng.integers(0, request.param - 120)
        sequences[number][place : place + 120] = mutated(rng, alu, rng.uniform(0.05, 0.15))
    split = np.array(["train"] * 300 + ["test"] * 100)
    truth = {}
    for number, (name, (make, _, _)) in enumerate(ACTIONS.items()):
        for again in range(3):
            row, source = 300 + 7 * number + again, 7 * number + again + 50
            sequences[row] = make(rng, sequences[source])
            truth[row] = (name, source)
    return sequences, split, truth


def test_planted_copies_are_found_and_named(planted):
    sequences, split, truth = planted
    found = compare_splits(sequences, split)
    table = found.table.set_index("row")
    for row, (name, source) in truth.items():
        _, relation, strand = ACTIONS[name]
        got = table.loc[row]
        allowed = {relation, "near"} if name.startswith("5 %") else {relation}
        assert got["relation"] in allowed and got["strand"] == strand and got["nearest_training"] == source, name
    clean = table.index.difference(list(truth))
    # Two young copies of the repeat make most of two short sequences: related they are, and that is no leak.
    repeat = clean[clean % 3 == 0]
    assert set(table.loc[clean.difference(repeat), "relation"]) == {"none"}
    assert not set(table.loc[repeat, "relation"]) & {"exact", "near"}
    assert found.no_near_copy[clean].mean() > 0.95 and not found.no_near_copy[list(truth)].any()
    assert not found.no_near_copy[:300].any()
    statuses = {audit.name: audit.status for audit in found.audits}
    assert statuses["exact copies"] == statuses["near copies"] == "FAIL" and exit_status(found.audits) == 1


def test_repeats_do_not_stop_a_run(planted):
    sequences, split, truth = planted
    rows = [row for row in range(400) if row not in truth]
    found = compare_splits([sequences[row] for row in rows], split[rows])
    assert exit_status(found.audits, "leak") == 0
    assert found.no_near_copy.sum() >= 0.95 * (split[rows] == "test").sum()


def test_names_and_further_training_splits():
    rng = np.random.default_rng(0)
    one = drawn(rng, 300)
    sequences = [drawn(rng, 300), one, one]
    split, names = ["train", "validation", "test"], ["a", "b", "c"]
    alone = compare_splits(sequences, split, names)
    assert not alone.table["relation"].eq("exact").any()
    both = compare_splits(sequences, split, names, training=("train", "validation"))
    assert both.table["nearest_training"].tolist() == [1] and "c (b, +)" in both.audits[0].sentence


def test_a_window_put_together_from_training_parts_is_said():
    rng = np.random.default_rng(0)
    training = [drawn(rng, 2000) for _ in range(40)]
    patchwork = np.concatenate([bases[200:320] for bases in training[:15]])
    found = compare_splits([*training, patchwork, drawn(rng, 2000)], ["train"] * 40 + ["test"] * 2)
    assert found.table["relation"].tolist() == ["none", "none"] and found.table["covered"][0] > 0.7
    assert next(audit for audit in found.audits if audit.name.startswith("parts")).status == "WARN"


def test_what_is_written_backwards_or_holds_no_kmer_is_said():
    """3' to 5': the sequence reversed, or complemented in place; and unknown bases at every twelfth place."""
    rng = np.random.default_rng(4)
    train = ["".join(rng.choice(list("ACGT"), 300)) for _ in range(60)]
    complement = str.maketrans("ACGT", "TGCA")
    gaps = "".join("N" if place % 12 == 11 else base for place, base in enumerate(train[4]))
    test = [train[0][::-1], train[1].translate(complement), train[2], gaps, "".join(rng.choice(list("ACGT"), 300))]
    found = compare_splits(train + test, ["train"] * 60 + ["test"] * 5)
    assert found.table["relation"].tolist() == ["backwards", "backwards", "exact", "none", "none"]
    assert found.table["nearest_training"].tolist()[:3] == [0, 1, 2]
    assert found.no_near_copy[60:].tolist() == [False, False, False, True, True]
    said = {audit.name: audit for audit in found.audits}
    assert said["backwards copies"].status == "WARN" and said["backwards copies"].figure == 2
    unlike = said["sequences that cannot be compared"]
    assert unlike.status == "WARN" and unlike.sentence.startswith("1 of 5 test sequences hold no ")


def test_groups_keep_relatives_together():
    rng = np.random.default_rng(0)
    founders = [drawn(rng, 300) for _ in range(50)]
    sequences = founders + [opposite_strand(mutated(rng, bases, 0.04)) for bases in founders]
    order = rng.permutation(100)
    label = homology_groups([sequences[place] for place in order])
    back = np.empty(100, int)
    back[order] = label
    assert (back[:50] == back[50:]).all() and len(np.unique(label)) == 50


def test_windows_of_a_genome_are_read_and_not_kept():
    rng = np.random.default_rng(0)
    genome = {"1": drawn(rng, 200_000), "2": drawn(rng, 50_000)}
    genome["2"][20_000:24_000] = opposite_strand(mutated(rng, genome["1"][70_000:74_000], 0.03))
    starts = [("1", start) for start in range(0, 200_000, 2000)] + [("2", start) for start in range(0, 50_000, 2000)]
    windows = pd.DataFrame([(chrom, start, start + 4000) for chrom, start in starts], columns=["chrom", "start", "end"])
    windows = windows[windows["end"] <= windows["chrom"].map({name: len(bases) for name, bases in genome.items()})]
    sequences = WindowSequences(lambda chrom, start, end: genome[chrom][start:end], windows)
    for fraction in (1.0, 1 / 8):
        found = compare_splits(sequences, np.where(windows["chrom"] == "1", "train", "test"), fraction=fraction)
        table = found.table.assign(start=windows["start"].to_numpy()[found.table["row"]])
        copied = table.set_index("start").loc[20_000]
        assert copied["relation"] == "near" and copied["strand"] == "-"
        assert windows.iloc[copied["nearest_training"]]["start"] == 70_000
        clean = table[(table["start"] + 4000 <= 20_000) | (table["start"] >= 24_000)]
        assert (clean["relation"] == "none").all()


def test_copies_too_short_for_a_kmer_are_copies():
    found = compare_splits([b"ACGTAC", b"GTACGT", b"TTTTTT"], ["train", "test", "test"])
    assert found.table["relation"].tolist() == ["exact", "none"] and found.table["strand"][0] == "-"
    assert homology_groups([b"ACGTAC", b"GTACGT", b"TTTTTT"]).tolist() == [0, 0, 1]


@pytest.mark.real
@pytest.mark.parametrize(
    ("folder", "file", "column"),
    [
        ("gb_human_nontata_promoters", "test.csv.gz", "seq"),
        ("ecoli_promoter_strength", "promoters.csv.gz", "sequence"),
        ("gb_human_ensembl_regulatory_sample", "sample.csv.gz", "seq"),
    ],
)
def test_held_out_copies_of_real_sets_are_as_many_as_an_independent_audit_found(test_data, folder, file, column):
    data = test_data / "sequences"
    texts = pd.read_csv(data / folder / file)[column].tolist()
    split = pd.read_csv(data / "expected" / "splits" / f"{folder}.csv.gz")["random_seed1"].to_numpy(str)
    expected = json.loads((data / "expected" / f"audit_{folder}.json").read_text())["random_split_seed1"]
    found = compare_splits(texts, split, training=("train", "validation"), k=21)
    near = found.table[found.table["relation"].isin(["exact", "near"])]
    assert len(found.table) == expected["test_rows"]
    assert len(near) == expected["test_rows_with_a_near_copy_in_train_or_validation"]


@pytest.mark.parametrize("complement", [False, True])
def test_a_sequence_written_backwards_with_substitutions_is_said(complement):
    rng = np.random.default_rng(5)
    sequences = rng.choice(np.frombuffer(b"ACGT", np.uint8), (60, 300))
    turned = sequences[7, ::-1].copy()
    place = rng.random(300) < 0.04
    turned[place] = rng.choice(np.frombuffer(b"ACGT", np.uint8), place.sum())
    sequences[50] = opposite_strand(turned) if complement else turned
    found = compare_splits(list(sequences), ["train"] * 45 + ["test"] * 15)
    row = found.table.set_index("row").loc[50]
    assert (row["relation"], row["nearest_training"]) == ("backwards", 7)
    assert (found.table["relation"] == "backwards").sum() == 1 and not found.no_near_copy[50]


def converted(x):
    return np.where(x == ord("C"), ord("T"), x).astype(np.uint8)


HARD = {
    "a tenth substituted": (lambda rng, x: mutated(rng, x, 0.1), "distant"),
    "shifted by four fifths": (
        lambda rng, x: np.concatenate([x[4 * len(x) // 5 :], drawn(rng, 4 * len(x) // 5)]),
        "distant",
    ),
    "bisulfite": (lambda rng, x: converted(x), "converted"),
    "bisulfite, other strand": (lambda rng, x: converted(opposite_strand(x)), "converted"),
    "bisulfite, read off the other strand": (lambda rng, x: opposite_strand(converted(x)), "converted"),
    "bisulfite, 2 % substituted": (lambda rng, x: mutated(rng, converted(x), 0.02), "converted"),
}


@pytest.mark.parametrize("length", [200, 500, 2000])
@pytest.mark.parametrize("name", HARD)
def test_hard_copies_are_warned_of_and_nothing_else(length, name):
    """20 of 120 held-out sequences; the 100 others are of themselves."""
    rng = np.random.default_rng(length)
    make, relation = HARD[name]
    sequences = [drawn(rng, length) for _ in range(300)]
    sequences += [drawn(rng, length) for _ in range(100)] + [make(rng, x) for x in sequences[:20]]
    split = np.array(["train"] * 300 + ["test"] * 120)
    clean = compare_splits(sequences[:400], split[:400])
    assert all(audit.status == "PASS" for audit in clean.audits) and clean.no_near_copy[300:].all()
    found = compare_splits(sequences, split)
    relations = found.table["relation"].to_numpy()
    assert set(relations[:100]) == {"none"}
    # What of a tenth substituted happens to be nearer is called related, or found in parts.
    assert np.isin(relations[100:], [relation, "related"]).mean() >= 0.5
    told = {audit.name for audit in found.audits if audit.status != "PASS"}
    assert told & ({"converted copies"} if relation == "converted" else {"distant copies"}), told
    if relation == "converted":
        assert (found.table["nearest_training"].to_numpy()[100:] == np.arange(20)).all()
        assert not found.no_near_copy[400:].any()


def test_training_that_was_converted_is_found_as_well_and_poor_sequences_are_not():
    rng = np.random.default_rng(0)
    sequences = [drawn(rng, 300) for _ in range(200)]
    test = sequences[:10] + [drawn(rng, 300) for _ in range(40)]
    split = np.array(["train"] * 200 + ["test"] * 50)
    found = compare_splits([*map(converted, sequences), *test], split)
    assert (found.table["relation"] == "converted").to_numpy().nonzero()[0].tolist() == list(range(10))
    poor = [rng.choice(BASES, 300, p=[0.45, 0.02, 0.13, 0.4]) for _ in range(250)]
    assert set(compare_splits(poor, split).table["relation"]) == {"none"}


def in_turn(one, other):
    return np.stack([one, other], axis=1).reshape(-1)


SPACED = {
    "every second base": lambda rng, x: x[1::2],
    "every second base, other strand": lambda rng, x: opposite_strand(x[::2]),
    "in turn with another": lambda rng, x: in_turn(drawn(rng, len(x)), x),
    "in turn with one base": lambda rng, x: in_turn(x, np.full(len(x), ord("A"), np.uint8))[: len(x)],
    "in turn with another, 2 % substituted": lambda rng, x: mutated(rng, in_turn(x, drawn(rng, len(x))), 0.02),
}


@pytest.mark.parametrize("length", [200, 600])
@pytest.mark.parametrize("name", SPACED)
def test_every_second_base_of_training_is_said_and_nothing_else(length, name):
    rng = np.random.default_rng(length)
    repeats = [np.resize(np.frombuffer(unit, np.uint8), length) for unit in (b"AC", b"CAG", b"AATT", b"GATTC")]
    sequences = [drawn(rng, length) for _ in range(100)] + [mutated(rng, one, 0.05) for one in repeats]
    sequences += [mutated(rng, one, 0.05) for one in repeats] + [drawn(rng, length) for _ in range(40)]
    split = np.array(["train"] * 104 + ["test"] * 44)
    assert "spaced" not in set(compare_splits(sequences, split).table["relation"])
    sequences += [SPACED[name](rng, sequences[row]) for row in range(10)]
    found = compare_splits(sequences, [*split, *["test"] * 10])
    assert found.table["relation"].tolist()[-10:] == ["spaced"] * 10 and not found.no_near_copy[-10:].any()
    assert found.table["nearest_training"].tolist()[-10:] == list(range(10))
    assert (found.table["relation"] == "spaced").sum() == 10
    assert {audit.name for audit in found.audits if audit.status != "PASS"} >= {"spaced copies"}
