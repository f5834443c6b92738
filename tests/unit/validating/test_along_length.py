"""What becomes of sequences along their length: a tail that repeats, or is of one base, is seen where it is."""

import numpy as np
import pytest
from glmflow.bases import other_strand
from glmflow.dna.gene_calls import coding_bases, in_genes
from glmflow.dna.inner_repeats import repeated_bases
from glmflow.dna.open_frames import Frame
from glmflow.likeness.along_length import along_length, measured, whole_sequences
from glmflow.report.likeness_charts import along_rows


def drawn(length, seed):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length))


@pytest.mark.parametrize("turned", [False, True])
def test_a_repeat_is_marked_where_it_comes_again(turned):
    first, between = drawn(80, 1), drawn(200, 2)
    again = other_strand(first) if turned else first
    found = repeated_bases(first + between + again)
    assert found[280:].all() and not found[:270].any()
    assert not repeated_bases(drawn(40, 3) * 2).any()  # words of 50 do not repeat when 80 bases hold 31 of them
    assert not repeated_bases("N" * 300).any()


def test_tandem_copies_repeat_from_the_second_on():
    unit = drawn(60, 4)
    found = repeated_bases(unit * 3)
    assert not found[:60].any() and found[60:].all()


def test_a_fraying_tail_is_seen_in_its_part():
    frayed = [drawn(9000, seed) + "A" * 1000 for seed in range(3)]
    table = along_length({"generated": frayed, "real": [drawn(10_000, 7), drawn(999, 8)]})
    value = table.set_index(["statistic", "group", "part"])["value"].sort_index()
    assert value["low complexity", "generated", 10] > 0.95
    assert value["low complexity", "generated", 9] < 0.064  # windows of 64 that reach into the tail
    assert value["repeats", "generated", 10] > 0.9 and value["repeats", "real"].max() == 0
    assert value["G + C", "generated", 10] == 0 and value["entropy", "generated", 10] == 0
    assert value["entropy", "real"].min() > 5.8  # of 6 bits
    assert set(table[table["group"] == "real"]["n"]) == {1}
    rows = along_rows(table)
    assert list(rows[0]) == ["statistic", "group", *map(str, range(1, 11))]
    assert rows[0]["10"] == "0.000 ± 0.000" and "±" not in rows[-1]["10"]


def test_shares_of_parts_add_up_to_those_of_the_whole():
    sequence = drawn(1234, 9) + "A" * 100
    found, edges = measured(sequence), np.linspace(0, len(sequence), 11).astype(int)
    whole = repeated_bases(sequence).sum()
    assert (found["repeats"] * np.diff(edges)).sum() == pytest.approx(whole) and whole > 0


def test_genes_cover_bases_once():
    genes = [Frame(2, 8, 1), Frame(6, 10, -1)]
    assert np.flatnonzero(in_genes(genes, 12)).tolist() == list(range(2, 10)) and coding_bases(genes, 12) == 8


def test_real_sequences_are_as_long_as_generated_ones_or_as_there_are():
    found = whole_sequences([drawn(500, 1), drawn(3000, 2), "N" * 400, drawn(900, 3)], [drawn(2000, 4)], 2, 0)
    assert [len(text) for text in found["generated"]] == [500, 3000]
    assert [len(text) for text in found["real, held out"]] == [500, 2000]
