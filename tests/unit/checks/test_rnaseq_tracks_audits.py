"""One signal under two names, and tracks without a contig that is scored, are said before anything is trained."""

import numpy as np
import pytest
from glmflow.bigwig import runs_of, write_bigwig
from glmflow.checks.rnaseq_tracks import audits, check
from glmflow.config import check_study
from scipy.ndimage import gaussian_filter1d, uniform_filter1d

CONTIGS = {"chr4": 300_000, "chr9": 150_000, "chr13": 150_000}


def measured(seed):
    """Coverage by reads of 40 bp over genes that are the same for every seed."""
    genes, reads = np.random.default_rng(0), np.random.default_rng(seed)
    coverage = {}
    for chrom, length in CONTIGS.items():
        begun = np.zeros(length)
        for start in range(3_000, length - 5_000, 11_000):
            begun[start : start + 3_000] = reads.poisson(genes.gamma(1, 0.3), 3_000)
        coverage[chrom] = np.convolve(begun, np.ones(40))[:length].astype(np.float32)
    return coverage


def written(path, coverage, lacking=()):
    bases = {chrom: np.flatnonzero(values) for chrom, values in coverage.items() if chrom not in lacking}
    write_bigwig(path, CONTIGS, ((chrom, *runs_of(at, coverage[chrom][at])) for chrom, at in bases.items()))
    return str(path)


def study(folder, tracks):
    contigs = "".join(f">{name}\n{'ACGT' * (length // 4)}\n" for name, length in CONTIGS.items())
    (folder / "genome.fa").write_text(contigs)
    given = {
        "study": "s",
        "reference": {"fasta": str(folder / "genome.fa")},
        "tracks": tracks,
        "splits": {"by": "contig", "train": ["chr4"], "validation": ["chr9"], "test": ["chr13"]},
        "tasks": {"coverage": {"kind": "rnaseq_tracks", "windows": {"size": 4096, "overlap": 512}}},
        "models": {"mean": {"baseline": {"kind": "mean_track"}}},
        "adaptations": {"baseline": {"kind": "baseline"}},
        "runs": [{"tasks": ["coverage"], "models": ["mean"], "adaptations": ["baseline"]}],
    }
    return check_study(given)


def statuses(folder, tracks):
    one = study(folder, tracks)
    data = {"tracks": {name: track.model_dump() for name, track in one.tracks.items()}}
    found = audits(one.tasks["coverage"], {"fasta": one.reference.fasta}, None, data)
    return {audit.name.removeprefix("one signal as two "): (audit.status, audit.sentence) for audit in found}


CHANGES = {
    "biosamples": (lambda x: -2.5 * x, {"biosample": "brain", "strand": "+"}, "FAIL"),
    "strands": (lambda x: 0.125 * x, {"biosample": "liver", "strand": "-"}, "FAIL"),
}


@pytest.mark.parametrize("between", CHANGES)
def test_a_copy_is_named_whatever_its_factor_and_sign(tmp_path, between):
    change, owner, status = CHANGES[between]
    one = measured(1)
    first = written(tmp_path / "first.bw", one)
    copy = written(tmp_path / "copy.bw", {chrom: change(values) for chrom, values in one.items()})
    other = written(tmp_path / "other.bw", measured(2))
    tracks = {
        "liver": {"biosample": "liver", "strand": "+", "replicates": [first, other]},
        "second": owner | {"replicates": [copy]},
    }
    found = statuses(tmp_path, tracks)
    assert found[between][0] == status and "copy.bw" in found[between][1] and "first.bw" in found[between][1]
    assert {found[name][0] for name in found if name != between} == {"PASS"}


def test_a_replicate_that_is_another_one_is_a_warning(tmp_path):
    files = [written(tmp_path / f"{n}.bw", measured(seed)) for n, seed in enumerate((3, 4, 3))]
    found = statuses(tmp_path, {"liver": {"biosample": "liver", "replicates": files}})
    assert (
        found["replicates"][0] == "WARN" and "2.bw" in found["replicates"][1] and "1.bw" not in found["replicates"][1]
    )


