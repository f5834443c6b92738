"""What the screen finds of a real genome's pieces, against a table that was measured elsewhere; phage lambda is the stand-in."""

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest
from glmflow.dna.shuffles import mutated
from glmflow.screening.hazards import Hazards, records
from glmflow.screening.string_screen import Screen

pytestmark = pytest.mark.real
DATA = Path(os.environ.get("GLMFLOW_TEST_DATA", "absent")) / "genomes"
TESTS = {"31-mers": "k31_any", "21-mers": "k21", "peptides": "aa6", "alignment": "mappy"}
PIECES = 60


@pytest.fixture(scope="module")
def genome():
    if not DATA.is_dir():
        pytest.skip("set GLMFLOW_TEST_DATA to the folder of real test data")
    (record,) = records(DATA / "viral/phage_lambda.fna.gz")
    return record[1]


@pytest.fixture(scope="module")
def screen(genome):
    return Screen(Hazards([("lambda", genome)], [], "digest"))


@pytest.fixture(scope="module")
def measured():
    return {row["name"]: row for row in json.loads((DATA / "expected/gate_detection.json").read_text())}


@pytest.mark.parametrize("length", [50, 200])
@pytest.mark.parametrize("percent", [0, 5, 10])
def test_found_as_often_as_measured(genome, screen, measured, length, percent):
    known = measured[f"lambda fragments {length} nt, mutated {percent} %"]
    generator = np.random.default_rng(length + percent)
    starts = generator.integers(0, len(genome) - length, PIECES)
    found = [screen.hits(mutated(genome[start : start + length], percent / 100, generator)) for start in starts]
    for test, column in TESTS.items():
        if test == "alignment" and not screen.aligns:
            continue
        share = np.mean([any(hit.test == test for hit in hits) for hits in found])
        # Windows within a piece find more than the piece as a whole. Two shares of 60 differ by 0.2 by chance.
        assert share >= known[column] - 0.22, test


def test_nothing_of_other_genomes(screen):
    with gzip.open(DATA / "bacteria/helicobacter_pylori_G27.fna.gz", "rt") as file:
        text = "".join(line.strip().upper() for line in file if not line.startswith(">"))
    generator = np.random.default_rng(1)
    pieces = [text[start : start + 1000] for start in generator.integers(0, len(text) - 1000, 100)]
    assert sum(bool(screen.hits(piece)) for piece in pieces) <= 3


def test_a_planted_piece_in_a_long_sequence(genome, screen):
    with gzip.open(DATA / "bacteria/helicobacter_pylori_G27.fna.gz", "rt") as file:
        text = "".join(line.strip().upper() for line in file if not line.startswith(">"))
    generator = np.random.default_rng(2)
    for start in generator.integers(0, len(genome) - 200, 10):
        at = int(generator.integers(0, 19_800))
        piece = mutated(genome[start : start + 200], 0.1, generator)
        hits = screen.hits(text[:at] + piece + text[at + 200 : 20_000])
        assert any(hit.start < at + 200 and hit.end > at for hit in hits)
