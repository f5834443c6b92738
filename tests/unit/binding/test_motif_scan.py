"""Motifs and their best sites: MOODS as the oracle (expected/pwm_scan.json), and a loop over all windows."""

import json

import numpy as np
import pandas as pd
import pytest
from glmflow.binding.motif_files import Motif, motifs_of, newest_versions, read_motifs, write_meme
from glmflow.binding.motif_scan import all_hits, best_sites, threshold_of
from glmflow.errors import InputError


@pytest.fixture(scope="module")
def oracle(test_data):
    return json.loads((test_data / "seq2cellxtf/expected/pwm_scan.json").read_text())


def motif_of(name, part):
    return Motif(name, part["name"], np.array([part["counts"][base] for base in "ACGT"]).T)


def test_best_sites_are_those_of_moods(oracle):
    names, sequences = list(oracle["sequences"]), list(oracle["sequences"].values())
    for setting in oracle["settings"]:
        motifs = [motif_of(*item) for item in oracle["motifs"].items()]
        matrices = [motif.log_odds(setting["background"], setting["pseudocount"]) for motif in motifs]
        found = best_sites(sequences, matrices)
        hits = all_hits(sequences, matrices, [setting["results"][motif.name]["threshold_p1e-4"] for motif in motifs])
        for column, motif in enumerate(motifs):
            for row, name in enumerate(names):
                expected = setting["results"][motif.name]["best"][name]
                own = found.score[row, column]
                if expected is None:
                    assert own == -np.inf
                    continue
                assert own == pytest.approx(expected["score"], abs=1e-6), (motif.name, name)
                same = found.position[row, column], found.reverse[row, column]
                if same != (expected["position"], expected["strand"] == "-"):  # equal but for the order of summing
                    place = expected["position"]
                    there = best_sites([sequences[row][place : place + motif.width]], [matrices[column]])
                    assert there.score[0, 0] == pytest.approx(own, abs=1e-9) and same[0] < place, (motif.name, name)
                assert ((hits.sequence == row) & (hits.motif == column)).sum() == expected["hits_p1e-4"]


def test_thresholds_are_those_of_moods_of_short_motifs_too(oracle):
    for setting in oracle["settings"]:
        for name, part in oracle["motifs"].items():
            matrix = motif_of(name, part).log_odds(setting["background"], setting["pseudocount"])
            found = threshold_of(matrix, 1e-4, setting["background"])
            assert found == pytest.approx(setting["results"][name]["threshold_p1e-4"], abs=1e-9), name


def test_the_best_word_of_a_motif_too_short_for_its_threshold_is_a_hit():
    matrix = np.where(np.eye(4)[[0, 0, 1, 2, 3]] > 0, 1.7, -2.1)  # AACGT: a chance of 1e-3
    found = all_hits(["TTAACGTCC", "TTAACGACC"], [matrix], [threshold_of(matrix)])
    assert found.sequence.tolist() == [0] and found.position.tolist() == [2] and found.score[0] == pytest.approx(8.5)


def plain_best(sequence, matrix):
    """Best score, place and strand by a loop over all windows."""
    found = []
    for reverse, own in ((False, matrix), (True, matrix[::-1, ::-1])):
        for place in range(len(sequence) - len(own) + 1):
            window = sequence[place : place + len(own)].upper()
            if set(window) <= set("ACGT"):
                total = sum(own[i]["ACGT".index(base)] for i, base in enumerate(window))
                found.append((round(total, 9), -place, not reverse))
    if not found:
        return -np.inf, -1, False
    score, place, forward = max(found)
    return score, -place, not forward


def test_best_sites_are_those_of_a_loop_at_every_place_and_width():
    rng = np.random.default_rng(0)
    matrices = [rng.normal(size=(width, 4)).round(1) for width in (4, 5, 6, 7, 11, 20)]
    sequences = ["".join(rng.choice(list("ACGTNacgt"), size)) for size in (3, 4, 6, 19, 20, 21, 90, 300)] + ["", "NNNN"]
    found = best_sites(sequences, matrices)
    for row, sequence in enumerate(sequences):
        for column, matrix in enumerate(matrices):
            score, place, reverse = plain_best(sequence, matrix)
            assert found.score[row, column] == pytest.approx(score, abs=1e-12)
            assert (found.position[row, column], found.reverse[row, column]) == (place, reverse) or score == -np.inf


