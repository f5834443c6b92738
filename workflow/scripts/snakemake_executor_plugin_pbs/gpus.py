"""Start a command with this many free GPUs of this node: `python gpus.py 2 command ...`.

For batch systems that give a job a number of GPUs and do not say which. A GPU is locked by a file on the node's own disk
for as long as the command (or a child of it) runs, so that two jobs that start at once take different ones; GPUs that other
programs use are passed over. Needs nothing but Python, and is called as a file: it starts before every job with GPUs.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

IDLE_MB = 600
"""Memory in use, in MB, up to which a GPU counts as free: a driver alone uses some."""
PATIENCE = 60.0
"""Seconds to wait for a GPU: the job before may still be ending."""
QUERY = ("nvidia-smi", "--query-gpu=index,uuid,memory.used", "--format=csv,noheader,nounits")


class Gpu(NamedTuple):
    """A GPU of this node and the memory in use on it, in MB."""

    index: int
    uuid: str
    used_mb: float


def read_gpus(text: str) -> list[Gpu]:
    """Return the GPUs in what `QUERY` prints."""
    found = []
    for line in text.splitlines():
        fields = [field.strip() for field in line.split(",")]
        if len(fields) == 3 and fields[0].isdigit():
            used = float(fields[2]) if fields[2].replace(".", "", 1).isdigit() else 0.0
            found.append(Gpu(int(fields[0]), fields[1], used))
    return found


def lock(gpu: Gpu, folder: Path) -> int | None:
    """Return an open file that locks a GPU, inherited by what is started here; None where somebody else has it."""
    path = folder / f"{gpu.uuid}.lock"
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        return None
    with suppress(OSError):
        path.chmod(0o666)  # other users lock it as well
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    os.set_inheritable(handle, True)
    return handle


def take(wanted: int, gpus: Sequence[Gpu], folder: Path, all_of_them: bool = False) -> list[Gpu]:
    """Lock GPUs that are free and return them: as many as are wanted, or none.

    `all_of_them` takes GPUs in use as well, those with the least memory in use first.
    """
    taken: list[tuple[Gpu, int]] = []
    for gpu in sorted(gpus, key=lambda gpu: (gpu.used_mb > IDLE_MB, gpu.used_mb if gpu.used_mb > IDLE_MB else 0)):
        if len(taken) == wanted or (gpu.used_mb > IDLE_MB and not all_of_them):
            break
        handle = lock(gpu, folder)
        if handle is not None:
            taken.append((gpu, handle))
    if len(taken) < wanted:
        for _, handle in taken:
            os.close(handle)
        return []
    return [gpu for gpu, _ in taken]


def choose(wanted: int, query: Callable[[], list[Gpu]], folder: Path, patience: float = PATIENCE) -> list[Gpu]:
    """Return GPUs that are locked now; waits for them.

    Raises
    ------
    SystemExit
        The node has fewer GPUs, or all are locked.
    """
    end = time.monotonic() + patience
    while True:
        gpus = query()
        if len(gpus) < wanted:
            sys.exit(f"{wanted} GPUs are asked for, this node ({os.uname().nodename}) has {len(gpus)}")
        late = time.monotonic() >= end
        taken = take(wanted, gpus, folder, all_of_them=late)
        if taken:
            if any(gpu.used_mb > IDLE_MB for gpu in taken):
                busy = ", ".join(f"GPU {gpu.index}: {gpu.used_mb:.0f} MB" for gpu in taken)
                print(f"no {wanted} GPUs of {os.uname().nodename} were idle; taking those in use ({busy})", flush=True)
            return taken
        if late:
            sys.exit(f"all {len(gpus)} GPUs of {os.uname().nodename} are taken by jobs of this workflow ({folder})")
        time.sleep(min(2.0, patience))


def query_gpus() -> list[Gpu]:
    """Return the GPUs of this node."""
    return read_gpus(subprocess.run(QUERY, capture_output=True, text=True, check=True).stdout)


def lock_folder() -> Path:
    """Return the folder of the locks on this node's own disk, which all users share."""
    folder = Path(os.environ.get("GLMFLOW_GPU_LOCKS") or "/tmp/snakemake_pbs_gpus")  # TMPDIR is a folder of the job
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):
        folder.chmod(0o1777)
    return folder


def main(arguments: Sequence[str]) -> None:
    """Choose GPUs and become the command."""
    wanted, command = int(arguments[0]), list(arguments[1:])
    try:
        gpus = choose(wanted, query_gpus, lock_folder())
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"GPUs are not chosen: nvidia-smi cannot be asked ({error})", flush=True)
    else:
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(gpu.uuid for gpu in gpus)
        print(f"GPUs of {os.uname().nodename}: {', '.join(str(gpu.index) for gpu in gpus)}", flush=True)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
