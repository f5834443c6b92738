"""Near copies of a data set against sets of k-mers in plain Python."""

import itertools

import numpy as np
import pytest
from glmflow.genome.packed import pack
from glmflow.genome.similarity import exact_copies
from glmflow.labelled import near_pairs as module
from glmflow.labelled.copied_examples import copied_examples
from glmflow.labelled.near_pairs import MOST, exact_shares, kept_share, near_pairs, suited_k

COMPLEMENT = str.maketrans("ACGT", "TGCA")


def turned(sequence):
    return sequence.translate(COMPLEMENT)[::-1]


def kmers(sequence, k):
    """Distinct canonical k-mers of a sequence as text."""
    windows = (sequence[i : i + k] for i in range(len(sequence) - k + 1))
    return {min(window, turned(window)) for window in windows if set(window) <= set("ACGT")}


def mutated(generator, sequence, rate):
    letters = np.array(list(sequence))
    where = generator.random(len(letters)) < rate
    letters[where] = generator.choice(list("ACGT"), where.sum())
    return "".join(letters)


@pytest.fixture(scope="module")
def sequences():
    """Random sequences with copies: mutated, shifted, reverse-complemented, with N, and a repeat in many of them."""
    generator = np.random.default_rng(0)
    genome = "".join(generator.choice(list("ACGT"), 60_000))
    found = [genome[i * 300 : i * 300 + int(length)] for i, length in enumerate(generator.integers(60, 300, 150))]
    for rate in (0, 0.01, 0.02, 0.03, 0.05):
        found += [mutated(generator, found[i], rate) for i in range(20)]
    found += [turned(found[i]) for i in range(0, 40, 3)]
    found += [genome[i * 300 + 40 : i * 300 + 240] for i in range(20)]
    repeat = genome[50_000:50_080]
    found += [genome[i * 100 + 45_000 : i * 100 + 45_040] + mutated(generator, repeat, 0.02) for i in range(30)]
    found += ["N" * 50, found[0][:100] + "N" + found[0][101:], "ACGT"]
    return found


def expected_pairs(sequences, k, share):
    sets = [kmers(sequence, k) for sequence in sequences]
    found = {}
    for (i, a), (j, b) in itertools.combinations(enumerate(sets), 2):
        if a and b and len(a & b) >= share * min(len(a), len(b)) and a & b:
            found[i, j] = len(a & b)
    return found


@pytest.mark.parametrize(("k", "share"), [(21, 0.5), (11, 0.5), (15, 0.2)])
def test_pairs_are_those_of_plain_sets(sequences, k, share):
    found = near_pairs(pack(sequences), k, share)
    expected = expected_pairs(sequences, k, share)
    assert dict(zip(zip(found.table["first"], found.table["second"]), found.table["shared"])) == expected
    assert found.pairs == len(expected)
    assert found.rows == len({row for pair in expected for row in pair})
    assert found.without == sum(not kmers(sequence, k) for sequence in sequences)


