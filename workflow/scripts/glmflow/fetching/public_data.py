"""Data sets of `config/data.yaml`: space first, then file by file, each held to its checksum ever after."""

from __future__ import annotations

import hashlib
import logging
import shutil
import tarfile
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from glmflow.config.public_sets import WantedFile
from glmflow.errors import InputError
from glmflow.files import atomic_path, sha256

from .downloads import RESERVE, download, no_space

log = logging.getLogger(__name__)

RECORD = "checksums.tsv"
COLUMNS = ("path", "sha256", "bytes", "modified", "fetched", "address", "listed")
UNPACKED = 4
"""Bytes of an unpacked archive and the archive itself, for each of its bytes: what is asked of the disk."""


class Fetched(NamedTuple):
    """A line of the record: what arrived once, and is held to."""

    path: str
    sha256: str
    bytes: int
    modified: int
    fetched: str
    address: str
    listed: str = ""
    """The checksum that it was held to."""


def fetch(
    wanted: Sequence[WantedFile],
    root: Path = Path("resources"),
    terminal: TextIO | None = None,
    wait: Callable[[float], Any] = time.sleep,
) -> list[Path]:
    """Download the files that are not there, and check those that are; return the paths of those that came.

    A checksum that is listed has to be the file's. Where none is, that of the first download is written into
    `{root}/checksums.tsv`, and a later download has to be the same.

    Parameters
    ----------
    wanted
        The files.
    root
        Where the record lies.
    terminal
        Where progress is shown.
    wait
        Called with the seconds before another try.

    Raises
    ------
    InputError
        Too little space for what is missing; a file that cannot be fetched, or is not what was listed or recorded.
    """
    record = read_record(root)
    missing = [file for file in wanted if not is_there(file, record, root)]
    require_space(missing, root)
    came = []
    for number, file in enumerate(missing, 1):
        note = "" if file.verified or str(file.path) in record else "; address not verified"
        say(terminal, f"[{number}/{len(missing)}] {file.path} from {file.address}{note}")
        part = file.path.with_name(f"{file.path.name}.part")
        known = record.get(str(file.path))
        with Bar(terminal) as bar:
            download(file.address, part, bool(file.sha256 or file.md5 or known), bar, wait)
        found = check(file, part, known)
        if file.unpack:
            unpack(part, file.path)
            part.unlink()
        else:
            part.replace(file.path)
        record[str(file.path)] = line_of(file, found, file.address)
        write_record(record, root)
        log.info("%s: SHA-256 %s", file.path, found)
        came.append(file.path)
    present = len(wanted) - len(missing)
    say(terminal, f"fetched: {len(came)}; there already: {present}; checksums in {root / RECORD}")
    return came


def is_there(file: WantedFile, record: dict[str, Fetched], root: Path) -> bool:
    """Return whether a file is there as it came; what was put there by hand is recorded as it is.

    Raises
    ------
    InputError
        It is there and is not what was listed or recorded.
    """
    if not file.path.exists():
        return False
    known = record.get(str(file.path))
    same = known and known.listed == listed(file)  # a checksum that was corrected since is asked for again
    if known and same and known.bytes == size_of(file.path) and known.modified == modified(file.path):
        return True
    if file.path.is_dir():
        if known and known.listed and not same:
            fix = "Remove the folder to fetch it again."
            raise InputError(f"was fetched as {known.listed}; {listed(file)} is listed", where=file.path, fix=fix)
        return bool(known)
    try:
        found = check(file, file.path, known, remove=False)
    except InputError as error:
        fix = "Remove the file to fetch it again, or its line in " + f"{root / RECORD} to keep it."
        raise InputError(error.what, where=file.path, fix=fix) from None
    record[str(file.path)] = line_of(file, found, known.address if known else "by hand")
    write_record(record, root)
    return True


def listed(file: WantedFile) -> str:
    """Return the checksum that a file is held to; empty where none is listed."""
    return file.sha256 or file.md5 or ""


def line_of(file: WantedFile, found: str, address: str) -> Fetched:
    """Return the line of the record for a file, or an unpacked folder, that is there now."""
    path = file.path
    today = time.strftime("%Y-%m-%d")
    return Fetched(str(path), found, size_of(path), modified(path), today, address, listed(file))


