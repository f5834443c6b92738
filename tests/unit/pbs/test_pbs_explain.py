"""Why jobs ended and why they wait: witnesses as a real OpenPBS gave them."""

import pytest
from snakemake_executor_plugin_pbs.explain import (
    DELETED,
    FAILED,
    MEMORY,
    NODE,
    OTHER,
    TWICE,
    WALLTIME,
    Ended,
    Notes,
    ending,
    read_notes,
    waiting,
)
from snakemake_executor_plugin_pbs.qstat import JobState

RAN = "Job run at Sun Nov 29 at 21:44 on (node1:ncpus=1)"
STARTED = Notes(started=1000.0, host="node1")


def end(code=None, notes=STARTED, output="", now=1300.0, minutes=60, mb=2000, **state):
    state = JobState("13.a", **state) if state else None
    return ending(Ended("13.a", code, state, notes, output, mb, minutes, now))


def finished(status, comment=RAN, **more):
    return {"letter": "F", "exit_status": status, "comment": comment, **more}


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        # With history: Exit_status and comment.
        ({**finished(-29, f"{RAN} and exceeded resource walltime"), "code": 143}, WALLTIME),
        (finished(-27, f"{RAN} and exceeded resource mem"), MEMORY),
        (finished(-26), MEMORY),
        (finished(-25), OTHER),
        (finished(271, f"{RAN} and terminated by lab@login1", substate=91), DELETED),
        ({**finished(None, "", substate=91), "notes": Notes()}, DELETED),
        (finished(-3), NODE),
        (finished(265), OTHER),
        (finished(3), FAILED),
        ({**finished(1), "code": 1}, FAILED),
        # Without: what PBS wrote into the output, the job's own notes, the clock.
        ({"code": 1, "output": "=>> PBS: job killed: walltime 70 exceeded limit 60\nTerminated"}, WALLTIME),
        ({"output": "=>> PBS: job killed: mem 5000000kb exceeded limit 2097152kb"}, MEMORY),
        ({"code": 1, "output": "Cgroup mem limit exceeded: Memory cgroup out of memory"}, MEMORY),
        ({"code": 1, "output": "=>> PBS: job killed: ncpus 3.4 exceeded limit 1 (sum)"}, OTHER),
        ({"code": 1, "notes": STARTED._replace(terminated=1200.0)}, DELETED),
        ({"notes": STARTED._replace(terminated=1200.0)}, DELETED),
        ({"notes": STARTED._replace(terminated=1000.0 + 3600), "now": 4700.0}, WALLTIME),
        ({"notes": Notes(), "letter": "Q"}, DELETED),
        ({"notes": Notes()}, DELETED),
        ({"notes": Notes(), "letter": "R"}, DELETED),
        ({"letter": "R", "comment": f"{RAN} and terminated by root@login1"}, DELETED),
        ({}, NODE),
        ({"now": 1000.0 + 3601}, WALLTIME),
        ({"code": 2}, FAILED),
        ({"code": 75, "notes": STARTED._replace(refused="12")}, TWICE),
        ({"code": 1, "notes": STARTED._replace(saved=7, out_of_time=True)}, WALLTIME),
        # A process of the job was killed: memory, if it was near what was asked for.
        ({"code": 1, "output": "died with <Signals.SIGKILL: 9>", "letter": "R", "used_mb": 1950.0}, MEMORY),
        ({"code": 1, "output": "died with <Signals.SIGKILL: 9>", "letter": "R", "used_mb": 90.0}, FAILED),
    ],
)
def test_kinds_of_endings(facts, kind):
    assert end(**facts).kind == kind


def test_the_words_say_how_much_was_asked_for():
    assert "walltime of 60 min" in end(**finished(-29)).text
    assert "more memory than the 2000 MB" in end(**finished(-27)).text
    assert "deleted by lab@login1" in end(**finished(271, f"{RAN} and terminated by lab@login1")).text
    assert "node1 was lost" in end().text
    text = end(code=1, notes=STARTED._replace(saved=7, out_of_time=True)).text
    assert "its checkpoint is of update 7" in text


def test_what_makes_a_job_wait():
    state = JobState("13.a", letter="Q", comment="Not Running: Insufficient amount of resource: ngpus")
    assert waiting(state, 500) is None
    assert waiting(state, 700) == ("long", "has waited 12 min: Not Running: Insufficient amount of resource: ngpus")
    never = state._replace(comment="Can Never Run: Insufficient amount of resource: ngpus (R: 9 A: 8 T: 8)")
    assert waiting(never, 0)[0] == "never" and "qdel 13.a" in waiting(never, 0)[1]
    held = waiting(JobState("13.a", letter="H", hold="u"), 0)
    assert held[0] == "held" and "qrls 13.a" in held[1]
    assert waiting(JobState("13.a", letter="R", comment="Can Never Run"), 9000) is None


def test_notes_of_a_job(tmp_path):
    path = tmp_path / "13.notes"
    assert read_notes(path) == Notes()
    path.write_text("start 1000 node1\nterm 1060\nsaved 12 SIGTERM\n")
    assert read_notes(path) == Notes(1000.0, 1060.0, "node1", 12, False, "", 1)
    path.write_text("start 1000 node1\nterm 1060\nstart 1500 node2\nsaved 12 walltime\nrefused 9\nter")
    assert read_notes(path) == Notes(1500.0, None, "node2", 12, True, "9", 2)
    path.write_text("start\nterm x\nnonsense\n\n")
    assert read_notes(path) == Notes()
