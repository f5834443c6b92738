"""What `qstat` prints, as OpenPBS 23.06.06 printed it (names shortened), and what is made of it."""

import json

import pytest
from snakemake_executor_plugin_pbs.calls import Answer, Pace, number
from snakemake_executor_plugin_pbs.qstat import Qstat, by_name, megabytes, parse_json, parse_text, seconds

RUNNING = {
    "Job_Name": "finetune.3cf42428",
    "Job_Owner": "lab@login1",
    "resources_used": {"cput": "00:00:00", "mem": "4220kb", "ncpus": 1, "walltime": "100:00:10"},
    "job_state": "R",
    "exec_host": "node1/0*4",
    "Hold_Types": "n",
    "substate": 42,
    "Variable_List": {"PBS_O_WORKDIR": "/home/lab/my study", "N": 5},
    "comment": "Job run at Sun Nov 29 at 21:44 on (node1:ncpus=4) and terminated by lab@login1",
    "run_count": 1,
}
KILLED = {
    "Job_Name": "x",
    "job_state": "F",
    "substate": 93,
    "Exit_status": -29,
    "comment": "... and exceeded resource walltime",
}
TEXT = """Job Id: 13.pbs01.site.org
    Job_Name = finetune.3cf42428
    Job_Owner = lab@login1
    resources_used.mem = 2gb
    resources_used.walltime = 00:00:10
    job_state = E
    Hold_Types = n
    Resource_List.select = 1:ncpus=1
    substate = 51
    Variable_List = PBS_O_HOME=/home/lab,PBS_O_LANG=C.UTF-8,
\tPBS_O_PATH=/usr/local/sb
\tin:/usr/bin,PBS_O_WORKDIR=/home/lab/study,
\tPBS_O_HOST=login1
    comment = Job run at Sun Nov 29 at 21:43 on (node1:ncpus=1) and termina
\tted by lab@login1
    Exit_status = 271
    Submit_arguments = -N a = b

Job Id: 14.pbs01
    Job_Name = b
    job_state = Q
    comment = Can Never Run: Insufficient amount of resource: ngpus (R: 9 A: 8
\t T: 8)

"""


def document(**jobs):
    return json.dumps({"timestamp": 1, "pbs_server": "pbs01", **({"Jobs": jobs} if jobs else {})})


def test_json_of_a_job_that_runs():
    job = parse_json(document(**{"13.pbs01": RUNNING}))["13"]
    assert (job.id, job.name, job.letter, job.substate, job.exit_status) == (
        "13.pbs01",
        "finetune.3cf42428",
        "R",
        42,
        None,
    )
    assert job.used_mb == pytest.approx(4220 / 1024) and job.used_seconds == 360_010
    assert (job.host, job.owner, job.folder, job.run_count) == ("node1", "lab", "/home/lab/my study", 1)


def test_json_of_a_job_that_pbs_ended():
    assert parse_json(document(**{"13.pbs01": KILLED}))["13"].exit_status == -29


@pytest.mark.parametrize("text", ["", document()], ids=["nothing", "no jobs"])
def test_json_without_jobs(text):
    assert parse_json(text) == {}


def test_json_that_is_none():
    assert parse_json('{"Jobs": {"1": {"foo": 005}}}') is None


def test_text_of_two_jobs_with_lines_that_go_on():
    jobs = parse_text(TEXT)
    first, second = jobs["13"], jobs["14"]
    assert first.id == "13.pbs01.site.org" and first.exit_status == 271 and first.letter == "E"
    assert first.comment.endswith("and terminated by lab@login1")
    assert first.folder == "/home/lab/study" and first.used_mb == 2048
    assert second.comment == "Can Never Run: Insufficient amount of resource: ngpus (R: 9 A: 8 T: 8)"


@pytest.mark.parametrize(
    ("text", "mb"), [("1024kb", 1), ("3gb", 3072), ("5mb", 5), ("1048576b", 1), ("", None), (None, None)]
)
def test_sizes(text, mb):
    assert megabytes(text) == mb