def check(file: WantedFile, path: Path, known: Fetched | None, remove: bool = True) -> str:
    """Return the SHA-256 of a file that is what was listed and recorded; another one is removed.

    Raises
    ------
    InputError
        It has another checksum.
    """
    found = sha256(path)
    fix = "Fetch it again; if it stays so, the file was changed: compare with its page, then correct config/data.yaml."
    problem = ""
    if file.sha256 and found != file.sha256:
        problem = f"another SHA-256 ({found}) than listed ({file.sha256})"
    elif file.md5 and (md5 := md5_of(path)) != file.md5:
        problem = f"another MD5 ({md5}) than listed ({file.md5})"
    elif known and found != known.sha256:
        problem = f"not what was fetched on {known.fetched}: another SHA-256 ({found}, then {known.sha256})"
        fix = f"If the change is known and wanted, remove its line in resources/{RECORD} and fetch again."
    if problem:
        if remove:
            path.unlink()
        raise InputError(problem, where=file.address, fix=fix)
    return found


def md5_of(path: Path) -> str:
    """Return the MD5 of a file: a checksum of those who publish it, not a safeguard."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def require_space(missing: Sequence[WantedFile], root: Path) -> None:
    """Stop before the first byte if the files that are still to come are known not to fit."""
    root.mkdir(parents=True, exist_ok=True)
    needed = sum((file.bytes or 0) * (UNPACKED if file.unpack else 1) for file in missing)
    begun = [file.path.with_name(f"{file.path.name}.part") for file in missing]
    needed -= sum(path.stat().st_size for path in begun if path.is_file())
    if needed > 0 and needed + RESERVE > shutil.disk_usage(root).free:
        raise no_space(root / "part", needed)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack an archive into a folder; nothing is written outside of it. A single folder inside is left out of the paths.

    Raises
    ------
    InputError
        It is no archive, or has a path that leads outside.
    """
    with atomic_path(folder) as temporary:
        temporary.mkdir(parents=True)
        try:
            if zipfile.is_zipfile(archive):
                with zipfile.ZipFile(archive) as file:
                    file.extractall(temporary)
            else:
                with tarfile.open(archive) as file:
                    file.extractall(temporary, filter="data")
        except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
            raise InputError(
                f"no archive that can be unpacked ({error})", where=archive, fix="Fetch it again."
            ) from None
        inside = list(temporary.iterdir())
        if len(inside) == 1 and inside[0].is_dir():
            for path in list(inside[0].iterdir()):
                path.rename(temporary / f".{path.name}.moved")
            inside[0].rmdir()
            for path in temporary.glob(".*.moved"):
                path.rename(temporary / path.name[1:].removesuffix(".moved"))


def read_record(root: Path) -> dict[str, Fetched]:
    """Return what was fetched before, by path."""
    path = root / RECORD
    if not path.is_file():
        return {}
    found = {}
    for number, line in enumerate(path.read_text().splitlines()[1:], 2):
        cells = line.split("\t")
        cells += [""] * (len(cells) == len(COLUMNS) - 1)  # of versions that did not write what was listed
        if len(cells) != len(COLUMNS) or not (cells[2].isdecimal() and cells[3].isdecimal()):
            raise InputError(f"line {number} is not {', '.join(COLUMNS)}", where=path, fix="Remove the line.")
        found[cells[0]] = Fetched(cells[0], cells[1], int(cells[2]), int(cells[3]), *cells[4:])
    return found


def write_record(record: dict[str, Fetched], root: Path) -> None:
    """Write what was fetched, in the order of the paths."""
    lines = ["\t".join(COLUMNS), *("\t".join(map(str, record[path])) for path in sorted(record))]
    with atomic_path(root / RECORD) as temporary:
        temporary.write_text("\n".join(lines) + "\n")


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of the files of a folder."""
    if path.is_dir():
        return sum(inner.stat().st_size for inner in path.rglob("*") if inner.is_file())
    return path.stat().st_size


def modified(path: Path) -> int:
    """Return when a file was changed last, in ns."""
    return path.stat().st_mtime_ns


def say(terminal: TextIO | None, line: str) -> None:
    """Show a line on the terminal, and in the log."""
    log.info("%s", line)
    if terminal is not None:
        print(line, file=terminal, flush=True)


class Bar:
    """A progress bar on a terminal; nothing where there is none."""

    def __init__(self, terminal: TextIO | None):
        self._terminal, self._bar = terminal, None

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, have: int, total: int | None) -> None:
        """Show how much is there."""
        if self._terminal is None or not self._terminal.isatty():
            return
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(total=total, unit="B", unit_scale=True, file=self._terminal, leave=False)
        self._bar.update(have - self._bar.n)
