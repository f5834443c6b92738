"""One measurement under two names is found however it is written, and two measurements never are one."""

import functools

import numpy as np
import pyBigWig
import pytest
from glmflow.bigwig import runs_of, write_bigwig
from glmflow.tracks.same_signal import relation_between, same_signals, sentence
from scipy.ndimage import gaussian_filter1d


def mostly_slow(cases, always):
    """Return cases of which some are always tried, the others by `make test-all`."""
    return [case if case in always else pytest.param(case, marks=pytest.mark.slow) for case in cases]


CONTIGS = {"chr1": 400_000, "chr2": 200_000, "chr3": 90_000}
READ = 60


@functools.cache
def measured(seed, depth=1.0):
    """Draw coverage of genes that are the same for every seed, by reads that are not."""
    genes, reads = np.random.default_rng(0), np.random.default_rng(seed)
    coverage = {}
    for chrom, length in CONTIGS.items():
        begun = np.zeros(length + READ)
        for start in range(2_000, length - 6_000, 9_000):
            level = genes.gamma(1, 0.2)
            begun[start : start + 4_000] = reads.poisson(depth * level, 4_000)
        coverage[chrom] = np.convolve(begun, np.ones(READ))[:length].astype(np.float32)
    return coverage


def ours(path, coverage, names=lambda chrom: chrom):
    """Write with the project's writer."""
    lengths = {names(chrom): length for chrom, length in CONTIGS.items()}
    bases = {chrom: np.flatnonzero(values) for chrom, values in coverage.items()}
    write_bigwig(path, lengths, ((names(c), *runs_of(bases[c], coverage[c][bases[c]])) for c in coverage))
    return path


def in_steps(path, coverage):
    """Write with pyBigWig, a value a base, zeros too."""
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader(list(CONTIGS.items()), maxZooms=0)
        for chrom, values in coverage.items():
            file.addEntries(chrom, 0, values=values, span=1, step=1)
    return path


def changed(coverage, change):
    return {chrom: change(values).astype(np.float32) for chrom, values in coverage.items()}


def moved(coverage, by):
    return changed(coverage, lambda values: np.roll(values, by))


COPIES = {
    "re-encoded": (lambda one: one, "same", 1.0),
    "scaled": (lambda one: changed(one, lambda x: 0.37 * x), "scaled", 0.37),
    "counts per million": (lambda one: changed(one, lambda x: x * (1e6 / 12_345_678)), "scaled", 1e6 / 12_345_678),
    "negated": (lambda one: changed(one, lambda x: -x), "negated", -1.0),
    "negated and scaled": (lambda one: changed(one, lambda x: -x / 7), "scaled", -1 / 7),
    "rounded": (lambda one: changed(one, lambda x: (x / 7).round(1)), "rounded", 1 / 7),
    "logarithms": (lambda one: changed(one, np.log1p), "transformed", np.nan),
    "roots, negated": (lambda one: changed(one, lambda x: -np.sqrt(x)), "transformed", np.nan),
    "one base along": (lambda one: moved(one, 1), "same", 1.0),
    "250 bases along, scaled": (lambda one: moved(changed(one, lambda x: 2 * x), 250), "scaled", 2.0),
}
SHIFTS = {"one base along": 1, "250 bases along, scaled": 250}


def noisy(coverage, share, each, seed=9):
    """Lay noise on every base, or on every stretch of one value."""
    rng = np.random.default_rng(seed)

    def change(values):
        run = np.cumsum(np.append(0, np.diff(values) != 0)) if each == "stretch" else np.arange(len(values))
        return values * (1 + share * rng.normal(size=run[-1] + 1))[run]

    return changed(coverage, change)