def test_measurements_of_the_same_genes_are_different_signals(tmp_path):
    files = [written(tmp_path / f"{n}.bw", measured(n)) for n in range(4)]
    tracks = {
        "liver": {"biosample": "liver", "replicates": files[:2]},
        "brain": {"biosample": "brain", "replicates": files[2:]},
    }
    assert {status for status, _ in statuses(tmp_path, tracks).values()} == {"PASS"}


def test_a_track_without_a_contig_that_is_held_out_is_refused(tmp_path):
    whole, half = (written(tmp_path / f"{n}.bw", measured(n), ["chr13"] * n) for n in range(2))
    tracks = {name: {"biosample": name, "replicates": [path]} for name, path in (("liver", whole), ("brain", half))}
    ((_, text),) = check(study(tmp_path, tracks), "coverage", None)
    assert "tracks.brain.replicates.0" in text and "chr13" in text and "1.bw" in text
    del tracks["brain"]
    assert list(check(study(tmp_path, tracks), "coverage", None)) == []


SMOOTHED = {
    "gaussian": lambda x: gaussian_filter1d(x, 25),
    "moving mean": lambda x: uniform_filter1d(x, 201),
    "negated, scaled, moved": lambda x: -0.2 * np.roll(uniform_filter1d(x, 51), 30),
}


def changed(coverage, change):
    return {chrom: change(values.astype(np.float64)).astype(np.float32) for chrom, values in coverage.items()}


def of_liver(paths):
    return {"x": {"replicates": paths, "biosample": "liver", "strand": "+"}}


@pytest.mark.parametrize("case", SMOOTHED)
def test_a_smoothed_copy_is_named(tmp_path, case):
    drawn = [measured(seed) for seed in range(3)]
    paths = [written(tmp_path / f"{n}.bw", one) for n, one in enumerate(drawn)]
    copy = written(tmp_path / "copy.bw", changed(drawn[1], SMOOTHED[case]))
    status, said = statuses(tmp_path, of_liver([*paths, copy]))["replicates"]
    assert status == "WARN" and f"{copy} is {paths[1]}, smoothed" in said
    brain = {"y": {"replicates": [copy], "biosample": "brain", "strand": "+"}}
    assert statuses(tmp_path, of_liver(paths) | brain)["biosamples"][0] == "FAIL"


@pytest.mark.parametrize("change", [lambda x: (x - 2.3) / 5.1, lambda x: 7 - 0.3 * x])
def test_a_copy_that_a_number_was_added_to_is_named(tmp_path, change):
    drawn = [measured(seed) for seed in range(3)]
    paths = [written(tmp_path / f"{n}.bw", one) for n, one in enumerate(drawn)]
    copy = written(tmp_path / "copy.bw", changed(drawn[1], change))
    status, said = statuses(tmp_path, of_liver([*paths, copy]))["replicates"]
    assert status == "WARN" and copy in said and paths[1] in said and paths[0] not in said


@pytest.mark.parametrize("weights", [(1, 1, 0), (1, 1, 1), (0.5, 0, 0.5), (1, -1, 0)])
def test_a_sum_or_mean_of_others_is_named_with_its_parts(tmp_path, weights):
    drawn = [measured(seed) for seed in range(4)]
    paths = [written(tmp_path / f"{n}.bw", one) for n, one in enumerate(drawn)]
    total = {chrom: sum(w * one[chrom] for w, one in zip(weights, drawn)).astype(np.float32) for chrom in CONTIGS}
    made = written(tmp_path / "sum.bw", total)
    status, said = statuses(tmp_path, of_liver([*paths, made]))["signals made of others"]
    assert status == "WARN" and said.startswith("1 files are sums")
    named = {paths[n] for n, w in enumerate(weights) if w} | {made}
    assert all(path in said for path in named) and not any(path in said for path in set(paths) - named)


