"""What a simulated genome costs those who know its source, beside what can be worked out of the source itself."""

import numpy as np
import pytest
from glmflow.config.simulation import Repeats
from glmflow.errors import InputError
from glmflow.genome.repeated_segments import markov_chain
from glmflow.simulate.outputs import stream
from glmflow.simulate.repeat_genome import repeat_contig, simulate_genome
from glmflow.simulate.repeat_truth import RepeatTruth
from glmflow.statistics.repeat_source import RepeatSource, stationary

CHAIN = markov_chain(np.random.default_rng(3))
LETTERS = np.frombuffer(b"ACGT", np.uint8)


def drawn(**settings):
    block = Repeats(contigs={"a": 60_000}, **settings)
    sequence, copies = repeat_contig(CHAIN, 60_000, stream(1, "a"), block)
    distance = np.zeros(60_000, np.int64)
    for start, end, back in copies:
        distance[start:end] = back
    return np.searchsorted(LETTERS, sequence).astype(np.uint8), distance


def test_copies_are_of_what_stands_that_far_back():
    codes, distance = drawn(substitutions=0.05)
    copied = np.flatnonzero(distance)
    equal = codes[copied] == codes[copied - distance[copied]]
    assert 1 - equal.mean() == pytest.approx(0.05, abs=0.01)
    # copies of 36 bases on average, gaps of 10
    assert len(copied) / (60_000 - 2048) == pytest.approx(36 / 46, abs=0.02)


def test_stationary_shares_stay_what_they_are():
    shares = stationary(CHAIN)
    after = np.zeros(64)
    for state in range(64):
        for base in range(4):
            after[(4 * state + base) % 64] += shares[state] * CHAIN[state, base]
    assert shares.sum() == pytest.approx(1) and after == pytest.approx(shares, abs=1e-12)


def test_the_cost_is_the_entropy_of_background_and_of_copies():
    s, (codes, distance) = 0.05, drawn(substitutions=0.05)
    source = RepeatSource(CHAIN, s)
    cost = source.nats(codes, distance, 0)
    of_copy = -(1 - s) * np.log(1 - s) - s * np.log(s / 3)
    assert cost[distance > 0].mean() == pytest.approx(of_copy, rel=0.05)
    assert cost[10:2048].mean() == pytest.approx(source.background, rel=0.05)
    shares = stationary(CHAIN)
    by_hand = -sum(
        shares[state] * CHAIN[state, base] * np.log(CHAIN[state, base]) for state in range(64) for base in range(4)
    )
    assert source.background == pytest.approx(by_hand)


def test_a_copy_whose_original_is_not_seen_costs_as_background_does():
    codes, distance = drawn(substitutions=0.0)
    source = RepeatSource(CHAIN, 0.0)
    start = int(np.flatnonzero(distance > 200)[0])
    copied = slice(start, start + 10)
    assert source.nats(codes, distance, 0)[copied] == pytest.approx(0)
    hidden = source.nats(codes, distance, start - 100)[100:110]
    assert (hidden > 0.01).all() and len(source.nats(codes, distance, start)) == 60_000 - start
    # The chain alone, from the fourth base of the copy on.
    state = int(codes[start + 4]) * 16 + int(codes[start + 5]) * 4 + int(codes[start + 6])
    assert hidden[7] == pytest.approx(-np.log(CHAIN[state, codes[start + 7]]))


def test_places_are_found_in_parts_of_contigs(tmp_path):
    simulate_genome(Repeats(contigs={"a": 6000, "b": 5000}, seed=2), tmp_path / "g.fa", tmp_path / "truth/r.npz")
    truth = RepeatTruth(tmp_path / "truth/r.npz")
    whole = truth.distances("a:0-6000")
    assert (whole[:2048] == 0).all() and (whole > 0).mean() > 0.4
    assert truth.distances("a:2000-5000:100-400").tolist() == whole[2100:2400].tolist()
    with pytest.raises(InputError, match="no simulated contig"):
        truth.distances("chr1:0-100")