@pytest.mark.parametrize(("text", "expected"), [("00:01:02", 62), ("100:00:00", 360_000), ("01:30", 90), ("x", None)])
def test_times(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("12.pbs01", "12"), ("12.pbs01.site.org\n", "12"), ("12", "12"), ("7[].x", "7[]")]
)
def test_the_number_of_a_job_is_the_same_whatever_its_server_is_called(text, expected):
    assert number(text) == expected


class Server:
    """Answers of a server, and how it was asked."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def __call__(self, command, **kwargs):
        self.asked.append(command)
        return self.answers.pop(0)


def test_a_server_with_history_is_asked_once():
    server = Server(Answer(0, document(**{"13.a": RUNNING, "14.a": KILLED}), ""))
    found = Qstat(server).ask(["13.a.b", "14.a.b"])
    assert server.asked == [["qstat", "-x", "-f", "-F", "json", "13.a.b", "14.a.b"]]
    assert found.jobs.keys() == {"13", "14"} and found.gone == set() and found.outage is None


def test_a_server_without_history_is_asked_without_from_then_on():
    no = "qstat: PBS is not configured to maintain job history 13.a\n"
    server = Server(
        Answer(0, document(), no),
        Answer(153, document(**{"13.a": RUNNING}), "qstat: Unknown Job Id 14.a\n"),
        Answer(153, document(), "qstat: Unknown Job Id 13.a\n"),
    )
    qstat = Qstat(server)
    found = qstat.ask(["13.a", "14.a"])
    assert found.jobs.keys() == {"13"} and found.gone == {"14"}
    assert qstat.ask(["13.a"]).gone == {"13"}
    assert [command[1] for command in server.asked] == ["-x", "-f", "-f"]


@pytest.mark.parametrize(
    "out", [document(**{"13.a": RUNNING}), '{"Jobs": {"13.a": {"N": 005}}}'], ids=["first only", "broken"]
)
def test_json_that_cannot_be_trusted_is_given_up_for_text(out):
    """One that names only the first of several jobs must not make the others look gone (openpbs#2672)."""
    text = TEXT.replace("14.pbs01", "14.a")
    server = Server(Answer(0, out, ""), Answer(0, text, ""), Answer(0, text, ""))
    qstat = Qstat(server)
    assert qstat.ask(["13.a", "14.a"]).jobs.keys() == {"13", "14"}
    assert qstat.ask(["13.a", "14.a"]).gone == set()
    assert server.asked[1:] == [["qstat", "-x", "-f", "13.a", "14.a"]] * 2


def test_a_server_that_cannot_be_reached_says_nothing_about_jobs():
    away = "Connection refused\nqstat: cannot connect to server a (errno=15010)\n"
    found = Qstat(Server(Answer(255, document(), away))).ask(["13.a"])
    assert not found.jobs and not found.gone and "cannot connect" in found.outage


def test_a_job_that_has_finished_is_gone_where_history_is_not_asked_for():
    server = Server(Answer(35, "", "qstat: 13.a Job has finished, use -x or -H to obtain historical job information\n"))
    qstat = Qstat(server)
    qstat.history = False
    assert qstat.ask(["13.a"]).gone == {"13"}


def test_nothing_is_asked_about_no_job():
    server = Server()
    assert Qstat(server).ask([]).jobs == {} and server.asked == []


def test_jobs_by_their_names():
    server = Server(Answer(0, "13.a\n14.a\n", ""), Answer(0, "", ""))
    assert by_name(server, ["one", "two"]) == {"one": ["13.a", "14.a"], "two": []}
    assert by_name(Server(Answer(162, "", "cannot connect")), ["one"]).code == 162


def test_ten_calls_a_minute():
    now = [0.0]
    pace = Pace(10, 60, clock=lambda: now[0])
    made = []
    for now[0] in range(0, 181):
        if pace.allows():
            pace.made()
            made.append(now[0])
    assert all(sum(start <= time < start + 60 for time in made) <= 10 for start in range(181))
    assert len(made) >= 30