@pytest.mark.parametrize(
    "start", [0, pytest.param(20, marks=pytest.mark.slow), pytest.param(40, marks=pytest.mark.slow)]
)
def test_measurements_smoothed_each_by_itself_are_not_made_of_others(tmp_path, start):
    """Of twelve measurements, as they are and smoothed: 66 pairs a start, and no sum."""
    steps = [lambda x: x, lambda x: gaussian_filter1d(x, 5), *SMOOTHED.values(), lambda x: uniform_filter1d(x, 501)] * 2
    drawn = [changed(measured(start + n), step) for n, step in enumerate(steps)]
    paths = [written(tmp_path / f"{n}.bw", one) for n, one in enumerate(drawn)]
    assert {status for status, _ in statuses(tmp_path, of_liver(paths)).values()} == {"PASS"}


def standardised(coverage):
    return {chrom: ((x - x.mean()) / x.std()).astype(np.float32) for chrom, x in coverage.items()}


def gradient(x):
    return np.diff(x, prepend=0.0)


MADE = {
    "standardised, contig by contig": (standardised, "with a number added"),
    "reversed": (lambda one: {chrom: x[::-1] for chrom, x in one.items()}, "from the contigs' ends"),
    "reversed and scaled": (lambda one: {chrom: -3 * x[::-1] for chrom, x in one.items()}, "from the contigs' ends"),
    "second differences": (lambda one: changed(one, lambda x: gradient(gradient(x))), ""),
}


@pytest.mark.parametrize("case", MADE)
def test_what_was_made_of_one_track_is_named(tmp_path, case):
    drawn = [measured(seed) for seed in range(3)]
    paths = [written(tmp_path / f"{n}.bw", one) for n, one in enumerate(drawn)]
    change, how = MADE[case]
    copy = written(tmp_path / "copy.bw", change(drawn[1]))
    found = statuses(tmp_path, of_liver([*paths, copy]))
    status, said = found.pop("replicates")
    assert status == "WARN" and copy in said and paths[1] in said and how in said and paths[0] not in said
    assert {status for status, _ in found.values()} == {"PASS"}


def test_measurements_changed_each_by_itself_are_no_copies(tmp_path):
    paths = [
        written(tmp_path / f"{n}.bw", change(measured(n)))
        for n, change in enumerate([dict, *(c for c, _ in MADE.values())])
    ]
    assert {status for status, _ in statuses(tmp_path, of_liver(paths)).values()} == {"PASS"}


def by_reads(seed, depth=1.0, kept=1.0, draw=0):
    """Coverage by reads of 40 bp over genes that are the same for every seed; of which a share is kept in a draw."""
    genes, reads, thin = (np.random.default_rng([n]) for n in (0, seed + 1, draw + 1000))
    coverage = {}
    for chrom, length in CONTIGS.items():
        begun = np.zeros(length)
        for start in range(3_000, length - 5_000, 11_000):
            begun[start : start + 3_000] = reads.poisson(depth * genes.gamma(1, 0.05), 3_000)
        begun = thin.binomial(begun.astype(int), kept)
        coverage[chrom] = np.convolve(begun, np.ones(40))[:length].astype(np.float32)
    return coverage


@pytest.mark.parametrize(("kept", "factor"), [(0.5, 1), (0.8, 0.37), (0.2, 5)])
def test_a_part_of_another_tracks_reads_is_named(tmp_path, kept, factor):
    paths = [written(tmp_path / f"{n}.bw", by_reads(n)) for n in range(3)]
    part = written(tmp_path / "part.bw", changed(by_reads(1, kept=kept), lambda x: factor * x))
    status, said = statuses(tmp_path, of_liver([*paths, part]))["signals made of others"]
    assert status == "WARN" and f"{part} holds part of the reads of {paths[1]}" in said and paths[0] not in said


def test_measurements_of_unlike_depth_are_no_part_of_each_other(tmp_path):
    depths = [0.1, 0.3, 1, 2, 5, 20, 100]
    paths = [written(tmp_path / f"{n}.bw", by_reads(n, depth)) for n, depth in enumerate(depths)]
    assert {status for status, _ in statuses(tmp_path, of_liver(paths)).values()} == {"PASS"}
