"""Counts of contexts against a plain count, and what a mixture of them makes of sequences whose entropy is known."""

from collections import Counter

import numpy as np
import pytest
from glmflow.statistics.context_counts import ContextCounts, contexts, known_before, other_strand
from glmflow.statistics.context_mixture import ContextMixture, fixed_order_nats


def drawn(rng, length, gaps=0):
    codes = rng.integers(4, size=length).astype(np.uint8)
    codes[rng.integers(length, size=gaps)] = 4
    return codes


def counted(sequences, longest, order):
    """Count what follows each context by hand, of places whose `longest` bases before them are all known."""
    found = Counter()
    for codes in sequences:
        for place in range(longest, len(codes)):
            if (codes[place - longest : place + 1] < 4).all():
                found[tuple(codes[place - order : place]), int(codes[place])] += 1
    return found


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("order", [0, 1, 3, 5])
def test_counts_are_those_of_a_plain_count(order, both):
    rng = np.random.default_rng(order)
    sequences = [drawn(rng, 400, gaps=5), drawn(rng, 7)]
    counts = ContextCounts(sequences, 5, both_strands=both)
    strands = sequences + [other_strand(one) for one in sequences] if both else sequences
    truth = counted(strands, 5, order)
    asked = drawn(rng, 200)
    keys = contexts(asked, 5)
    found = counts.following(keys, order)
    for place in range(5, 200):
        context = tuple(asked[place - order : place])
        assert found[:, place].tolist() == [truth[context, base] for base in range(4)]


@pytest.mark.parametrize("order", [0, 2, 3, 5])
@pytest.mark.parametrize("short", [0, 3, 11])
def test_contexts_that_are_looked_up_and_searched_for_are_counted_alike(order, short, monkeypatch):
    monkeypatch.setattr("glmflow.statistics.context_counts.SHORT", short)
    rng = np.random.default_rng(order)
    sequences, asked = [drawn(rng, 600)], drawn(rng, 100)
    truth, counts = counted(sequences, 5, order), ContextCounts(sequences, 5, both_strands=False)
    keys = contexts(asked, 5)
    own, total = next(iter(counts.own(keys, asked, [order])))[1:]
    for place in range(5, 100):
        context = tuple(asked[place - order : place])
        assert own[place] == truth[context, int(asked[place])]
        assert (
            total[place]
            == sum(truth[context, base] for base in range(4))
            == counts.following(keys, order)[:, place].sum()
        )


def test_a_gap_ends_what_is_known():
    codes = np.array([0, 1, 4, 2, 3, 0, 1], np.uint8)
    assert known_before(codes, 3).tolist() == [0, 1, 2, 0, 1, 2, 3]


def test_other_strand_turned_twice_is_the_sequence():
    codes = np.array([0, 1, 2, 3, 4, 4, 2], np.uint8)
    assert other_strand(codes).tolist() == [1, 4, 4, 0, 1, 2, 3]
    assert (other_strand(other_strand(codes)) == codes).all()


def chain(rng, length):
    """A chain of order 2 whose entropy a base is known: each context prefers one base with 0.7, the others 0.1."""
    codes = np.zeros(length, np.uint8)
    uniform = rng.random(length)
    for place in range(2, length):
        likely = (codes[place - 1] + 2 * codes[place - 2]) % 4
        codes[place] = likely if uniform[place] < 0.7 else (likely + 1 + int((uniform[place] - 0.7) * 10)) % 4
    return codes, -0.7 * np.log(0.7) - 0.3 * np.log(0.1)


def test_a_mixture_comes_close_to_the_entropy_and_never_below_it():
    rng = np.random.default_rng(1)
    codes, entropy = chain(rng, 60_000)
    mixture = ContextMixture([codes[:50_000]], (1, 2, 3, 4, 6, 8, 11), both_strands=False)
    loss = mixture.nats(codes[50_000:])
    error = loss.std() / len(loss) ** 0.5
    assert -3 * error < loss.mean() - entropy < 0.03


def test_a_fixed_order_is_add_one_of_its_counts():
    rng = np.random.default_rng(2)
    train, test = drawn(rng, 3000), drawn(rng, 500, gaps=4)
    counts = ContextCounts([train], 4, both_strands=False)
    truth = counted([train], 4, 2)
    found = fixed_order_nats(counts, 2, test)
    for place in range(4, 500):
        if test[place] > 3:
            assert np.isnan(found[place])
        elif (test[place - 2 : place] < 4).all():
            context = tuple(test[place - 2 : place])
            total = sum(truth[context, base] for base in range(4))
            assert found[place] == pytest.approx(-np.log((truth[context, int(test[place])] + 1) / (total + 4)))


def test_a_copy_of_either_strand_costs_next_to_nothing_and_a_new_sequence_two_bits():
    rng = np.random.default_rng(3)
    train = drawn(rng, 50_000)
    mixture = ContextMixture([train])
    copy, turned, new = train[1000:3000], other_strand(train[1000:3000]), drawn(rng, 5000)
    assert mixture.nats(copy)[200:].mean() < 0.3
    assert mixture.nats(turned)[200:].mean() < 0.3
    assert mixture.nats(new).mean() / np.log(2) > 1.99
    assert ContextMixture([train], both_strands=False).nats(turned)[200:].mean() / np.log(2) > 1.95


def test_unknown_bases_cost_nothing_and_are_looked_over():
    rng = np.random.default_rng(4)
    train = drawn(rng, 5000)
    test = train[:300].copy()
    test[100] = 4
    cost = ContextMixture([train]).nats(test)
    assert np.isnan(cost[100]) and np.isfinite(np.delete(cost, 100)).all()


def test_probabilities_of_the_four_bases_add_up_to_one():
    rng = np.random.default_rng(5)
    mixture = ContextMixture([drawn(rng, 20_000)])
    head = drawn(rng, 300)
    last = [np.exp(-mixture.nats(np.append(head, np.uint8(base)))[-1]) for base in range(4)]
    assert sum(last) == pytest.approx(1.0)


def test_long_sequences_are_scored_in_stretches_as_in_one(monkeypatch):
    rng = np.random.default_rng(6)
    mixture, test = ContextMixture([drawn(rng, 20_000)]), drawn(rng, 3000, gaps=3)
    whole = mixture.nats(test)
    monkeypatch.setattr("glmflow.statistics.context_mixture.STRETCH", 700)
    np.testing.assert_allclose(mixture.nats(test), whole, rtol=1e-9)
