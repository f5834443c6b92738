"""Statuses follow from figures and thresholds, and exit statuses from statuses."""

import pytest
from glmflow.checks.audit import Audit, audit_table, exit_status, graded, named, worst


@pytest.mark.parametrize(
    ("figure", "status"), [(0, "PASS"), (1, "PASS"), (1.5, "WARN"), (2, "WARN"), (2.1, "FAIL"), (float("nan"), "PASS")]
)
def test_a_status_is_that_of_its_threshold(figure, status):
    assert graded("x", figure, "found", warn=1, fail=2).status == status


def test_an_audit_that_cannot_fail_is_refused():
    with pytest.raises(ValueError, match="without a threshold"):
        graded("x", 1, "found")


@pytest.mark.parametrize(
    ("statuses", "never", "leak", "warning"),
    [((), 0, 0, 0), (("PASS", "PASS"), 0, 0, 0), (("PASS", "WARN"), 0, 0, 1), (("FAIL", "PASS"), 0, 1, 1)],
)
def test_exit_statuses(statuses, never, leak, warning):
    audits = [Audit("x", status, 1, 0, "found") for status in statuses]
    assert [exit_status(audits, limit) for limit in ("never", "leak", "warning")] == [never, leak, warning]
    assert worst(audits) == max(statuses, key=["PASS", "WARN", "FAIL"].index, default="PASS")


def test_the_table_has_the_worst_first_and_a_line_says_all():
    audits = [
        graded("a", 0, "none", warn=0),
        graded("b", 3, "three\n  found", "test", fail=0),
        graded("c", 1, "one", warn=0),
    ]
    assert audit_table(audits)["name"].tolist() == ["b", "c", "a"]
    assert str(audits[1]) == "FAIL  test: three found [b: 3, passes up to 0]"


def test_names_are_cut():
    assert named(["a", "b"]) == "a, b" and named(range(7)) == "0, 1, 2, 3, 4 and 2 more"
