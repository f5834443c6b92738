"""What every script does around its one call: a log file, a thread limit, and one line for a user's mistake."""

from __future__ import annotations

import logging
import os
import platform
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, TextIO


@contextmanager
def logged(snakemake: Any, online: bool = False) -> Iterator[TextIO]:
    """Run the body of a script with its log file, and end the job with one line where the input is at fault.

    Yields the terminal, for progress. The Hugging Face hub is not asked for anything unless `online`: jobs run on nodes
    without internet, and what they read has been downloaded. A download is no job of the study, and not on its page of
    jobs: it says on the terminal how far it is.
    """
    from glmflow.errors import InputError
    from glmflow.status import JobStatus

    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(snakemake.threads)
    os.environ["GLMFLOW_MONITOR"] = snakemake.config.get("monitor", "tensorboard")
    if not online:
        os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1")
    terminal = sys.stderr
    status = JobStatus(Path("results") / snakemake.config["study"], job_name(snakemake), Path(snakemake.log[0]))
    with open_log(Path(snakemake.log[0]), 1 if online else status.attempt) as log:
        sys.stdout = sys.stderr = log
        try:
            with logging_to(log), nullcontext() if online else status:
                yield terminal
        except InputError as error:
            print(f"{snakemake.rule}: {error}", file=log)
            print(f"\n{snakemake.rule}: {error}\n", file=terminal)
            sys.exit(1)
        except BaseException:
            traceback.print_exc(file=log)
            raise
        finally:
            sys.stdout, sys.stderr = sys.__stdout__, terminal


@contextmanager
def logging_to(log: TextIO) -> Iterator[None]:
    """Send what modules log to `log` within the block; what was set up before holds again after it."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    handler = logging.StreamHandler(log)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    try:
        yield
    finally:  # the file is closed next: a message of what runs after would end in a traceback on the terminal
        root.handlers[:] = before
        root.setLevel(level)


COMMON_INPUTS = ("examples", "checkpoint", "model", "predictions", "predicted", "fitting", "divided")
"""Inputs that every kind of task has."""


def input_files(named: Any) -> dict[str, str | list[str]]:
    """Return the input files that a kind of task names, by name; those that are none are left out."""
    files = {name: value for name, value in named.items() if name not in COMMON_INPUTS and value}
    return {name: value if isinstance(value, str) else list(value) for name, value in files.items()}


def open_log(path: Path, attempt: int) -> TextIO:
    """Open the log of a job; what earlier attempts wrote stays above a line that says which attempt begins.

    Snakemake deletes a log before every attempt. So the text lies in a file beside it that Snakemake does not know, and
    the log is a link to that.
    """
    attempts = path.with_name(f"{path.name}.attempts")
    handle = attempts.open("w" if attempt == 1 else "a", buffering=1)
    path.unlink(missing_ok=True)
    path.symlink_to(attempts.name)
    place = " ".join(
        [platform.node(), *(os.environ[key] for key in ("PBS_JOBID", "SLURM_JOB_ID") if key in os.environ)]
    )
    print(f"=== attempt {attempt}, {time.strftime('%Y-%m-%d %H:%M:%S %Z')}, {place} ===", file=handle)
    return handle


def job_name(snakemake: Any) -> str:
    """Return the name of a job: that of its log below `logs/{study}`."""
    path = Path(snakemake.log[0]).with_suffix("")
    parts = path.parts[1:]
    return "/".join(parts[1:] if parts[0] == snakemake.config["study"] else parts)
