"""Copies of sequences, exact and near, on either strand: against sets of k-mers in plain Python, and real audits."""

import gzip
import itertools
import json

import numpy as np
import pandas as pd
import pytest
from glmflow.genome.canonical import as_bases, canonical_kmers, mixed, opposite_strand
from glmflow.genome.similarity import (
    HOMOLOGOUS,
    covered,
    exact_copies,
    groups,
    near_copies,
    nearest,
    sketch,
    suited_fraction,
    suited_k,
)
from hypothesis import given, settings
from hypothesis import strategies as st

OTHER = dict(zip("ACGTN", "TGCAN"))


def reverse(text):
    return "".join(OTHER[base] for base in reversed(text))


def drawn(rng, length):
    return "".join(rng.choice(list("ACGT"), length))


def mutated(rng, text, share):
    """Substitute exactly this share of the bases, each by another one."""
    bases = list(text)
    for place in rng.choice(len(bases), round(share * len(bases)), replace=False):
        bases[place] = rng.choice([base for base in "ACGT" if base != bases[place]])
    return "".join(bases)


def kmer_set(text, k):
    """Canonical k-mers by definition: the lexicographically smaller of a k-mer and its reverse complement."""
    words = (text[place : place + k] for place in range(len(text) - k + 1))
    return {min(word, reverse(word)) for word in words if "N" not in word}


def pairs_by_sets(texts, k, share):
    sets = [kmer_set(text, k) for text in texts]
    found = {}
    for (a, one), (b, other) in itertools.combinations(enumerate(sets), 2):
        smaller = min(len(one), len(other))
        if smaller and len(one & other) >= max(1, share * smaller):
            found[a, b] = len(one & other)
    return found


dna = st.text("ACGTN", max_size=60)


@settings(max_examples=60, deadline=None)
@given(st.lists(dna, max_size=12), st.sampled_from([3, 5, 11]), st.sampled_from([0.1, 0.5, 0.9]), st.randoms())
def test_pairs_are_those_of_sets_of_words(texts, k, share, random):
    # Related sequences, or nothing would ever be shared.
    texts += [reverse(text) for text in texts[:3]] + [text[5:] for text in texts[:4]]
    random.shuffle(texts)
    found = near_copies(sketch(texts, k), share=share, best=None)
    table = found.table
    wanted = pairs_by_sets(texts, k, share)
    got = {tuple(sorted((q, t))): s for q, t, s in zip(table["query"], table["target"], table["shared"])}
    assert got == wanted and found.pairs == len(wanted)
    assert found.queries == len({row for pair in wanted for row in pair})


@settings(max_examples=60, deadline=None)
@given(dna, st.sampled_from([1, 3, 7, 21, 31]))
def test_canonical_kmers_are_the_same_on_both_strands(text, k):
    codes = np.array(["ACGTN".index(base) for base in text], np.uint8)
    other = np.array(["ACGTN".index(base) for base in reverse(text)], np.uint8)
    kmers, turned, valid = canonical_kmers(codes, k)
    back, back_turned, back_valid = canonical_kmers(other, k)
    assert (valid == back_valid[::-1]).all() and (kmers[valid] == back[::-1][valid]).all()
    assert (turned[valid] != back_turned[::-1][valid]).all()
    assert len(set(kmers[valid].tolist())) == len(kmer_set(text, k))


@pytest.mark.parametrize("bits", [1, 2, 6, 13])
def test_hashes_lose_nothing(bits):
    assert np.unique(mixed(np.arange(2**bits, dtype=np.uint64), bits)).tolist() == list(range(2**bits))


def test_both_strands_of_ambiguity_codes():
    assert opposite_strand(as_bases("ACGTRYSWKMBVDHNu")).tobytes().decode() == "ANDHBVKMWSRYACGT"


def test_exact_copies_on_either_strand():
    texts = ["ACGTT", "acgtt", "AACGT", "ACGTA", "ACGT", "ACGUU", "GGN", "NCC", "", ""]
    found = exact_copies(texts)
    assert found["copy"].tolist() == [0, 0, 0, 1, 2, 0, 3, 3, 4, 4]
    assert found["strand"].tolist() == [*"++-+++", "+", "-", "+", "+"]
    assert found["palindrome"].tolist() == [False] * 4 + [True] + [False] * 3 + [True, True]


@pytest.fixture(scope="module")
def planted():
    """Forty unlike sequences of training, and copies of the first ones: what was done, and to which."""
    rng = np.random.default_rng(1)
    training = [drawn(rng, 400) for _ in range(40)]
    kinds = {
        "exact": lambda text: text,
        "reverse complement": reverse,
        "1 % of substitutions": lambda text: mutated(rng, text, 0.01),
        "3 % on the other strand": lambda text: reverse(mutated(rng, text, 0.03)),
        "5 % of substitutions": lambda text: mutated(rng, text, 0.05),
        "shifted by 120": lambda text: text[120:] + drawn(rng, 120),
        "shifted on the other strand": lambda text: reverse(drawn(rng, 90) + text[:-90]),
        "3 bases inserted": lambda text: text[:200] + "GAT" + text[200:],
        "20 bases deleted": lambda text: text[:150] + text[170:],
    }
    copies = [(kind, number, make(training[number])) for kind, make in kinds.items() for number in range(20)]
    return training, copies, [drawn(rng, 400) for _ in range(200)]


