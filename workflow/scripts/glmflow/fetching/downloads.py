"""One file from a web server: goes on where it was cut off, and stops where going on would be wrong."""

from __future__ import annotations

import json
import logging
import re
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from glmflow.errors import InputError
from glmflow.files import NO_ROOM

log = logging.getLogger(__name__)

TRIES = 5
"""Failures in a row, without a byte between them, before a download is given up."""
TIMEOUT = (20, 60)
"""Seconds until a server has answered, and until its next bytes."""
CHUNK = 1 << 20
AGAIN = (408, 425, 429, 500, 502, 503, 504)
"""Answers that may be another one a little later."""
RESERVE = 50_000_000
"""Bytes that are left free on the disk."""
CUT = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError, HTTPError)


class _Restart(Exception):  # noqa: N818 no error: another beginning
    """What is there does not belong to what the server has now."""


def download(
    address: str,
    part: Path,
    checked: bool,
    progress: Callable[[int, int | None], Any] = lambda have, total: None,
    wait: Callable[[float], Any] = time.sleep,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Download an address into `part`, going on with what is there of it.

    Parameters
    ----------
    address
        http or https; redirects are followed, not from https to http.
    part
        The file. Beside it `{part}.from` keeps what the server said of the version that was begun.
    checked
        A checksum is known: parts of two versions would be found out, so that a server that names no version can be
        asked to go on.
    progress
        Called with the bytes that are there and those of the whole file (None: not known).
    wait
        Called with the seconds before the next try.
    headers
        Further headers of the request, such as credentials; another host, to which it redirects, does not get them.

    Raises
    ------
    InputError
        The server has no such file, cannot be reached, sends a web page, or the disk is too small.
    """
    notes = part.with_name(f"{part.name}.from")
    part.parent.mkdir(parents=True, exist_ok=True)
    failures, reason = 0, ""
    with requests.Session() as session:
        session.headers.update(headers or {})
        session.headers["Accept-Encoding"] = "identity"  # bytes as they are: sums and ranges are of the file
        while failures < TRIES:
            before = _size(part)
            try:
                if _attempt(session, address, part, notes, checked, progress):
                    notes.unlink(missing_ok=True)
                    return
                reason = "the connection was cut"
            except _Restart:
                part.unlink(missing_ok=True)
                reason = "the server has another version"
            except CUT as error:
                reason = _said(error)
            except requests.RequestException as error:
                raise InputError(f"cannot be fetched ({error})", where=address, fix="Correct the address.") from None
            failures = 0 if _size(part) > before else failures + 1
            log.info("%s: %s; %d bytes are there", address, reason, _size(part))
            wait(min(60, 2**failures))
    raise InputError(
        f"{reason} ({TRIES} times)",
        where=address,
        fix="Try again later: what has arrived is kept, and the download resumes there.",
    )


def _attempt(
    session: requests.Session,
    address: str,
    part: Path,
    notes: Path,
    checked: bool,
    progress: Callable[[int, int | None], Any],
) -> bool:
    """Ask the server for what is missing; return whether the file is complete."""
    have, version = _begun(address, part, notes, checked)
    headers = {"Range": f"bytes={have}-"} | ({"If-Range": version} if version else {}) if have else {}
    with session.get(address, stream=True, timeout=TIMEOUT, headers=headers) as answer:
        if address.startswith("https:") and not answer.url.startswith("https:"):
            raise InputError(f"is redirected to {answer.url}, which is not https", where=address, fix="Do not use it.")
        if answer.status_code == 416:  # nothing beyond what is there, or another file
            if answer.headers.get("Content-Range", "").rpartition("/")[2] == str(have):
                return True
            raise _Restart
        if answer.status_code in AGAIN:
            raise requests.ConnectionError(f"the server answers {answer.status_code}")
        if answer.status_code not in (200, 206):
            raise InputError(
                f"the server answers {answer.status_code} ({answer.reason})",
                where=address,
                fix="Correct the address in config/data.yaml (of a model: config/models.yaml), or fetch the file by hand.",
            )
        _refuse_pages(answer, address)
        if answer.status_code == 206 and not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            raise _Restart
        if answer.status_code == 200:
            have = 0  # a server that knows no ranges, or a new version: the whole file comes
            _note(address, answer, notes)
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length else None
        _require_space(part, (total or 0) - have)
        return _receive(answer, part, have, total, progress)


def _begun(address: str, part: Path, notes: Path, checked: bool) -> tuple[int, str | None]:
    """Return the bytes that can be gone on with, and the version they are of; what cannot is removed."""
    try:
        known = json.loads(notes.read_text())
    except (OSError, ValueError):
        known = {}
    if _size(part) and (known.get("address") != address or not (known.get("version") or checked)):
        part.unlink()
    return _size(part), known.get("version")


def _note(address: str, answer: requests.Response, notes: Path) -> None:
    """Keep what the server says of the version of a file: a strong ETag, or its date."""
    tag = answer.headers.get("ETag", "")
    version = tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified")
    notes.write_text(json.dumps({"address": address, "version": version}) + "\n")


def _receive(
    answer: requests.Response, part: Path, have: int, total: int | None, progress: Callable[[int, int | None], Any]
) -> bool:
    """Write what comes behind the bytes that are there; return whether that was all."""
    try:
        with part.open("r+b" if have else "wb") as handle:
            handle.seek(have)
            # As it arrives: what has come before a connection is cut is kept.
            while chunk := answer.raw.read1(CHUNK):
                handle.write(chunk)
                have += len(chunk)
                progress(have, total)
            handle.truncate()
    except OSError as error:
        if error.errno in NO_ROOM:
            raise no_space(part, None) from None
        raise
    return total is None or have >= total


def _refuse_pages(answer: requests.Response, address: str) -> None:
    """Refuse a web page that comes in place of a file: a log-in, a notice, an error that says 200."""
    kind = answer.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if kind == "text/html" and not address.endswith((".html", ".htm")):
        raise InputError(
            "a web page came instead of the file", where=address, fix="Open it in a browser; fetch the file by hand."
        )


def _require_space(part: Path, missing: int) -> None:
    """Stop before a byte is written that would not fit."""
    if missing + RESERVE > shutil.disk_usage(part.parent).free:
        raise no_space(part, missing)


def no_space(part: Path, missing: int | None) -> InputError:
    """Return the error for a disk that is too small."""
    free = shutil.disk_usage(part.parent).free
    needed = f"{missing / 1e9:.1f} GB are missing and " if missing else ""
    return InputError(
        f"no space: {needed}{free / 1e9:.1f} GB are free",
        where=part.parent,
        fix="Free some, or link `resources` elsewhere.",
    )


def _said(error: Exception) -> str:
    """Return the reason of a failed connection in a few words."""
    inner = getattr(error.args[0], "reason", None) if error.args else None
    text = str(inner or error).splitlines()[0] if str(inner or error) else type(error).__name__
    return text.split(": ", 1)[1] if re.match(r"<|HTTPS?Connection", text) and ": " in text else text[:200]


def _size(part: Path) -> int:
    """Return the bytes of a file; 0 where there is none."""
    return part.stat().st_size if part.is_file() else 0
