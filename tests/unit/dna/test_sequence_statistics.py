"""Statistics of sequences against published definitions, computed elsewhere, and against sums by hand."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from glmflow.dna import dinucleotides, gene_calls, kmer_tables, minhash, open_frames, pictures
from glmflow.dna.exact_matches import Collection
from glmflow.dna.markov import Chain

FOLDER = Path(os.environ.get("GLMFLOW_TEST_DATA", "absent")) / "genomes/expected"


@pytest.fixture(params=sorted(FOLDER.glob("sequence_stats_*.json")) or [None], ids=lambda path: path and path.stem)
def known(request):
    if request.param is None:
        pytest.skip("set GLMFLOW_TEST_DATA to the folder of real test data")
    return json.loads(request.param.read_text())


def counts(sequence, k, both=False):
    return kmer_tables.counts([sequence], k, both)


def signature(sequence):
    return dinucleotides.odds(counts(sequence, 1), counts(sequence, 2))


def test_counts_and_pictures(known):
    one, other = known["first"], known["second"]
    assert len(one) == known["length"]
    assert kmer_tables.gc_share(one) == pytest.approx(known["gc"], abs=1e-9)
    for k in (1, 3):
        assert pictures.chaos_game(counts(one, k)).tolist() == known[f"fcgr_k{k}"]
    picture = pictures.chaos_game(counts(one, 5))
    assert picture.sum() == known["fcgr_k5_sum"]
    highest, y, x = known["fcgr_k5_max"]
    assert picture.max() == highest == picture[y, x]
    for k, value in known["js"].items():
        found = kmer_tables.divergence(counts(one, int(k)), counts(other, int(k)))
        assert found == pytest.approx(value, abs=1e-8)
    for k, value in known["kmer_entropy_bits"].items():
        assert kmer_tables.entropy(counts(one, int(k))) == pytest.approx(value, abs=1e-8)
    steps = pictures.walk(one)
    np.testing.assert_allclose(steps[-1], known["walk_end"], atol=1e-6)
    np.testing.assert_allclose(steps[999::1000], known["walk_every_1000"], atol=1e-6)


def test_odds(known):
    one = known["first"]
    for key, symmetric in (("rho", False), ("rho_symmetric", True)):
        found = dinucleotides.odds(counts(one, 1), counts(one, 2), symmetric)
        assert dict(zip(kmer_tables.names(2), found)) == pytest.approx(known[key], abs=1e-8)
    found = dinucleotides.odds_distance(signature(one), signature(known["second"]))
    assert found == pytest.approx(known["delta"], abs=1e-8)


def test_frames(known):
    frames = open_frames.open_frames(known["first"])
    assert len(frames) == known["orfs"]["n"]
    assert sum(frame.end - frame.start for frame in frames) == known["orfs"]["total_nt"]
    listed = known["orfs"]["list"]
    assert [list(frame) for frame in frames][: len(listed)] == listed


def test_genes_and_codons(known):
    pytest.importorskip("pyrodigal")
    one = known["first"]
    found = gene_calls.genes(one)
    assert len(found) == known["genes"]["n"]
    assert [list(gene) for gene in found] == known["genes"]["list"]
    coding = gene_calls.coding_bases(found, len(one)) / len(one)
    assert coding == pytest.approx(known["genes"]["coding_fraction"], abs=1e-8)
    codons = gene_calls.codon_counts(one, found)
    assert {name: n for name, n in zip(kmer_tables.names(3), codons.tolist()) if n} == known["codons"]


def test_matches_and_sets_of_kmers(known):
    one, other = known["first"], known["second"]
    match = Collection([other]).match(one)
    assert (match.forward, match.reverse) == (known["match"]["forward"], known["match"]["reverse"])
    assert match.longest == known["match"]["longest"]
    wanted = known["minhash"]
    sets = [minhash.hashes([sequence], wanted["k"]) for sequence in (one, other)]
    found = minhash.shared(*sets, wanted["k"])
    assert found.jaccard == pytest.approx(wanted["jaccard_exact"], abs=1e-8)
    assert found.first_in_second == pytest.approx(wanted["containment_first_in_second"], abs=1e-8)
    assert found.second_in_first == pytest.approx(wanted["containment_second_in_first"], abs=1e-8)
    for name, value in (("mash_distance", found.mash), ("containment_ani", found.first_ani)):
        assert value == (None if wanted[name] is None else pytest.approx(wanted[name], abs=1e-8))
    assert minhash.sketch_jaccard(*sets, 500) == pytest.approx(wanted["jaccard_n500"], abs=1e-8)
    scaled = [minhash.hashes([sequence], wanted["k"], scaled=10) for sequence in (one, other)]
    assert minhash.shared(*scaled).jaccard == pytest.approx(wanted["jaccard_scaled10"], abs=1e-8)


def test_chains(known):
    one, other = known["first"], known["second"]
    for key, both in (("markov", False), ("markov_both_strands", True)):
        for order, value in known[key].items():
            assert Chain([one], int(order), both).bits_per_base([other]) == pytest.approx(value, abs=1e-8)


def test_letters_other_than_bases_are_no_kmers():
    assert counts("acguNACGTRA", 2).sum() == 6  # AC CG GT AC CG GT
    assert counts("ACNGT", 3).sum() == 0
    table = counts("AACGN", 2, both=True)
    assert {name: n for name, n in zip(kmer_tables.names(2), table.tolist()) if n} == {"AA": 1, "AC": 1, "CG": 2} | {
        "TT": 1,
        "GT": 1,
    }
    assert kmer_tables.gc_share("GNNA") == 0.5
    assert np.isnan(kmer_tables.gc_share("NN"))


def test_divergence_of_what_shares_nothing():
    left, right = np.array([10**9, 0]), np.array([0, 10**9])
    assert kmer_tables.divergence(left, right) == pytest.approx(1, abs=1e-6)
    assert kmer_tables.divergence(left, left) == 0


def test_a_frame_needs_its_stop_and_the_first_atg_counts():
    inside = "AAA" * 30
    frame = f"ATG{inside}ATG{inside}TAA"
    assert open_frames.open_frames("CC" + frame + "C") == [(2, 2 + len(frame), 1)]
    assert open_frames.open_frames(frame[:-3]) == []
    turned = "".join({"A": "T", "T": "A", "C": "G", "G": "C"}[base] for base in reversed(frame))
    assert open_frames.open_frames(turned) == [(0, len(frame), -1)]
    assert open_frames.open_frames(f"ATG{'AAA' * 27}TAA") == []  # 87 nt
    assert len(open_frames.open_frames(f"ATG{'AAA' * 28}TAA")) == 1  # 90 nt


def test_translation():
    assert open_frames.translation("ATGGCNTGGTAAC") == "MXW*"
    assert open_frames.translation("AT") == ""
    frames = open_frames.six_frames("ATGAAACAT")
    assert frames[0] == "MKH"
    assert frames[3] == "MFH"  # ATGTTTCAT
    assert [len(frame) for frame in frames] == [3, 2, 2] * 2


def test_coding_bases_count_once():
    genes = [open_frames.Frame(0, 9, 1), open_frames.Frame(6, 12, -1)]
    assert gene_calls.coding_bases(genes, 20) == 12
    assert gene_calls.strand_switches(genes) == 1
    found = gene_calls.codon_counts("ATGAAATTTCAT", [open_frames.Frame(6, 12, -1)])
    assert {name: n for name, n in zip(kmer_tables.names(3), found.tolist()) if n} == {"ATG": 1, "AAA": 1}


def test_walks_of_one_length_only():
    assert pictures.walk_distance("ACGT", "ACGT") == 0
    assert pictures.walk("ATN")[-1] == pytest.approx([1.0, 0.0])
    with pytest.raises(ValueError, match="one length"):
        pictures.walk_distance("ACGT", "ACG")
