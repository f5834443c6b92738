"""Units of chance along a genome: loci of genes, blocks of contigs."""

import numpy as np
import pandas as pd
import pytest
from glmflow.genome.loci import blocks, blocks_of_chance, independence, locus_groups, one_block
from hypothesis import given, settings
from hypothesis import strategies as st


def genes(rows, size=1000):
    table = pd.DataFrame(rows, columns=["gene_id", "gene_name", "chrom", "tss"])
    return table.assign(start=table["tss"] - size // 2, end=table["tss"] + size // 2)


def test_ten_ids_a_few_bases_apart_are_one_locus():
    table = genes([(f"E{n}", f"N{n}", "1", 50_000 + 5 * n) for n in range(10)] + [("F", "F", "1", 90_000)])
    assert locus_groups(table).tolist() == [0] * 10 + [1]
    narrow = genes([("a", "a", "1", 50_000), ("b", "b", "1", 50_040)], size=20)
    assert locus_groups(narrow).tolist() == [0, 0] and locus_groups(narrow, near=30).tolist() == [0, 1]


def test_readthrough_genes_join_those_they_read_through():
    rows = [("a", "JMJD7", "15", 10_000), ("b", "PLA2G4B", "15", 80_000), ("c", "JMJD7-PLA2G4B", "15", 10_500)]
    assert locus_groups(genes(rows)).tolist() == [0, 0, 0]
    strangers = [("a", "HLA-A", "6", 10_000), ("b", "HLA-B", "6", 80_000), ("c", "MT-ND1", "M", 100)]
    assert locus_groups(genes(strangers)).tolist() == [0, 1, 2]


def test_ids_of_one_gene_are_one_and_names_of_many_are_not():
    rows = [
        ("ENSG1.3", "A", "X", 10_000),
        ("ENSG1.4_PAR_Y", "A", "Y", 20_000),
        ("ENSG2", "U6", "1", 1),
        ("ENSG3", "U6", "2", 1),
    ]
    assert locus_groups(genes(rows)).tolist() == [0, 0, 1, 2]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3000), st.integers(1, 300)), min_size=1, max_size=25))
def test_windows_are_one_locus_where_a_chain_of_overlaps_joins_them(rows):
    table = pd.DataFrame([(c, s, s + n) for c, s, n in rows], columns=["chrom", "start", "end"])
    # Oracle: join any two that overlap until nothing changes.
    label = list(range(len(table)))
    for _ in table.index:
        for a in table.itertuples():
            for b in table.itertuples():
                if a.chrom == b.chrom and a.start < b.end and b.start < a.end:
                    label[a.Index] = label[b.Index] = min(label[a.Index], label[b.Index])
    found = locus_groups(table)
    same = np.equal.outer(found, found)
    assert (same == np.equal.outer(label, label)).all()


def tiles(contigs, size=10_000):
    rows = [(name, start, start + size) for name, length in contigs.items() for start in range(0, length, size)]
    return pd.DataFrame(rows, columns=["chrom", "start", "end"])


def test_blocks_are_at_least_as_long_as_asked_and_never_span_contigs():
    table = tiles({"1": 1_050_000, "2": 90_000})
    label = blocks(table)
    spans = (
        table.assign(block=label)
        .groupby("block")
        .agg(chrom=("chrom", "nunique"), start=("start", "min"), end=("end", "max"))
    )
    assert (spans["chrom"] == 1).all() and len(spans) == 11
    assert (spans["end"] - spans["start"])[:-1].min() >= 100_000
    long = pd.DataFrame({"start": [0] * 20, "end": [300_000] * 20})
    assert len(np.unique(blocks(table, genes=long))) == 4  # three of 350 kb, and the short contig


def test_regions_are_drawn_by_the_blocks_that_they_are_held_out_by_where_these_are_short():
    regions = pd.DataFrame({"chrom": ["a", "a", "a", "b"], "start": [10, 250_000, 1_200_000, 10]})
    by_block = {"by": "block", "block": 100_000}
    assert blocks_of_chance(regions, by_block).tolist() == ["a:0", "a:2", "a:12", "b:0"]
    for splits in ({}, {"by": "contig"}, {"by": "block", "block": 5_000_000}):
        assert blocks_of_chance(regions, splits).tolist() == ["a:0", "a:0", "a:1", "b:0"]
    assert one_block(pd.Series(["a:0", "a:1"])) == [] == one_block(pd.Series([], dtype=object))
    ((sentence, times, _),) = one_block(pd.Series(["a:0", "a:0"]))
    assert "one block" in sentence and times == 1


def test_what_is_said_of_one_contig():
    one = tiles({"1": 1_000_000})
    assert "one contig, cut into 10 blocks" in independence(one, blocks(one))
    assert independence(tiles({"1": 50_000}), np.zeros(5, int)).startswith("one block")
    both = tiles({"1": 1_000_000, "2": 1_000_000})
    assert independence(both, blocks(both)) == ""


@pytest.mark.parametrize("table", [tiles({}), genes([])])
def test_nothing_is_no_locus(table):
    assert len(locus_groups(table)) == 0 and len(blocks(table)) == 0
