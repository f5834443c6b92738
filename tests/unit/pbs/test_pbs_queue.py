"""The queue of a run, turn by turn, against a server that is a function."""

import json
import re
import time
from pathlib import Path

import pytest
from snakemake_executor_plugin_pbs import queue as queue_module
from snakemake_executor_plugin_pbs import watch
from snakemake_executor_plugin_pbs.calls import Answer, Pace, call
from snakemake_executor_plugin_pbs.cancel import delete
from snakemake_executor_plugin_pbs.explain import DELETED, FAILED, REFUSED, WALLTIME
from snakemake_executor_plugin_pbs.open_jobs import Open
from snakemake_executor_plugin_pbs.qstat import Qstat
from snakemake_executor_plugin_pbs.queue import Queue
from snakemake_executor_plugin_pbs.records import Record, Registry


class Server:
    """A PBS without history: jobs by their numbers, each a letter and a comment."""

    def __init__(self):
        self.jobs, self.calls, self.away, self.limit, self.refuses, self.deaf = {}, [], False, 1000, None, False

    def __call__(self, command, **kwargs):
        self.calls.append(command)
        name, *arguments = command
        if self.away:
            return Answer(162 if name != "qstat" else 255, "", f"{name}: cannot connect to server a (errno=15010)")
        return getattr(self, name)(arguments)

    def qsub(self, arguments):
        if self.refuses:
            return Answer(170, "", self.refuses)
        if len(self.jobs) >= self.limit:
            return Answer(38, "", "qsub: would exceed queue generic's per-user limit")
        number = str(len([line for line in self.calls if line[0] == "qsub"]))
        self.jobs[number] = ["Q", "", arguments[arguments.index("-N") + 1]]
        return Answer(-1, "", "") if self.deaf else Answer(0, f"hello\n{number}.server.org\n", "")

    def qselect(self, arguments):
        return Answer(0, "".join(f"{n}.server\n" for n, job in self.jobs.items() if job[2] == arguments[1]), "")

    def qstat(self, arguments):
        if "-x" in arguments:
            return Answer(0, "{}", "qstat: PBS is not configured to maintain job history 1.a")
        numbers = [item.partition(".")[0] for item in arguments if item[0].isdigit()]
        found = {f"{n}.server": {"Job_Name": self.jobs[n][2], "job_state": self.jobs[n][0], "comment": self.jobs[n][1]}
                 for n in numbers if n in self.jobs}  # fmt: skip
        gone = "".join(f"qstat: Unknown Job Id {n}.server\n" for n in numbers if n not in self.jobs)
        return Answer(153 if gone else 0, json.dumps({"Jobs": found}), gone)

    def qdel(self, arguments):
        for item in arguments:
            self.jobs.pop(item.partition(".")[0], None)
        return Answer(0, "", "")

    def asked(self, name):
        return [line for line in self.calls if line[0] == name]


class Snakemake:
    """Hears how jobs fare."""

    def __init__(self):
        self.heard, self.lines, self.on = [], [], True

    def submitted(self, job, followed):
        self.heard.append(("found" if followed else "submitted", job.record.key, job.record.id))

    def succeeded(self, job):
        self.heard.append(("succeeded", job.record.key))

    def ended(self, job, ending):
        self.heard.append((ending.kind, job.record.key))
        self.lines.append(ending.text)

    def goes_on(self, job, ending):
        self.heard.append(("goes on", job.record.key))
        return self.on

    def waits(self, job, words, once):
        self.heard.append(("waits", job.record.key, once))

    def say(self, words, warning=False):
        self.lines.append(words)

    def broke(self, error):
        raise error


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """A queue whose clocks are fast, its server and who listens."""
    for module, name, value in (
        *((queue_module, "PAUSE", 0.0), (queue_module, "AT_LIMIT", 0.05), (queue_module, "TURN", 0.01)),
        (watch, "GRACE", 0.2),
    ):
        monkeypatch.setattr(module, name, value)
    server, heard = Server(), Snakemake()
    (tmp_path / "logs/pbs/alive").mkdir(parents=True)
    queue = Queue(server, heard, Registry(tmp_path / "records"), tmp_path / "logs/pbs", between_looks=0.0)
    queue.qstat.pace = Pace(10_000)
    yield queue, server, heard
    queue.close()


