"""What the form of questions gives away."""

import numpy as np
import pandas as pd
from glmflow.tasks.diagnosis.plain_lookups import answers_named, plain_lookups, template_of


def rows(leaky):
    """Return 80 questions of two answers: half of them are for training; in a leaky table a named gene says the answer."""
    sick = np.arange(80) % 2 == 0
    named = sick if leaky else np.arange(80) % 4 < 2
    return pd.DataFrame({
        "text_question": [f"Is variant {row} of GENE{row % 7} bad?" if one else f"Is variant {row} bad?" for row, one in enumerate(named)],
        "gene": [f"GENE{row % 7}" if one else None for row, one in enumerate(named)],
        "sequence_ref": ["ACGT" * 5] * 80,
        "sequence_alt": ["ACGA" * 5] * 80,
        "kind": ["snv"] * 80,
        "target": np.where(sick, "pathogenic", "benign"),
    })  # fmt: skip


def test_a_form_that_says_the_answer_is_found():
    found = {one.name: one for one in plain_lookups(rows(True), np.arange(40), np.arange(40, 80))}
    assert set(found) == {"template of the question", "naming of a gene"}
    for one in found.values():
        assert (one.seen, one.correct, one.of, one.majority) == (40, 40, 40, 20) and one.tells


def test_a_form_that_says_nothing_is_not_held_against_a_table():
    for one in plain_lookups(rows(False), np.arange(40), np.arange(40, 80)):
        assert not one.tells and one.correct == 20


def planted(**columns):
    """Return 80 questions of two answers that say nothing of them, but for the columns that are given."""
    return rows(False).assign(gene=None, **columns)


def test_an_answer_that_the_question_names_is_found():
    sick = np.arange(80) % 2 == 0
    texts = [
        f"Variant {row}, found in a patient with {'Pathogenic' if one else 'benign'} findings?"
        for row, one in enumerate(sick)
    ]
    found = {one.name: one for one in plain_lookups(planted(text_question=texts), np.arange(40), np.arange(40, 80))}
    assert found["answers that the question names"].correct == 40 and found["answers that the question names"].tells
    same = planted(text_question=["Is it benign or pathogenic?"] * 80)
    assert not plain_lookups(same, np.arange(40), np.arange(40, 80)), "named in all questions alike"


def test_names_of_answers_are_whole_words_and_the_longest():
    classes = ["cell carcinoma", "renal cell carcinoma", "als"]
    asked = ["Renal cell carcinoma?", "Also signals?", "ALS or cell carcinoma."]
    assert answers_named(asked, classes).tolist() == ["renal cell carcinoma", "", "als cell carcinoma"]


def test_the_place_of_the_change_in_a_window_is_found():
    sick = np.arange(80) % 2 == 0
    ref = "ACGT" * 20
    alleles = [ref[:place] + "G" + ref[place + 1 :] for place in np.where(sick, 40, 20)]
    table = planted(sequence_ref=[ref] * 80, sequence_alt=alleles)
    found = {one.name: one for one in plain_lookups(table, np.arange(40), np.arange(40, 80))}
    assert found["place of the change in the window"].tells and found["place of the change in the window"].correct == 40


def test_templates_leave_out_names_and_numbers():
    one, other = "Chromosome 7: what of BRCA1 at 1,234?", "Chromosome 17: what of HLA-B at 5?"
    assert template_of(one) == template_of(other) != template_of("What of BRCA1?")