def test_best_sites_of_many_motifs_are_those_of_a_plain_scan():
    """Several groups of motifs, telling and vague, one with an unlikely base; sequences around the length of a piece, with N and ties."""
    rng = np.random.default_rng(5)
    widths = rng.integers(1, 31, 70)
    matrices = [rng.normal(size=(width, 4)) * scale for width, scale in zip(widths, rng.choice([0.01, 1, 20], 70))]
    matrices[3][0, 2] = -300.0
    sequences = ["".join(rng.choice(list("ACGT"), size)) for size in (1, 31, 32, 33, 63, 64, 65, 95, 700)]
    sequences += ["A" * 200, "ACGT" * 30, "".join(rng.choice(list("ACGTN"), 500, p=[0.24] * 4 + [0.04]))]
    found = best_sites(sequences, matrices)
    for row, sequence in enumerate(sequences):
        codes = np.array(["ACGTN".index(base) for base in sequence])
        for column, matrix in enumerate(matrices):
            both = [np.pad(own, ((0, 0), (0, 1)), constant_values=-np.inf) for own in (matrix, matrix[::-1, ::-1])]
            places = np.arange(len(codes) - len(matrix) + 1)[:, None] + np.arange(len(matrix))
            scores = np.array([own[np.arange(len(matrix)), codes[places]].sum(axis=1) for own in both])
            best = scores.max(initial=-np.inf)
            assert found.score[row, column] == pytest.approx(best, abs=1e-9)
            if np.isfinite(best):
                first = np.argwhere((scores > best - 5e-10).T)[0]
                assert (found.position[row, column], found.reverse[row, column]) == tuple(first)


@pytest.mark.parametrize("p", [1e-4, 0.02])
def test_all_sites_above_a_threshold_are_those_of_a_loop(p):
    """Long sequences, so that sites are found by their words: telling and vague motifs, with N, at both ends."""
    rng = np.random.default_rng(2)
    matrices = [
        rng.normal(size=(width, 4)) * scale for width, scale in ((4, 2), (7, 1), (8, 3), (9, 1), (15, 2), (25, 1))
    ]
    sequences = ["".join(rng.choice(list("ACGTNg"), size, p=[0.24] * 4 + [0.01, 0.03])) for size in (24, 400, 3000)]
    least = [threshold_of(matrix, p) for matrix in matrices]
    found = all_hits(sequences, matrices, least)
    hits = set(zip(*(values.tolist() for values in found[:4])))
    expected = set()
    for row, text in enumerate(sequences):
        codes = np.array(["ACGTN".index(base) for base in text.upper()])
        for motif, matrix in enumerate(matrices):
            for reverse, own in ((False, matrix), (True, matrix[::-1, ::-1])):
                own = np.concatenate([own, np.full((len(own), 1), -np.inf)], axis=1)
                for place in range(len(text) - len(own) + 1):
                    if sum(own[i, codes[place + i]] for i in range(len(own))) >= least[motif]:
                        expected.add((row, motif, place, reverse))
    assert hits == expected and len(hits) == len(found.score) > (20 if p > 0.01 else 0)
    assert (np.diff(found.sequence) >= 0).all()


def test_the_last_position_of_a_short_motif_is_found():
    matrix = np.where(np.eye(4)[[0, 1, 2, 3]] > 0, 2.0, -2.0)  # ACGT
    found = best_sites(["GGGGGGGGGGGGACGT"], [matrix])
    assert found.score[0, 0] == 8 and found.position[0, 0] == 12


def test_the_threshold_is_that_of_all_words():
    rng = np.random.default_rng(1)
    matrix, background = rng.normal(size=(6, 4)), [0.3, 0.2, 0.2, 0.3]
    score, chance = np.zeros(1), np.ones(1)
    for row in matrix:
        score, chance = (score[:, None] + row).ravel(), (chance[:, None] * background).ravel()
    found = threshold_of(matrix, 0.01, background)
    assert chance[score >= found + 0.02].sum() <= 0.01 <= chance[score >= found - 0.05].sum()


