"""What the report is made from: paths in the layout of the results folder, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from glmflow.errors import InputError

from .run_folder import RunFolder


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
        Title of the pages; the study's name if empty.
    note
        What a reader has to know of the study, in its own words; it stands on the front page.
    headline
        Metric by task that the verdict is about; if a task has none, the first `HEADLINE` of its kind that it was
        scored with.
    split
        Split that the verdict is about.
    pages
        File name by task: each is written, even if there is nothing to show. A task whose kind has pages but that is
        not among them gets `task.{task}.html`.
    genes_first
        Genes (id or name) that are shown first.
    n_genes
        Number of genes that are shown.
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
    examples
        Folder of further tables of the examples, `examples/{task}/`.
    counts, leakage
        By task, `examples/{task}.counts.tsv` (item count detail) and `examples/{task}.leakage.tsv` (check found of share
        leak detail).
    comparisons
        By task, `comparisons/{task}.tsv`: comparisons of its runs with each other.
    variants
        `cohort/variants.tsv`: contig reason count.
    provenance
        `provenance.json`: command, rerun (a command with `{path}` in it), git_commit, hash, configuration (text or mapping),
        versions {package: version}, checksums {path: sha256}, simulated (false, true or what is simulated), misfits
        [{task, model, adaptation, reason}], warnings [sentence].
    trainings
        Folders `models/{model}/training/seed{seed}` of models made here: `metrics.jsonl` and `cost.json` (updates,
        chance_loss).
    applied
        Names of the files that `predict:` of the study writes beside runs, `…/seed{seed}/predict/{name}`.
    asked
        Files and folders of the study in which models as they are answer (`variant_scores` …); the pages link to them.
    pretraining
        By model, sentences on whether what is tested on was in the pretraining behind it.
    families
        What was published of each family of models, an entry each: name, family, origin, logits, states, token_ids,
        context, licence, cannot.
    """

    study: str
    results: Path
    runs: tuple[RunFolder, ...]
    title: str = ""
    note: str = ""
    headline: Mapping[str, str] = field(default_factory=dict)
    split: str = "test"
    pages: Mapping[str, str] = field(default_factory=dict)
    genes_first: tuple[str, ...] = ()
    n_genes: int = 20
    genome: Path | None = None
    genes: Path | None = None
    exons: Path | None = None
    tracks: Mapping[str, Path] = field(default_factory=dict)
    track_statistics: Path | None = None
    replicates: Path | None = None
    examples: Path | None = None
    counts: Mapping[str, Path] = field(default_factory=dict)
    leakage: Mapping[str, Path] = field(default_factory=dict)
    comparisons: Mapping[str, Path] = field(default_factory=dict)
    variants: Path | None = None
    provenance: Path | None = None
    trainings: tuple[Path, ...] = ()
    applied: tuple[str, ...] = ()
    asked: tuple[Path, ...] = ()
    pretraining: Mapping[str, Sequence[str]] = field(default_factory=dict)
    families: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def from_results(cls, results: str | Path, **settings: Any) -> ReportInputs:
        """Return the files of a study found in its results folder; `settings` are fields that win over what is found.

        Raises
        ------
        InputError
            The folder holds no run with a `metrics.tsv`.
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
            "examples": _present(results / "examples"),
            "counts": _by_task(results / "examples", ".counts.tsv"),
            "leakage": _by_task(results / "examples", ".leakage.tsv"),
            "comparisons": _by_task(results / "comparisons", ".tsv"),
            "variants": _present(results / "cohort/variants.tsv"),
            "provenance": _present(results / "provenance.json"),
            "applied": tuple(sorted({path.name for path in results.glob("runs/*/*/*/seed*/predict/*")})),
            "trainings": tuple(sorted(results.glob("models/*/training/seed*"))),
        }
        return cls(**(found | settings))


def find_runs(results: Path) -> tuple[RunFolder, ...]:
    """Return the scored runs below a study's results folder, sorted by path.

    Raises
    ------
    InputError
        There is none.
    """
    runs = []
    for path in sorted(results.glob("runs/*/*/*/seed*/metrics.tsv")):
        task, model, adaptation, seed = path.parent.parts[-4:]
        runs.append(RunFolder(task, model, adaptation, int(seed.removeprefix("seed")), path.parent))
    if not runs:
        raise InputError(
            "no scored run was found, so there is nothing to report",
            where=results / "runs",
            fix="Ask for a metrics.tsv of a run first.",
        )
    return tuple(runs)


def _present(path: Path) -> Path | None:
    """Return the path if it exists."""
    return path if path.exists() else None


def _by_task(folder: Path, suffix: str) -> dict[str, Path]:
    """Return the files of a folder that end in `suffix`, by what stands before it."""
    return {path.name.removesuffix(suffix): path for path in sorted(folder.glob(f"*{suffix}"))}
