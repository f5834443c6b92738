"""Tables of questions are looked at before any job: what is wrong with them is named with its key."""

import json
import re

import pytest
from glmflow.checks import diagnosis
from glmflow.config import check_study

REF = "ACGTTGCAACGGTCATGCATTCAGG"
GOOD = {"question": "Which?", "answer": "x", "reference_sequence": REF, "variant_sequence": REF[:12] + "A" + REF[13:]}


def said(folder, row, **settings):
    """Return what is said of a table whose second row is `row`."""
    (folder / "rows.jsonl").write_text("".join(json.dumps(own) + "\n" for own in (GOOD, row)))
    task = {
        "kind": "diagnosis",
        "table": str(folder / "rows.jsonl"),
        "flank": 8,
        "splits": {"by": "random"},
        **settings,
    }
    study = check_study({
        "study": "s", "tasks": {"t": task}, "models": {"m": {"baseline": "majority"}},
        "adaptations": {"b": {"kind": "baseline"}}, "runs": [{"tasks": ["t"], "models": ["m"], "adaptations": ["b"]}],
    })  # fmt: skip
    return list(diagnosis.check(study, "t", lambda: None))


@pytest.mark.parametrize(
    ("row", "settings", "place", "words"),
    [
        ({"q": "Which?", "a": "x"}, {}, ("table",), "row 2: without question, answer.*this one has q, a"),
        ({**GOOD, "variant_sequence": "ACGT-"}, {}, ("table",), "row 2: variant_sequence holds '-'"),
        ({**GOOD, "variant_sequence": REF}, {}, ("crop",), "1 of 2 questions show the same reference and variant"),
        (GOOD, {"splits": {"by": "column", "column": "exon"}}, ("splits", "column"), "no column 'exon'"),
        ({**GOOD, "answer": "y"}, {"classes": ["x"]}, ("classes",), "the answer 'y' is not in the list"),
        (GOOD, {"crop": "first", "flank": 6}, ("crop",), "2 of 2 questions show the same"),
    ],
)
def test_what_is_wrong_has_its_key(tmp_path, row, settings, place, words):
    ((where, text),) = said(tmp_path, row, **settings)
    assert where == place
    assert re.search(words, text), text


def test_a_sound_table_and_one_that_is_not_there_are_left_to_the_job(tmp_path):
    assert said(tmp_path, {**GOOD, "variant_sequence": REF, "answer": "no disease"}) == []
    assert said(tmp_path, GOOD, table=str(tmp_path / "none.jsonl")) == []


def test_of_a_large_file_the_first_row_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(diagnosis, "READ_WHOLE", 10)
    assert said(tmp_path, {"q": "Which?"}) == []
    (tmp_path / "other.jsonl").write_text('{"q": "Which?"}\n' * 3)
    ((where, text),) = said(tmp_path, GOOD, table=str(tmp_path / "other.jsonl"))
    assert where == ("table",) and "row 1: without question" in text
