"""Hotspots of real variants against tables of a script that shares no code with the project; definitions on made counts."""

import json

import numpy as np
import pandas as pd
import pytest
from glmflow.errors import InputError
from glmflow.genome.reference import Reference
from glmflow.statistics.classification import auroc
from glmflow.tasks.hotspots.excess import call_hotspots, choose_windows, dispersion, neighbour_counts, p_values
from glmflow.tasks.hotspots.mutation_rate import context_codes, expected_counts
from glmflow.tasks.hotspots.variant_density import Counted, count_variants, tiles, window_table
from scipy import stats

CALLS = {"300_people": "human_chr20/cohort.vcf.gz", "1000_genomes_sites": "sequences/hotspots/sites.vcf.gz"}


@pytest.mark.real
@pytest.mark.parametrize("name", CALLS)
def test_tables_of_real_variants_are_the_expected_ones(test_data, name):
    wanted = json.loads((test_data / f"sequences/expected/hotspots_chr20w_{name}.json").read_text())
    genome = Reference(test_data / "human_chr20/genome.fa")
    for size, figures in wanted["sizes"].items():
        counted = count_variants([test_data / CALLS[name]], genome.contigs, int(size))
        windows = call_hotspots(window_table(genome, genome.contigs, int(size), counted.variants, counted.snv))
        assert (counted.counts["records"], counted.counts["snv"]) == (wanted["records"], wanted["snv"])
        found = dispersion(windows)[0]
        for key in ("windows", "used", "mean", "variance"):
            assert found[key] == pytest.approx(figures[key], abs=1e-6)
        assert found["variance_over_mean"] == pytest.approx(figures["variance_over_mean"], abs=6e-4)
        hot = windows["hotspot"].to_numpy()
        assert hot.sum() == figures["hotspots"]
        assert windows["variants"][hot].min() == figures["smallest_count_that_is_a_hotspot"]
        spread = call_hotspots(windows, "negative_binomial")["hotspot"].sum()
        assert spread == figures["hotspots_negative_binomial"]
        trivial = figures["trivial_baselines_auroc"]
        assert auroc(hot, windows["gc"])[0] == pytest.approx(trivial["gc"], abs=1e-4)
        assert auroc(hot, windows["cpg_oe"])[0] == pytest.approx(trivial["cpg_oe"], abs=1e-4)
        # The reference adds up both neighbours and takes a missing one for 0.
        near = neighbour_counts(windows) * np.where(np.isin(np.arange(len(hot)), [0, len(hot) - 1]), 1, 2)
        expected = trivial["counts_of_both_neighbours (knows labels of others)"]
        assert auroc(hot, near)[0] == pytest.approx(expected, abs=1e-4)
        file = test_data / f"sequences/expected/hotspots_chr20w_{name}_{size}.tsv"
        if file.exists():
            table = pd.read_csv(file, sep="\t")
            for column in ("variants", "snv", "n_fraction", "gc", "cpg_oe", "p", "q"):
                assert windows[column].to_numpy() == pytest.approx(table[column].to_numpy(), abs=1e-6), column
            assert (table["hotspot"] == windows["hotspot"]).all()


def made(counts, chrom="1", used=None):
    start = np.arange(len(counts)) * 100
    table = pd.DataFrame({"chrom": chrom, "start": start, "end": start + 100, "variants": counts})
    return table.assign(used=True if used is None else used, gc=np.linspace(0.3, 0.6, len(counts)))


def test_p_is_the_right_tail_of_the_mean_of_the_contig():
    counts = np.array([3, 5, 4, 20])
    assert p_values(counts)[3] == pytest.approx(1 - stats.poisson.cdf(19, 8))
    assert p_values(counts)[0] == pytest.approx(1 - stats.poisson.cdf(2, 8))
    size = 8**2 / (counts.var(ddof=1) - 8)
    assert p_values(counts, "negative_binomial")[3] == pytest.approx(1 - stats.nbinom.cdf(19, size, size / (size + 8)))


def test_contigs_have_their_own_mean_and_unused_windows_count_for_nothing():
    both = pd.concat([made([5] * 30 + [25]), made([50] * 30 + [300], "2")], ignore_index=True)
    both.loc[3, ["used", "variants"]] = [False, 1000]
    found = call_hotspots(both)
    assert found.index[found["hotspot"]].tolist() == [30, 61]
    assert np.isnan(found.loc[3, "p"]) and not found.loc[3, "hotspot"]
    assert [row["used"] for row in dispersion(both)] == [30, 31]


def test_over_dispersed_counts_are_no_hotspots_of_the_negative_binomial():
    generator = np.random.default_rng(0)
    counts = generator.negative_binomial(4, 4 / 104, 2000)  # mean 100, variance 2,600
    windows = made(counts)
    assert dispersion(windows)[0]["variance_over_mean"] > 15
    poisson, spread = (call_hotspots(windows, test)["hotspot"].mean() for test in ("poisson", "negative_binomial"))
    assert poisson > 0.2 and spread < 0.01
    assert call_hotspots(made(generator.poisson(100, 2000)))["hotspot"].mean() < 0.002


def test_top_share_takes_the_largest_counts_with_their_ties():
    found = call_hotspots(made([1, 9, 9, 3, 9, 2, 4, 5, 6, 7]), "top_share", share=0.2)
    assert found["hotspot"].tolist() == [False, True, True, False, True, *[False] * 5]


