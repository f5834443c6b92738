"""Download published checkpoints on a machine with internet, for jobs on machines without."""

from __future__ import annotations

import json
from pathlib import Path

from glmflow.errors import InputError
from glmflow.files import sha256

PATTERNS = ["*.json", "*.safetensors", "*.bin", "*.pt", "*.txt", "*.model", "*.yml", "*.yaml"]
"""Weights, configuration and tokenizer; never code."""


def prefetch(model_id: str, revision: str, folder: str | Path) -> None:
    """Download a checkpoint into a folder, going on where an interrupted download stopped.

    The files arrive in `{folder}.part`, which is renamed when all are there; `checksums.json` in it holds the resolved
    commit and the SHA-256 of every file.

    Raises
    ------
    InputError
        The hub cannot be reached, or has no such model or revision.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    folder = Path(folder)
    partial = folder.with_name(f"{folder.name}.part")
    try:
        commit = HfApi().model_info(model_id, revision=revision).sha
        snapshot_download(model_id, revision=commit, local_dir=partial, allow_patterns=PATTERNS)
    except (HfHubHTTPError, OfflineModeIsEnabled, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{model_id} (revision {revision}) could not be downloaded: {reason}",
            mend="run `snakemake -c1 prefetch` on a machine with internet, or put the files there by hand",
        ) from None
    if any(partial.glob("*.safetensors")):
        for duplicate in (*partial.glob("*.bin"), *partial.glob("*.pt")):
            duplicate.unlink()
    files = sorted(path for path in partial.iterdir() if path.is_file())
    sums = {"id": model_id, "commit": commit, "sha256": {path.name: sha256(path) for path in files}}
    (partial / "checksums.json").write_text(json.dumps(sums, indent=2) + "\n")
    partial.replace(folder)
