"""What a study defines and nothing of it uses is named."""

import pytest
from changed_study import changed
from glmflow.config import check_study
from glmflow.config.unused import unused

SMALL = {"new": {"family": "small"}}
LEARNED = {"pretrain": {"family": "small", "length": 128, "steps": 3, "corpus": "c"}}
TRACK = {"t": {"biosample": "b", "replicates": ["a.bw"]}}
CORPORA = {"c": {"sources": [{"path": "x.fa"}]}}
SPLITS = {"by": "contig", "train": ["chr1"], "test": ["chr2"]}
COHORT = {"vcf": "cohort.vcf.gz", "samples": "samples.tsv"}
STUDY = {
    "study": "s",
    "reference": {"fasta": "g.fa"},
    "splits": SPLITS,
    "tasks": {"q": {"kind": "sequences", "table": "t.tsv"}},
    "models": {"m": SMALL},
    "adaptations": {"a": {"kind": "full"}},
    "runs": [{"tasks": ["q"], "models": ["m"], "adaptations": ["a"]}],
}
LONGER = {"m": {"extend": {"model": "base", "method": "pi", "factor": 2}}, "base": LEARNED}
CARRIED = {"kind": "populations"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"models__n": SMALL}, ["models.n"]),
        ({"adaptations__b": {"kind": "lora"}}, ["adaptations.b"]),
        ({"tasks__r": {"kind": "sequences", "table": "u.tsv"}}, ["tasks.r"]),
        ({"tasks__r": {"kind": "sequences", "table": "u.tsv"}, "runs": [{**STUDY["runs"][0], "tasks": "all"}]}, []),
        ({"models": LONGER, "corpora": CORPORA}, []),
        ({"models": {**LONGER, "other": LEARNED}, "corpora": CORPORA}, ["models.other"]),
        ({"models": {"m": LEARNED, "other": LEARNED}, "corpora": CORPORA, "mutagenesis": {"x": {"bed": "b"}}}, []),
        ({"corpora": CORPORA}, ["corpora.c"]),
        ({"tracks": TRACK}, ["tracks"]),
        ({"tracks": TRACK, "tasks": {"q": {"kind": "rnaseq_tracks"}}}, []),
        ({"cohort": COHORT}, ["cohort"]),
        ({"cohort": COHORT, "tasks": {"q": CARRIED}}, []),
        ({"cohort": COHORT, "tasks": {"q": {"kind": "hotspots"}}}, []),
    ],
)
def test_labels_and_data_that_nothing_reads_are_named(changes, expected):
    assert list(unused(check_study(changed(STUDY, changes)))) == expected