def test_meme_and_jaspar_files_are_read(tmp_path):
    counts = np.array([[8.0, 1, 1, 0], [0, 10, 0, 0], [2, 2, 2, 4]])
    write_meme([Motif("MA0001.2", "MAX", counts), Motif("MA0002.1", "ARNT::HIF1A", counts)], tmp_path / "two.meme")
    (tmp_path / "one.jaspar").write_text(
        ">MA0001.2\tMAX\nA  [ 8 0 2 ]\nC  [ 1 10 2 ]\nG  [ 1 0 2 ]\nT  [ 0 0 4 ]\n>MA0009.1\tT\n1 2\n1 2\n1 2\n1 2\n"
    )
    meme, jaspar = read_motifs(tmp_path / "two.meme"), read_motifs(tmp_path / "one.jaspar")
    assert [motif.tf for motif in meme] == ["MAX", "ARNT::HIF1A"] and [motif.tf for motif in jaspar] == ["MAX", "T"]
    assert meme[0].counts == pytest.approx(counts) and (jaspar[0].counts == counts).all()
    (tmp_path / "bad.meme").write_text(
        "MEME version 4\nMOTIF a a\nletter-probability matrix: w= 3 nsites= 5\n.1 .2 .3 .4\n"
    )
    with pytest.raises(InputError, match="ends early"):
        read_motifs(tmp_path / "bad.meme")
    (tmp_path / "bad.txt").write_text("hello\n")
    with pytest.raises(InputError, match="neither MEME nor JASPAR"):
        read_motifs(tmp_path / "bad.txt")


def test_the_motifs_of_the_hackathon_are_read(test_data):
    folder = test_data / "seq2cellxtf/expected/hackathon_mini"
    motifs = {motif.tf: motif for motif in read_motifs(folder / "jaspar_meme.txt")}
    assert motifs["REST"].name == "MA0138.3" and motifs["REST"].width == 20 and motifs["MAX"].width == 6
    assert motifs["REST"].probabilities[0] == pytest.approx([0.036318, 0.168441, 0.091421, 0.70382], abs=1e-5)


def test_the_newest_version_of_man_is_taken():
    counts = np.ones((4, 4))
    motifs = [Motif(name, "AR", counts) for name in ("MA0007.2", "MA0007.10", "MA0007.9")]
    assert newest_versions(motifs)[0].name == "MA0007.10"
    assert newest_versions(motifs, {"MA0007.10": "Mus musculus", "MA0007.9": "Homo sapiens"})[0].name == "MA0007.9"


def test_without_species_capitals_tell_the_motifs_of_man():
    counts = np.ones((4, 4))
    names = [("MA0007.2", "AR"), ("MA0007.3", "Ar"), ("MA0029.1", "Mecom"), ("MA0259.1", "ARNT::HIF1A")]
    found = newest_versions([Motif(*name, counts) for name in names])
    assert [motif.name for motif in found] == ["MA0007.2", "MA0029.1", "MA0259.1"]


def test_an_older_version_is_found_by_its_id_alone():
    counts = np.ones((4, 4))
    versions = [Motif("MA0106.2", "TP53", counts), Motif("MA0106.3", "TP53", counts)]
    names = pd.DataFrame({"tf": ["p53"], "motif": ["MA0106.2"]})
    found = motifs_of(["p53", "TP53"], newest_versions(versions), names, older=versions)
    assert [[motif.name for motif in own] for own in found.values()] == [["MA0106.2"], ["MA0106.3"]]


def test_tfs_find_their_motifs_by_name_or_alias():
    counts = np.ones((4, 4))
    motifs = [Motif("M1", "Max", counts), Motif("M2", "MAX", counts), Motif("M3", "TP53", counts)]
    names = pd.DataFrame({"tf": ["p53", "EP300"], "motif": ["M3", "TP53"]})
    found = motifs_of(["MAX", "p53", "EP300"], motifs, names)
    assert [[motif.name for motif in own] for own in found.values()] == [["M1", "M2"], ["M3"], ["M3"]]
    with pytest.raises(InputError, match="1 TFs without a motif: TAF1"):
        motifs_of(["MAX", "TAF1"], motifs)
    with pytest.raises(InputError, match="p53: no motif M9"):
        motifs_of(["p53"], motifs, pd.DataFrame({"tf": ["p53"], "motif": ["M9"]}))