def job(queue, key, **more):
    record = Record(key, f"rule.{key}", identity="i", mem_mb=100, minutes=60)
    return Open(None, record, ["qsub", "-N", f"rule.{key}", "script"], queue.notes, f"job {key}", **more)


def turn(queue, until, seconds=10):
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "it never happened"
        queue.turn()
        time.sleep(0.005)


def note(queue, number, code=None, notes=""):
    if notes:
        (queue.notes / f"{number}.notes").write_text(notes)
    if code is not None:
        (queue.notes / f"{number}.exit").write_text(f"{code}\n")


def test_a_job_that_is_lost_and_started_again_between_two_looks_is_said(parts):
    queue, server, heard = parts
    queue.add(job(queue, "a"))
    turn(queue, lambda: len(server.asked("qsub")) == 1)
    note(queue, 1, 0, "start 1 node1 a\nstart 61 node2 a\n")
    turn(queue, lambda: heard.heard[-1] == ("succeeded", "a"))
    assert any("PBS started job 1.server.org again (start 2)" in line for line in heard.lines)


def test_a_job_that_succeeds(parts):
    queue, server, heard = parts
    queue.add(job(queue, "a"))
    turn(queue, lambda: heard.heard)
    assert heard.heard == [("submitted", "a", "1.server.org")]
    assert queue.registry.read("a").id == "1.server.org"
    server.jobs["1"][0] = "R"
    note(queue, 1, 0)
    turn(queue, lambda: len(heard.heard) > 1)
    assert heard.heard[1] == ("succeeded", "a")
    assert queue.open_jobs() == [] and queue.registry.read("a") is None


def test_a_job_that_fails_is_reported_when_pbs_has_said_its_word(parts):
    queue, server, heard = parts
    queue.add(job(queue, "a"))
    turn(queue, lambda: heard.heard)
    note(queue, 1, 3, "start 1 node1\n")
    for _ in range(5):
        queue.turn()
    assert len(heard.heard) == 1
    server.jobs.clear()
    turn(queue, lambda: len(heard.heard) > 1)
    assert heard.heard[1] == (FAILED, "a") and "exit code 3" in heard.lines[-1]


def test_a_job_deleted_by_hand(parts):
    queue, server, heard = parts
    queue.add(job(queue, "a"))
    turn(queue, lambda: heard.heard)
    queue.turn()
    server.jobs.clear()
    turn(queue, lambda: len(heard.heard) > 1)
    assert heard.heard[1] == (DELETED, "a")


def test_all_jobs_are_asked_about_in_one_call(parts):
    queue, server, heard = parts
    for n in range(50):
        queue.add(job(queue, f"k{n}"))
    turn(queue, lambda: len(heard.heard) == 50)
    server.calls.clear()
    queue._looked = -1e9
    queue.turn()
    assert max(len([item for item in line if item[0].isdigit()]) for line in server.asked("qstat")) == 50
    assert len(server.asked("qstat")) <= 2  # the first of all finds out whether there is a history


def test_a_limit_is_a_wait(parts):
    queue, server, heard = parts
    server.limit = 2
    for n in range(5):
        queue.add(job(queue, f"k{n}"))
    turn(queue, lambda: len([item for item in heard.heard if item[0] == "submitted"]) == 2)
    for _ in range(30):
        queue.turn()
        time.sleep(0.005)
    said = [line for line in heard.lines if "takes no more jobs" in line]
    assert len(said) == 1 and "none has failed" in said[0]
    assert {item[0] for item in heard.heard} == {"submitted", "waits"}
    while [item[0] for item in heard.heard].count("succeeded") < 5:
        for number in list(server.jobs):
            server.jobs.pop(number)
            note(queue, number, 0)
        queue.turn()
        time.sleep(0.005)
    assert [item[0] for item in heard.heard].count("submitted") == 5


