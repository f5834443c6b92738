"""The real data sets of the tests, as a user gives them."""

import json

from glmflow.genome.packed import pack
from glmflow.labelled.sources import read_source

SETS = {
    "uci_splice": ({"table": "uci_splice/splice.data"}, {"columns": {"label": 1, "example": 2, "sequence": 3}}),
    "gb_human_ensembl_regulatory_sample": ({"table": "gb_human_ensembl_regulatory_sample/sample.csv.gz"}, {}),
    "ecoli_promoter_strength": (
        {"table": "ecoli_promoter_strength/promoters.csv.gz"},
        {"columns": {"label": "expression"}},
    ),
    "gb_human_nontata_promoters": (
        {"table": "gb_human_nontata_promoters/test.csv.gz"},
        {"classes": {0: "negative", 1: "positive"}},
    ),
    "tf_peaks_hg19": ({"fasta": {"CTCF": "tf_peaks_hg19/ctcf.fa.gz", "PU1": "tf_peaks_hg19/pu1.fa.gz"}}, {}),
    "lac_sortseq": ({"table": "lac_sortseq/variants.csv.gz"}, {"columns": {"label": "mean_bin", "split": "set"}}),
}


def located(folder, source):
    """The paths of a source below a folder."""
    return {
        key: {name: folder / path for name, path in value.items()} if isinstance(value, dict) else folder / value
        for key, value in source.items()
    }


def read(folder, name):
    """A data set and its packed sequences."""
    source, settings = SETS[name]
    found = read_source(located(folder, source), **settings)
    return found, pack(found.rows["sequence"])


def expected(folder, file):
    """A file of expected figures."""
    return json.loads((folder / "expected" / file).read_text())