def test_a_part_of_the_kmers_and_exact_counts_give_the_same_pairs(sequences, monkeypatch):
    longer = [sequence for sequence in sequences if len(sequence) > 100]
    whole = near_pairs(pack(longer))
    monkeypatch.setattr(module, "WHOLE", sum(map(len, longer)) // 2)
    part = near_pairs(pack(longer))
    pairs = [set(zip(found.table["first"], found.table["second"])) for found in (whole, part)]
    assert len(pairs[0]) > 100
    assert len(pairs[0] ^ pairs[1]) <= 2
    assert (part.component == whole.component).mean() > 0.95


@pytest.mark.parametrize(
    ("rows", "bases"), [(289_000, 400), (4_600_000, 350), (30_000_000, 350), (4_000_000, 60), (9_000_000, 30)]
)
def test_kmers_that_are_held_of_large_sets_are_bounded(rows, bases):
    usable = bases - 20
    kept = kept_share(rows * usable, usable)
    assert min(32, usable) <= kept * usable + 1e-9 and kept <= 1
    assert kept * rows * usable <= max(MOST, 32 * rows)  # 150 million, or 256 bytes a row


def test_copies_are_found_by_as_few_kmers_as_are_held_of_the_largest_sets(monkeypatch):
    generator = np.random.default_rng(4)
    first = ["".join(generator.choice(list("ACGT"), 350)) for _ in range(200)]
    texts = first + [mutated(generator, text, 0.01) for text in first]
    monkeypatch.setattr(module, "WHOLE", 1000)
    monkeypatch.setattr(module, "MOST", 1000)  # 32 k-mers of each sequence
    found = near_pairs(pack(texts))
    expected = expected_pairs(texts, 21, 0.5)
    pairs = set(zip(found.table["first"], found.table["second"]))
    assert len(expected) > 150 and pairs <= set(expected) and len(pairs) >= 0.98 * len(expected)


@pytest.mark.parametrize("held", [None, 5000])
def test_exact_shares_are_those_of_plain_sets(sequences, held, monkeypatch):
    if held:  # k-mers that are held at once
        monkeypatch.setattr(module, "WHOLE", held)
    generator = np.random.default_rng(2)
    first, second = generator.integers(0, len(sequences), (2, 300))
    shared, share = exact_shares(pack(sequences), first, second, 21)
    for i, j, n, part in zip(first, second, shared, share):
        a, b = kmers(sequences[i], 21), kmers(sequences[j], 21)
        assert n == len(a & b)
        assert part == pytest.approx(len(a & b) / max(min(len(a), len(b)), 1))


def test_exact_shares_of_sequences_longer_than_a_chunk():
    rng = np.random.default_rng(3)
    long = rng.choice(np.frombuffer(b"ACGT", np.uint8), 300_000)
    shared, share = exact_shares(pack([long, long[1000:280_000], long[:500]]), np.array([0, 0]), np.array([1, 2]), 31)
    assert shared.tolist() == [279_000 - 30, 500 - 30] and share.tolist() == [1, 1]  # 31-mers do not recur by chance


def test_components_are_those_of_a_graph_search(sequences):
    found = near_pairs(pack(sequences))
    neighbours = {row: set() for row in range(len(sequences))}
    for i, j in expected_pairs(sequences, 21, 0.5):
        neighbours[i].add(j)
        neighbours[j].add(i)
    label = {}
    for row in neighbours:
        waiting = [row] if row not in label else []
        number = len(set(label.values()))
        while waiting:
            one = waiting.pop()
            if one not in label:
                label[one] = number
                waiting += neighbours[one]
    assert found.component.tolist() == [label[row] for row in range(len(sequences))]


def test_the_audit_is_the_same_for_the_other_strand(sequences):
    other = [turned(sequence) if i % 2 else sequence for i, sequence in enumerate(sequences)]
    one, two = near_pairs(pack(sequences)), near_pairs(pack(other))
    columns = ["first", "second", "shared"]
    assert one.table[columns].equals(two.table[columns])


def test_a_library_of_mutants_is_one_component_whose_pairs_are_not_listed(monkeypatch):
    generator = np.random.default_rng(0)
    first = "".join(generator.choice(list("ACGT"), 100))
    library = [mutated(generator, first, 0.01) for _ in range(2500)]
    monkeypatch.setattr(module, "CROWDED", 100_000)
    found = near_pairs(pack(library))
    assert found.crowded and found.sizes.max() > 2200 and not len(found.table)
    assert found.pairs > 1_000_000


def test_short_sequences_are_compared_by_short_kmers():
    assert suited_k(np.array([60, 60, 400])) == 11
    assert suited_k(np.array([251] * 3)) == 21


def test_held_out_copies_are_listed_beside_their_source_on_either_strand():
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("ACGT"), 120)) for _ in range(8)]
    turned = texts[0].translate(str.maketrans("ACGT", "TGCA"))[::-1]
    near = texts[1][:60] + ("A" if texts[1][60] != "A" else "C") + texts[1][61:]
    texts[4:8] = [turned, near, texts[6], texts[2]]
    split = np.array(["train", "train", "validation", "train", "test", "test", "test", "validation"], object)
    packed = pack([*texts, "ACGT", "ACGT"])  # too short for a k-mer, and equal
    split = np.append(split, ["train", "test"])
    names = [f"r{row}" for row in range(len(split))]
    found = copied_examples(names, split, near_pairs(packed), exact_copies(packed.each())).set_index("example")
    assert set(found.index) == {"r4", "r5", "r9"}  # both validation rows are alike, and none is a copy of training
    assert found.loc["r4", ["nearest_training", "relation", "strand"]].tolist() == ["r0", "exact", "-"]
    assert found.loc["r5", ["nearest_training", "relation", "strand"]].tolist() == ["r1", "near", "+"]
    assert 0.5 < found.loc["r5", "share"] < 1 and found.loc["r9", "nearest_training"] == "r8"