@pytest.mark.parametrize(("depth", "share", "each", "factor", "by"), [
    (5, 0.1, "base", 0.3, 40), (1, 0.5, "stretch", 1.0, 0),
    *[pytest.param(*case, marks=pytest.mark.slow) for case in (
        (1, 0.05, "base", 1.0, 0), (0.3, 0.15, "stretch", -2.0, 0), (1, 0.35, "base", -1.0, 0),
    )],
])  # fmt: skip
def test_a_copy_with_noise_on_every_value_is_found(tmp_path, depth, share, each, factor, by):
    drawn = [measured(seed, depth) for seed in range(3)]
    copy = changed(moved(noisy(drawn[1], share, each), by), lambda x: factor * x)
    paths = [ours(tmp_path / f"{n}.bw", values) for n, values in enumerate([*drawn, copy])]
    (row,) = same_signals({"x": ("liver", ".", paths)}, CONTIGS).to_dict("records")
    assert (row["file_a"], row["file_b"]) == (str(paths[1]), str(paths[3]))
    assert (row["relation"], row["shift"], row["contigs"]) == ("noisy", by, "all") and row["share"] > 0.99
    assert row["factor"] == pytest.approx(factor, rel=0.02 + share / 10) and row["noise"] == pytest.approx(
        share, rel=0.15
    )
    assert f"{row['noise']:.0%} of noise" in sentence(row)


@pytest.mark.parametrize(("change", "noise_first", "copy_first"), [
    (np.sqrt, False, False), (np.log1p, True, True), (lambda x: -np.log2(x + 1), False, True),
    (lambda x: np.log10(x + 1), True, False),
])  # fmt: skip
def test_a_transformed_copy_with_noise_is_found(tmp_path, change, noise_first, copy_first):
    drawn = [measured(seed) for seed in range(3)]
    steps = [lambda one: noisy(one, 0.08, "base"), lambda one: changed(one, lambda x: change(np.maximum(x, 0)))]
    copy = drawn[1]
    for step in steps if noise_first else reversed(steps):
        copy = step(copy)
    files = [*drawn[:1], copy, *drawn[1:]] if copy_first else [*drawn, copy]
    paths = [ours(tmp_path / f"{n}.bw", values) for n, values in enumerate(files)]
    (row,) = same_signals({"x": ("liver", ".", paths)}, CONTIGS).to_dict("records")
    assert {row["file_a"], row["file_b"]} == {str(paths[n]) for n in ((1, 2) if copy_first else (1, 3))}
    assert row["relation"] == "noisy transformation" and row["share"] > 0.9 and "noise" in sentence(row)


@pytest.mark.parametrize("case", COPIES)
@pytest.mark.parametrize("write", mostly_slow([ours, in_steps], [ours]))
def test_a_copy_is_found_among_other_tracks(tmp_path, case, write):
    change, relation, factor = COPIES[case]
    one = measured(1)
    a, b, c = ours(tmp_path / "a.bw", one), ours(tmp_path / "b.bw", measured(2)), ours(tmp_path / "c.bw", measured(3))
    copy = write(tmp_path / "copy.bw", change(one))
    tracks = {"x": ("liver", "+", [a, b]), "y": ("liver", "-", [c, copy])}
    (row,) = same_signals(tracks, CONTIGS).to_dict("records")
    assert (row["file_a"], row["file_b"], row["between"]) == (str(a), str(copy), "strands")
    assert (row["relation"], row["shift"], row["contigs"]) == (relation, SHIFTS.get(case, 0), "all")
    assert row["factor"] == pytest.approx(factor, rel=1e-2 if relation == "rounded" else 1e-4, nan_ok=True)
    assert row["share"] > 0.99
    assert sentence(row).startswith(f"{copy} holds")


def test_copies_are_found_under_other_contig_names_and_each_once(tmp_path):
    one = measured(1)
    a = ours(tmp_path / "a.bw", one)
    others = [ours(tmp_path / f"{n}.bw", one, lambda chrom: chrom[3:]) for n in range(3)]
    tracks = {"x": ("liver", ".", [a, *others[:2]]), "y": ("skin", ".", others[2:])}
    found = same_signals(tracks, CONTIGS)
    assert found["between"].tolist() == ["replicates", "replicates", "biosamples"]
    assert set(found["file_a"]) == {str(a)} and set(found["relation"]) == {"same"}


