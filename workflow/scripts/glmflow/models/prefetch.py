"""Download published checkpoints on a machine with internet, for jobs on machines without."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any, TextIO

from glmflow.errors import InputError
from glmflow.files import sha256

log = logging.getLogger(__name__)

PATTERNS = ["*.json", "*.safetensors", "*.bin", "*.pt", "*.txt", "*.model", "*.yml", "*.yaml"]
"""Weights, configuration and tokenizer; never code."""

COMMIT_LENGTH = 40
"""Hexadecimal digits of a commit; a shorter revision is the name of a branch or a tag."""


def prefetch(model_id: str, revision: str, folder: str | Path, terminal: TextIO | None = None) -> None:
    """Download a checkpoint into a folder, going on where an interrupted download stopped.

    The files arrive in `{folder}.part`, which is renamed when all are there; `checksums.json` in it holds the listed
    revision, the commit that was downloaded and the SHA-256 of every file, in subfolders too. Progress is shown on
    `terminal`.

    Raises
    ------
    InputError
        The hub cannot be reached, has no such model or revision, gave another commit than the listed one, or a file is
        not the one whose SHA-256 the hub states.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    folder = Path(folder)
    partial = folder.with_name(f"{folder.name}.part")
    try:
        info = HfApi().model_info(model_id, revision=revision, files_metadata=True)
        _require_commit(model_id, revision, info.sha)
        bar = {"tqdm_class": _bar_on(terminal)} if terminal is not None else {}
        snapshot_download(model_id, revision=info.sha, local_dir=partial, allow_patterns=PATTERNS, **bar)
    except (HfHubHTTPError, OfflineModeIsEnabled, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{model_id} (revision {revision}) could not be downloaded: {reason}",
            mend="run `snakemake -c1 prefetch` on a machine with internet, or put the files there by hand",
        ) from None
    shutil.rmtree(partial / ".cache", ignore_errors=True)  # the hub's notes on what is still to come
    if any(partial.glob("*.safetensors")):
        for duplicate in (*partial.glob("*.bin"), *partial.glob("*.pt")):
            duplicate.unlink()
    (partial / "checksums.json").unlink(missing_ok=True)
    files = sorted(path for path in partial.rglob("*") if path.is_file())
    sums = {path.relative_to(partial).as_posix(): sha256(path) for path in files}
    _require_sums(model_id, partial, sums, info)
    record = {"id": model_id, "revision": revision, "commit": info.sha, "sha256": sums}
    (partial / "checksums.json").write_text(json.dumps(record, indent=2) + "\n")
    partial.replace(folder)
    log.info("%s: commit %s, %d files", model_id, info.sha, len(sums))
    if revision != info.sha:
        log.info("To keep to it, write `revision: %s, verified: true` into config/models.yaml.", info.sha)


def _require_commit(model_id: str, revision: str, commit: str) -> None:
    """Refuse another commit than the listed one; a branch or tag may be at any."""
    if len(revision) == COMMIT_LENGTH and revision != commit:
        raise InputError(
            f"{model_id}: the hub gives commit {commit} where {revision} is listed",
            mend="correct the revision in config/models.yaml",
        )


def _require_sums(model_id: str, folder: Path, sums: dict[str, str], info: Any) -> None:
    """Refuse large files that are not what the hub says they are; they are deleted, to be downloaded again."""
    stated = {file.rfilename: file.lfs.sha256 for file in info.siblings or () if file.lfs}
    wrong = [name for name, found in sums.items() if stated.get(name, found) != found]
    for name in wrong:
        (folder / name).unlink()
    if wrong:
        raise InputError(
            f"{model_id}: {', '.join(wrong)} came damaged (another SHA-256 than the hub states)", mend="download again"
        )


def _bar_on(terminal: TextIO) -> type:
    """Return the hub's progress bar, drawn on the terminal: a job's error output goes to its log."""
    from huggingface_hub.utils import tqdm

    class Bar(tqdm):
        def __init__(self, *arguments: Any, **settings: Any):
            super().__init__(*arguments, **{**settings, "file": terminal})

    return Bar
