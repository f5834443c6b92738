#!/usr/bin/env python3
"""A stand-in for OpenPBS: qsub, qstat, qdel and qselect, by the name it is called by.

It answers as OpenPBS 23.06 was seen to: exit codes, messages, JSON and text, comments, Exit_status, what is written into
the output of a job that is killed. Its books are the folder $FAKE_PBS: `settings.json` says how it behaves, `submitted`,
`deleted` and `calls` what it was asked, `jobs/{n}.json` how a job stands.

settings: history (false), slots (64: jobs that run at a time), limit (none: jobs a user may have), gpus (8), suffix
(".fake": the name of the server in ids), job_suffix (the same in $PBS_JOBID), banner (a line that qsub prints first), slow
(0: seconds until it answers), json ("good", "first only", "broken"), kill_delay (10), refuses (none: a message of qsub).
Files: `server_away`: it cannot be reached; `node_lost.{n}`: so the node of a job; `walltime.{n}`, `memory.{n}`: the job has
used what it asked for; `hold.{n}`.
"""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

BOOKS = Path(os.environ["FAKE_PBS"])
SETTINGS = {
    **{"history": False, "slots": 64, "limit": None, "gpus": 8, "suffix": ".fake", "job_suffix": None, "banner": ""},
    **{"slow": 0, "json": "good", "kill_delay": 10, "refuses": ""},
}
if (BOOKS / "settings.json").exists():
    SETTINGS |= json.loads((BOOKS / "settings.json").read_text())


