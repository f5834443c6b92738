"""Blocks and windows that share near copies stay in one split, whatever strand and shift; repeats keep nothing together."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from glmflow.errors import InputError
from glmflow.genome.canonical import opposite_strand
from glmflow.genome.homology import divided, draw_groups, similar_windows
from glmflow.genome.splits import assign_splits, shared_bases, split_regions
from glmflow.genome.windows import make_windows
from planted_copies import BASES, mutated, write_genome

SIZE = 2_000
SPLITS = {"by": "homology", "block": 10_000, "gap": 2_000, "validation": 0.1, "test": 0.2, "seed": 1}


def genome(seed=0, contigs=("1", "2"), repeats=120):
    """Two contigs of 200 kb with a repeat of 300 bp, 8 % apart from each other, in many places."""
    rng = np.random.default_rng(seed)
    made = {name: rng.choice(BASES, 200_000) for name in contigs}
    repeat = rng.choice(BASES, 300)
    for name in contigs:
        for place in rng.choice(400, repeats, replace=False) * 500:
            made[name][place : place + 300] = mutated(rng, repeat, 0.08)
    return rng, made


def fetcher(contigs):
    return lambda chrom, start, end: contigs[chrom][start:end]


def planted(rng, contigs, strand, share, shift=137, length=4_000):
    """Copy the middle of a block of contig 1 into contig 2."""
    copy = mutated(rng, contigs["1"][52_000 + shift : 52_000 + shift + length], share)
    contigs["2"][113_000 : 113_000 + length] = opposite_strand(copy) if strand == "-" else copy


def owner_of(regions, chrom, place):
    inside = regions[(regions["chrom"] == chrom) & (regions["start"] <= place) & (place < regions["end"])]
    return inside["split"].item()


@pytest.mark.parametrize(("strand", "share"), [("+", 0.0), ("-", 0.03), ("+", 0.05), ("-", 0.05)])
def test_blocks_with_a_copy_are_one_group(strand, share):
    rng, contigs = genome(1)
    planted(rng, contigs, strand, share)
    lengths = {name: len(bases) for name, bases in contigs.items()}
    for seed in range(12):  # by chance both would be in one split in about half of the draws
        splits = divided({**SPLITS, "seed": seed}, lengths, fetcher(contigs), SIZE)
        regions = split_regions(splits, lengths, SIZE)
        assert owner_of(regions, "1", 55_000) == owner_of(regions, "2", 115_000)
        shares = regions.assign(bases=regions["end"] - regions["start"]).groupby("split")["bases"].sum() / 400_000
        assert 0.1 <= shares["test"] <= 0.3 and 0.04 <= shares["validation"] <= 0.16
        windows, _ = assign_splits(make_windows(lengths, SIZE, SIZE // 2), splits, lengths, SIZE)
        assert (shared_bases(windows)["bases"] == 0).all()


def test_repeats_keep_nothing_together():
    _, contigs = genome(2)
    blocks = pd.DataFrame([(c, s, s + 10_000) for c in contigs for s in range(0, 200_000, 10_000)])
    blocks.columns = ["chrom", "start", "end"]
    assert len(set(similar_windows(fetcher(contigs), blocks, SIZE))) == len(blocks)


def test_windows_of_copied_genes_are_one_group_and_others_are_not():
    rng, contigs = genome(3)
    planted(rng, contigs, "-", 0.03)
    windows = pd.DataFrame({"chrom": ["1", "2", "2", "1"], "start": [52_500, 113_700, 20_000, 150_000]})
    group = similar_windows(fetcher(contigs), windows.assign(end=windows["start"] + SIZE))
    assert group[0] == group[1] and len(set(group)) == 3


def test_groups_that_swallow_a_split_stop_with_the_shares_that_came_out():
    rng, contigs = genome(4, repeats=0)
    for start in range(0, 200_000, 10_000):  # a duplication in every block of the second contig
        contigs["2"][start : start + 3_000] = mutated(rng, contigs["1"][start : start + 3_000], 0.02)
        contigs["1"][start + 5_000 : start + 8_000] = contigs["1"][:3_000]
    lengths = {name: len(bases) for name, bases in contigs.items()}
    with pytest.raises(InputError, match=r"0 for test \(0% for 20%\).*largest group has 40 of 40 blocks"):
        divided(SPLITS, lengths, fetcher(contigs), SIZE)


def test_a_group_that_overshoots_is_passed_over():
    group, lengths = np.array([0] * 6 + [1, 2, 3, 4]), np.full(10, 10)
    for seed in range(10):
        drawn = draw_groups(group, lengths, 0.1, 0.2, seed)
        assert (drawn[:6] == "train").all()
        assert (drawn == "test").sum() == 2 and (drawn == "validation").sum() == 1


def test_two_processes_draw_the_same(tmp_path):
    rng, contigs = genome(5)
    planted(rng, contigs, "-", 0.03)
    fasta = write_genome(tmp_path / "genome.fa", contigs)
    code = (
        "from glmflow.genome.homology import divided; from glmflow.genome.reference import Reference\n"
        f"genome = Reference({fasta!r})\n"
        f"print(divided({SPLITS!r}, genome.contigs, genome.fetch, {SIZE}, cores=CORES)['regions'].to_csv())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code.replace("CORES", cores)], capture_output=True, text=True, check=True
        ).stdout
        for cores in ("1", "2")
    ]
    assert runs[0] == runs[1] and "test" in runs[0]


def test_genes_that_are_copies_are_drawn_together_with_their_loci():
    from glmflow.tasks.snp2gex.cells import split_genes

    rng, contigs = genome(6)
    starts = [10_000 * n for n in range(20)]
    genes = pd.DataFrame({"chrom": ["1"] * 20 + ["2"] * 20, "start": starts * 2})
    genes = genes.assign(end=genes["start"] + SIZE, gene_id=[f"g{n}" for n in range(40)])
    source = contigs["1"][50_137 : 50_137 + SIZE]
    contigs["2"][110_000 : 110_000 + SIZE] = opposite_strand(mutated(rng, source, 0.03))
    parted = {"homology": 0, "random": 0}
    for by in parted:
        for seed in range(25):
            asked = {"by": by, "validation": 0.1, "test": 0.3, "seed": seed}
            split = split_genes(genes, asked, {}, {}, SIZE, fetcher(contigs))[0]["split"].to_numpy()
            parted[by] += split[5] != split[31]
    assert parted["homology"] == 0 and parted["random"] > 3
