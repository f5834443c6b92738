import base64
import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pyBigWig
import pytest
from glmflow.errors import InputError
from glmflow.report.signals import gene_regions, signal_slices
from glmflow.report.signals.browser_page import check_genes


def genes(**columns):
    number = len(next(iter(columns.values())))
    return pd.DataFrame(
        {
            "gene_id": [f"g{i}" for i in range(number)],
            "gene_name": [f"G{i}" for i in range(number)],
            "chrom": "c",
            "start": np.arange(number) * 1_000_000,
            "end": np.arange(number) * 1_000_000 + 8_000,
            "strand": "+",
            "split": "test",
        }
        | columns
    )


def test_chosen_genes_span_the_errors_from_smallest_to_largest():
    table = genes(observed=np.ones(101), error=np.linspace(0, 1, 101)[::-1])
    chosen = gene_regions.choose_genes(table, (), 5)
    np.testing.assert_allclose(chosen["error"], [0, 0.25, 0.5, 0.75, 1])


def test_genes_asked_for_come_first_by_id_or_name_and_silent_ones_are_not_drawn():
    table = genes(observed=[0, 0, 1, 2, 3, 4], error=[9, 8, 0.1, 0.2, 0.3, 0.4])
    chosen = gene_regions.choose_genes(table, ("G1", "g0"), 4)
    assert list(chosen["gene_id"][:2]) == ["g0", "g1"]
    assert set(chosen["gene_id"][2:]) <= {"g3", "g4", "g5"}
    assert len(chosen) == 4


def test_genes_that_cannot_be_shown_are_named():
    table = genes(observed=[1, 1], error=[0, 0])
    assert gene_regions.not_among(table, ("G1", "g0", "TP53")) == ["TP53"]


def test_more_genes_are_asked_for_than_there_are():
    assert len(gene_regions.choose_genes(genes(observed=[1.0, 1.0], error=[0.1, 0.2]), (), 20)) == 2


def test_regions_have_flanks_stay_inside_the_contig_and_are_merged():
    table = genes(observed=[1, 1, 1], error=[0, 0, 0])
    table["start"], table["end"] = [500, 12_000, 90_000], [8_500, 16_000, 99_900]
    # flanks: 2,000 (a quarter of 8,000), 1,000 (a quarter of 4,000), 2,475
    assert gene_regions.regions_around(table, {"c": 100_000}) == [
        ("c", 0, 10_500),
        ("c", 11_000, 17_000),
        ("c", 87_525, 100_000),
    ]
    table["start"] = [500, 11_000, 90_000]
    assert gene_regions.regions_around(table, {"c": 100_000})[0] == ("c", 0, 17_250)


@pytest.fixture
def bigwig(tmp_path):
    path = tmp_path / "x.bw"
    values = np.random.default_rng(1).random(1000).astype(np.float32)
    values[300:400] = 0
    with pyBigWig.open(str(path), "w") as handle:
        handle.addHeader([("c", 1000), ("d", 500)])
        handle.addEntries("c", 0, values=values[:300].astype(float).tolist(), span=1, step=1)
        handle.addEntries("c", 400, values=values[400:].astype(float).tolist(), span=1, step=1)
    return path, values


@pytest.mark.parametrize("bin", [1, 4, 7])
def test_a_slice_holds_the_means_of_its_bins_and_nothing_else(bigwig, tmp_path, bin):
    path, values = bigwig
    regions = [("c", 10, 120), ("c", 280, 450)]
    uri = signal_slices.slice_bigwig(path, regions, {"c": 1000, "d": 500}, bin)
    kind, content = uri.split(",")
    assert kind == "data:application/octet-stream;base64"
    small = tmp_path / "small.bw"
    small.write_bytes(base64.b64decode(content))
    with pyBigWig.open(str(small)) as handle:
        assert handle.chroms() == {"c": 1000}
        for _, start, end in regions:
            got = handle.values("c", start, end, numpy=True)
            for first in range(start, end, bin):
                last = min(first + bin, end)
                np.testing.assert_allclose(got[first - start : last - start], values[first:last].mean(), rtol=5e-3)
        assert np.isnan(handle.values("c", 120, 280, numpy=True)).all()


def test_the_signal_past_the_end_of_a_contig_is_zero(bigwig):
    path, values = bigwig
    got, absent = signal_slices.binned_signals(path, [("c", 990, 1010), ("e", 0, 10)], 10)
    np.testing.assert_allclose(got, [values[990:].mean(), 0], rtol=1e-6)
    np.testing.assert_array_equal(absent, [0])


