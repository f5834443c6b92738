"""Which library the processes of a workflow import: that of the checkout whose Snakefile started them."""

from __future__ import annotations

import os


def use_in_jobs(folder: str) -> None:
    """Put a folder first on the search path of all processes that are started from here on.

    Jobs are processes of their own: where two checkouts share an environment, an installed one would be found in both.
    """
    others = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if others[0] != folder:
        os.environ["PYTHONPATH"] = os.pathsep.join([folder, *filter(None, others)])
