"""Snakemake's executor for OpenPBS and PBS Pro: `executor: pbs` (found by the name of this package).

Modules: `settings` (keys of the profile), `submit` (the qsub command), `jobscript` (what runs on the node), `calls`
(how PBS is called), `qstat` (states of many jobs in one call), `explain` (why a job waits or ended), `retries` (what the
next attempt asks for), `records` (jobs found again after a restart), `cancel`, `watch` and `queue` (the jobs that PBS has, and
all of a run), `gpus` (free GPUs of a node), `executor` (what Snakemake calls).
"""

from .executor import Executor
from .settings import ExecutorSettings, common_settings

__all__ = ["Executor", "ExecutorSettings", "common_settings"]
