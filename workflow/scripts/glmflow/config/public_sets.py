"""The list of public data sets (`config/data.yaml`): where each file is, how large, under which licence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Annotated, NamedTuple

from pydantic import Field, ValidationError, model_validator

from .base import Block
from .mistakes import ConfigurationError
from .syntax import read_yaml
from .words import suggest

LISTED_SETS = Path(__file__).resolve().parents[4] / "config" / "data.yaml"
"""The list of the repository; not there where the package is installed without it."""
EACH = "{each}"
"""Stands in addresses and names for every entry of `each`."""


class PublicFile(Block):
    """A file of a data set."""

    address: Annotated[str, Field(pattern=r"^https?://\S+$")] = Field(description="Where it is downloaded from.")
    name: str | None = Field(None, description="Path below the folder of the set; the last part of the address.")
    each: list[str] = Field(default_factory=list, description="Makes a file of each entry, put in for `{each}`.")
    megabytes: Annotated[float, Field(gt=0)] | None = Field(None, description="About how large it is (each of them).")
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = Field(None, description="Checksum, if known.")
    md5: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = Field(None, description="Checksum, if known.")
    unpack: bool = Field(False, description="An archive (tar, zip) whose content lies in a folder named as it.")
    verified: bool = Field(False, description="Whether it was downloaded from this address by who listed it.")

    @model_validator(mode="after")
    def _one_for_each(self) -> PublicFile:
        names = [self.address, *([self.name] if self.name else [])]
        if self.each and not all(EACH in text for text in names):
            raise ValueError(f"each: {EACH} has to stand in the address, and in the name where one is given")
        if self.each and (self.sha256 or self.md5):
            raise ValueError("each: a checksum is of one file; list the files one by one")
        path = PurePosixPath(self.name or "x")
        if path.is_absolute() or ".." in path.parts:
            raise ValueError("name: a path below the folder of the set")
        return self


class PublicSet(Block):
    """A public data set."""

    about: str = Field(description="What it is.")
    licence: str = Field(description="Under which terms it may be used, as far as they are known.")
    page: str | None = Field(None, description="Page of who publishes it.")
    note: str = Field("", description="What has to be done by hand, or has to be known.")
    files: list[PublicFile] = Field(description="Its files.")


class WantedFile(NamedTuple):
    """One file to be there: its set, address, path, and what is known of its content."""

    data_set: str
    address: str
    path: Path
    bytes: int | None
    sha256: str | None
    md5: str | None
    unpack: bool
    verified: bool


def read_public_sets(path: str | Path | None = None) -> dict[str, PublicSet]:
    """Read the list of data sets by name: that of the folder one works in, else the repository's; empty without one.

    Raises
    ------
    ConfigurationError
        An entry is not as it has to be.
    """
    own = Path("config/data.yaml").resolve()
    chosen = Path(path or (own if own.is_file() else LISTED_SETS))
    return _read(chosen, chosen.stat().st_mtime_ns) if chosen.is_file() else {}


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> dict[str, PublicSet]:
    """Read a list, once as long as it is not changed."""
    found, problems = {}, []
    for name, entry in read_yaml(path).items():
        try:
            found[name] = PublicSet.model_validate(entry)
        except ValidationError as error:
            for problem in error.errors():
                said = (
                    f"{problem['input']!r} is not text; put it into quotes"
                    if problem["type"] == "string_type"
                    else problem["msg"]
                )
                problems.append(f"{path}: {'.'.join(map(str, (name, *problem['loc'])))}: {said}")
    if problems:
        raise ConfigurationError(problems)
    return found


def files_of_set(name: str, data_set: PublicSet) -> Iterator[WantedFile]:
    """Yield the files of a data set, which lie in `resources/{name}`."""
    for file in data_set.files:
        for entry in file.each or [""]:
            address = file.address.replace(EACH, entry)
            own = (file.name or _last_part(address)).replace(EACH, entry)
            size = int(file.megabytes * 1e6) if file.megabytes else None
            path = Path("resources") / name / own
            yield WantedFile(name, address, path, size, file.sha256, file.md5, file.unpack, file.verified)


def wanted_files(names: Sequence[str], sets: Mapping[str, PublicSet] | None = None) -> list[WantedFile]:
    """Return the files of some data sets.

    Raises
    ------
    ConfigurationError
        There is no set of this name.
    """
    known = read_public_sets() if sets is None else sets
    if unknown := [name for name in names if name not in known]:
        raise ConfigurationError(
            [f"data: {name!r} is no data set of config/data.yaml{suggest(name, known)}" for name in unknown]
        )
    return [file for name in names for file in files_of_set(name, known[name])]


def set_with(path: str, names: Sequence[str]) -> str | None:
    """Return which of some data sets a path belongs to; None for none."""
    known = read_public_sets()
    for name in names:
        files = files_of_set(name, known[name]) if name in known else ()
        if any(Path(path) == file.path or Path(path).is_relative_to(file.path) for file in files):
            return name
    return None


def sets_table(sets: Mapping[str, PublicSet]) -> str:
    """Return the data sets as a table in Markdown: size in all, licence, and what has to be known."""
    rows = ["| set | what | files | licence |", "| --- | --- | --- | --- |"]
    for name, data_set in sets.items():
        files = list(files_of_set(name, data_set))
        size = sum(file.bytes or 0 for file in files) / 1e9
        unverified = sum(not file.verified for file in files)
        about = f"{size:.1f} GB" if size >= 1 else f"{size * 1000:.0f} MB"
        of_address = f", {unverified} address{'es' * (unverified != 1)} not verified" if unverified else ""
        found = f"{len(files)} ({about}{of_address})" if files else "by hand"
        link = f" [page]({data_set.page})" if data_set.page else ""
        rows.append(f"| `{name}` | {data_set.about}.{link} {data_set.note} | {found} | {data_set.licence} |")
    return "\n".join(rows) + "\n"


def _last_part(address: str) -> str:
    """Return the last part of an address, without what is asked of the server."""
    return re.split(r"[?#]", address)[0].rstrip("/").rsplit("/", 1)[-1]
