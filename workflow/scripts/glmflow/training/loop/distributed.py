"""A training function in several processes, one a GPU, on one node or several: started by `torchrun`.

Without GPUs the processes share the CPU (gloo). Nodes are those of the job that the scheduler gave (PBS node file, Slurm).
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from glmflow.errors import HopelessError, InputError
from glmflow.files import atomic_path

log = logging.getLogger(__name__)

TERMINATED = 143
"""Exit code of a process that ends because of SIGTERM (128 + 15)."""
PATIENCE = 60
"""Seconds that processes get to end by themselves."""
PASSED_ON = (
    "PATH",
    "LD_LIBRARY_PATH",
    "TMPDIR",
    "HF_HOME",
    "HF_HUB_OFFLINE",
    "TRANSFORMERS_OFFLINE",
    "GLMFLOW_PROGRESS",
    "GLMFLOW_DEADLINE",
    "GLMFLOW_NOTES",
)
"""Environment variables that processes on other nodes get."""
LAUNCHER = "GLMFLOW_GPU_LAUNCHER"
"""Environment variable with a command that chooses free GPUs on a node and starts what follows (PBS jobs)."""
FAILED, LEFT = ".call.failed", ".call.left"
"""Files beside a call: the rank that failed first, and how; that its processes left before their work was done."""


def rank() -> int:
    """Return the number of this process among those that train together."""
    return int(os.environ.get("RANK", "0"))


def is_first() -> bool:
    """Whether this process is the one that writes (the only one, or the first of several)."""
    return rank() == 0


def processes() -> int:
    """Return the number of processes that train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def call(function: Callable, arguments: Mapping[str, Any], gpus: int, nodes: int, folder: Path) -> None:
    """Call a function of a module, in `gpus` processes on each of `nodes` nodes where these are more than one.

    Parameters
    ----------
    function, arguments
        A function that can be imported by its name, and what it is called with.
    folder
        Folder that every node sees; holds the call while it lasts.

    Raises
    ------
    InputError
        What a process raised; there are too few GPUs or nodes.
    RuntimeError
        A process failed in another way: which one first, and how.
    SystemExit
        The processes were asked to end (SIGTERM), or left before the walltime.
    """
    if gpus * nodes == 1:
        function(**arguments)
        return
    check_gpus(gpus)
    folder.mkdir(parents=True, exist_ok=True)
    order = folder / ".call.pkl"
    notes = [error, failed, left] = [folder / name for name in (".call.error", FAILED, LEFT)]
    for path in notes:
        path.unlink(missing_ok=True)
    with atomic_path(order) as temporary:
        temporary.write_bytes(pickle.dumps((function, dict(arguments))))
    try:
        run_together(commands(order, gpus, hosts(nodes)), folder)
    except subprocess.CalledProcessError as problem:
        if error.exists():
            hopeless, what, where, fix = json.loads(error.read_text())
            raise (HopelessError if hopeless else InputError)(what, where=where, fix=fix) from None
        if failed.exists():
            raise RuntimeError(f"{failed.read_text().strip()} ({problem})") from None
        raise
    else:
        if left.exists():
            raise SystemExit(TERMINATED)
    finally:
        for path in (order, *notes):
            path.unlink(missing_ok=True)


def check_gpus(wanted: int) -> None:
    """Refuse more processes than there are GPUs, where there are any."""
    import torch

    found = torch.cuda.device_count()
    if 0 < found < wanted:
        raise InputError(
            f"{wanted} GPUs a node are asked for, {found} can be seen",
            where="adaptations.*.train.gpus",
            fix="lower it, or ask the scheduler for more",
        )


def hosts(nodes: int) -> list[str]:
    """Return the names of the job's nodes, this one first.

    Raises
    ------
    InputError
        The scheduler gave fewer than are asked for.
    """
    if nodes == 1:
        return ["localhost"]
    found: list[str] = []
    if os.environ.get("PBS_NODEFILE"):
        found = list(dict.fromkeys(Path(os.environ["PBS_NODEFILE"]).read_text().split()))
    elif os.environ.get("SLURM_JOB_NODELIST"):
        command = ["scontrol", "show", "hostnames", os.environ["SLURM_JOB_NODELIST"]]
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    if len(found) < nodes:
        raise InputError(
            f"{nodes} nodes are asked for, the job has {len(found) or 'no list of nodes'}",
            where="adaptations.*.train.nodes",
            fix="submit through profiles/pbs or profiles/slurm, or use one node",
        )
    return found[:nodes]


