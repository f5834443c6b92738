"""What every script does around its one call: a log file, a thread limit, and one line for a user's mistake."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO


@contextmanager
def logged(snakemake: Any, online: bool = False) -> Iterator[TextIO]:
    """Run the body of a script with its log file, and end the job with one line where the input is at fault.

    Yields the terminal, for progress. The Hugging Face hub is not asked for anything unless `online`: jobs run on nodes
    without internet, and what they read has been downloaded.
    """
    from glmflow.errors import InputError
    from glmflow.status import JobStatus

    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(snakemake.threads)
    os.environ["GLMFLOW_MONITOR"] = snakemake.config.get("monitor", "tensorboard")
    if not online:
        os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1")
    terminal = sys.stderr
    with open(snakemake.log[0], "w", buffering=1) as log:  # noqa: PTH123
        sys.stdout = sys.stderr = log
        logging.basicConfig(
            stream=log,
            level=logging.INFO,
            format="%(asctime)s %(levelname)s %(name)s: %(message)s",
            force=True,
        )
        try:
            with JobStatus(Path("results") / snakemake.config["study"], job_name(snakemake), Path(snakemake.log[0])):
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


def job_name(snakemake: Any) -> str:
    """Return the name of a job: that of its log below `logs/{study}`."""
    path = Path(snakemake.log[0]).with_suffix("")
    parts = path.parts[1:]
    return "/".join(parts[1:] if parts[0] == snakemake.config["study"] else parts)
