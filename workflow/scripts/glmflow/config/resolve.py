"""What a study's labels stand for: its files, its tracks, and everything one run depends on."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

from .data import Cohort, Reference, Track
from .study import Run, Study
from .tasks import Hackathon

TOLD = {"kmer_ridge_promoter": "start, strand and exons of every gene"}
"""What a baseline is told beside the sequence: it is shown apart from those that have to find out."""

SCORING = {"bootstrap", "permutations"}
"""Keys of tasks that nothing but their scores depends on: changing them trains no model again."""

TRAINING = {"haplotypes", "loss", "tweedie_power", "scaling"}
"""Keys of track tasks that a baseline, fitted to coverage as it is over the reference, does not read."""

STRANDS = {"plus": "+", "minus": "-"}


class Data(NamedTuple):
    """Where a study's data lie, simulated or given."""

    reference: Reference | None
    cohort: Cohort | None
    tracks: dict[str, Track]


def resolve_data(study: Study) -> Data:
    """Return the data of a study; what is simulated takes the place of what is not given."""
    if hackathon_of(study):
        folder = f"{study.results}/hackathon"
        made = Reference(fasta=f"{folder}/genome.fa", annotation=f"{folder}/genes.gtf")
        return Data(made, Cohort(vcf=[f"{folder}/cohort.vcf.gz"]), study.tracks)
    if study.simulate is None:
        return Data(study.reference, study.cohort, study.tracks)
    folder = f"{study.results}/simulated"
    if study.simulate.repeats:
        return Data(study.reference or Reference(fasta=f"{folder}/genome.fa"), study.cohort, study.tracks)
    reference = Reference(fasta=f"{folder}/genome.fa", annotation=f"{folder}/genes.gtf")
    cohort = Cohort(vcf=[simulated_vcf(study)], samples=f"{folder}/samples.tsv")
    settings = study.simulate.settings
    tracks = {
        f"{biosample}_{name}": Track(
            biosample=biosample,
            strand=strand,
            replicates=[
                f"{folder}/tracks/{biosample}.{name}.rep{n}.bw" for n in range(1, settings.tracks.replicates + 1)
            ],
        )
        for biosample in settings.promoter.biosamples
        for name, strand in STRANDS.items()
    }
    return Data(study.reference or reference, study.cohort or cohort, study.tracks or tracks)


def hackathon_of(study: Study) -> Hackathon | None:
    """Return the hackathon's files that the tasks of a study are about, or None where they are about others."""
    return next((task.hackathon for task in study.tasks.values() if getattr(task, "hackathon", None)), None)


def simulated_vcf(study: Study) -> str:
    """Return where the genotypes of simulated people are written."""
    return f"{study.results}/simulated/cohort.vcf.gz"


def simulated_people(study: Study) -> list[str]:
    """Return the names of people made from nothing; none where people are real ones."""
    made = study.simulate and study.simulate.cohort
    return made.population.names if made else []


def simulated_contigs(study: Study) -> dict[str, int]:
    """Return the lengths of the contigs of a genome made from nothing; none where the study has a real one."""
    if study.reference or not study.simulate or study.simulate.overlay:
        return {}
    return dict(study.simulate.settings.contigs)


def simulation_inputs(study: Study) -> list[str]:
    """Return the real files a simulation is laid over (none for a cohort made from nothing)."""
    overlay = study.simulate and study.simulate.overlay
    return [overlay.fasta, overlay.vcf, overlay.annotation] if overlay else []


def expression_of(study: Study, task: str) -> str | None:
    """Return the expression matrix of a task; the simulated one where none is given."""
    given = study.tasks[task].expression
    return given or (f"{study.results}/simulated/expression.tsv" if study.simulate else None)


def tracks_of(study: Study, task: str) -> list[str]:
    """Return the names of the tracks that a task predicts, in their order."""
    if study.tasks[task].kind != "rnaseq_tracks":
        return []
    chosen = study.tasks[task].tracks
    return list(chosen) if chosen else list(resolve_data(study).tracks)


def is_made(study: Study, path: str) -> bool:
    """Return whether a file is one that the study's own jobs make."""
    return path.startswith(f"{study.results}/")


def task_settings(study: Study, task: str) -> dict[str, Any]:
    """Return everything of a task that its examples and models depend on: all but how they are scored."""
    return study.tasks[task].model_dump(mode="json", exclude=SCORING)


def score_settings(study: Study, run: Run) -> dict[str, Any]:
    """Return everything of the configuration that the scores of a run depend on."""
    read = study.tasks[run.task].model_dump(mode="json", exclude=_unread(study, run))
    return run_settings(study, run) | {"task": read}


def _unread(study: Study, run: Run) -> set[str]:
    """Return the keys of its task that a run does not depend on, however it is scored."""
    of_tracks = study.tasks[run.task].kind == "rnaseq_tracks"
    return TRAINING if of_tracks and study.models[run.model].baseline else set()


def run_settings(study: Study, run: Run) -> dict[str, Any]:
    """Return everything of the configuration that a run depends on but for how it is scored, as plain YAML data.

    Two runs with equal settings and equal inputs are the same run; a change anywhere else in the study does not touch it.
    """
    tracks = resolve_data(study).tracks
    model = study.models[run.model]
    return {
        "study": study.study,
        "task_label": run.task,
        "model_label": run.model,
        "adaptation_label": run.adaptation,
        "seed": run.seed,
        "task": study.tasks[run.task].model_dump(mode="json", exclude=SCORING | _unread(study, run)),
        "model": model.model_dump(mode="json", exclude_none=True),
        "base": study.models[model.extend.model].model_dump(mode="json", exclude_none=True) if model.extend else None,
        "adaptation": study.adaptations[run.adaptation].model_dump(mode="json", exclude={"sweep"}),
        "told": TOLD.get(model.baseline.kind) if model.baseline else None,
        "tracks": {
            name: {"biosample": tracks[name].biosample, "strand": tracks[name].strand}
            for name in tracks_of(study, run.task)
        },
    }


def settings_hash(settings: dict[str, Any]) -> str:
    """Return the SHA-256 of resolved settings, independent of the order of keys."""
    canonical = json.dumps(settings, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
