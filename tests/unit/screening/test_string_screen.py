"""What the screen finds of a planted hazard, and that it leaves other sequences alone; a random genome is the hazard."""

import numpy as np
import pytest
from glmflow.bases import other_strand
from glmflow.dna.kmer_tables import names
from glmflow.dna.open_frames import translation
from glmflow.dna.shuffles import mutated
from glmflow.errors import InputError
from glmflow.screening.hazards import Hazards
from glmflow.screening.string_screen import Screen, window_starts


def drawn(length, seed):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length))


HAZARD = drawn(6000, 1)
CODONS = [codon for codon in names(3) if translation(codon) != "*"]
GENE = "ATG" + "".join(np.random.default_rng(2).choice(CODONS, 120))


@pytest.fixture(scope="module")
def screen():
    return Screen(Hazards([("plague", HAZARD), ("toxin", GENE)], [], "digest"))


def recoded(gene, seed=0):
    """Return a gene with another codon for every residue that has one."""
    generator = np.random.default_rng(seed)
    text = ""
    for start in range(0, len(gene) - 2, 3):
        own = gene[start : start + 3]
        choices = [codon for codon in CODONS if translation(codon) == translation(own) and codon != own] or [own]
        text += str(generator.choice(choices))
    return text


def test_a_piece_is_found_wherever_it_stands_and_on_either_strand(screen):
    for place, length in ((0, 50), (1234, 50), (17_750, 200), (19_950, 50)):
        for strand in (str, other_strand):
            background = drawn(20_000, 3)
            piece = strand(HAZARD[700 : 700 + length])
            hits = screen.hits(background[:place] + piece + background[place + length :])
            assert {hit.hazard for hit in hits} == {"plague"}
            assert all(hit.start < place + length and hit.end > place for hit in hits)
            assert {"31-mers", "21-mers", "peptides"} <= {hit.test for hit in hits}


def test_a_piece_of_200_with_a_tenth_changed_is_found(screen):
    generator = np.random.default_rng(4)
    found = 0
    for start in range(0, 5800, 290):
        background = drawn(3000, start + 10)
        piece = mutated(HAZARD[start : start + 200], 0.1, generator)
        found += bool(screen.hits(background[:1000] + piece + background[1000:]))
    assert found >= 19  # of 20


def test_a_recoded_gene_is_found_by_its_peptides_alone(screen):
    gene = recoded(GENE)
    assert translation(gene) == translation(GENE) and gene != GENE
    tests = {hit.test for hit in screen.hits(drawn(900, 5) + gene + drawn(900, 6))}
    assert "peptides" in tests and not tests & {"31-mers", "21-mers"}
    assert screen.hits(drawn(901, 5) + other_strand(gene) + drawn(900, 6))


def test_a_protein_is_a_hazard_of_its_own():
    screen = Screen(Hazards([], [("toxin", translation(GENE) + "*")], "digest"))
    (name,) = {hit.hazard for hit in screen.hits(drawn(500, 7) + recoded(GENE) + drawn(500, 8))}
    assert name == "toxin"
    assert not screen.hits(HAZARD)


def test_other_sequences_pass(screen):
    assert sum(bool(screen.hits(drawn(5000, seed))) for seed in range(20, 50)) <= 1


def test_short_sequences_and_n(screen):
    assert screen.hits(HAZARD[:31])
    assert not screen.hits("ACGT")
    assert not screen.hits("N" * 300)


def test_windows_reach_the_end():
    assert window_starts(130, 50, 25).tolist() == [0, 25, 50, 75, 80]
    assert window_starts(50, 50, 25).tolist() == [0]
    assert window_starts(20, 50, 25).tolist() == [0]


def test_a_list_in_which_nothing_can_be_found_is_refused(tmp_path):
    (tmp_path / "short.fa").write_text(">one\nACGTACGT\n")
    with pytest.raises(InputError, match=r"hazard one has no 21 bases .* in a row: it could never be found"):
        Hazards.read([tmp_path / "short.fa"])
    (tmp_path / "mixed.fa").write_text(f">dna\n{HAZARD}\n>protein\n{translation(GENE)}\n")
    with pytest.raises(InputError, match="hazard protein has no 21 bases"):
        Hazards.read([tmp_path / "mixed.fa"])
    (tmp_path / "empty.fa").write_text("")
    with pytest.raises(InputError, match="no hazard to compare with"):
        Hazards.read([tmp_path / "empty.fa"])
    with pytest.raises(InputError, match="no such file"):
        Hazards.read([tmp_path / "absent.fa"])
    (tmp_path / "table.tsv").write_text("a\tb\n")
    with pytest.raises(InputError, match="not FASTA"):
        Hazards.read([tmp_path / "table.tsv"])
