"""Completion of genes: what a perfect, a cut, a shuffled and a random continuation score, against published measurements."""

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
from glmflow.dna.completed_genes import Gene, nearest_protein, read_panel, score_bases, score_protein, shuffled_protein
from glmflow.dna.markov import Chain
from glmflow.dna.open_frames import translation
from glmflow.errors import InputError

pytest.importorskip("Bio.Align")
DATA = Path(os.environ.get("GLMFLOW_TEST_DATA", "absent")) / "genomes"
CODING = "ATG" + "".join(np.random.default_rng(1).choice(["GCT", "AAA", "GAA", "CTG", "TGG", "CAT"], 99)) + "TAA"
GENE = Gene("made", "none", "ACGT" * 300 + CODING, 1200, translation(CODING))


def behind(gene):
    """Return the true bases behind a prompt."""
    return gene.genomic[gene.start + 3 * gene.given :]


def test_the_prompt_is_1000_bases_and_a_third():
    assert GENE.given == 30  # 30 % of 101 codons
    assert GENE.prompt == GENE.genomic[200 : 1200 + 90]
    assert GENE.length == 3 * 71 + 150
    short = GENE._replace(genomic=CODING, start=0)
    assert short.prompt == CODING[:90]


def test_truth_cut_and_nothing():
    assert score_bases(GENE, behind(GENE))[:2] == (100.0, 100.0)
    assert score_bases(GENE, behind(GENE) + "ACGTAC")[:2] == (100.0, 100.0)
    open_end = score_bases(GENE, behind(GENE)[:-3] + "GCTGCT")  # no stop: two residues more than there are
    assert open_end.equal == 70 and open_end.strict < 100
    cut = score_bases(GENE, behind(GENE)[:30] + "TAG" + behind(GENE)[33:])
    assert cut.official == 100 and cut.strict == pytest.approx(100 * 10 / 71)
    nothing = score_bases(GENE, "TAA" + behind(GENE))
    assert math.isnan(nothing.official) and nothing.strict == 0


def test_an_insertion_costs_its_own_columns_only():
    drawn = behind(GENE)
    assert score_bases(GENE, drawn[:60] + "GGTGGTGGT" + drawn[60:]).strict == 100


def test_strict_is_never_above_official():
    generator = np.random.default_rng(2)
    for _ in range(30):
        score = score_bases(GENE, "".join(generator.choice(list("ACGT"), GENE.length)))
        assert math.isnan(score.official) or score.strict <= score.official
    turned = [shuffled_protein(GENE, generator) + "*" for _ in range(10)]  # all as long as the reference, with a stop
    assert all(score.strict <= score.official for score in (score_protein(GENE, protein) for protein in turned))


def test_the_nearest_training_protein():
    other = translation("ATG" + "GGTTCT" * 40 + "TAA")
    near = GENE.protein[:60] + "W" * 5 + GENE.protein[65:]
    found = nearest_protein(GENE, [other, near])
    assert found == score_protein(GENE, near) and 90 < found.strict < 100
    assert nearest_protein(GENE, []).strict == nearest_protein(GENE, ["PPPP"]).strict == 0


def test_a_panel_with_introns_is_refused(tmp_path):
    (tmp_path / "genes.csv").write_text("gene,organism,reference_protein,genomic_sequence\na,b,MK,ATGAAA\n")
    with pytest.raises(InputError, match=r"no column cds_start.*introns"):
        read_panel(tmp_path / "genes.csv")
    (tmp_path / "out.csv").write_text("gene,organism,cds_start,reference_protein,genomic_sequence\na,b,50,MK,ATGAAA\n")
    with pytest.raises(InputError, match=r"out\.csv:2.*cds_start '50' of a"):
        read_panel(tmp_path / "out.csv")


@pytest.fixture(scope="module")
def floors():
    if not DATA.is_dir():
        pytest.skip("set GLMFLOW_TEST_DATA to the folder of real test data")
    rows = json.loads((DATA / "expected/gene_completion_floors.json").read_text())["rows"]
    return {row["gene"]: row for row in rows}


def test_the_published_panel(floors):
    generator = np.random.default_rng(3)
    chain, found = Chain([_ecoli()], 5), []
    for gene in read_panel(DATA / "gene_completion/prokaryote_genes.csv"):
        known = floors[gene.name]
        assert score_bases(gene, behind(gene))[:2] == (known["truth"], 100.0)
        cut = score_bases(gene, behind(gene)[:30] + "TAA")
        assert cut.official == known["truth_cut_after_10aa"]
        assert cut.strict == pytest.approx(known["truth_cut_strict"], abs=1e-9)
        turned = [score_protein(gene, shuffled_protein(gene, generator)) for _ in range(8)]
        assert np.mean([score.official for score in turned]) == pytest.approx(known["shuffled_protein"], abs=3)
        assert np.mean([score.strict for score in turned]) == pytest.approx(known["shuffled_strict"], abs=3)
        drawn = [score_bases(gene, chain.draw(gene.length, generator, gene.prompt)) for _ in range(60)]
        official = np.nanmean([score.official for score in drawn])
        found.append((official, known["markov5"]))
        assert official == pytest.approx(known["markov5"], abs=15)  # each mean of 30 has a standard error of about 5
        assert np.mean([score.strict for score in drawn]) == pytest.approx(known["markov5_strict"], abs=1.2)
    own, published = np.mean(found, axis=0)
    assert own == pytest.approx(published, abs=6)


def _ecoli():
    """Return a megabase of MG1655."""
    import gzip

    with gzip.open(DATA / "bacteria/escherichia_coli_K12_MG1655.gbff.gz", "rt") as file:
        text = file.read()
    letters = text[text.index("ORIGIN") + 6 : text.rindex("//")]
    return "".join(base for base in letters[:1_400_000].upper() if base in "ACGT")
