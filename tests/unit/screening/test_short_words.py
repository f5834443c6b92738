"""Short words in a hazard's order: by hand, by place and strand, and what is no copy."""

import numpy as np
import pytest
from glmflow.bases import other_strand
from glmflow.genome.canonical import as_bases
from glmflow.screening.short_words import SPANS, ShortWords, word_length


def drawn(length, seed):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length))


NARROW, WIDE = SPANS
ONE, TWO = drawn(900, 1), drawn(900, 2)


@pytest.fixture(scope="module")
def words():
    return ShortWords([ONE, "", TWO])


@pytest.mark.parametrize("strand", [str, other_strand])
def test_a_piece_is_found_where_it_stands_and_named(words, strand):
    sequence = drawn(400, 3) + strand(TWO[300:350]) + drawn(400, 4)
    found = words.best(as_bases(sequence), NARROW)
    assert (found.start, found.end, found.hazard) == (400, 450, 2)
    assert found.covered == 50


def test_bases_count_once_however_many_words_hold_them(words):
    # Of nine bases, a changed one, nine bases ...: two words of eight each, which cover nine.
    own = "".join(ONE[start : start + 9] + "ACGT"["ACGT".index(ONE[start + 9]) - 1] for start in range(100, 150, 10))
    found = words.best(as_bases(own), NARROW)
    assert (found.start, found.end, found.covered) == (0, 50, 45)


def test_a_run_of_one_letter_is_no_copy_of_a_shorter_run():
    words = ShortWords([drawn(300, 5) + "A" * 20 + drawn(300, 6)])
    sequence = as_bases(drawn(200, 7) + "A" * 200 + drawn(200, 8))
    assert words.best(sequence, NARROW) is None
    assert words.best(sequence, WIDE) is None


def test_words_in_another_order_are_no_copy(words):
    pieces = [ONE[start : start + 12] for start in range(0, 888, 12)]
    order = np.random.default_rng(9).permutation(len(pieces))
    assert words.best(as_bases("".join(pieces[at] for at in order)), NARROW) is None


def test_what_has_no_word(words):
    for text in ("", "ACGT", "N" * 100):
        assert words.best(as_bases(text), WIDE) is None
    assert ShortWords(["", ""]).best(as_bases(ONE), WIDE) is None


def test_words_are_longer_in_a_longer_list():
    assert [word_length(bases) for bases in (0, 4**8, 4**8 + 1, 4**10, 4**10 + 1, 10**9)] == [8, 8, 9, 10, 11, 11]
