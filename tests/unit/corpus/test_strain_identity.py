"""Identities and clusters of real genomes beside those of sourmash 4.9 (scaled 10) and their single linkage at 0.95."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from glmflow.corpus.corpus_divided import K, clusters
from glmflow.corpus.sequence_records import letters, read_records
from glmflow.genome.similarity import near_copies, sketch

DATA = Path(os.environ.get("GLMFLOW_TEST_DATA", "absent")) / "genomes"
NEAR = 0.006
"""Three standard errors of an identity from the 540 of 5,400 k-mers of a phage that the fixture's sketches hold."""


@pytest.fixture(scope="module")
def known():
    path = DATA / "expected/strain_identity.json"
    if not path.is_file():
        pytest.skip("GLMFLOW_TEST_DATA is unset, or has no genomes")
    return json.loads(path.read_text())


def genomes(*divisions):
    """Records by the name that the fixture has: of a sequence, where a file holds many genomes, else of the file."""
    found = {}
    for path in sorted(file for division in divisions for file in (DATA / division).glob("*.gz")):
        for record in read_records(path):
            name = record.name if record.assembly.startswith("microviridae") else record.assembly
            found.setdefault(name, record)
    return found


def partition(names, label):
    return {frozenset(np.array(names)[label == one].tolist()) for one in np.unique(label)}


def identities(records, fraction):
    """The identity by the smaller set's share of 21-mers, of each pair that shares some."""
    names = list(records)
    table = near_copies(
        sketch([letters(one.codes) for one in records.values()], K, fraction), share=1e-9, best=None
    ).table
    pairs = zip(table["query"], table["target"], table["identity_estimate"])
    return {frozenset((names[int(one)], names[int(other)])): value for one, other, value in pairs}


def test_phages(known):
    records = genomes("viral")
    found = identities(records, 1.0)
    compared = 0
    for pair, value in known["pairs"].items():
        names = frozenset(pair.split("|"))
        if names <= set(records):
            # Of sets of about one size: a share of the larger containment is that of the smaller set.
            assert found[names] == pytest.approx(value["ani_from_max_containment"], abs=NEAR), pair
            compared += 1
    assert compared > 130
    wanted = {frozenset(one) & set(records) for one in known["clusters"]} - {frozenset()}
    # Records of one file are one genome to a corpus; here each is its own.
    alone = [record.__class__(**{**record.__dict__, "assembly": name}) for name, record in records.items()]
    assert {one for one in partition(list(records), clusters(alone, 0.95)) if one & set().union(*wanted)} == wanted
    (phix,) = [one for one in wanted if "phage_phiX174" in one]
    assert len(phix) == 17


@pytest.mark.slow
def test_bacteria_and_their_phage(known):
    records = genomes("bacteria") | {"phage_lambda": genomes("viral")["phage_lambda"]}
    found = identities(records, 0.01)
    for pair, value in known["pairs"].items():
        names = frozenset(pair.split("|"))
        if names <= set(records) and "phage_lambda" not in names:
            assert found[names] == pytest.approx(value["ani_from_max_containment"], abs=0.002), pair
    wanted = {frozenset(one) & set(records) for one in known["clusters"]} - {frozenset()}
    assert partition(list(records), clusters(list(records.values()), 0.95)) == wanted
