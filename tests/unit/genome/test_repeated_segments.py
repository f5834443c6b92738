"""Synthetic repeats and the repeats found in a sequence."""

import os
from pathlib import Path

import numpy as np
import pytest
from glmflow.bases import reverse_complement
from glmflow.genome.repeated_segments import (
    BASES,
    RECOGNISED,
    find_repeats,
    markov_chain,
    markov_sequences,
    needles,
    plant_copies,
    substitute,
)

CHAIN = markov_chain(np.random.default_rng(0))


def background(windows, length, seed=1):
    return markov_sequences(CHAIN, windows, length, np.random.default_rng(seed))


def ascii_codes(text):
    return np.frombuffer(text.encode(), np.uint8)


def test_markov_sequences_follow_their_chain():
    sequence = background(400, 2000)
    code = np.searchsorted(BASES, sequence)
    context = 16 * code[:, :-3] + 4 * code[:, 1:-2] + code[:, 2:-1]
    for state in (0, 17, 63):
        following = code[:, 3:][context == state]
        observed = np.bincount(following, minlength=4) / len(following)
        np.testing.assert_allclose(observed, CHAIN[state], atol=5 / np.sqrt(len(following)))


def test_the_default_chain_is_as_flat_as_dna():
    entropy = -(CHAIN * np.log(CHAIN)).sum(axis=1).mean()
    assert 1.2 < entropy < 1.3  # nats; uniform is ln 4 = 1.386


@pytest.mark.parametrize("length, low, high", [(128, 0.2, 0.35), (2048, 0.3, 0.42)])
def test_a_third_of_the_bases_continue_a_copy(length, low, high):
    windows = plant_copies(background(100, length), np.random.default_rng(2))
    assert low < windows.repeat.mean() < high


def test_marked_bases_do_continue_an_earlier_segment():
    windows = plant_copies(background(20, 1024), np.random.default_rng(2), substitutions=0)
    for sequence, repeat in zip(windows.sequence, windows.repeat):
        text = sequence.tobytes()
        for end in np.flatnonzero(repeat):
            copied = text[end - RECOGNISED : end + 1]
            assert text.find(copied) < end - RECOGNISED


def test_substitutions_hit_the_asked_share_and_change_the_base():
    sequence = background(1, 100_000)[0]
    assert (substitute(sequence, 0.05, np.random.default_rng(0)) != sequence).mean() == pytest.approx(0.05, abs=0.003)
    assert (substitute(sequence, 1, np.random.default_rng(0)) != sequence).all()


def brute_force(text, k):
    found = np.zeros(len(text), int)
    for i in range(k, len(text)):
        before = text[i - k : i]
        place = text.rfind(before, 0, i - 1)
        if place >= 0 and set(before) <= set("ACGT"):
            found[i] = i - k - place
    return found


@pytest.mark.parametrize("text", ["ACGTACGTTACGTA", "AAAAAAAA", "ACGNACGNACGT", "ACG", ""])
def test_repeats_equal_a_search_for_each_base(text):
    np.testing.assert_array_equal(find_repeats(ascii_codes(text), 3), brute_force(text, 3))


def test_repeats_of_random_dna_equal_a_search():
    text = background(1, 3000)[0].tobytes().decode()
    np.testing.assert_array_equal(find_repeats(ascii_codes(text), 6), brute_force(text, 6))


@pytest.mark.real
def test_human_dna_repeats_within_64_kb():
    folder = os.environ.get("GLMFLOW_TEST_DATA")
    if not folder or not (genome := Path(folder) / "human_chr20" / "genome.fa").exists():
        pytest.skip("set GLMFLOW_TEST_DATA to the folder of real test data")
    text = "".join(genome.read_text().split("\n")[1:])[:64_000].upper()
    real = (find_repeats(ascii_codes(text), 16) > 0).mean()
    shuffled = np.random.default_rng(0).permutation(ascii_codes(text))
    assert real > 0.005
    assert (find_repeats(shuffled, 16) > 0).mean() < 1e-4  # 64,000 / 4 ** 16 = 1.5e-5 expected by chance


def test_needles_differ_from_their_control_in_the_copy_alone():
    windows = background(3, 512)
    for needle in needles(windows, np.random.default_rng(0), [64, 100, 448], segment=64):
        start = 512 - 64 - needle.distance
        outside = np.ones(512, bool)
        outside[start : start + 64] = False
        np.testing.assert_array_equal(needle.repeat[outside], needle.control[outside])
        copy, query = needle.repeat[start : start + 64], needle.repeat[-64:]
        if needle.variant == "exact":
            np.testing.assert_array_equal(copy, query)
        elif needle.variant == "reverse_complement":
            np.testing.assert_array_equal(reverse_complement(copy), query)
        else:
            assert 0 < (copy != query).mean() < 0.3
