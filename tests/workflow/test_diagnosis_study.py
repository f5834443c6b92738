"""The study of simulated questions as it stands: who reads the variant is called so, and who does not is called otherwise."""

import pandas as pd
import pytest
from running import ROOT, run_snakemake

pytestmark = pytest.mark.slow
CHANCE = pytest.approx(0.5, abs=0.1)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("diagnosis")
    study = ROOT / "config/studies/diagnosis.yaml"
    run_snakemake("-c2", "--quiet", "all", "--configfile", str(study), directory=folder)
    return folder / "results/diagnosis"


def accuracy(results, run):
    """Accuracy of the ranking of a run on test questions."""
    table = pd.read_csv(results / f"runs/{run}/seed1/metrics.tsv", sep="\t")
    own = table[(table["metric"] == "accuracy") & (table["split"] == "test") & (table["subset"] == "all")]
    (value,) = own["value"]
    return value


def told(results, run):
    """The verdict on a run, and its controls by name."""
    scores = results / f"runs/{run}/seed1/scores"
    (verdict,) = pd.read_csv(scores / "verdict.tsv", sep="\t")["verdict"]
    reading = pd.read_csv(scores / "reading.tsv", sep="\t")
    return verdict, reading[reading["split"] == "test"].set_index("control")


def test_reference_and_difference_answer_and_read_the_variant(results):
    verdict, controls = told(results, "sites/cnn/diff")
    assert accuracy(results, "sites/cnn/diff") >= 0.95 and verdict == "variant used"
    assert controls.loc["others", "accuracy"] <= 0.6
    assert controls.loc["ref_as_alt", "says_change"] <= 0.1


@pytest.mark.parametrize("arm", ["no_dna", "mean_vector", "other_pairs"])
def test_arms_without_content_are_at_chance(results, arm):
    assert accuracy(results, f"sites/cnn/{arm}") == CHANCE
    if arm == "other_pairs":
        assert told(results, f"sites/cnn/{arm}")[0] == "text alone"


def test_the_published_layout_answers_as_well_and_has_not_read_the_variant(results):
    verdict, controls = told(results, "sites/cnn/published_layout")
    assert accuracy(results, "sites/cnn/published_layout") >= 0.95 and verdict == "variant unread"
    assert controls.loc["ref_as_alt", "unchanged_answers"] > 0.5


def test_where_every_variant_matters_the_text_gives_every_answer(results):
    assert accuracy(results, "leaky/cnn/diff") >= 0.95 and told(results, "leaky/cnn/diff")[0] == "text alone"


def test_the_page_says_so_first(results):
    text = (results / "report/diagnosis.html").read_text()
    for run, verdict in (
        ("diff", "variant used"),
        ("published_layout", "variant unread"),
        ("other_pairs", "text alone"),
    ):
        assert text.index(f"cnn ({run}): {verdict}") < text.index('id="chart-runs"')
