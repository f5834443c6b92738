"""The gate: what is released, what is logged, and that a log that was touched is found."""

import hashlib
import json
import stat

import numpy as np
import pytest
from glmflow.corpus.eukaryotic_viruses import virus_of_eukaryotes
from glmflow.errors import InputError
from glmflow.screening.audit_log import START, AuditLog, verify
from glmflow.screening.gate import Gate, GateSettings


def drawn(length, seed):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length))


HAZARD = drawn(2000, 1)
BAD = drawn(700, 2) + HAZARD[500:600] + drawn(700, 3)
GOOD = drawn(1500, 4)


@pytest.fixture
def hazards(tmp_path):
    path = tmp_path / "hazards.fa"
    path.write_text(f">plague a made-up one\n{HAZARD}\n")
    return path


@pytest.fixture
def command(tmp_path):
    def write(body):
        path = tmp_path / "screen.sh"
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return write


def test_what_holds_a_hazard_is_held_back_and_logged_without_a_base(tmp_path, hazards):
    log = tmp_path / "audit.jsonl"
    gate = Gate(GateSettings((hazards,)), log, {"model": "m"})
    assert gate.passed(["one", "two"], [BAD, GOOD]) == [False, True]
    (line,) = map(json.loads, log.read_text().splitlines())
    assert line["counts"] == {"screened": 2, "blocked": 1, "released": 1}
    (entry,) = line["blocked"]
    assert (entry["name"], entry["length"]) == ("one", len(BAD))
    assert entry["sha256"] == hashlib.sha256(BAD.encode()).hexdigest()
    assert {hit["hazard"] for hit in entry["hits"]} == {"plague"}
    assert all(hit["start"] < 800 and hit["end"] > 700 for hit in entry["hits"])
    text = log.read_text()
    assert not any(BAD[start : start + 12] in text for start in range(len(BAD) - 12))
    assert line["gate"]["hazards"] and line["run"] == {"model": "m"}


@pytest.mark.parametrize("cut", range(4))
def test_a_line_that_is_taken_out_is_missed(tmp_path, cut):
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path)
    heads = [log.add({"n": number}) for number in range(4)]
    assert verify(path, heads) == (4, heads[-1])
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:cut] + lines[cut + 1 :]))
    with pytest.raises(InputError, match="audit log does not hold"):
        verify(path, heads)
    if cut < 3:  # the last line alone is missed by what was released on it, not by the lines before
        with pytest.raises(InputError, match=rf"audit\.jsonl:{cut + 1}: .*is missing"):
            AuditLog(path)


@pytest.mark.parametrize("change", ["edit", "swap", "repeat", "forge", "junk"])
def test_a_log_that_was_changed_is_found(tmp_path, change):
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path)
    for number in range(3):
        log.add({"n": number})
    lines = path.read_text().splitlines(keepends=True)
    if change == "edit":
        lines[1] = lines[1].replace('"n": 1', '"n": 7')
    elif change == "swap":
        lines[0], lines[1] = lines[1], lines[0]
    elif change == "repeat":
        lines.insert(1, lines[1])
    elif change == "forge":
        own = json.loads(lines[1]) | {"n": 7}
        del own["hash"]
        own["hash"] = hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()
        lines[1] = json.dumps(own, sort_keys=True) + "\n"
    else:
        lines[1] = "[]\n"
    path.write_text("".join(lines))
    with pytest.raises(InputError, match="audit log does not hold"):
        verify(path)


def test_a_log_goes_on_after_a_kill(tmp_path):
    path = tmp_path / "audit.jsonl"
    first = AuditLog(path).add({"n": 0})
    with path.open("a") as file:
        file.write('{"number": 1, "prev')
    log = AuditLog(path)
    assert (log.count, log.head) == (1, first)
    assert verify(path) == (1, first)
    assert verify(path, [log.add({"n": 1})])[0] == 2
    path.unlink()
    assert AuditLog(path).head == START


def test_a_gate_has_a_list_or_a_reason(tmp_path, hazards):
    log = tmp_path / "audit.jsonl"
    for settings in (GateSettings(), GateSettings((hazards,), acknowledged="why"), GateSettings(acknowledged=" ")):
        with pytest.raises(InputError, match=r"gate is not set|reason"):
            Gate(settings, log, {})
    assert not log.exists()
    gate = Gate(GateSettings(acknowledged="a test of a random model"), log, {})
    assert gate.passed(["one"], [BAD]) == [True]
    assert json.loads(log.read_text())["gate"]["acknowledged"] == "a test of a random model"


def test_a_command_screens_too_and_sees_only_what_passed(tmp_path, hazards, command):
    seen = tmp_path / "seen.txt"
    own = command(f"grep '^>' > {seen}; printf 'three\\tits reason\\n'")
    gate = Gate(GateSettings((hazards,), command=own), tmp_path / "audit.jsonl", {})
    assert gate.passed(["one", "two", "three"], [BAD, GOOD, GOOD[::-1]]) == [False, True, False]
    assert seen.read_text().split() == [">two", ">three"]
    blocked = json.loads((tmp_path / "audit.jsonl").read_text())["blocked"]
    assert [(entry["name"], entry.get("command")) for entry in blocked] == [("one", None), ("three", "its reason")]


@pytest.mark.parametrize("body", ["echo no database >&2; exit 3", "echo other", "exec absent-program"])
def test_a_command_that_fails_releases_nothing(tmp_path, command, body):
    gate = Gate(GateSettings(command=command(body)), tmp_path / "audit.jsonl", {})
    with pytest.raises(InputError, match="nothing is released"):
        gate.passed(["one"], [GOOD])
    with pytest.raises(InputError, match="could not be run"):
        Gate(GateSettings(command="/absent/program"), tmp_path / "audit.jsonl", {}).passed(["one"], [GOOD])


@pytest.mark.parametrize(
    ("record", "left_out"),
    [
        ({"name": "Escherichia phage Lambda", "division": "viral"}, False),
        ({"name": "coliphage NC41", "division": "viral"}, False),
        ({"name": "X", "lineage": ["Viruses", "Duplodnaviria", "Caudoviricetes"]}, False),
        ({"name": "Human alphaherpesvirus 1", "lineage": ["Viruses", "Herviviricetes"]}, True),
        ({"name": "Tobacco mosaic virus"}, True),
        ({"name": "Unknown circular virus", "division": "viral", "host": "Homo sapiens"}, True),
        ({"name": "Sulfolobus virus STSV1", "division": "viral", "host": "Sulfolobus tengchongensis"}, False),
        ({"name": "something", "division": "VRL"}, True),
        ({"name": "something", "division": "PHG"}, False),
        ({"name": "Escherichia coli str. K-12", "lineage": ["Bacteria"], "division": "BCT"}, False),
        ({"name": "Cowpea microsatellite clone 3"}, False),
        ({"name": "Tobacco necrosis satellite virus"}, True),
        ({"name": "Human genomic virus integration site", "lineage": ["Eukaryota", "Metazoa"]}, False),
        ({"name": "Neisseria sp. virulent strain", "division": "bacteria"}, False),
    ],
)
def test_viruses_of_eukaryotes(record, left_out):
    assert (virus_of_eukaryotes(**record) is not None) == left_out
