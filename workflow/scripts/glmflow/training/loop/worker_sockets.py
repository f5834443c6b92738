"""A short folder for the sockets of worker processes: their paths have an end, and schedulers give long `$TMPDIR`s."""

from __future__ import annotations

import logging
import multiprocessing.util
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from glmflow.errors import InputError

log = logging.getLogger(__name__)

LONGEST = 60
"""Bytes of a temporary folder below which a socket fits: its path may have 107, and `/pymp-{8}/listener-{pid}-{n}-{8}` follows."""
SHORT = ("/tmp", "/var/tmp")


def keep_sockets_short(workers: int, folders: Sequence[str] = SHORT) -> None:
    """Have worker processes make their sockets in a short folder, where the temporary folder is too long for them.

    A socket that cannot be made is an error in a thread of the worker, and the training process waits for its batch for
    ever. Everything else stays in the temporary folder.

    Raises
    ------
    InputError
        There is no short folder that can be written.
    """
    folder = tempfile.gettempdir()
    if not workers or len(os.fsencode(folder)) <= LONGEST:
        return
    short = next((path for path in folders if Path(path).is_dir() and os.access(path, os.W_OK | os.X_OK)), None)
    if short is None:
        raise InputError(
            f"worker processes cannot make their sockets in a folder of {len(folder)} characters",
            where=f"TMPDIR={folder}",
            fix="Set TMPDIR to a shorter one, or train.workers to 0",
        )
    try:
        tempfile.tempdir = short
        log.info("sockets of worker processes lie in %s: %s is too long", multiprocessing.util.get_temp_dir(), folder)
    finally:
        tempfile.tempdir = folder
