"""Files changed at random, and readers run on them in processes of their own: a right result, or one line.

A reader of a C library may take its process with it, hang, or ask for more memory than there is: each batch of changed files is
read in a forked child, whose end is seen.
"""

import os
import pickle
import resource
import signal
import struct
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from glmflow.config import ConfigurationError
from glmflow.errors import InputError

MUTATIONS = int(os.environ.get("GLMFLOW_MUTATIONS", "400"))  # of a reader; set more where one is changed
BATCH = 25  # files that one child reads
SECONDS = 60  # of the processor's time for one file; ten times that by the clock, so that a busy machine is no fault
HUNG = (signal.SIGALRM, signal.SIGPROF)
MEMORY = 12 << 30  # bytes of address space


class Changed(NamedTuple):
    """A changed file: what was done, its bytes, and whether what it says is still the same."""

    what: str
    content: bytes
    same: bool = False


class Outcome(NamedTuple):
    """What came of reading one file: `value`, `refused`, or a fault (`traceback`, `died`, `hung`, `long`, `unnamed`)."""

    kind: str
    value: Any


# What is done to a file
def cut(rng, content):
    return Changed("cut", content[: rng.integers(0, len(content))])


def flipped(rng, content):
    changed = bytearray(content)
    for at in rng.integers(0, len(content), rng.integers(1, 9)):
        changed[at] ^= 1 << rng.integers(0, 8)
    return Changed("bits flipped", bytes(changed))


def removed(rng, content):
    start = int(rng.integers(0, len(content)))
    return Changed("a stretch removed", content[:start] + content[start + int(rng.integers(1, 40)) :])


def repeated(rng, content):
    start = int(rng.integers(0, len(content)))
    return Changed("a stretch repeated", content[: start + int(rng.integers(1, 60))] + content[start:])


def noise(rng, content):
    start = int(rng.integers(0, len(content)))
    return Changed("noise put in", content[:start] + rng.bytes(int(rng.integers(1, 12))) + content[start:])


BYTES = (cut, flipped, removed, repeated, noise)

ODD = ("", "NA", ".", "nan", "-1", "1.5", "1e3", "99999999999999999999", "0x10", "abc", '"', "'x'", "\u00e9", "1_0", "\u0663",
       "#", "true", " ", "<DEL>", "0/1", "a,b", "A" * 300, "[", "{", ":", "\x1b", "\u2028", "None", "1;2=3")  # fmt: skip


def _lines(content):
    return content.decode("utf-8", "surrogateescape").split("\n")


def _text(what, lines, same=False):
    return Changed(what, "\n".join(lines).encode("utf-8", "surrogateescape"), same)


def odd_cell(rng, content):
    lines = _lines(content)
    row = int(rng.integers(0, len(lines)))
    mark = "\t" if "\t" in lines[row] else " "
    cells = lines[row].split(mark)
    cells[rng.integers(0, len(cells))] = str(rng.choice(ODD))
    lines[row] = mark.join(cells)
    return _text("an odd cell", lines)


def column_lost(rng, content):
    lines = _lines(content)
    row = int(rng.integers(0, len(lines)))
    cells = lines[row].split("\t")
    del cells[rng.integers(0, len(cells))]
    lines[row] = "\t".join(cells)
    return _text("a column lost", lines)


def line_moved(rng, content):
    lines = _lines(content)
    lines.insert(int(rng.integers(0, len(lines))), lines.pop(int(rng.integers(0, len(lines)))))
    return _text("a line moved", lines)


def line_twice(rng, content):
    lines = _lines(content)
    row = int(rng.integers(0, len(lines)))
    return _text("a line twice", [*lines[:row], lines[row], *lines[row:]])


def quoted(rng, content):
    lines = [
        line if line.startswith("#") else "\t".join(f'"{cell}"' for cell in line.split("\t"))
        for line in _lines(content)
    ]
    return _text("quotes", lines)


def windows_lines(rng, content):
    return Changed("windows line ends", content.replace(b"\n", b"\r\n"), True)


def marked(rng, content):
    return Changed("byte order mark", b"\xef\xbb\xbf" + content, True)


def trailing_tabs(rng, content):
    return Changed("trailing tabs", content.replace(b"\n", b"\t" * int(rng.integers(1, 4)) + b"\n"))


