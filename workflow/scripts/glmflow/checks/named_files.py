"""Which files a study names, by the key that names each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from glmflow.config import Study, locate, questions, simulation_inputs
from glmflow.config.base import Place
from glmflow.errors import InputError


def named_files(study: Study) -> dict[Place, str]:
    """Return the paths of all files and folders that a study names, by the place of their keys."""
    named: dict[Place, str] = {}
    if study.simulate:
        keys = ("fasta", "vcf", "annotation")
        named.update({("simulate", "overlay", key): path for key, path in zip(keys, simulation_inputs(study))})
    for block in ("reference", "cohort"):
        for key, path in getattr(study, block) or ():
            if key in ("fasta", "annotation", "blacklist", "samples") and path:
                named[block, key] = path
    for n, path in enumerate(study.cohort.vcf if study.cohort else ()):
        named["cohort", "vcf", n] = path
    for name, track in study.tracks.items():
        named.update({("tracks", name, "replicates", n): path for n, path in enumerate(track.replicates)})
    for label, model in study.models.items():
        if model.is_folder:
            named["models", label, "checkpoint"] = model.checkpoint
    for label, task in study.tasks.items():
        named.update({("tasks", label, *key): path for key, path in task.named_files().items()})
    for label, prediction in study.predict.items():
        for key in ("fasta", "vcf", "bed", "genes"):
            if getattr(prediction, key):
                named["predict", label, key] = getattr(prediction, key)
    for key, label, block in questions(study):
        named.update({(key, label, name): path for name, path in block.named_files.items()})
    return named


def placed(error: InputError, named: Mapping[Place, str], source: str | Path | None) -> str:
    """Return what is wrong with a file, behind the line and key of `source` that names the file, where one does."""
    path = Path(re.sub(r":\d+$", "", error.where or ""))  # of a file that is read by lines: `x.bed:2`
    key = next((key for key, name in named.items() if Path(name) == path), None)
    return str(error) if key is None or source is None else f"{locate(key, source)}: {error}"