def test_copies_of_every_kind_are_found_and_strangers_are_not(planted):
    training, copies, strangers = planted
    texts = training + [text for _, _, text in copies] + strangers
    bases = sum(map(len, texts))
    sketches = sketch(texts, suited_k(bases, 400))
    held_out = np.arange(len(training), len(texts))
    found = near_copies(sketches.of(held_out), sketches.of(np.arange(40)), HOMOLOGOUS)
    target = dict(zip(found.table["query"], found.table["target"]))
    assert target == {row: number for row, (_, number, _) in enumerate(copies)}
    strand = dict(zip(found.table["query"], found.table["strand"]))
    other = {"reverse complement", "3 % on the other strand", "shifted on the other strand"}
    assert all((strand[row] == "-") == (kind in other) for row, (kind, _, _) in enumerate(copies))
    identity = dict(zip(found.table["query"], found.table["identity_estimate"]))
    five = [identity[row] for row, (kind, _, _) in enumerate(copies) if kind.startswith("5 %")]
    assert np.mean(five) == pytest.approx(0.95, abs=0.01)  # the rate of substitutions, by its definition


def test_the_nearest_one_and_what_is_covered(planted):
    training, copies, strangers = planted
    texts = training + [text for _, _, text in copies] + strangers
    sketches = sketch(texts, 15)
    held_out, known = sketches.of(np.arange(40, len(texts))), sketches.of(np.arange(len(texts)) < 40)
    found = nearest(held_out, known)
    assert found["target"].tolist()[: len(copies)] == [number for _, number, _ in copies]
    assert (found["share"][len(copies) :] < 0.01).all()  # a 15-mer comes again by chance now and then
    part = covered(held_out, known)
    exact = [kind in ("exact", "reverse complement") for kind, _, _ in copies]
    assert (part[: len(copies)] == 1)[exact].all() and (part[len(copies) :] < 0.02).all()


def test_a_family_of_a_thousand_is_one_group_whatever_the_cap():
    rng = np.random.default_rng(2)
    founder = drawn(rng, 200)
    texts = [mutated(rng, founder, 0.01) for _ in range(1000)] + [drawn(rng, 200) for _ in range(100)]
    sketches = sketch(texts)
    label = groups(sketches, cap=20)
    assert (label[:1000] == 0).all() and label.max() == 100
    found = near_copies(sketches.of(np.arange(900, 1100)), sketches.of(np.arange(900)), cap=20)
    assert sorted(found.table["query"].unique()) == list(range(100)) and found.capped > 100
    assert (found.table["common"] > 0.5).all()  # nearly all that they share is common to the family: said of each pair


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_what_repeats_hold_in_common_is_counted_for_those_alike(share):
    """Oracle: sets of words. Sixty sequences hold parts of one element, some are copies of others beside it."""
    rng = np.random.default_rng(5)
    element = drawn(rng, 60)
    texts = []
    for row in range(60):
        own = drawn(rng, int(rng.integers(20, 120)))
        if row % 4 == 1:
            own = texts[row - 1][: int(rng.integers(40, 90))] + own[:30]
        at = int(rng.integers(0, len(own)))
        texts.append(own[:at] + element[int(rng.integers(0, 20)) : int(rng.integers(30, 60))] + own[at:])
    found = near_copies(sketch(texts, 11), share=share, best=None, cap=10_000).table
    got = {tuple(sorted((q, t))): s for q, t, s in zip(found["query"], found["target"], found["shared"])}
    assert got == pairs_by_sets(texts, 11, share) and len(got) >= 5


def test_without_the_kmers_of_repeats_all_other_pairs_are_found():
    """Oracle: all pairs, of which those that share repeats mostly are left out; strangers around 80 copies of one element."""
    rng = np.random.default_rng(3)
    element = drawn(rng, 120)
    texts = [drawn(rng, 90) + mutated(rng, element, 0.01) + drawn(rng, 90) for _ in range(80)]
    texts += [drawn(rng, 20) + texts[row][:200] for row in range(5)]  # copies that hold the element too
    texts += [reverse(mutated(rng, texts[9], 0.02)), *(drawn(rng, 300) for _ in range(20))]
    sketches = sketch(texts, 15)
    every = near_copies(sketches, None, 0.15, best=None).table
    wanted = every[every["common"] <= 0.5].reset_index(drop=True)
    found = near_copies(sketches, None, 0.15, best=None, repeats=0.5).table
    assert len(every) > 3000 and len(found) < 50
    found = found[found["common"] <= 0.5].reset_index(drop=True)
    order = ["query", "target"]
    pd.testing.assert_frame_equal(
        found.sort_values(order, ignore_index=True), wanted.sort_values(order, ignore_index=True)
    )
    assert len(wanted) >= 6