@contextmanager
def books():
    """All jobs, locked; what is changed is written."""
    (BOOKS / "jobs").mkdir(parents=True, exist_ok=True)
    with (BOOKS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        paths = sorted((BOOKS / "jobs").glob("*.json"), key=lambda path: int(path.stem))
        jobs = {int(path.stem): json.loads(path.read_text()) for path in paths}
        before = {n: json.dumps(job) for n, job in jobs.items()}
        yield jobs
        schedule(jobs)
        for n, job in jobs.items():
            text = json.dumps(job)
            if before.get(n) != text:
                (BOOKS / f"jobs/{n}.new").write_text(text)
                (BOOKS / f"jobs/{n}.new").rename(BOOKS / f"jobs/{n}.json")


def schedule(jobs):
    """Start what can run, and say of the others why they wait."""
    running = sum(job["state"] in "RE" for job in jobs.values())
    for n, job in jobs.items():
        if job["state"] not in "QH":
            continue
        job["state"] = "H" if (BOOKS / f"hold.{n}").exists() else "Q"
        gpus = int((re.search(r"ngpus=(\d+)", job["command"]) or [0, 0])[1])
        if job["state"] == "H":
            continue
        if gpus > SETTINGS["gpus"]:
            all_ = SETTINGS["gpus"]
            job["comment"] = f"Can Never Run: Insufficient amount of resource: ngpus (R: {gpus} A: {all_} T: {all_})"
        elif running >= SETTINGS["slots"]:
            job["comment"] = "Not Running: Insufficient amount of resource: ncpus "
        else:
            running += 1
            job |= {"state": "R", "comment": "Job run at now on (fake:ncpus=1)", "started": time.time()}
            job["run_count"] = job.get("run_count", 0) + 1
            runner = [sys.executable, Path(__file__).resolve(), "run", str(n)]
            quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            subprocess.Popen(runner, start_new_session=True, **quiet)


def name(n):
    return f"{n}{SETTINGS['suffix']}"


def log(book, text):
    with (BOOKS / book).open("a") as handle:
        handle.write(f"{text}\n")


def answer(code, out="", err=""):
    """End as a command of PBS does."""
    sys.stdout.write(out)
    sys.stderr.write(err)
    sys.stdout.flush()
    sys.exit(code)


def reached(command, code):
    """Note the call; the server may be slow or away."""
    log("calls", f"{time.time():.3f} {command} {' '.join(sys.argv[1:])}")
    if (BOOKS / "server_away").exists():
        log("unanswered", command)
        answer(code, err=f"Connection refused\n{command}: cannot connect to server fake (errno=15010)\n")


def qsub(arguments):
    reached("qsub", 162)
    if SETTINGS["refuses"]:
        answer(SETTINGS.get("refusal", 159), err=f"qsub: {SETTINGS['refuses']}\n")
    line = " ".join(arguments)
    with books() as jobs:
        mine = sum(job["state"] != "F" for job in jobs.values())
        if SETTINGS["limit"] is not None and mine >= SETTINGS["limit"]:
            answer(38, err="qsub: would exceed queue generic's per-user limit\n")
        log("submitted", line)
        n = max(jobs, default=0) + 1
        shutil.copy(arguments[-1], BOOKS / f"jobs/{n}.SC")
        (BOOKS / f"jobs/{n}.SC").chmod(0o700)
        times = re.search(r"walltime=(\d+):(\d+):(\d+)", line)
        jobs[n] = {
            **{"state": "Q", "command": line, "name": arguments[arguments.index("-N") + 1], "comment": ""},
            **{"output": arguments[arguments.index("-o") + 1], "folder": str(Path.cwd()), "path": os.environ["PATH"]},
            "walltime": sum(60**power * int(times[3 - power]) for power in range(3)) if times else 3600,
        }
    time.sleep(SETTINGS["slow"])  # a busy server: the job may run before its id is known
    banner = f"{SETTINGS['banner']}\n" if SETTINGS["banner"] else ""
    answer(0, f"{banner}{name(n)}\n")


def run(n):
    """Run a job as its node does."""
    with books() as jobs:
        job = jobs[n]
    job_id = f"{n}{SETTINGS['job_suffix'] or SETTINGS['suffix']}"
    spool, temporary = BOOKS / f"jobs/{n}.OU", BOOKS / f"tmp/{n}"
    temporary.mkdir(parents=True, exist_ok=True)
    # Of the submitter's environment a job gets what PBS passes on, and nothing else.
    environment = {
        **{"PATH": "/usr/bin:/bin", "HOME": os.environ["HOME"], "FAKE_PBS": str(BOOKS), "PBS_O_PATH": job["path"]},
        **{"PBS_O_WORKDIR": job["folder"], "PBS_JOBID": job_id, "TMPDIR": str(temporary)},
        **{key: os.environ[key] for key in os.environ if key.startswith("PASSED_ON_")},
    }
    umask = re.search(r"umask=(\d+)", job["command"])
    killed, told, end = None, None, time.time() + job["walltime"]
    with spool.open("w") as out:
        process = subprocess.Popen(
            [BOOKS / f"jobs/{n}.SC"],
            **{
                "env": environment,
                "stdin": subprocess.DEVNULL,
                "stdout": out,
                "stderr": out,
                "cwd": os.environ["HOME"],
            },
            **{"start_new_session": True, "umask": int(umask[1], 8) if umask else 0o077},
        )
        with books() as jobs:
            jobs[n]["pid"] = process.pid
        while process.poll() is None:
            time.sleep(0.05)
            if (BOOKS / f"node_lost.{n}").exists():
                (BOOKS / f"node_lost.{n}").unlink()
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                with books() as jobs:  # after node_fail_requeue, which is minutes there
                    jobs[n] |= {"state": "Q", "pid": None}
                return
            if killed is None and (time.time() > end or (BOOKS / f"walltime.{n}").exists()):
                killed = "walltime"
                out.write(f"=>> PBS: job killed: walltime {job['walltime'] + 5} exceeded limit {job['walltime']}\n")
                out.flush()
            if killed is None and (BOOKS / f"memory.{n}").exists():
                killed = "mem"
                out.write("=>> PBS: job killed: mem 5000000kb exceeded limit 1000000kb\n")
                out.flush()
            if killed is None and (BOOKS / f"deleted.{n}").exists():
                killed = "deleted"
            if killed and told is None:
                told = time.time()
                os.killpg(process.pid, signal.SIGTERM)
            if told and time.time() > told + SETTINGS["kill_delay"]:
                os.killpg(process.pid, signal.SIGKILL)
    code = process.returncode
    status = {"walltime": -29, "mem": -27, "deleted": 271}.get(killed, code if code >= 0 else 256 - code)
    with books() as jobs:
        folder = Path(job["output"])
        if folder.is_dir():
            shutil.move(spool, folder / f"{name(n)}.OU")
        jobs[n] |= {"state": "F", "exit_status": status, "pid": None, "substate": 91 if killed == "deleted" else 92}
        if killed in ("walltime", "mem"):
            jobs[n]["comment"] += f" and exceeded resource {killed}"


def qdel(arguments):
    reached("qdel", 162)
    code, err = 0, ""
    with books() as jobs:
        for item in arguments:
            log("deleted", item)
            n = int(item.partition(".")[0])
            if n not in jobs or (jobs[n]["state"] == "F" and not SETTINGS["history"]):
                code, err = 153, f"{err}qdel: Unknown Job Id {item}\n"
            elif jobs[n]["state"] == "F":
                code, err = 35, f"{err}qdel: Job has finished {item}\n"
            elif jobs[n]["state"] in "QH":
                jobs[n] |= {"state": "F", "substate": 91}
            else:
                (BOOKS / f"deleted.{n}").touch()
                if "terminated by" not in jobs[n]["comment"]:
                    jobs[n]["comment"] += " and terminated by lab@fake"
    answer(code, err=err)


def attributes(n, job):
    """The attributes of a job, in the order and types of qstat."""
    used = {
        "resources_used": {"cput": "00:00:00", "mem": "4220kb", "walltime": clock(time.time() - job.get("started", 0))}
    }
    ended = {"Exit_status": job["exit_status"]} if "exit_status" in job else {}
    return {
        **{"Job_Name": job["name"], "Job_Owner": "lab@fake", **(used if "started" in job else {})},
        **{"job_state": job["state"], "queue": "workq", "server": "fake", "exec_host": "fake/0"},
        **{"Hold_Types": "u" if job["state"] == "H" else "n", "substate": job.get("substate", 42)},
        "Variable_List": {"PBS_O_PATH": job["path"], "PBS_O_WORKDIR": job["folder"]},
        **({"comment": job["comment"]} if job["comment"] else {}),
        **{"run_count": job.get("run_count", 0), **ended, "Submit_arguments": job["command"]},
    }


def clock(seconds):
    return f"{int(seconds) // 3600:02d}:{int(seconds) // 60 % 60:02d}:{int(seconds) % 60:02d}"


def as_text(n, values):
    """A job as `qstat -f` writes it, with lines that go on after a tab."""
    lines = [f"Job Id: {name(n)}"]
    for key, value in values.items():
        if key == "Variable_List":
            lines.append(f"    {key} = " + ",\n\t".join(f"{inner}={item}" for inner, item in value.items()))
        elif isinstance(value, dict):
            lines += [f"    {key}.{inner} = {item}" for inner, item in value.items()]
        else:
            line = f"    {key} = {value}"
            pieces = [line[:79], *(line[first : first + 71] for first in range(79, len(line), 71))]
            lines.append("\n\t".join(pieces))
    return "\n".join(lines) + "\n\n"


def qstat(arguments):
    if "--version" in arguments:
        answer(0, "pbs_version = 23.06.06\n")
    reached("qstat", 255)
    time.sleep(SETTINGS["slow"])
    past, form = "-x" in arguments, "json" in arguments
    wanted = [item for item in arguments if re.match(r"\d", item)]
    code, err, found = 0, "", {}
    with books() as jobs:
        for item in wanted or [name(n) for n in jobs]:
            n = int(item.partition(".")[0])
            if past and not SETTINGS["history"]:
                err += f"qstat: PBS is not configured to maintain job history {item}\n"
            elif n not in jobs or (jobs[n]["state"] == "F" and not SETTINGS["history"]):
                code, err = 153, f"{err}qstat: Unknown Job Id {name(n)}\n"
            elif jobs[n]["state"] == "F" and not past:
                code, err = (
                    35,
                    f"{err}qstat: {name(n)} Job has finished, use -x or -H to obtain historical job information\n",
                )
            else:
                found[n] = attributes(n, jobs[n])
    if not form:
        answer(code, "".join(as_text(n, values) for n, values in found.items()), err)
    shown = dict(list(found.items())[:1]) if SETTINGS["json"] == "first only" else found
    document = {"timestamp": int(time.time()), "pbs_version": "23.06.06", "pbs_server": "fake"}
    if shown:
        document["Jobs"] = {name(n): values for n, values in shown.items()}
    text = json.dumps(document, indent="\t")
    answer(code, text.replace('"run_count": ', '"run_count": 00') if SETTINGS["json"] == "broken" else text, err)


def qselect(arguments):
    reached("qselect", 162)
    wanted = arguments[arguments.index("-N") + 1] if "-N" in arguments else None
    with books() as jobs:
        found = [name(n) for n, job in jobs.items() if job["state"] != "F" and wanted in (None, job["name"])]
    answer(0, "".join(f"{item}\n" for item in found))


if __name__ == "__main__":
    if sys.argv[1:2] == ["run"] and Path(sys.argv[0]).name == "fake_server.py":
        run(int(sys.argv[2]))
    else:
        {"qsub": qsub, "qstat": qstat, "qdel": qdel, "qselect": qselect}[Path(sys.argv[0]).name](sys.argv[1:])
