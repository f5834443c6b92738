"""What stands for the training sequences of a large corpus: even over all of them, of a seed alone, with no word over a join."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from glmflow.corpus.corpus_build import build
from glmflow.corpus.corpus_store import Corpus
from glmflow.corpus.training_part import drawn_stretches, part_texts, training_part, training_pieces
from glmflow.dna.markov import Chain
from glmflow.training.pretraining_source import CorpusSource

LENGTHS = [40_000, 20_000, 20_000, 5000, 1500, 1500]
SPLIT = {"by": "contig", "validation": 0, "test": 0}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Six unrelated genomes, the largest first."""
    folder, rng = tmp_path_factory.mktemp("part"), np.random.default_rng(1)
    texts = {f"g{n}": "".join(rng.choice(list("ACGT"), length)) for n, length in enumerate(LENGTHS)}
    (folder / "a.fa").write_text("".join(f">{name}\n{text}\n" for name, text in texts.items()))
    build({"sources": [{"path": str(folder / "a.fa")}], "split": SPLIT}, folder / "corpus")
    return Corpus(folder / "corpus")


def taken_of(stretches, count):
    found = np.zeros(count, int)
    for number, start, end in stretches:
        found[number] += end - start
    return found


@pytest.mark.parametrize("most", [sum(LENGTHS), 10**9])
def test_where_all_fits_it_is_all_in_its_order(corpus, most):
    part = training_part(corpus, most, whole=700)
    assert part.texts == part_texts(corpus, "train") and part.left == 0 and part.bases == sum(LENGTHS)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("most", "size"), [(87_999, 1000), (44_000, 1000), (8800, 100), (12_345, 137), (500, 1000)])
def test_it_is_never_more_and_no_base_comes_twice(most, size, seed):
    seen = [np.zeros(length, int) for length in LENGTHS]
    for number, start, end in drawn_stretches(LENGTHS, most, size, seed):
        assert 0 <= start < end <= LENGTHS[number] and end - start <= size
        seen[number][start:end] += 1
    assert max(own.max() for own in seen) == 1
    assert most - 2 * (most // size + 1) <= sum(own.sum() for own in seen) <= most


def test_every_genome_counts_by_its_length():
    # A part is 880 bases, of which 88 are taken: of a genome it is off by what two parts hold at most.
    taken = taken_of(drawn_stretches(LENGTHS, 8800, 88), len(LENGTHS))
    assert (np.abs(taken - np.array(LENGTHS) / 10) <= 2 * 88).all() and taken.sum() == 8800
    mean = np.mean([taken_of(drawn_stretches(LENGTHS, 8800, 880, seed), 6) for seed in range(4000)], axis=0)
    assert mean == pytest.approx(np.array(LENGTHS) / 10, rel=0.1)  # short ones too, though a stretch is half of one


def test_places_are_those_of_the_seed():
    one, again, other = (list(drawn_stretches(LENGTHS, 8000, 500, seed)) for seed in (1, 1, 2))
    assert one == again != other
    (start,) = {start for _, start, _ in drawn_stretches([10**6], 1000, 1000, 5)}
    assert start > 0  # not the first bases of the first sequence


def test_two_processes_take_the_same(corpus):
    code = (
        "import sys, hashlib; from glmflow.corpus.corpus_store import Corpus; from glmflow.corpus.training_part import training_part\n"
        "print(hashlib.sha256('|'.join(training_part(Corpus(sys.argv[1]), 20_000).texts).encode()).hexdigest())"
    )
    done = subprocess.run([sys.executable, "-c", code, corpus.folder], capture_output=True, text=True, check=True)
    own = "|".join(training_part(corpus, 20_000).texts).encode()
    assert done.stdout.strip() == hashlib.sha256(own).hexdigest()


def test_vocabularies_and_chains_see_all_genomes_and_no_word_over_a_join(corpus):
    genomes = part_texts(corpus, "train")
    texts = CorpusSource(corpus.folder).texts(8800)
    assert sum(map(len, texts)) <= 8800
    owners = [{n for n, genome in enumerate(genomes) if text in genome} for text in texts if len(text) >= 30]
    assert all(len(one) == 1 for one in owners) and {0, 1, 2} <= set().union(*owners)
    known = {genome[start : start + 9] for genome in genomes for start in range(len(genome) - 8)}
    counted = np.argwhere(Chain(texts, 8).table > 0)
    words = {"".join("ACGT"[(kmer >> (2 * p)) & 3] for p in range(7, -1, -1)) + "ACGT"[base] for kmer, base in counted}
    assert len(words) > 5000 and words <= known


def test_what_is_to_be_found_whole_is_taken_whole(corpus):
    texts = training_part(corpus, 40_000, whole=2500).texts
    assert max(map(len, texts)) == 10_000


def test_pieces_say_where_they_are_of(corpus):
    genomes = dict(zip(corpus.table["sequence"], part_texts(corpus, "train")))
    pieces = training_pieces(corpus, 30_000, 200)
    assert pieces["example"].is_unique and len({name.split(":")[0] for name in pieces["example"]}) >= 3
    for name, text in zip(pieces["example"], pieces["sequence"]):
        genome, start = name.split(":")
        assert genomes[genome][int(start) :].startswith(text) and len(text) <= 1200
