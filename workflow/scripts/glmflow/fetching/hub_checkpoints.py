"""Published checkpoints from the hub, for jobs on machines without internet: fetched as all other files are."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, TextIO

from glmflow.errors import InputError
from glmflow.files import sha256

from .downloads import RESERVE, download, no_space
from .public_data import Bar, say

log = logging.getLogger(__name__)

PATTERNS = ["*.json", "*.safetensors", "*.bin", "*.pt", "*.txt", "*.model", "*.yml", "*.yaml"]
"""Weights, configuration and tokenizer; never code."""
COMMIT_LENGTH = 40
"""Hexadecimal digits of a commit; a shorter revision is the name of a branch or a tag."""
BEGUN = "commit.begun"
"""Beside the files that have arrived: the commit they are of."""


def prefetch(
    model_id: str,
    revision: str,
    folder: str | Path,
    terminal: TextIO | None = None,
    wait: Callable[[float], Any] = time.sleep,
) -> None:
    """Download a checkpoint into a folder, going on where an interrupted download stopped.

    The files arrive in `{folder}.part`, which is renamed when all are there; `checksums.json` in it holds the listed
    revision, the commit that was downloaded and the SHA-256 of every file, in subfolders too. Weights that are there as
    safetensors are not fetched a second time as pickles. Progress is shown on `terminal`; `wait` is called with the
    seconds before another try.

    Raises
    ------
    InputError
        The hub cannot be reached, has no such model or revision, gave another commit than the listed one; the disk is too
        small; or a file is not the one whose SHA-256 the hub states.
    """
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers

    folder = Path(folder)
    partial = folder.with_name(f"{folder.name}.part")
    info = described(model_id, revision)
    files = wanted(info.siblings or ())
    keep_to(partial, info.sha)
    missing = [file for file in files if not (partial / file.rfilename).is_file()]
    require_room(partial, missing)
    for number, file in enumerate(missing, 1):
        say(terminal, f"[{number}/{len(missing)}] {model_id}: {file.rfilename}")
        path = partial / file.rfilename
        part = path.with_name(f"{path.name}.part")
        address = hf_hub_url(model_id, file.rfilename, revision=info.sha)
        with Bar(terminal) as bar:
            download(address, part, bool(file.lfs), bar, wait, headers=build_hf_headers())
        part.replace(path)
    sums = {file.rfilename: sha256(partial / file.rfilename) for file in files}
    require_sums(model_id, partial, sums, files)
    (partial / BEGUN).unlink()
    record = {"id": model_id, "revision": revision, "commit": info.sha, "sha256": dict(sorted(sums.items()))}
    (partial / "checksums.json").write_text(json.dumps(record, indent=2) + "\n")
    partial.replace(folder)
    log.info("%s: commit %s, %d files", model_id, info.sha, len(sums))
    if revision != info.sha:
        log.info("To keep to it, write `revision: %s, verified: true` into config/models.yaml.", info.sha)


def described(model_id: str, revision: str) -> Any:
    """Return what the hub says of a model: its commit and its files. Another commit than a listed one is refused."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        info = HfApi().model_info(model_id, revision=revision, files_metadata=True)
    except (HfHubHTTPError, OfflineModeIsEnabled, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{model_id} (revision {revision}) could not be downloaded: {reason}",
            fix="run `snakemake -c1 prefetch` on a machine with internet, or put the files there by hand",
        ) from None
    if len(revision) == COMMIT_LENGTH and revision != info.sha:
        raise InputError(
            f"{model_id}: the hub gives commit {info.sha} where {revision} is listed",
            fix="correct the revision in config/models.yaml",
        )
    return info


def wanted(siblings: Sequence[Any]) -> list[Any]:
    """Return the files of a model that are read; of weights in two formats the safe one."""
    files = [file for file in siblings if any(fnmatch(file.rfilename, pattern) for pattern in PATTERNS)]
    safe = any(file.rfilename.endswith(".safetensors") and "/" not in file.rfilename for file in files)
    pickled = {
        file.rfilename for file in files if "/" not in file.rfilename and file.rfilename.endswith((".bin", ".pt"))
    }
    return [file for file in files if not (safe and file.rfilename in pickled)]


def keep_to(partial: Path, commit: str) -> None:
    """Go on with what has arrived of a commit; what is of another one is removed."""
    begun = partial / BEGUN
    if partial.is_dir() and not (begun.is_file() and begun.read_text() == commit):
        shutil.rmtree(partial)
    partial.mkdir(parents=True, exist_ok=True)
    begun.write_text(commit)


def require_room(partial: Path, missing: Sequence[Any]) -> None:
    """Stop before the first byte if the files that are still to come are known not to fit."""
    begun = sum(path.stat().st_size for path in partial.rglob("*.part"))
    needed = sum(getattr(file, "size", None) or 0 for file in missing) - begun
    if needed > 0 and needed + RESERVE > shutil.disk_usage(partial).free:
        raise no_space(partial / "part", needed)


def require_sums(model_id: str, folder: Path, sums: dict[str, str], files: Sequence[Any]) -> None:
    """Refuse large files that are not what the hub says they are; they are deleted, to be downloaded again."""
    stated = {file.rfilename: file.lfs.sha256 for file in files if file.lfs}
    wrong = [name for name, found in sums.items() if stated.get(name, found) != found]
    for name in wrong:
        (folder / name).unlink()
    if wrong:
        raise InputError(
            f"{model_id}: {', '.join(wrong)} came damaged (another SHA-256 than the hub states)", fix="download again"
        )
