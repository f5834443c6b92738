"""What the next attempt asks for, and which jobs of an earlier start are followed."""

import json

import pytest
from snakemake_executor_plugin_pbs.explain import DELETED, FAILED, MEMORY, NODE, WALLTIME
from snakemake_executor_plugin_pbs.qstat import JobState
from snakemake_executor_plugin_pbs.records import (
    FOLLOW,
    REPLACE,
    SUBMIT,
    TAKE_RESULT,
    Record,
    Registry,
    fate,
    identity_of,
    key_of,
    newest,
)
from snakemake_executor_plugin_pbs.retries import Largest, Request, is_pointless, next_request

NONE = Largest()


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        (MEMORY, Request(2000, 60)),
        (WALLTIME, Request(1000, 120)),
        (NODE, Request(1000, 60)),
        (FAILED, Request(1000, 60)),
    ],
)
def test_only_what_was_missing_grows(ending, expected):
    """Both where the rule asks for the same and where it asks for more of both with every attempt."""
    for wanted in (Request(1000, 60), Request(2000, 120)):
        assert next_request(wanted, Request(1000, 60), ending, NONE) == expected


def test_nothing_is_asked_for_beyond_what_the_cluster_has():
    largest = Largest(1500, 100)
    assert next_request(Request(1000, 60), Request(1000, 60), MEMORY, largest) == Request(1500, 60)
    assert next_request(Request(1000, 60), Request(1000, 60), WALLTIME, largest) == Request(1000, 100)
    assert next_request(Request(9000, 900), None, None, largest) == Request(1500, 100)
    assert next_request(Request(9000, 900), None, None, NONE) == Request(9000, 900)


def test_an_attempt_that_would_end_the_same_way_is_not_made():
    largest = Largest(1500, 100)
    assert "largest_mem_mb" in is_pointless(Request(1500, 60), MEMORY, largest)
    assert "longest_minutes" in is_pointless(Request(100, 100), WALLTIME, largest)
    for request, ending in (((1000, 100), MEMORY), ((1500, 60), WALLTIME), ((1500, 100), FAILED), ((1500, 100), NODE)):
        assert is_pointless(Request(*request), ending, largest) is None
    assert is_pointless(Request(1500, 100), MEMORY, NONE) is None
    assert is_pointless(Request(1500, 100), DELETED, largest) is None


RECORD = Record("k", "n", identity="i", id="13.a", submitted=1000.0)


@pytest.mark.parametrize(
    ("letter", "code", "identity", "newest_input", "forced", "expected"),
    [
        ("R", None, "i", 900, False, FOLLOW),
        ("Q", None, "i", 900, False, FOLLOW),
        ("H", None, "i", None, False, FOLLOW),
        ("E", None, "i", 900, False, FOLLOW),
        ("R", None, "i", 900, True, FOLLOW),
        ("R", None, "other", 900, False, REPLACE),
        ("Q", None, "other", 900, False, REPLACE),
        ("R", None, "i", 2000, False, REPLACE),
        ("Q", None, "i", 2000, False, FOLLOW),  # it will read the new input
        (None, 0, "i", 900, False, TAKE_RESULT),
        ("F", 0, "i", 900, False, TAKE_RESULT),
        (None, 1, "i", 900, False, SUBMIT),
        (None, None, "i", 900, False, SUBMIT),
        (None, 0, "other", 900, False, SUBMIT),
        (None, 0, "i", 2000, False, SUBMIT),
        (None, 0, "i", 900, True, SUBMIT),
    ],
)
def test_what_becomes_of_a_job_of_an_earlier_start(letter, code, identity, newest_input, forced, expected):
    state = JobState("13.a", letter=letter) if letter else None
    assert fate(RECORD, state, code, identity, newest_input, forced) == expected


def test_the_result_of_a_job_whose_output_is_not_there_any_more_is_not_taken():
    assert fate(RECORD, None, 0, "i", 900, complete=False) == SUBMIT


def test_exit_status_of_the_history_stands_for_an_exit_file_that_is_not_there():
    for status, expected in ((0, TAKE_RESULT), (1, SUBMIT), (-29, SUBMIT)):
        assert fate(RECORD, JobState("13.a", letter="F", exit_status=status), None, "i", 900) == expected


def test_the_key_of_a_job_is_that_of_its_output_in_its_folder():
    key = key_of("/a", ["x", "y"], "rule")
    assert key == key_of("/a", ["y", "x"], "rule")
    assert (
        len({key, key_of("/b", ["x", "y"], "rule"), key_of("/a", ["x"], "rule"), key_of("/a", ["x", "y"], "other")})
        == 4
    )


def test_the_identity_is_that_of_input_and_parameters_not_of_resources():
    job = {
        "rule": "r",
        "input": ["a"],
        "output": ["b"],
        "params": {"x": 1},
        "resources": {"mem_mb": 1},
        "jobid": 3,
        "threads": 2,
    }
    same = job | {"resources": {"mem_mb": 2}, "jobid": 9}
    assert identity_of(json.dumps(job)) == identity_of(json.dumps(same))
    for changed in ({"params": {"x": 2}}, {"input": ["c"]}):
        assert identity_of(json.dumps(job)) != identity_of(json.dumps(job | changed))


def test_records_are_kept_until_the_end_was_heard_of(tmp_path):
    registry = Registry(tmp_path / "records")
    assert registry.read("k") is None
    registry.write(RECORD)
    assert registry.read("k") == RECORD and [path.name for path in registry.folder.iterdir()] == ["k.json"]
    registry.path("k").write_text("{cut o")
    assert registry.read("k") is None
    registry.remove("k")
    registry.remove("k")


def test_when_input_was_changed_last(tmp_path):
    assert newest([]) is None and newest([str(tmp_path / "missing")]) is None
    (tmp_path / "a").touch()
    assert newest([str(tmp_path / "a"), str(tmp_path / "missing")]) == (tmp_path / "a").stat().st_mtime