def test_negatives_are_as_many_and_may_share_the_composition():
    windows = call_hotspots(made([5] * 60 + [40] * 8 + [5] * 60))
    chosen = choose_windows(windows, seed=1)
    assert chosen["target"].tolist().count(1) == 8 and len(chosen) == 16
    assert chosen.equals(choose_windows(windows, seed=1)) and not chosen.equals(choose_windows(windows, seed=2))
    windows["gc"] = np.tile([0.3, 0.6], 64)
    windows.loc[windows["hotspot"], "gc"] = 0.6
    matched = choose_windows(windows, seed=1, matched="gc")
    assert (matched["gc"] == 0.6).all()
    with pytest.raises(InputError, match="no window is a hotspot"):
        choose_windows(call_hotspots(made([5] * 20)), seed=1)


def test_neighbours_are_those_of_the_contig():
    both = pd.concat([made([1, 2, 4]), made([10, 20], "2")], ignore_index=True)
    assert neighbour_counts(both).tolist() == [2, 2.5, 2, 20, 10]
    both.loc[1, "used"] = False
    assert neighbour_counts(both).tolist()[1] == 2.5 and np.isnan(neighbour_counts(both)[0])


def test_windows_tile_from_base_0_and_a_last_shorter_one_is_left_out():
    assert tiles({"1": 250, "2": 90, "3": 100}, 100)["start"].tolist() == [0, 100, 0]
    with pytest.raises(InputError, match="no window of 1,000 bases fits"):
        tiles({"1": 250}, 1000)


def test_records_are_counted_once_and_only_if_someone_carries_them(tmp_path):
    vcf = tmp_path / "a.vcf"
    lines = [
        "##fileformat=VCFv4.2",
        "##contig=<ID=1,length=300>",
        '##FILTER=<ID=q10,Description="x">',
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="x">',
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts1\ts2",
        "1\t100\t.\tA\tC,G\t.\tPASS\t.\tGT\t1|2\t0|0",  # two alternatives: once; the last base of window 0
        "1\t101\t.\tA\tC\t.\t.\t.\tGT\t0|1\t0|0",
        "1\t150\t.\tA\tC\t.\tPASS\t.\tGT\t0|0\t0|0",  # carried by neither
        "1\t160\t.\tA\tC\t.\tq10\t.\tGT\t1|1\t0|0",  # filtered
        "1\t170\t.\tAT\tA\t.\tPASS\t.\tGT\t1|1\t.|.",  # a deletion
    ]
    vcf.write_text("\n".join(lines) + "\n")
    found, snv, places, counts = count_variants([vcf], {"1": 300}, 100)
    assert found["1"].tolist() == [1, 2, 0] and snv["1"].tolist() == [1, 1, 0]
    assert places["1"].tolist() == [99, 100]
    assert (counts["records"], counts["not_carried"], counts["filtered"]) == (3, 1, 1)
    assert count_variants([vcf], {"chr1": 300}, 100, Counted(snv_only=True)).variants["chr1"].tolist() == [1, 1, 0]
    assert count_variants([vcf], {"1": 300}, 100, Counted(min_frequency=0.3)).variants["1"].tolist() == [1, 0, 0]
    with pytest.raises(InputError, match="no variant to count"):
        count_variants([vcf], {"1": 300}, 100, Counted(filters=["LOW"]))


def test_expected_counts_follow_the_trinucleotides(tmp_path):
    """Only the C of ACG is ever changed, in every second window all of them: each window expects half of its own."""
    motif, others = "TTACGTT", "TTGGATT"
    windows = [motif * n + others * (10 - n) for n in (2, 4, 2, 4, 6, 6)]
    (tmp_path / "g.fa").write_text(">1\n" + "".join(windows) + "\n")
    genome = Reference(tmp_path / "g.fa")
    text = "".join(windows)
    places = [i + 1 for i in range(len(text) - 2) if text[i : i + 3] == "ACG" and i // 70 in (0, 1, 4)]
    table = pd.DataFrame({"chrom": "1", "start": np.arange(6) * 70, "end": np.arange(6) * 70 + 70, "used": True})
    table["variants"] = [sum(i // 70 == window for i in places) for window in range(6)]
    assert table["variants"].tolist() == [2, 4, 0, 0, 6, 0]
    expected = expected_counts(table, {"1": np.array(places)}, genome)
    assert expected == pytest.approx([1, 2, 1, 2, 3, 3])
    assert p_values(np.array([5, 5]), "poisson", np.array([1.0, 5.0])).tolist() == pytest.approx(
        [1 - stats.poisson.cdf(4, 1), 1 - stats.poisson.cdf(4, 5)]
    )


def test_both_strands_of_a_trinucleotide_are_one_context():
    generator = np.random.default_rng(3)
    text = "".join(generator.choice(list("ACGTN"), 400, p=[0.24, 0.24, 0.24, 0.24, 0.04]))
    other = text.translate(str.maketrans("ACGT", "TGCA"))[::-1]
    one, two = (context_codes(np.frombuffer(s.encode(), np.uint8)) for s in (text, other))
    assert (one == two[::-1]).all() and len(set(one[one >= 0])) == 32
    assert [one[0], one[-1]] == [-1, -1]
    for place in range(1, 399):
        assert (one[place] == -1) == ("N" in text[place - 1 : place + 2])
