"""Statistics of generated sequences that models, motifs and 21-mers tell, against scipy, numpy and sets of words."""

import numpy as np
import pytest
import scipy.linalg
from glmflow.bases import other_strand
from glmflow.binding.motif_files import Motif, write_meme
from glmflow.dna import minhash
from glmflow.dna.gene_calls import start_and_stop_counts
from glmflow.dna.open_frames import Frame
from glmflow.likeness.compared_groups import beside_real, real_pieces, real_side
from glmflow.likeness.embedding_distance import Projection, frechet, moments, projection_of
from glmflow.likeness.further_measures import Further
from glmflow.likeness.group_values import GENERATED, REAL
from glmflow.likeness.motif_sets import hit_set, jaccard
from glmflow.likeness.shared_words import identity, real_held, shared_words
from glmflow.likeness.shared_words import jaccard as words_jaccard
from glmflow.validating.piece_judges import motifs_of


def drawn(length, seed, shares=(0.25, 0.25, 0.25, 0.25)):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length, p=shares))


def summed(embeddings, projection):
    return np.sum([moments(row, projection) for row in embeddings], axis=0)


# The distance of embeddings


def test_frechet_is_scipys():
    generator = np.random.default_rng(1)
    one = generator.normal(size=(40, 3)) @ generator.normal(size=(3, 3)) + [1, 2, 3]
    other = generator.normal(size=(30, 3))
    whole = Projection(np.zeros(3), np.eye(3), 1.0)  # nothing lies beside three axes
    means, covariances = zip(*((own.mean(0), np.cov(own.T, bias=True)) for own in (one, other)))
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1]).real
    wanted = ((means[0] - means[1]) ** 2).sum() + np.trace(covariances[0] + covariances[1] - 2 * root)
    sums = np.stack([summed(one, whole), summed(other, whole)])
    found = frechet(sums, {"embedding": summed(other, whole)})
    assert found == pytest.approx([wanted, 0], abs=1e-7)


def test_frechet_of_one_number_by_hand():
    line = Projection(np.zeros(1), np.eye(1), 2.0)
    found = frechet(summed([[4.0], [8.0]], line), {"embedding": summed([[-1.0], [1.0]], line)})
    assert found == pytest.approx((3 - 0) ** 2 + (1 - 0.5) ** 2)


def test_what_real_embeddings_never_do_is_seen():
    generator = np.random.default_rng(2)
    real = np.zeros((60, 30))
    real[:, :2] = generator.normal(size=(60, 2))
    projection = projection_of(real, most=2)
    assert projection.scale == pytest.approx(np.sqrt(np.var(real, axis=0).sum()))
    moved = real.copy()
    moved[:, 20] += 3 * projection.scale  # along no axis of real ones
    distances = frechet(
        np.stack([summed(real, projection), summed(moved, projection)]), {"embedding": summed(real, projection)}
    )
    assert distances == pytest.approx([0, 9], abs=1e-6)


# Motifs


def test_jaccard_of_motifs():
    sets = np.array([[1, 1, 0, 0], [1, 0, 1, 0]], bool)
    one, other = map(hit_set, sets)
    assert jaccard(one, {"motifs": other}) == pytest.approx(1 / 3)  # of single pieces: of their sets
    assert jaccard(np.stack([one, one + other]), {"motifs": one + other}) == pytest.approx([1.5 / 2.5, 1])
    assert np.isnan(jaccard(hit_set(np.zeros(4, bool)), {"motifs": hit_set(np.zeros(4, bool))}))


def test_sites_of_motifs_on_both_strands(tmp_path):
    words = "TGACTCATTT", "CCCGGGAACC"
    counts = [np.array([[100 * (base == own) for base in "ACGT"] for own in word], float) for word in words]
    write_meme([Motif(word, word, table) for word, table in zip(words, counts)], tmp_path / "own.meme")
    sites = motifs_of(tmp_path / "own.meme")
    assert sites("A" * 50 + words[0] + "A" * 50).tolist() == [True, False]
    assert sites("A" * 50 + other_strand(words[1]) + "A" * 50).tolist() == [False, True]
    assert sites("A" * 110).tolist() == [False, False]


# 21-mers


def test_shared_words_are_those_of_sets():
    real = [drawn(500, 1), drawn(500, 2)]
    held = minhash.hashes(real)
    pieces = [real[0][:300] + drawn(200, 3), other_strand(real[0][100:400]) + drawn(200, 4), drawn(500, 5)]
    rows = shared_words(pieces, held)
    wanted = minhash.shared(minhash.hashes(pieces), held)
    known = {"words": np.array([len(held)])}
    total = np.sum(rows, axis=0)
    assert words_jaccard(total, known) == pytest.approx(wanted.jaccard)
    assert real_held(total, known) == pytest.approx(wanted.second_in_first)
    assert identity(total, known) == pytest.approx(wanted.first_ani)
    assert [row[0] for row in rows] == [180, 180, 0]  # 100 to 300 of the same sequence: 180 words
    assert words_jaccard(np.sum(shared_words([drawn(300, 8)], held), axis=0), known) == 0


# Starts and stops


def test_starts_and_stops_on_both_strands():
    gene = "GTGAAACCCTAG"
    text = "C" + gene + "CC" + other_strand("ATGGGGTAA") + "C"
    frames = [Frame(1, 13, 1), Frame(15, 24, -1), Frame(0, 6, -1)]
    assert start_and_stop_counts(text, frames).tolist() == [1, 1, 0, 1, 1, 0]


# All of them beside controls


def test_each_sees_what_it_is_for(monkeypatch):
    monkeypatch.setattr("glmflow.dna.gene_calls.genes_known", lambda: False)
    word = "TGACTCATTTGC"

    def real(count, seed):
        return [drawn(180, seed + n) + word + drawn(208, seed + n + 500) for n in range(count)]

    def embed(piece):
        return np.array([piece.count("A"), piece.count("AC"), piece.count("GG"), 1.0])

    further = Further(
        lambda piece: 2.0 * len(piece),
        embed,
        lambda piece: np.array([word in piece, "ACGTAC" in piece, "GGG" in piece]),
    )
    training = real(60, 3000)
    pieces = real_pieces(real(45, 1000), training, {}, 400, 12, np.random.default_rng(0))
    side = real_side(pieces, training, 400, further)
    poor = [(str(n), drawn(400, n, (0.4, 0.1, 0.1, 0.4))) for n in range(12)]
    found = beside_real(poor, side, 200, np.random.default_rng(0)).values.set_index(["statistic", "group"])
    for name in ("frechet", "motif_jaccard", "compressor_bits"):
        assert found.loc[(name, GENERATED), "differs"], name
        assert np.isfinite(found.loc[name, ["value", "ci_low", "ci_high"]].to_numpy(float)).all(), name
        assert not found.loc[(name, "training copy"), "differs"] or name == "compressor_bits"
    assert "Markov-5" in found.loc[("motif_jaccard", REAL), "detects"].split("; ")
    assert "training copy" in found.loc[("compressor_bits", REAL), "detects"].split("; ")  # copies cost next to nothing
    assert found.loc[("judge_bits", GENERATED), "value"] == 2
    assert found.loc[("walk_distance", GENERATED), "value"] > 0