def other_encoding(rng, content):
    text = content.decode("utf-8", "replace")
    name = str(rng.choice(["utf-16", "utf-16-le", "utf-32", "cp037"]))
    return Changed(f"in {name}", text.encode(name, "replace"))


TEXT = (odd_cell, odd_cell, odd_cell, column_lost, line_moved, line_twice, quoted, windows_lines, marked, trailing_tabs,
        other_encoding)  # fmt: skip


# Reading in a child
def outcome_of(read: Callable[[Path], Any], path: Path) -> Outcome:
    """Read one file in this process."""
    try:
        return Outcome("value", read(path))
    except InputError as error:
        text = str(error)
        lines = text.split("\n")
        if (len(lines) > 1 and not isinstance(error, ConfigurationError)) or max(map(len, lines)) > 1500:
            return Outcome("long", text)
        return Outcome("refused" if all(path.parent.name in line for line in lines) else "unnamed", text)
    except BaseException:
        return Outcome("traceback", traceback.format_exc())


def _child(read, paths, pipe):
    for number in HUNG:
        signal.signal(number, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    with os.fdopen(pipe, "wb") as answers:
        for path in paths:
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            signal.alarm(10 * SECONDS)
            content = pickle.dumps(outcome_of(read, path))
            answers.write(struct.pack("<q", len(content)) + content)
            answers.flush()


def outcomes(read: Callable[[Path], Any], paths: list[Path]) -> list[Outcome]:
    """Read files in forked children; one that takes its child with it has `died` or `hung`."""
    found: list[Outcome] = []
    while len(found) < len(paths):
        inlet, outlet = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(inlet)
            try:
                _child(read, paths[len(found) : len(found) + BATCH], outlet)
            finally:
                os._exit(0)
        os.close(outlet)
        with os.fdopen(inlet, "rb") as answers:
            while head := answers.read(8):
                found.append(pickle.loads(answers.read(struct.unpack("<q", head)[0])))
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            found.append(Outcome("hung" if number in HUNG else "died", signal.Signals(number).name))
    return found


def same(one: Any, other: Any) -> bool:
    """Whether two values that were read are equal."""
    return pickle.dumps(one) == pickle.dumps(other)


def fuzz(
    name: str,
    folder: Path,
    file: str,
    content: bytes,
    read: Callable[[Path], Any],
    changes: tuple,
    say: Callable[[str], None],
    pack: Callable[[bytes, Path], None] | None = None,
    exact: bool = False,
    times: int = MUTATIONS,
) -> None:
    """Read a file changed in many ways; fail at the first faults, and say how many ways there were.

    Parameters
    ----------
    file
        Name of the file, each time in a folder of its own.
    read
        Returns what is compared; `InputError` is a refusal.
    changes
        Functions of a generator and the bytes.
    pack
        Writes changed bytes, such as compressed; plainly where None.
    exact
        Its format has checksums or an end: a changed file is refused or means the same.
    """
    write = pack or (lambda content, path: path.write_bytes(content) and None)
    (folder / "whole").mkdir(parents=True)
    write(content, folder / "whole" / file)
    (whole,) = outcomes(read, [folder / "whole" / file])
    assert whole.kind == "value", whole.value
    counts: Counter[str] = Counter()
    faults = []
    for first in range(0, times, 200):
        changed, paths = [], []
        for number in range(first, min(first + 200, times)):
            rng = np.random.default_rng(number)
            one = changes[number % len(changes)](rng, content)
            path = folder / f"{number}_" / file
            path.parent.mkdir()
            write(one.content, path)
            changed.append(one)
            paths.append(path)
        for one, path, found in zip(changed, paths, outcomes(read, paths)):
            kind = found.kind
            if kind == "value":
                equal = same(found.value, whole.value)
                kind = "the same" if equal else "another value"
                if not equal and (one.same or (exact and one.content != content)):
                    kind = "WRONG"
            counts[kind] += 1
            if kind not in ("the same", "another value", "refused"):
                faults.append(f"{path} ({one.what}): {kind}: {found.value}")
    say(f"{name}: {times} changed files: " + ", ".join(f"{count} {kind}" for kind, count in counts.most_common()))
    assert not faults, f"{len(faults)} faults, such as\n" + "\n".join(faults[:40])