def commands(order: Path, gpus: int, hosts: Sequence[str]) -> list[list[str]]:
    """Return the command that starts the processes of each node."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(gpus)]
    worker = ["-m", "glmflow.training.loop.distributed", str(order.absolute())]
    if len(hosts) == 1:
        return [[*torchrun, "--standalone", *worker]]
    torchrun += ["--nnodes", str(len(hosts)), "--master-addr", hosts[0], "--master-port", str(free_port())]
    local = [[*torchrun, "--node-rank", str(rank), *worker] for rank in range(len(hosts))]
    return [local[0], *(elsewhere(host, command) for host, command in zip(hosts[1:], local[1:]))]


def free_port() -> int:
    """Return a free port of this machine."""
    with socket.socket() as found:
        found.bind(("", 0))
        return found.getsockname()[1]


def elsewhere(host: str, command: Sequence[str]) -> list[str]:
    """Return a command that runs another one on a node of the job, in this folder and with this environment."""
    variables = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | worker_environment(1)
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items() if value)
    launcher = os.environ.get(LAUNCHER, "")
    line = f"cd {shlex.quote(os.getcwd())} && exec env {settings} {launcher}{shlex.join(command)}"  # noqa: PTH109
    if os.environ.get("SLURM_JOB_ID") and shutil.which("srun"):
        return ["srun", "--overlap", "--nodes=1", "--ntasks=1", f"--nodelist={host}", "bash", "-c", line]
    if shutil.which("pbs_tmrsh"):  # under the control of PBS; it executes its arguments, without a shell
        return ["pbs_tmrsh", host, "/bin/bash", "-c", line]
    return ["ssh", host, f"bash -c {shlex.quote(line)}"]  # a shell of the node splits what ssh is given


def worker_environment(gpus: int) -> dict[str, str]:
    """Return what processes need: the modules that this one can import, and their share of the threads."""
    threads = max(1, int(os.environ.get("OMP_NUM_THREADS", "1")) // gpus)
    return {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": str(threads)}


def run_together(calls: Sequence[Sequence[str]], folder: Path) -> None:
    """Run commands at the same time, one a node; when one fails or SIGTERM arrives, all are asked to end.

    What the other nodes print goes into a file each, `node{rank}.log` in `folder`, never through a pipe to this node: it
    breaks when the job is ended, and what writes into it dies before its checkpoint is written.

    Raises
    ------
    subprocess.CalledProcessError
        One of them failed: the first, not those that were asked to end because of it.
    SystemExit
        SIGTERM.
    """
    told = False
    environment = os.environ | worker_environment(1)
    logs = [folder / f"node{number}.log" for number in range(len(calls))]
    running = [start(command, environment, logs[number] if number else None) for number, command in enumerate(calls)]

    def tell(number: int, frame: FrameType | None) -> None:
        nonlocal told
        told = True
        for process in running:
            if process.poll() is None:
                process.terminate()

    before = signal.signal(signal.SIGTERM, tell)
    failed: int | None = None
    try:
        while any(process.poll() is None for process in running):
            failed = next((number for number, process in enumerate(running) if process.poll()), None)
            if failed is not None:
                end(running)
            time.sleep(0.2)
    finally:
        end(running)
        signal.signal(signal.SIGTERM, before)
        for number, path in enumerate(logs[1:], start=1):
            print(f"=== node {number} ===\n{tail(path)}", flush=True)
    if told:
        raise SystemExit(TERMINATED)
    if failed is None:
        failed = next((number for number, process in enumerate(running) if process.returncode), None)
    if failed is not None:
        where = f"node {failed}, which prints into {logs[failed]}" if failed else "node 0"
        raise subprocess.CalledProcessError(running[failed].returncode, f"torchrun on {where}")


def start(command: Sequence[str], environment: Mapping[str, str], log_file: Path | None) -> subprocess.Popen:
    """Start a command that prints into a file, or here."""
    if log_file is None:
        return subprocess.Popen(command, env=environment, stdout=sys.stdout, stderr=subprocess.STDOUT)
    with log_file.open("w") as log_handle:
        return subprocess.Popen(
            *(command,),
            **{"env": environment, "stdin": subprocess.DEVNULL, "stdout": log_handle, "stderr": subprocess.STDOUT},
        )


def tail(path: Path, size: int = 20_000) -> str:
    """Return the end of a file."""
    try:
        with path.open("rb") as handle:
            handle.seek(max(0, path.stat().st_size - size))
            return handle.read().decode(errors="replace")
    except OSError:
        return ""


def end(running: Sequence[subprocess.Popen]) -> None:
    """End processes: they are asked first."""
    for process in running:
        if process.poll() is None:
            process.terminate()
    for process in running:
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def work(order: Path) -> None:
    """Do the share of one process of a call; what is wrong with the input is left for the caller."""
    import torch

    logging.basicConfig(
        stream=sys.stdout,
        level=logging.INFO if is_first() else logging.ERROR,
        format=f"%(asctime)s %(levelname)s %(name)s [{os.environ['RANK']}]: %(message)s",
    )
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    if torch.cuda.is_available():  # "cuda" means this process's own GPU from here on, not the first one for all
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    function, arguments = pickle.loads(order.read_bytes())
    try:
        function(**arguments)
    except InputError as error:
        with atomic_path(order.with_name(".call.error")) as temporary:
            hopeless = isinstance(error, HopelessError)
            temporary.write_text(json.dumps([hopeless, error.what, error.where, error.fix]))
        raise
    except SystemExit as error:
        if error.code != TERMINATED:
            raise
        order.with_name(LEFT).touch()  # a failure would have the launcher stop the others while they save
    except Exception as error:
        note_first_failure(order.with_name(FAILED), error)
        raise
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def note_first_failure(path: Path, error: BaseException) -> None:
    """Note that this rank failed, where none did before: the others fail because of it."""
    text = (
        f"rank {rank()} on {socket.gethostname()} failed first: {type(error).__name__}: {' '.join(str(error).split())}"
    )
    try:
        with path.open("x") as handle:
            handle.write(text + "\n")
    except OSError:
        return


if __name__ == "__main__":
    work(Path(sys.argv[1]))
