"""Questions about alleles from a table to their page: what answers rest on, look-ups, cases; models are stood in for."""

import re

import numpy as np
import pandas as pd
import pytest
from browsing import faults
from shared_reports import made_once, synthetic

questions = synthetic("synthetic_questions")
ARMS = questions.ARMS


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    return made_once(tmp_path_factory, "questions_study", questions.make_questions)


def test_the_page_says_first_what_answers_rest_on(results):
    text = (results / "report/diagnosis.html").read_text()
    for arm, verdict in ARMS.items():
        assert f"cnn ({arm}): {verdict}" in text
    assert text.index("cnn (reads): variant used") < text.index('id="chart-runs"')


def test_verdicts_and_controls_of_each_run(results):
    for arm, verdict in ARMS.items():
        scores = results / f"runs/pathways/cnn/{arm}/seed1/scores"
        assert pd.read_csv(scores / "verdict.tsv", sep="\t")["verdict"].tolist() == [verdict]
        reading = pd.read_csv(scores / "reading.tsv", sep="\t").set_index("control")
        assert reading.loc["as_is", "accuracy"] == 1
        assert (reading.loc["ref_as_alt", "says_change"] == 0) == (arm == "reads")


def test_controls_say_how_the_odds_of_the_truth_change(results):
    """Of an answer of probability 0.8 + 0.2 / 4 that another takes its place: 0.2 / 4."""
    text = (results / "report/diagnosis.html").read_text()
    table = text[text.index('<section id="controls">') :].split("</section>")[0]
    row = next(row for row in table.split("<tr>") if "the reference in the variant" in row)
    lost = np.log(0.05 / 0.95) - np.log(0.85 / 0.15)
    reads = np.mean([lost if answer != "no disease" else 0 for answer in answers_of(results)])
    cells = [float(one) for one in re.findall(r"log odds ([-+.0-9]+)", row)]
    assert sorted(cells) == pytest.approx([reads, 0, 0], abs=0.005)


def answers_of(results):
    """True answers of the test questions."""
    made = pd.read_csv(results / "runs/pathways/cnn/reads/seed1/scores/answers.tsv", sep="\t")
    return made.loc[made["rank"] == 1, "truth"]


def test_written_texts_are_scored_by_both_rules(results):
    page = (results / "report/diagnosis.html").read_text()
    table = page[page.index('<section id="texts">') :].split("</section>")[0]
    rows = [re.sub(r"<[^>]+>", " ", row).split() for row in table.split("<tr>")[2:]]
    assert [row[2:] for row in rows if row[2:4] == ["written", "greedily"]] == [
        ["written", "greedily", rule, "1.000", "1.000", "1.000"] for rule in ("strict", "official")
    ]
    drawn = {row[3]: row[4:] for row in rows if row[2] == "drawn"}
    assert float(drawn["strict"][1].strip("[,")) < 1 and float(drawn["strict"][2].strip("]")) == 1
    assert float(drawn["official"][0]) < 1 and drawn["official"][3] == "1.000", (
        "wrong texts cost no precision as published"
    )


def test_look_ups_stand_beside_the_runs_and_leaks_are_told(results):
    text = (results / "report/diagnosis.html").read_text()
    assert "Look-ups beside the runs" in text and "nearest reference, else majority" in text
    assert "gene is known from training" in text
    rules = pd.read_csv(results / "examples/pathways/lookups.tsv", sep="\t").set_index("rule")
    assert rules.loc["gene", "seen"] == 48


def test_cases_show_questions_with_their_ranking(results):
    text = (results / "report/diagnosis.html").read_text()
    assert 'id="cases"' in text and "biological effect of this GENE" in text and "true answer" in text


def test_cards_show_what_an_answer_rests_on(results):
    text = (results / "report/diagnosis.html").read_text()
    card = text[text.index('id="cases"') :]
    assert card.count('class="bases"') == 2, "both alleles of the one question that was looked at"
    assert "against no disease" in card
    assert card.index("C at +1: -2.50") < card.index("T at -1: +0.25"), "the strongest replacement first"
    assert 'title="1: +1.00"' in card and 'title="-1: -1.00"' in card
    assert card.count("strongest: G at -1 (-1.00), A at +1 (+1.00), C at +0 (+0.00)") == 2, "not by colour alone"


def test_what_reasoning_says_of_the_dna_is_counted(results):
    text = (results / "report/diagnosis.html").read_text()
    assert "What texts say of the DNA" in text
    counted = pd.read_csv(results / "examples/pathways/statements.tsv", sep="\t").set_index("statement")
    assert counted.loc["the change of bases", "said"] == 96 and counted.loc["a deletion", "said"] == 0


@pytest.mark.slow
@pytest.mark.browser
def test_its_pages_are_for_everyone(results, chromium):
    assert faults(results / "report", chromium) == []
