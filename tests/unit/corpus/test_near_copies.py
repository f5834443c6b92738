"""Near copies in a corpus: the longest of them is kept, on either strand; relatives and unrelated genomes stay."""

import numpy as np
import pandas as pd
import pytest
from glmflow.bases import other_strand
from glmflow.corpus.corpus_build import build
from glmflow.genome.similarity import representatives, sketch
from pydantic import ValidationError

SPLIT = {"by": "contig", "validation": 0, "test": 0}


def drawn(rng, length):
    return "".join(rng.choice(list("ACGT"), length))


def mutated(rng, text, share):
    letters = np.array(list(text))
    for place in np.flatnonzero(rng.random(len(text)) < share):
        letters[place] = rng.choice([base for base in "ACGT" if base != letters[place]])
    return "".join(letters)


@pytest.fixture
def made(tmp_path):
    def make(sequences, **settings):
        (tmp_path / "in.fa").write_text("".join(f">{name}\n{text}\n" for name, text in sequences.items()))
        block = {"sources": [{"path": str(tmp_path / "in.fa")}], "split": SPLIT, **settings}
        table = build(block, tmp_path / "corpus")
        read = pd.read_csv(tmp_path / "corpus/copies.tsv", sep="\t").set_index("sequence")
        counts = pd.read_csv(tmp_path / "corpus/counts.tsv", sep="\t").set_index("item")["count"]
        return table["sequence"].tolist(), read, counts

    return make


@pytest.fixture
def planted():
    rng = np.random.default_rng(3)
    one, other = drawn(rng, 30_000), drawn(rng, 30_000)
    return {
        "fragment": other_strand(mutated(rng, other[4000:9000], 0.003)),
        "one": one,
        "other": other,
        "exact": other_strand(one),
        "near": other_strand(mutated(rng, one, 0.003)),
        "relative": mutated(rng, one, 0.05),
        "unrelated": drawn(rng, 8000),
    }


def test_planted_copies_and_fragments_are_left_out_and_relatives_stay(made, planted):
    names, copies, counts = made(planted, near_copies=0.99)
    assert names == ["one", "other", "relative", "unrelated"]
    assert copies["copy_of"].to_dict() == {"exact": "one", "fragment": "other", "near": "one"}
    assert copies["kind"].to_dict() == {"exact": "exact", "fragment": "near", "near": "near"}
    assert copies["length"].to_dict() == {"exact": 30_000, "fragment": 5000, "near": 30_000}
    # Substitutions of 0.3 %; of the fragment about 500 21-mers are compared.
    assert copies["identity"].to_dict() == pytest.approx({"exact": 1, "fragment": 0.997, "near": 0.997}, abs=0.003)
    assert counts["copies of other sequences"] == 1 and counts["near copies of other sequences"] == 2


def test_without_the_key_exact_copies_alone_are_left_out(made, planted):
    names, copies, counts = made(planted)
    assert names == [name for name in planted if name != "exact"]
    assert copies.index.tolist() == ["exact"] and "near copies of other sequences" not in counts


def test_relatives_of_95_percent_are_copies_where_that_is_asked_for(made, planted):
    names, copies, _ = made(planted, near_copies=0.93)
    assert names == ["one", "other", "unrelated"] and copies.loc["relative", "copy_of"] == "one"
    assert copies.loc["relative", "identity"] == pytest.approx(0.95, abs=0.01)


def test_the_longest_is_kept_then_the_first(made):
    rng = np.random.default_rng(4)
    long, short = drawn(rng, 20_000), drawn(rng, 10_000)
    sequences = {"cut": long[:-500], "whole": long, "first": short, "second": mutated(rng, short, 0.001)}
    names, copies, _ = made(sequences, near_copies=0.99)
    assert names == ["whole", "first"] and copies["copy_of"].to_dict() == {"cut": "whole", "second": "first"}


def test_what_is_a_copy_of_a_copy_alone_stays(made):
    # Three windows of one genome, each shifted by a tenth: the outer two share eight tenths, 0.8^(1/21) = 0.9894.
    text = drawn(np.random.default_rng(5), 12_000)
    shifted = {"a": text[:10_000], "b": text[1000:11_000], "c": text[2000:12_000]}
    names, copies, _ = made(shifted, near_copies=0.992)
    assert names == ["a", "c"] and copies["copy_of"].to_dict() == {"b": "a"}


def test_a_longer_sequence_is_no_copy_of_what_it_holds_in_part_of_its_words(made):
    # The longer one repeats a word that the shorter one holds: most of the shorter one is nowhere else.
    rng = np.random.default_rng(6)
    word = drawn(rng, 1000)
    sequences = {"repeated": word * 12, "rich": word + drawn(rng, 9000)}
    assert made(sequences, near_copies=0.99)[0] == ["repeated", "rich"]


def test_a_crowd_of_copies_leaves_one():
    rng = np.random.default_rng(7)
    text = drawn(rng, 1000)
    crowd = [text, *(mutated(rng, text, 0.002) for _ in range(40)), drawn(rng, 1000)]
    first, share = representatives(sketch(crowd), 0.6, cap=5)
    assert (first == np.arange(42)).tolist() == [True, *[False] * 40, True]
    assert share[0] == share[41] == 1 and (share[1:41] >= 0.6).all()


@pytest.mark.parametrize("identity", [0.5, 1.1])
def test_an_identity_that_is_none_is_refused(made, identity):
    with pytest.raises(ValidationError):
        made({"a": "ACGT" * 500}, near_copies=identity)
