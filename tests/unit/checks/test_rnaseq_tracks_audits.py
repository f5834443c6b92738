"""One signal under two names, and tracks without a contig that is scored, are said before anything is trained."""

import numpy as np
import pytest
from glmflow.bigwig import runs_of, write_bigwig
from glmflow.checks.rnaseq_tracks import audits, check
from glmflow.config import check_study

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
