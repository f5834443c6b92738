"""Everything of a study's configuration that one job depends on, as plain data: a change anywhere else reruns nothing."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from .adaptations import BESIDE_TRAINING, OPTIONAL, Adaptation
from .blocks import TRAINED, default_of
from .corpus_blocks import corpus_files
from .efficient import keys_of_others
from .losses import LOSSES
from .study import Study
from .task_block import Files, TaskBlock
from .views import Run
from .written_short import of_protocol


def simulated_samples(study: Study) -> list[str]:
    """Return the names of samples made from nothing; none where samples are real ones."""
    made = study.simulate and study.simulate.cohort
    return made.population.names if made else []


def simulation_inputs(study: Study) -> list[str]:
    """Return the real files a simulation is laid over (none for a cohort made from nothing)."""
    overlay = study.simulate and study.simulate.overlay
    return [overlay.fasta, overlay.vcf, overlay.annotation] if overlay else []


def is_made(study: Study, path: str) -> bool:
    """Return whether a file is one that the study's own jobs make."""
    return path.startswith(f"{study.results}/")


def made_sources(study: Study, corpus: str) -> list[str]:
    """Return the files of a corpus that the study's own jobs make."""
    return [source.path for source in study.corpora[corpus].sources if is_made(study, source.path)]


def pretraining_files(study: Study, model: str) -> Files:
    """Return what a model is pretrained on: a corpus, pairs of DNA and text, or the genome and its regions."""
    if name := study.models[model].pretrain.corpus:
        return corpus_files(study.results, name)
    if pairs := study.models[model].pretrain.pairs:
        return {"pairs": pairs}
    fasta = f"{study.results}/reference/genome.fa"
    return {"fasta": fasta, "index": f"{fasta}.fai", "regions": f"{study.results}/examples/regions.tsv"}


def longest_window(study: Study) -> int:
    """Return the longest window of any task that is cut from the genome."""
    return max((task.window_bp for task in study.genome_tasks.values()), default=0)


def shown_tracks(study: Study) -> list[str]:
    """Return the tracks that a report shows: all of the study where a task predicts some."""
    return list(study.data.tracks) if any(task.track_names(study) for task in study.tasks.values()) else []


def pages(study: Study) -> dict[str, str]:
    """Return the file of each task's report page; the first task of a kind has the short name."""
    files: dict[str, str] = {}
    for label, task in study.tasks.items():
        if task.page:
            first = f"{task.page}.html"
            files[label] = f"{task.page}.{label}.html" if first in files.values() else first
    return files


def task_settings(study: Study, label: str) -> dict[str, Any]:
    """Return everything that the examples of a task depend on: all but how they are scored and learned."""
    task = study.tasks[label]
    read: dict[str, Any] = {
        "task": task.model_dump(mode="json", exclude=set(task.scoring | task.training | task.asking))
    }
    if task.compared != "own" and study.copies != "keep":
        read["copies"] = study.copies
    if names := task.track_names(study):
        read["tracks"] = {
            name: study.data.tracks[name].model_dump(mode="json") for name in names if name in study.data.tracks
        }
    if task.genome:
        reference = study.data.reference
        read |= {
            "splits": study.splits and study.splits.model_dump(mode="json"),
            "size": longest_window(study),
            "contigs": reference and reference.contigs,
            "alternates": reference.alternates if reference else "leave_out",
        }
    return read


def adaptation_settings(adaptation: Adaptation, task: TaskBlock) -> dict[str, Any]:
    """Return the settings of an adaptation that a task reads, its head and loss among them."""
    kind = adaptation.kind
    if kind not in TRAINED:
        return adaptation.model_dump(mode="json", include=set(BESIDE_TRAINING[kind]))
    left_out = {"sweep", "head", "loss", *(key for key, _ in keys_of_others(kind))}
    left_out |= set() if adaptation.protocol else {"protocol"}
    settings = adaptation.model_dump(mode="json", exclude=left_out)
    for key in OPTIONAL - task.option_keys(kind):
        block, name = key.split(".")
        del settings[block][name]
    head = adaptation.head_for(task.target)
    loss = adaptation.loss or task.own_loss or default_of(LOSSES, task.target)
    return settings | {"head": head and head.model_dump(mode="json"), "loss": loss and loss.model_dump(mode="json")}


def differing(adaptation: Adaptation) -> dict[str, list[str]]:
    """Return in words what of a published protocol cannot be followed, as `differs`; nothing without a protocol."""
    return (
        {"differs": of_protocol(adaptation.protocol, adaptation.train.compute_dtype)[1]} if adaptation.protocol else {}
    )


def run_settings(study: Study, run: Run) -> dict[str, Any]:
    """Return everything of the configuration that a run depends on but for how it is scored, as plain YAML data.

    Two runs with equal settings and equal inputs are the same run; a change anywhere else in the study does not touch it.
    """
    return _settings(study, run, study.tasks[run.task].scoring)


def score_settings(study: Study, run: Run) -> dict[str, Any]:
    """Return everything of the configuration that the scores of a run depend on."""
    return _settings(study, run, frozenset())


def _settings(study: Study, run: Run, excluded: frozenset[str]) -> dict[str, Any]:
    """Return the settings of a run without some keys of its task; but for the seed they are worked out once."""
    cell = (*run[:-1], excluded)
    if cell not in study.worked_out:
        study.worked_out[cell] = _settings_of_all_seeds(study, run, excluded)
    return study.worked_out[cell] | {"seed": run.seed}


def _settings_of_all_seeds(study: Study, run: Run, excluded: frozenset[str]) -> dict[str, Any]:
    """Return the settings that the runs of all seeds share, with the seed of one of them."""
    model, task = study.models[run.model], study.tasks[run.task]
    if model.baseline:
        excluded |= task.training | task.asking
    return {
        "study": study.study,
        "task_label": run.task,
        "model_label": run.model,
        "adaptation_label": run.adaptation,
        "seed": run.seed,
        "task": task.model_dump(mode="json", exclude=set(excluded) | {"loss"}),
        "model": model.model_dump(mode="json", exclude_none=True),
        "base": study.models[model.extend.model].model_dump(mode="json", exclude_none=True) if model.extend else None,
        "adaptation": adaptation_settings(study.adaptations[run.adaptation], task),
        **differing(study.adaptations[run.adaptation]),
        "told": (model.baseline.told or None) if model.baseline else None,
        **task.facts(study, run.task),
    }


def settings_hash(settings: dict[str, Any]) -> str:
    """Return the SHA-256 of resolved settings, independent of the order of keys."""
    canonical = json.dumps(settings, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