def test_a_sample_of_the_kmers_estimates_the_share_without_bias():
    rng = np.random.default_rng(3)
    texts = [drawn(rng, 20_000) for _ in range(12)]
    texts += [reverse(mutated(rng, text, 0.02)) for text in texts]
    whole, part = (near_copies(sketch(texts, 21, fraction), share=0.3).table for fraction in (1.0, 1 / 16))
    pairs = [{tuple(sorted(pair)) for pair in zip(one["query"], one["target"])} for one in (whole, part)]
    assert pairs[0] == pairs[1] and len(part) == 12
    # 1,250 k-mers, standard error of a share .014 each
    assert part["share"].mean() == pytest.approx(whole["share"].mean(), abs=0.015)


def test_threads_and_generators_change_nothing(planted):
    texts = [text for _, _, text in planted[1]]
    one, other = sketch(texts, 15), sketch((text.encode() for text in texts), 15, cores=2, count=len(texts))
    assert (one.entries == other.entries).all() and (one.sizes == other.sizes).all()
    tables = [near_copies(one, share=0.3, cores=cores).table for cores in (1, 2)]
    pd.testing.assert_frame_equal(*tables)


def test_sequences_longer_than_a_chunk_keep_every_kmer_once():
    rng = np.random.default_rng(4)
    long = rng.choice(np.frombuffer(b"ACGT", np.uint8), 600_000)
    assert sketch([long], 31).sizes.tolist() == [600_000 - 30]


def test_empty_input():
    assert len(sketch([])) == 0 and near_copies(sketch([])).pairs == 0 and exact_copies([]).empty
    assert near_copies(sketch(["", "ACGT", "N" * 40])).pairs == 0


def test_sketches_of_different_calls_are_refused():
    with pytest.raises(ValueError, match="parts of one sketch"):
        near_copies(sketch(["ACGT" * 10]), sketch(["ACGT" * 10]))


def test_k_and_fraction_grow_with_the_data():
    assert suited_k(10**6, 50) == 11 and suited_k(10**6, 251) == 15 and suited_k(6 * 10**9, 32_768) == 21
    assert suited_fraction(116_000_000) == 1 and 75e6 < suited_fraction(6_200_000_000) * 6.2e9 <= 150e6


def _sequences(folder, name):
    if name == "uci_splice":
        return [line.split(",")[2].strip() for line in (folder / name / "splice.data").open()]
    if name == "tf_peaks_hg19":
        texts = []
        for file in ("ctcf", "pu1"):
            for line in gzip.decompress((folder / name / f"{file}.fa.gz").read_bytes()).decode().splitlines():
                if line[0] == ">":
                    texts.append("")
                else:
                    texts[-1] += line.strip()
        return texts
    file, column = {
        "gb_human_nontata_promoters": ("test", "seq"),
        "gb_human_ensembl_regulatory_sample": ("sample", "seq"),
        "ecoli_promoter_strength": ("promoters", "sequence"),
    }[name]
    return pd.read_csv(folder / name / f"{file}.csv.gz")[column].tolist()


@pytest.mark.real
@pytest.mark.parametrize(
    "name",
    [
        "gb_human_nontata_promoters",
        "gb_human_ensembl_regulatory_sample",
        "ecoli_promoter_strength",
        "uci_splice",
        "tf_peaks_hg19",
    ],
)
def test_counts_equal_those_of_independent_audits(test_data, name):
    expected = json.loads((test_data / "sequences" / "expected" / f"audit_{name}.json").read_text())
    texts = _sequences(test_data / "sequences", name)
    sketches = sketch(texts, expected["near_copies"]["k"])
    found = near_copies(sketches, share=expected["near_copies"]["share_of_smaller_kmer_set"])
    label = groups(sketches, share=expected["near_copies"]["share_of_smaller_kmer_set"])
    copies = exact_copies(texts)
    strands = copies.groupby("copy")["strand"].nunique() > 1
    got = {
        "pairs": found.pairs,
        "rows_with_a_neighbour": found.queries,
        "components": label.max() + 1,
        "largest_component": np.bincount(label).max(),
        "rows_without_any_kmer": (sketches.sizes == 0).sum(),
        "groups_with_both_strands": strands.sum(),
        "rows_in_groups": copies["copy"].isin(strands.index[strands]).sum(),
        "own_reverse_complement": copies["palindrome"].sum(),
    }
    wanted = expected["near_copies"] | expected["reverse_complement"]
    assert got == {key: wanted[key] for key in got}
    assert copies.groupby(["copy", "strand"]).ngroups == expected["exact"]["distinct_sequences"]