def test_a_server_that_is_away_is_said_at_once_and_waited_for(parts):
    queue, server, heard = parts
    server.away = True
    queue.add(job(queue, "a"))
    turn(queue, lambda: heard.lines)
    assert "PBS cannot be reached" in heard.lines[0] and heard.heard == []
    server.away = False
    turn(queue, lambda: heard.heard)
    assert heard.heard == [("submitted", "a", heard.heard[0][2])]
    server.away = True
    lines = len(heard.lines)
    turn(queue, lambda: len(heard.lines) > lines)
    note(queue, heard.heard[0][2].partition(".")[0], 0)
    turn(queue, lambda: len(heard.heard) > 1)
    assert heard.heard[1] == ("succeeded", "a"), "its own record is enough"


def test_a_refusal_is_a_failure_with_the_words_of_qsub(parts):
    queue, server, heard = parts
    server.refuses = "qsub: Unknown queue"
    queue.add(job(queue, "a"))
    turn(queue, lambda: heard.heard)
    assert heard.heard == [(REFUSED, "a")] and "Unknown queue\nqsub -N rule.a" in heard.lines[0]
    assert queue.registry.read("a") is None


def test_a_submission_whose_answer_was_lost_is_not_made_twice(parts):
    queue, server, heard = parts
    server.deaf = True
    queue.add(job(queue, "a"))
    turn(queue, lambda: heard.lines)
    server.deaf = False
    turn(queue, lambda: heard.heard)
    assert heard.heard == [("submitted", "a", "1.server")] and len(server.asked("qsub")) == 1


@pytest.mark.parametrize("known", [True, False], ids=["with its id", "while it was submitted"])
def test_a_job_of_an_earlier_start_is_followed(parts, known):
    queue, server, heard = parts
    server.jobs["7"] = ["R", "", "rule.a"]
    queue.registry.write(Record("a", "rule.a", "i", id="7.server" if known else None, submitted=time.time()))
    queue.add(job(queue, "a"))
    turn(queue, lambda: heard.heard)
    assert heard.heard[0][:2] == ("found", "a") and not server.asked("qsub")
    note(queue, 7, 0)
    turn(queue, lambda: len(heard.heard) > 1)
    assert heard.heard[1] == ("succeeded", "a")


def test_a_job_of_an_earlier_start_that_is_on_no_record_but_alive_is_followed(parts):
    queue, server, heard = parts
    server.jobs["7"] = ["R", "", "rule.a"]
    (queue.notes / "alive/a").write_text("7\n")
    queue.add(job(queue, "a"))
    turn(queue, lambda: heard.heard)
    assert heard.heard[0] == ("found", "a", "7") and not server.asked("qsub")


def test_a_result_that_came_while_snakemake_was_away_is_taken(parts):
    queue, server, heard = parts
    queue.registry.write(Record("a", "rule.a", "i", id="7.server", submitted=time.time()))
    note(queue, 7, 0)
    queue.add(job(queue, "a"))
    turn(queue, lambda: len(heard.heard) > 1)
    assert heard.heard == [("found", "a", "7.server"), ("succeeded", "a")] and not server.asked("qsub")


def test_a_job_of_an_earlier_start_that_computes_something_else_is_replaced(parts):
    queue, server, heard = parts
    server.jobs["7"] = ["Q", "", "rule.a"]
    queue.registry.write(Record("a", "rule.a", "other", id="7.server", submitted=time.time()))
    queue.add(job(queue, "a"))
    turn(queue, lambda: heard.heard)
    assert "7" not in server.jobs and heard.heard[0][0] == "submitted"


