"""What the report is made from: paths in the layout of the results folder, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from glmflow.errors import InputError

BASELINES = ("baseline", "told")
"""Origins without a model in them; one that is told more than the sequence is no rival of a model, but a mark to aim at."""


@dataclass(frozen=True)
class RunFolder:
    """One run: a model fitted to a task in one way from one seed.

    `folder` is `results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}` and may hold

    ==================  ==============================================================================================
    `metrics.tsv`       needed: study task model adaptation seed split subset track context_bp metric protocol value
                        ci_low ci_high n
    `run.yaml`          resolved configuration: `adaptation: {kind: …}`, `model: {checkpoint|pretrain|new|baseline: …}`,
                        `hash`, `versions: {package: version}`
    `cost.json`         parameters, trainable_parameters, train_seconds, peak_memory_mb, device, warnings: [sentence, …],
                        model: {family, context_bp, licence, attention, chunking, lora: {layers, trainable}}
    `prediction.json`   predict_seconds, warnings (may stand in `cost.json` as well)
    `metrics.jsonl`     one line a logged step: step, loss, learning_rate, grad_norm, samples_per_second, memory_mb,
                        eval_*
    `sweep.tsv`         trial, the settings that were tried, validation_loss, train_seconds, chosen, failure
    `genes.tsv`         gene_id gene_name chrom start end strand split track observed predicted;
                        without a column split, all are of the reported split
    `personal.tsv`      split subset group n pearson spearman p q constant … heritability ceiling variants haplotypes: a
                        row a class and gene of a task of personal expression
    `variants.tsv`      gene variant chrom pos ref alt maf dosage_sd carriers effect: what each variant does, by the run
    `causal.tsv`        as `metrics.tsv`: its effects of variants against a simulation's truth and the elastic net's
    `{track}.bw`        predicted signal in genome coordinates
    ==================  ==============================================================================================
    """

    task: str
    model: str
    adaptation: str
    seed: int
    folder: Path

    @property
    def name(self) -> tuple[str, str, str]:
        """Task, model and adaptation: what the seeds have in common."""
        return self.task, self.model, self.adaptation

    @property
    def settings(self) -> dict[str, Any]:
        """Content of `run.yaml`; empty where there is none."""
        path = self.folder / "run.yaml"
        return (yaml.safe_load(path.read_text()) or {}) if path.exists() else {}

    @property
    def told(self) -> str:
        """What a baseline is told beside the sequence; empty for all else."""
        return str(self.settings.get("told") or "")

    @property
    def cost(self) -> dict[str, Any]:
        """Content of `cost.json` and `prediction.json` together; empty where there is neither."""
        fitted, predicted = (read_json(self.folder / name) for name in ("cost.json", "prediction.json"))
        warnings = [*(fitted.get("warnings") or []), *(predicted.get("warnings") or [])]
        return predicted | fitted | {"warnings": list(dict.fromkeys(warnings))}

    @property
    def trained_bases(self) -> int | None:
        """Bases of sequence that the run was fitted on, each counted as often as it was seen; None where not known."""
        task, training = self.settings.get("task") or {}, (self.settings.get("adaptation") or {}).get("train") or {}
        length = training.get("crop") or (task.get("windows") or {}).get("size")
        updates = self.cost.get("updates")
        if task.get("kind") != "rnaseq_tracks" or not (length and updates):
            return None
        return updates * training["batch"] * length

    @property
    def predicted(self) -> dict[str, Path]:
        """Predicted bigWigs by track."""
        return {path.stem: path for path in sorted(self.folder.glob("*.bw"))}

    @property
    def is_baseline(self) -> bool:
        """Whether there is no model in it."""
        return self.origin in BASELINES

    @property
    def origin(self) -> str:
        """Return where the model comes from: one of `BASELINES`, `pretrained` or `scratch`.

        A baseline is `told` where the annotation tells it what a model has to find out (`told` in `run.yaml`).
        """
        settings = self.settings
        adaptation, model = settings.get("adaptation"), settings.get("model")
        kind = adaptation.get("kind") if isinstance(adaptation, dict) else self.adaptation
        if kind == "baseline":
            return "told" if settings.get("told") else "baseline"
        return "scratch" if isinstance(model, dict) and model.get("new") else "pretrained"


@dataclass(frozen=True)
class ReportInputs:
    """The files of a study that the report is made from; what is None or empty is left out of it, with a line.

    Parameters
    ----------
    study
        Name of the study.
    results
        Its folder, `results/{study}`; paths are printed relative to the folder that holds `results`.
    runs
        The runs, in the order of the configuration (which also gives models their colours).
    title
        Title of the pages; the study's name where empty.
    headline
        Metric by task that the verdict is about; where a task has none, the first of `metrics.HEADLINES` it was
        scored with.
    split
        Split that the verdict is about.
    genes_first
        Genes (id or name) that the genome browser shows first.
    n_genes
        Number of genes in the genome browser.
    genome
        FASTA of the reference (plain or bgzip).
    genes, exons
        `reference/genes.tsv` (gene_id gene_name chrom start end strand, 0-based half-open) and `reference/exons.tsv`
        (gene_id chrom start end strand).
    tracks
        True averaged bigWigs by track, `tracks/{track}.bw`.
    track_statistics
        `tracks/statistics.tsv`: track biosample strand n_replicates track_mean …
    replicates
        `tracks/replicates.tsv`: track replicate_a replicate_b r outlier unlike (the replicates that look unlike the
        track's others).
    windows, leakage
        By task, `examples/{task}.windows.tsv` (reason count, `kept` among the reasons) and
        `examples/{task}.leakage.tsv` (split_a split_b bases).
        A task of personal expression has checks instead: check found of share leak detail.
    counts
        By task, `examples/{task}.counts.tsv` (item count detail).
    variants
        `cohort/variants.tsv`: contig reason count.
    provenance
        `provenance.json`: command, rerun (a command with `{path}` in it), git_commit, hash, configuration (text or mapping),
        versions {package: version}, checksums {path: sha256}, simulated (false, true or what is simulated), misfits
        [{task, model, adaptation, reason}], warnings [sentence].
    pretraining
        Folders `models/{model}/training/seed{seed}` of models made here: `metrics.jsonl` and `cost.json` (updates,
        chance_loss).
    contexts
        Tasks that measure how far back models use their context; the first has a page of its own.
    comparisons
        By such a task, `context/{task}.comparison.tsv`: paired comparisons of its models.
    families
        Catalogue of model families (YAML): name, family, origin, logits, states, token_ids, context, licence, cannot.
    """

    study: str
    results: Path
    runs: tuple[RunFolder, ...]
    title: str = ""
    headline: Mapping[str, str] = field(default_factory=dict)
    split: str = "test"
    genes_first: tuple[str, ...] = ()
    n_genes: int = 20
    genome: Path | None = None
    genes: Path | None = None
    exons: Path | None = None
    tracks: Mapping[str, Path] = field(default_factory=dict)
    track_statistics: Path | None = None
    replicates: Path | None = None
    windows: Mapping[str, Path] = field(default_factory=dict)
    leakage: Mapping[str, Path] = field(default_factory=dict)
    counts: Mapping[str, Path] = field(default_factory=dict)
    variants: Path | None = None
    provenance: Path | None = None
    pretraining: tuple[Path, ...] = ()
    contexts: tuple[str, ...] = ()
    comparisons: Mapping[str, Path] = field(default_factory=dict)
    families: Path | None = None

    @classmethod
    def from_results(cls, results: str | Path, **settings: Any) -> ReportInputs:
        """Find the files of a study in its results folder; `settings` are fields that win over what is found.

        Raises
        ------
        InputError
            Where the folder holds no run with a `metrics.tsv`.
        """
        results = Path(results)
        found: dict[str, Any] = {
            "study": results.name,
            "results": results,
            "runs": find_runs(results) if "runs" not in settings else (),
            "genome": _present(results / "reference/genome.fa"),
            "genes": _present(results / "reference/genes.tsv"),
            "exons": _present(results / "reference/exons.tsv"),
            "tracks": {path.stem: path for path in sorted((results / "tracks").glob("*.bw"))},
            "track_statistics": _present(results / "tracks/statistics.tsv"),
            "replicates": _present(results / "tracks/replicates.tsv"),
            "windows": _by_task(results / "examples", ".windows.tsv"),
            "leakage": _by_task(results / "examples", ".leakage.tsv"),
            "counts": _by_task(results / "examples", ".counts.tsv"),
            "variants": _present(results / "cohort/variants.tsv"),
            "provenance": _present(results / "provenance.json"),
            "pretraining": tuple(sorted(results.glob("models/*/training/seed*"))),
            "comparisons": _by_task(results / "context", ".comparison.tsv"),
        }
        return cls(**(found | settings))


def find_runs(results: Path) -> tuple[RunFolder, ...]:
    """Return the scored runs below a study's results folder, sorted by path.

    Raises
    ------
    InputError
        Where there is none.
    """
    runs = []
    for path in sorted(results.glob("runs/*/*/*/seed*/metrics.tsv")):
        task, model, adaptation, seed = path.parent.parts[-4:]
        runs.append(RunFolder(task, model, adaptation, int(seed.removeprefix("seed")), path.parent))
    if not runs:
        raise InputError(
            "no scored run was found, so there is nothing to report",
            where=results / "runs",
            mend="Ask for a metrics.tsv of a run first.",
        )
    return tuple(runs)


def read_json(path: Path | None) -> dict[str, Any]:
    """Return the content of a JSON file; empty where there is none."""
    return json.loads(path.read_text()) if path is not None and path.exists() else {}


def _present(path: Path) -> Path | None:
    """Return the path where the file is there."""
    return path if path.exists() else None


def _by_task(folder: Path, suffix: str) -> dict[str, Path]:
    """Return the files of a folder that end in `suffix`, by what stands before it."""
    return {path.name.removesuffix(suffix): path for path in sorted(folder.glob(f"*{suffix}"))}
