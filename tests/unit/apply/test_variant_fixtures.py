"""Scores and statuses equal to brute force, over ten models (real data), and to the originals' own code."""

import csv

import numpy as np
import pytest
from glmflow.effects.likelihood_model import LikelihoodModel
from glmflow.effects.score_catalogue import SCORES, asked, why_not
from glmflow.effects.scored_edits import Settings, mean_of_strands, score_edits
from glmflow.genome.edits import Records, edits_of
from glmflow.genome.reasons import Reason
from glmflow.genome.reference import Reference
from glmflow.models import load_model

pytestmark = pytest.mark.real

WINDOWS = {
    "gpn": 64,
    "bpe-bert": 80,
    "aido-dna": 60,
    "caduceus-ph": 64,
    "caduceus-ps": 64,
    "nt-v1": 66,
    "nt-v2": 66,
    "hyenadna": 64,
    "evo2": 96,
    "generator": 66,
}
TOLERANCE = {"hyenadna": 1e-3}
"""The fixture is float32 itself: sines of sines make the filters, and a model wholly in float64 is 4e-4 from it as well."""


@pytest.fixture(scope="module")
def fixtures(test_data):
    return test_data / "variant_effects" / "expected"


@pytest.fixture(scope="module")
def genome(fixtures):
    return Reference(fixtures / "genome.fa")


@pytest.fixture(scope="module")
def rows(fixtures):
    lines = (fixtures / "variants.vcf").read_text().splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


@pytest.fixture(scope="module")
def edits(rows, genome):
    records = Records([r[0] for r in rows], [int(r[1]) - 1 for r in rows], [r[3] for r in rows], [r[4] for r in rows])
    return edits_of(records, genome)


def model_of(name, fixtures, test_data):
    if name == "gpn":
        pytest.importorskip("gpn", reason="the optional package gpn is not installed")
    folder = fixtures / "models" / name
    if not folder.exists():
        folder = test_data / "parity" / name
    return LikelihoodModel(load_model(folder, "grover" if name == "bpe-bert" else None))


def read(path):
    with path.open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


SLOW = ("caduceus-ps",)


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in WINDOWS])
def test_every_score_on_both_strands(name, fixtures, test_data, genome, edits):
    model = model_of(name, fixtures, test_data)
    names = [score for score in SCORES if why_not(score, model) is None]
    found = score_edits(model, genome, edits, asked(model, names), Settings(WINDOWS[name]))
    columns = {"_fwd": found.values[..., 0], "_rev": found.values[..., 1], "": mean_of_strands(found)}
    expected = read(fixtures / "expected" / f"{name}.tsv")
    assert [row["status"] for row in expected] == [Reason(int(r)).label or "ok" for r in found.reason]
    compared = 0
    for place, row in enumerate(expected):
        if row["status"] != "ok":
            continue
        window = int(row["window_start"]), int(row["window_bp"]), int(row["edit_start"]), int(row["edit_end"])
        assert window == (found.start[place], found.width[place], edits.start[place], edits.end[place])
        assert row["edit_bases"] == edits.bases[place]
        for column, score in enumerate(names):
            for ending, values in columns.items():
                if score + ending in row:
                    value = float(row[score + ending] or "nan")
                    where = (row["id"], score + ending)
                    close = np.isclose(values[place, column], value, 0, TOLERANCE.get(name, 1e-4), equal_nan=True)
                    assert close, (*where, values[place, column], value)
                    compared += 1
    assert compared > 300


def test_gpn_scores_are_those_of_its_own_code(fixtures, test_data, genome, rows, edits):
    model = model_of("gpn", fixtures, test_data)
    names = ["llr", "l2_flat", "influence"]
    found = score_edits(model, genome, edits, asked(model, names), Settings(64, edges="pad"))
    means = mean_of_strands(found)
    for row in read(fixtures / "expected" / "original_gpn.tsv"):
        place = place_of(row, rows, edits)
        np.testing.assert_allclose(means[place], [float(row[score]) for score in names], atol=1e-5)


def test_generator_scores_are_those_of_its_own_code(fixtures, test_data, genome, rows, edits):
    model = model_of("generator", fixtures, test_data)
    found = score_edits(model, genome, edits, asked(model, ["next"]), Settings(60))
    for row in read(fixtures / "expected" / "original_generator_next.tsv"):
        value = found.values[place_of(row, rows, edits), 0, 0]
        assert value == pytest.approx(float(row["next_fwd"]), abs=1e-5)


def place_of(row, rows, edits):
    """The number of an allele among the edits."""
    record = next(number for number, one in enumerate(rows) if one[2] == row["id"])
    return int(np.flatnonzero(edits.record == record)[0]) + int(row["alt_index"])
