"""What htslib says on standard error while it reads: errors stop the reading, remarks reach the log once."""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import cyvcf2
import pysam

log = logging.getLogger(__name__)

LEVEL = 3  # errors and warnings
OFTEN = 3  # remarks that differ in a place or number alone and are shown one by one
_LINE = re.compile(r"\[([EW])::\w+\] ?(.*)")
_logged: Counter[tuple[str, str]] = Counter()


class Said:
    """What htslib said: its errors and its remarks (warnings), without repeats, in its words."""

    def __init__(self):
        self.errors: list[str] = []
        self.remarks: list[str] = []

    def take(self, text: str) -> str:
        """Sort lines of standard error; return those that are not htslib's."""
        others = []
        for line in text.splitlines(keepends=True):
            if found := _LINE.match(line):
                lines = self.errors if found[1] == "E" else self.remarks
                lines += [found[2].strip()] * (found[2].strip() not in lines)
            else:
                others.append(line)
        return "".join(others)


class Listener:
    """Listens to htslib; one serves many short stretches of reading.

    cyvcf2 returns a record of a region that htslib could not parse as if it were whole: what htslib writes to the file
    descriptor of standard error is the only sign.
    """

    def __init__(self):
        self._spool = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 closed with the listener

    @contextmanager
    def heard(self) -> Iterator[Said]:
        """Collect what htslib says within the block; what others write there is passed on behind it."""
        said = Said()
        pysam.set_verbosity(LEVEL)
        cyvcf2.cyvcf2.set_htslib_log_level(LEVEL)
        try:
            before = os.dup(2)
        except OSError:  # closed
            before = -1
        os.dup2(self._spool.fileno(), 2)
        try:
            yield said
        finally:
            if before < 0:
                os.close(2)
            else:
                os.dup2(before, 2)
                os.close(before)
            if self._spool.tell():
                self._spool.seek(0)
                others = said.take(self._spool.read().decode("utf-8", "replace"))
                self._spool.seek(0)
                self._spool.truncate()
                if others and sys.stderr is not None:
                    sys.stderr.write(others)


def heard() -> AbstractContextManager[Said]:
    """Collect what htslib says within one block (`Listener.heard`)."""
    return Listener().heard()


def pass_on(remarks: list[str], vcf: Path) -> None:
    """Log remarks about a file: each kind a few times, for a cohort may give one a record."""
    for text in remarks:
        kind = str(vcf), re.sub(r"\S*\d\S*", "#", text)
        _logged[kind] += 1
        if _logged[kind] <= OFTEN:
            last = " (further ones like it are not shown)" if _logged[kind] == OFTEN else ""
            log.warning("%s: %s%s", vcf, text.rstrip("."), last)
