"""What a study defines and none of its runs uses: no mistake, but worth a line of `glmflow check`."""

from __future__ import annotations

from collections.abc import Iterator

from .asked import asked_models, questions
from .settings import shown_tracks
from .study import Study

STEPS = ("own_data", "examples", "train", "predict", "baseline", "score", "compare", "export", "apply")


def unused(study: Study) -> Iterator[str]:
    """Yield the keys, dotted, that nothing of the study reads: labels that no run names, and data that no task reads."""
    named = {block: {name for runs in study.runs for name in getattr(runs, block)} for block in LABELS}
    asked = {model for _, _, block in questions(study) for model, _ in asked_models(study, block)}
    asked |= {model for _, _, block in questions(study) for model in block.models or ()}
    asked |= {model for label, task in study.tasks.items() for model, _ in task.judges(study, label).values()}
    for block, used in named.items():
        used |= asked if block == "models" else set()
        used |= {model.extend.model for label, model in study.models.items() if model.extend and label in used}
        yield from (f"{block}.{label}" for label in getattr(study, block) if label not in used | {"all"})
    if study.tracks and not shown_tracks(study):
        yield "tracks"
    files = set(_files(study))
    if study.cohort and not (files & set(study.cohort.vcf) or any("/cohort/" in path for path in files)):
        applied = {one.vcf for one in study.predict.values()} & set(study.cohort.vcf)
        yield from () if applied else ("cohort",)
    corpora = {model.pretrain.corpus for model in study.models.values() if model.pretrain}
    for label in study.corpora:
        if label not in corpora and not any(f"/corpora/{label}/" in path for path in files):
            yield f"corpora.{label}"


LABELS = ("tasks", "models", "adaptations")


def _files(study: Study) -> Iterator[str]:
    """Yield the files that any step of any task reads."""
    for label, task in study.tasks.items():
        for run in [None, *study.runs_of(label)]:
            for step in STEPS if run is None else ("baseline",):
                for found in task.files(study, label, step, run).values():
                    yield from [found] if isinstance(found, str) else found