def test_nothing_is_submitted_while_it_is_unknown_what_is_there(parts):
    queue, server, heard = parts
    queue.registry.write(Record("a", "rule.a", "i", id="7.server", submitted=time.time()))
    server.jobs["7"], server.away = ["R", "", "rule.a"], True
    queue.add(job(queue, "a"))
    for _ in range(20):
        queue.turn()
    assert not server.asked("qsub")
    server.away = False
    turn(queue, lambda: heard.heard)
    assert heard.heard[0][0] == "found"


def test_a_job_that_saved_at_its_walltime_goes_on_without_using_up_an_attempt(parts):
    queue, server, heard = parts
    queue.add(job(queue, "a"))
    turn(queue, lambda: heard.heard)
    for number, step in ((1, 5), (2, 9)):
        note(queue, number, 1, f"start 1 node1\nsaved {step} walltime\n")
        server.jobs.clear()
        turn(queue, lambda count=2 * number: len(heard.heard) > count)
        assert heard.heard[-2] == ("goes on", "a") and heard.heard[-1][0] == "submitted"
    note(queue, 3, 1, "start 1 node1\nsaved 9 walltime\n")  # no progress
    server.jobs.clear()
    turn(queue, lambda: heard.heard[-1][0] == WALLTIME)


def test_why_a_job_waits_is_said_once(parts):
    queue, server, heard = parts
    queue.add(job(queue, "a"))
    turn(queue, lambda: heard.heard)
    server.jobs["1"][1] = "Can Never Run: Insufficient amount of resource: ngpus (R: 9 A: 8 T: 8)"
    for _ in range(10):
        queue.turn()
    assert heard.heard[1:] == [("waits", "a", True)]


def test_cancel_deletes_what_is_queued_runs_and_is_being_submitted(parts):
    queue, server, _ = parts

    def slow(command, **kwargs):
        if command[0] == "qsub":
            time.sleep(0.3)
        return server(command, **kwargs)

    queue.call = slow
    for n in range(20):
        queue.add(job(queue, f"k{n}"))
    queue.turn()
    time.sleep(0.05)
    assert queue.cancel() == [] and server.jobs == {} and len(server.asked("qdel")) == 1
    assert list(queue.registry.folder.glob("*.json")) == []


def test_what_cannot_be_deleted_is_returned(parts):
    _, server, _ = parts
    server.jobs["1"], server.away, said = ["R", "", "x"], True, []
    assert delete(["1.server"], server, Qstat(server), said.append, seconds=0.3, sleep=lambda _: time.sleep(0.1)) == [
        "1.server"
    ]
    assert len(said) == 1 and "PBS does not answer" in said[0]


def test_jobs_that_are_ending_are_waited_for(parts):
    """One that was asked to end shows `terminated by` until it has saved what it has."""
    _, server, _ = parts
    looks = []

    def dying(command, **kwargs):
        if command[0] == "qdel":
            server.jobs["1"][1] = "Job run at ... and terminated by lab@login1"
            server.calls.append(command)
            return Answer(0, "", "")
        looks.append(1)
        if len(looks) > 4:
            server.jobs.clear()
        return server(command, **kwargs)

    server.jobs["1"] = ["R", "", "x"]
    assert delete(["1.server"], dying, Qstat(dying), print, sleep=lambda _: None) == []
    assert len(server.asked("qdel")) == 1 and len(looks) == 5


def test_a_command_that_hangs_is_ended_with_its_children():
    started = time.monotonic()
    assert call(["bash", "-c", "sleep 60 & sleep 60"], seconds=0.3).code == -1
    assert time.monotonic() - started < 10


def test_a_command_runs_in_a_session_of_its_own():
    found = call(["bash", "-c", "ps -o sid=,pid= -p $$"]).out.split()
    assert found[0] == found[1] and Path("/proc/self/stat").read_text().split()[5] != found[0]
    assert call(["bash", "-c", "echo a; echo b >&2; exit 3"]) == Answer(3, "a\n", "b\n")
    assert re.fullmatch("exit code 3", call(["bash", "-c", "exit 3"]).message)