def test_a_copy_of_some_contigs_or_without_a_masked_region_is_found(tmp_path):
    one, other = measured(1), measured(2)
    masked = {chrom: values.copy() for chrom, values in one.items()}
    masked["chr1"][150_000:200_000] = 0
    tracks = {
        "x": ("liver", ".", [ours(tmp_path / "a.bw", one)]),
        "y": ("skin", ".", [ours(tmp_path / "b.bw", other | {"chr2": one["chr2"]})]),
        "z": ("lung", ".", [ours(tmp_path / "c.bw", masked)]),
    }
    rows = {(row["file_a"][-4:], row["file_b"][-4:]): row for row in same_signals(tracks, CONTIGS).to_dict("records")}
    assert rows["a.bw", "b.bw"]["contigs"] == "chr2" and rows["a.bw", "b.bw"]["share"] == 1
    whole = rows["a.bw", "c.bw"]
    lost = np.count_nonzero(one["chr1"][150_000:200_000]) / sum(map(np.count_nonzero, one.values()))
    assert whole["contigs"] == "all" and whole["share"] == pytest.approx(1 - lost)


@pytest.mark.parametrize("depth", mostly_slow([0.05, 1, 200], [0.05]))
def test_measurements_of_the_same_genes_are_not_one(tmp_path, depth):
    paths = [ours(tmp_path / f"{seed}.bw", measured(seed, depth)) for seed in range(6)]
    assert same_signals({"x": ("liver", ".", paths)}, CONTIGS).empty