def test_the_finest_bin_that_fits_the_budget_is_taken(bigwig):
    path, _ = bigwig
    regions, contigs = [("c", 0, 1000)], {"c": 1000}

    def size(bin):
        return 2 * len(signal_slices.slice_bigwig(path, regions, contigs, bin))

    sliced = {
        bin: signal_slices.slice_signals({"x": path}, {("t", "m", "a"): {"x": path}}, regions, contigs, size(bin))
        for bin in (1, 4)
    }
    assert sliced[1].bin == 1
    assert sliced[4].bin == 4
    assert size(4) < size(2) < size(1)
    assert signal_slices.signal_size(sliced[4]) == size(4)


def fasta(uri):
    kind, content = uri.split(",")
    assert kind == "data:application/gzip;base64"
    records = gzip.decompress(base64.b64decode(content)).decode().strip(">").split("\n>")
    return dict(record.rstrip("\n").split("\n") for record in records)


def test_sequence_slices_say_where_they_lie_and_close_ones_are_joined(tmp_path):
    sequence = "".join(np.random.default_rng(2).choice(list("ACGT"), 300_000))
    genome = tmp_path / "genome.fa"
    genome.write_text(f">c\n{sequence}\n>d\nACGTN\n")
    regions = [("c", 10, 20), ("c", 25, 40), ("c", 250_000, 250_010), ("d", 0, 5)]
    got = fasta(gene_regions.slice_sequence(genome, regions, {"c": 300_000, "d": 5}))
    assert got == {
        "c:11-40 @len=300000": sequence[10:20] + "N" * 5 + sequence[25:40],
        "c:250001-250010 @len=300000": sequence[250_000:250_010],
        "d:1-5 @len=5": "ACGTN",
    }


def test_without_a_genome_or_over_the_budget_the_bases_are_unknown(tmp_path):
    regions = [("c", 10, 200)]
    assert fasta(gene_regions.slice_sequence(None, regions, {"c": 300})) == {"c:11-200 @len=300": "N" * 190}
    genome = tmp_path / "genome.fa"
    genome.write_text(">c\n" + "".join(np.random.default_rng(2).choice(list("ACGT"), 300)) + "\n")
    assert fasta(gene_regions.slice_sequence(genome, regions, {"c": 300}, budget=50)) == {
        "c:11-200 @len=300": "N" * 190
    }


def test_exons_are_drawn_where_they_are_known():
    table = genes(observed=[1, 1], error=[0, 0])
    exons = pd.DataFrame(
        {"gene_id": ["g0", "g0"], "chrom": "c", "start": [5_000, 0], "end": [8_000, 100], "strand": "+"}
    )
    features = gene_regions.gene_features(table, exons, [("c", 0, 10_000)])
    assert [feature["id"] for feature in features] == ["g0"]
    assert features[0]["exons"] == [{"start": 0, "end": 100}, {"start": 5_000, "end": 8_000}]
    assert "exons" not in gene_regions.gene_features(table, pd.DataFrame(), [("c", 0, 10_000)])[0]


def test_the_lowest_seed_that_predicted_is_shown(study):
    from glmflow.report import ReportInputs

    shown = gene_regions.shown_runs(ReportInputs.from_results(study).runs)
    assert len(shown) == 7
    assert {run.seed for run in shown} == {1}
    assert Path(shown[0].folder).name == "seed1"


def test_signals_get_coarser_until_the_page_is_no_larger_than_it_may_be(study, monkeypatch):
    """Whatever the number of tracks, runs and genes."""
    from glmflow.report import ReportInputs
    from glmflow.report.signals import browser_page as module
    from glmflow.report.study_tables import Study

    tables, bins = Study(ReportInputs.from_results(study)), []
    sliced = module.slice_signals
    monkeypatch.setattr(module, "slice_signals", lambda *given: bins.append(sliced(*given)) or bins[-1])
    (task,) = [name for name in tables.tasks if tables.kinds[name].name == "rnaseq_tracks"]

    def page():
        return module.browser_page(tables, task, "rnaseq_tracks.html").html

    whole = page()
    assert len(whole) <= module.PAGE_SIZE < 6e6
    size = len(whole) - signal_slices.signal_size(bins[0]) // 2
    monkeypatch.setattr(module, "PAGE_SIZE", size)
    assert len(page()) <= size and bins[1].bin > bins[0].bin


def test_rounding_keeps_significant_digits():
    values = np.array([0.0, 1234.5, 0.00123456, 0.999, -2.5551])
    np.testing.assert_allclose(signal_slices.round_to_digits(values, 3), [0, 1230, 0.00123, 0.999, -2.56], rtol=1e-12)


def test_genes_of_another_genome_are_refused():
    table = genes(observed=[1.0, 1.0], error=[0.1, 0.2])
    check_genes(table, {"c": 1_008_000})
    with pytest.raises(InputError, match=r"gene g1 ends at 1,008,000, past the end of c"):
        check_genes(table, {"c": 1_007_999})
