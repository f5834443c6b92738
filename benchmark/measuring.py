"""What benchmarks share: a function run in a process of its own, with its processor time and peak memory; the processor."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple


class Measured(NamedTuple):
    """What a function returned, its processor seconds, and the peak memory of its process, libraries with it."""

    result: Any
    seconds: float
    megabytes: float


def apart(function: Callable, *arguments: object) -> Measured:
    """Run a function of a module in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (function, arguments))


def _measured(function: Callable, arguments: tuple) -> Measured:
    start = time.process_time()
    result = function(*arguments)
    seconds = time.process_time() - start
    return Measured(result, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def processor() -> str:
    """Name the processor that the figures belong to."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