def binned(values, width=50):
    return np.pad(
        np.repeat(values[: len(values) // width * width].reshape(-1, width).mean(1), width), (0, len(values) % width)
    )


KINDS = {
    "bins of 50": binned,
    "logarithms of bins": lambda values: np.log2(binned(values) + 1),
    "peaks": lambda values: values > 5,
    "smooth": lambda values: gaussian_filter1d(values, 30),
    "smooth, rounded": lambda values: gaussian_filter1d(values, 30).round(2),
}


@pytest.mark.parametrize("kind", mostly_slow(KINDS, ["logarithms of bins", "peaks"]))
def test_copies_of_every_kind_of_track_are_told_from_others(tmp_path, kind):
    drawn = [changed(measured(seed, 3), KINDS[kind]) for seed in range(4)]
    paths = [ours(tmp_path / f"{seed}.bw", values) for seed, values in enumerate(drawn)]
    copy = in_steps(tmp_path / "copy.bw", changed(drawn[2], lambda x: -0.3 * x))
    found = same_signals({"x": ("liver", ".", [*paths, copy])}, CONTIGS)
    assert found[["file_a", "file_b"]].to_numpy().tolist() == [[str(paths[2]), str(copy)]]
    assert found["factor"].tolist() == [pytest.approx(-0.3)] and found["share"].min() > 0.999


BINNED = {
    "mean, bins of 10": (lambda x: binned(x, 10), 10, "same"),
    "mean, bins of 50, scaled": (lambda x: 3 * binned(x), 50, "scaled"),
    "mean, bins of 128, negated": (lambda x: -binned(x, 128), 128, "negated"),
    "mean, bins of 25, logarithms": (lambda x: np.log1p(binned(x, 25)), 25, "transformed"),
    "mean, bins of 200, rounded": (lambda x: binned(x, 200).round(2), 200, "rounded"),
    "highest, bins of 20": (lambda x: np.repeat(x.reshape(-1, 20).max(1), 20), 20, "same"),
    "covered bases, bins of 40": (
        lambda x: np.repeat(x.reshape(-1, 40).sum(1) / np.maximum(1, (x.reshape(-1, 40) != 0).sum(1)), 40), 40, "same"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BINNED)
@pytest.mark.parametrize("first", mostly_slow([True, False], [True]))
def test_a_copy_in_bins_is_found_at_either_place_and_its_original_is_named(tmp_path, case, first):
    change, width, relation = BINNED[case]
    one, *others = [ours(tmp_path / f"{seed}.bw", measured(seed)) for seed in range(3)]
    copy = ours(tmp_path / "copy.bw", changed(measured(0), change))
    tracks = {
        "x": ("liver", ".", [copy] if first else [one, *others]),
        "y": ("skin", ".", [one, *others] if first else [copy]),
    }
    (row,) = same_signals(tracks, CONTIGS).to_dict("records")
    assert (row["file_a"], row["file_b"], row["between"]) == (str(one), str(copy), "biosamples")
    assert (row["relation"], row["bin"], row["contigs"]) == (relation, width, "all") and row["share"] > 0.99
    assert f"in bins of {width:,} bases" in sentence(row)


@pytest.mark.parametrize(
    ("width", "by", "first"),
    [
        *[pytest.param(*case, marks=pytest.mark.slow) for case in ((50, -1_300, "moved"), (10, 5, "binned"))],
        (50, 7, "moved"),
        (100, 100, "binned"),
    ],
)
def test_a_copy_in_bins_that_lies_some_bases_along_is_found(tmp_path, width, by, first):
    paths = [ours(tmp_path / f"{seed}.bw", measured(seed)) for seed in range(3)]
    done = [lambda x: np.roll(x, by), lambda x: -2 * binned(x, width)]
    one, other = done if first == "moved" else reversed(done)
    copy = ours(tmp_path / "copy.bw", changed(changed(measured(1), one), other))
    (row,) = same_signals({"x": ("liver", ".", [*paths, copy])}, CONTIGS).to_dict("records")
    assert (row["file_a"], row["file_b"], row["relation"]) == (str(paths[1]), str(copy), "scaled")
    assert (row["shift"], row["bin"]) == (by, width) and row["share"] > 0.97
    assert f"{by:+d} bases along, in bins of {width} bases" in sentence(row)


@pytest.mark.parametrize("depth", mostly_slow([0.05, 1, 200], [0.05]))
def test_measurements_in_bins_are_no_copies_of_others_without(tmp_path, depth):
    drawn = [measured(seed, depth) for seed in range(5)]
    widths = (1, 10, 50, 100, 1_000)
    paths = [ours(tmp_path / f"{w}.bw", changed(one, lambda x: binned(x, w))) for w, one in zip(widths, drawn)]  # noqa: B023
    assert same_signals({"x": ("liver", ".", paths)}, CONTIGS).empty


def test_tracks_with_little_in_them_are_not_one(tmp_path):
    empty = {chrom: np.zeros(length, np.float32) for chrom, length in CONTIGS.items()}
    few = {**empty, "chr1": empty["chr1"].copy()}
    few["chr1"][100:200] = few["chr1"][900:1_000] = 1
    paths = [ours(tmp_path / f"{n}.bw", values) for n, values in enumerate([empty, empty, few, few, measured(1)])]
    assert same_signals({"x": ("liver", ".", paths)}, CONTIGS).empty
    assert same_signals({"x": ("liver", ".", paths[:1])}, CONTIGS).empty


def test_the_relation_of_values():
    x = np.random.default_rng(1).gamma(1, 5, 400).astype(np.float32)
    assert relation_between(x, x).name == "same"
    assert relation_between(x, 3 * x)[:2] == ("scaled", pytest.approx(3))
    assert relation_between(x, x.round(1))[::2] == ("rounded", pytest.approx(0.1, rel=1e-3))
    assert relation_between(x, 1 / (1 + x)).name == "transformed"
    assert relation_between(x, x[::-1]) is None
    assert relation_between(np.zeros(400), x) is None
    assert relation_between(x[:10], x[:10]) is None  # too few to tell


@pytest.mark.real
def test_twelve_real_replicates_are_twelve_measurements_and_a_copy_is_found(test_data, tmp_path):
    paths = sorted((test_data / "brainspan_chr21").glob("*.bw"))
    with pyBigWig.open(str(paths[3])) as file:
        chrom, length = next(iter(file.chroms().items()))
        entries = file.intervals(chrom)
    starts, ends, values = map(np.array, zip(*entries))
    write_bigwig(tmp_path / "copy.bw", {"21": length}, [("21", starts, ends, -0.5 * values)])
    found = same_signals({"x": ("amygdala", ".", [*paths, tmp_path / "copy.bw"])}, {chrom: length})
    assert found[["file_a", "relation", "factor", "share"]].to_numpy().tolist() == [
        [str(paths[3]), "scaled", pytest.approx(-0.5), 1.0]
    ]
