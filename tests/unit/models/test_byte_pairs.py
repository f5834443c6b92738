"""Byte-pair vocabularies: those of stored merges, bounds of length, both strands, and what is measured of them."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from glmflow.bases import other_strand
from glmflow.errors import InputError
from glmflow.models.byte_pairs import SPECIAL, describe, pieces, train_byte_pairs


def merges(tokenizer):
    return [list(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]


def test_stored_vocabularies():
    folder = os.environ.get("GLMFLOW_TEST_DATA")
    files = sorted(Path(folder, "genomes/expected").glob("bpe_*.json")) if folder else []
    if not files:
        pytest.skip("GLMFLOW_TEST_DATA is unset, or has no genomes")
    for path in files:
        wanted = json.loads(path.read_text())
        made = train_byte_pairs(wanted["corpus"], wanted["vocab_size"], both_strands=False)
        assert merges(made) == wanted["merges"]
        assert made.encode(wanted["test"]).ids == wanted["test_ids"]
        assert len(wanted["test"]) / len(wanted["test_ids"]) == pytest.approx(wanted["bases_per_token"])
        strands = wanted["strand"]
        assert len(made.encode(wanted["test"]).ids) == strands["n_tokens_forward"]
        assert len(made.encode(other_strand(wanted["test"])).ids) == strands["n_tokens_reverse_complement"]
        capped = wanted["capped"]
        short = train_byte_pairs(wanted["corpus"], wanted["vocab_size"], capped["max_token_length"], both_strands=False)
        assert merges(short) == capped["merges"]


def drawn(length, seed=0):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length))


def test_no_token_is_longer_than_asked():
    repeats = "ACGTTGCA" * 400
    long, short = train_byte_pairs([repeats], 64), train_byte_pairs([repeats], 64, max_token_length=5)
    assert max(map(len, set(long.get_vocab()) - set(SPECIAL))) > 16
    assert max(map(len, set(short.get_vocab()) - set(SPECIAL))) <= 5


def test_both_strands_make_one_vocabulary_of_either():
    text = drawn(5000)
    assert merges(train_byte_pairs([text], 80)) == merges(train_byte_pairs([other_strand(text)], 80))


def test_pieces_hold_every_base_once_on_each_strand():
    text = drawn(2500)
    found = list(pieces([text.lower()], both_strands=True))
    assert "".join(found[:3]) == text and "".join(found[3:]) == other_strand(text)
    assert max(map(len, found)) == 1000


def test_letters_alone_are_one_base_a_token_on_both_strands():
    made = train_byte_pairs([drawn(3000)], 11, both_strands=False)
    (pair,) = merges(made)
    found = describe(made, ["ACGT" * 100])
    expected = 1 if "".join(pair) not in "ACGTACGT" else 4 / 3
    assert found["bases_per_token"] == pytest.approx(expected, rel=0.02)
    assert 0 <= found["unused"] < 1


def test_the_entropy_of_the_lengths_of_tokens():
    (letters, pairs) = (train_byte_pairs(["AC" * 50], size, both_strands=False) for size in (10, 11))
    assert describe(letters, ["ACAC"])["length_bits"] == 0
    # "AC" is one token, other bases stand alone: ACG is two lengths, one of each; ACGT ACAC are two of one and three of two.
    assert describe(pairs, ["ACG"])["length_bits"] == pytest.approx(1)
    known = describe(pairs, ["ACGTACAC"])
    assert known["length_bits"] == pytest.approx(-(0.4 * np.log2(0.4) + 0.6 * np.log2(0.6)))
    assert known["bases_per_token"] == pytest.approx(8 / 5)


def test_a_base_exchanged_changes_its_tokens_alone():
    made = train_byte_pairs([drawn(20_000)], 300)
    found = describe(made, [drawn(500, seed) for seed in range(1, 30)])
    assert 1 <= found["changed"] < 8
    assert 1.5 < found["bases_per_token"] < 5
    assert found["unigram_bits"] > 1.95, "no vocabulary makes random bases cheaper"
    assert 0 < found["strands"] < 1


def test_a_vocabulary_of_single_bases_and_one_of_nothing():
    letters = train_byte_pairs(["ACGTACGT"], 10)
    assert sorted(token for token in letters.get_vocab() if len(token) == 1) == list("ACGNT")
    assert letters.get_vocab_size() == 10 and letters.encode("ACGT").tokens == list("ACGT")
    with pytest.raises(InputError, match="no room for the letters"):
        train_byte_pairs(["ACGT"], 9)
    with pytest.raises(InputError, match="no sequence"):
        train_byte_pairs([], 50)
