"""Where alleles differ, cuts around it, and the published cut that is made too late."""

import numpy as np
import pytest
from diagnosis_data import data_folder, expected
from glmflow.genome.allele_change import (
    change_of,
    common_start,
    crop,
    first_letters,
    hidden,
    published_truncation,
    reaches_the_end,
    uncut,
)
from glmflow.tasks.diagnosis.question_layouts import read_questions


def random_bases(generator, length):
    return "".join(generator.choice(list("ACGT"), length))


@pytest.mark.parametrize(
    ("ref", "alt", "kind", "change"),
    [
        ("AACAA", "AATAA", "snv", (2, 3, 3)),
        ("AACGAA", "AATTAA", "mnv", (2, 4, 4)),
        ("AACC", "AAGCC", "insertion", (2, 2, 3)),
        ("AAGCC", "AACC", "deletion", (2, 3, 2)),
        ("ACACAC", "ACAC", "deletion", (4, 6, 4)),
        ("ACGT", "ACGT", "none", (4, 4, 4)),
    ],
)
def test_kind_and_place_of_a_change(ref, alt, kind, change):
    assert change_of(ref, alt) == change
    assert change_of(ref, alt).kind == kind


def test_a_change_turns_one_allele_into_the_other():
    generator = np.random.default_rng(0)
    for _ in range(200):
        left, right = (random_bases(generator, generator.integers(0, 9)) for _ in range(2))
        ref, alt = (left + random_bases(generator, generator.integers(0, 4)) + right for _ in range(2))
        found = change_of(ref, alt)
        assert ref[: found.start] + alt[found.start : found.alt_end] + ref[found.ref_end :] == alt


def test_a_crop_keeps_the_change_and_the_same_flanks():
    generator = np.random.default_rng(1)
    for _ in range(200):
        left, right = random_bases(generator, 30), random_bases(generator, 30)
        ref, alt = left + "A" + right, left + random_bases(generator, generator.integers(1, 6)) + right
        one, other = crop(ref, alt, 7)
        assert (ref == alt) == (one == other)
        if ref == alt:
            continue
        change = change_of(one, other)
        assert change.start == 7 and one[:7] == other[:7]
        assert len(one) - change.ref_end == len(other) - change.alt_end == 7
        assert one[change.ref_end :] == other[change.alt_end :]


def test_a_crop_at_the_end_of_an_allele_is_shorter():
    assert crop("ACGTA", "TCGTA", 3) == ("ACGT", "TCGT")


def test_a_window_of_fixed_length_gets_its_common_end_back():
    generator = np.random.default_rng(2)
    window = random_bases(generator, 200)
    inserted = (window[:100] + "GATTACA" + window[100:])[:200]
    ref, alt = uncut(window, inserted)
    assert (ref, alt) == (window[:-7], inserted)
    assert change_of(ref, alt).kind == "insertion" and change_of(ref, alt).alt_end - change_of(ref, alt).start == 7
    deleted = (window[:100] + window[105:]).ljust(200, "N")
    ref, alt = uncut(window, deleted)
    assert ref == window and len(alt) == 195 and change_of(ref, alt).kind == "deletion"
    substituted = window[:100] + {"A": "C"}.get(window[100], "A") + window[101:]
    assert uncut(window, substituted) == (window, substituted)


def test_windows_that_are_not_aligned_behind_a_change_are_seen():
    window = random_bases(np.random.default_rng(4), 200)
    inserted = (window[:100] + "GATTACA" + window[100:])[:200]
    assert reaches_the_end(window, inserted) and not reaches_the_end(*uncut(window, inserted))
    last = window[:-1] + {"A": "C"}.get(window[-1], "A")
    assert not reaches_the_end(window, last) and not reaches_the_end(window, window + "ACGT" * 9)


def test_the_published_cut_of_each_allele_by_itself():
    generator = np.random.default_rng(3)
    for case in expected("truncate")["cases"]:
        ref = case["reference"] or random_bases(generator, case["reference_length"])
        found = published_truncation(ref, case["per_side"])
        assert len(found) == case["out_reference_length"]
        assert len(published_truncation("A" * case["variant_length"], case["per_side"])) == case["out_variant_length"]
        if case["out_reference"] is not None:
            assert found == case["out_reference"]


def test_the_first_tokens_of_both_alleles_are_the_same_where_the_cut_comes_too_late():
    rows = [read_questions("kegg", data_folder() / f"kegg/{split}.json") for split in ("val", "test")]
    pairs = [pair for table in rows for pair in zip(table["sequence_ref"], table["sequence_alt"])]
    fault = expected("truncation_order_fault")
    same = fault["items_whose_reference_and_variant_tokens_are_identical_at_max_length_dna"]
    for kept, count in same.items():
        refs, alts = zip(*(first_letters(ref, alt, int(kept)) for ref, alt in pairs))
        assert len(hidden(refs, alts)) == count
    cut = [len(published_truncation(ref, 1024)) < len(ref) for ref, _ in pairs]
    assert len(pairs) == fault["items"] and sum(cut) >= fault["columns_truncated"]
    assert not hidden(*zip(*(crop(ref, alt, 64) for ref, alt in pairs)))


def test_the_common_start():
    assert common_start("ACG", "ACGT") == 3 and common_start("", "A") == 0 and common_start("CC", "GC") == 0
