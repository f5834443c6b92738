"""The most memory that a process has taken; imports no torch, which baselines have no use for."""

from __future__ import annotations

import resource
import sys


def peak_memory_mb() -> float:
    """Return the peak memory in MB: of the GPU where torch is at work on one, else of this process."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
