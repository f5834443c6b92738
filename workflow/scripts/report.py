"""Write the report: one folder that opens by double click."""

from pathlib import Path

from scriptlog import logged

HEADLINES = {"rnaseq_tracks": "base_log1p_pearson", "context_extension": "copy_advantage"}

with logged(snakemake):
    from glmflow.config import Study, expand_runs
    from glmflow.models.registry import CATALOGUE
    from glmflow.provenance import write_provenance
    from glmflow.report import ReportInputs, RunFolder, write_report

    study = Study.model_validate(snakemake.params.study)
    runs, misfits = expand_runs(study)
    write_provenance(study, misfits, snakemake.params.command, snakemake.output.provenance)
    folders = tuple(RunFolder(*run, Path(run.folder(study.results))) for run in runs)
    inputs = ReportInputs.from_results(
        study.results,
        runs=folders,
        title=study.report.title,
        headline={label: HEADLINES[task.kind] for label, task in study.tasks.items() if task.kind in HEADLINES},
        contexts=tuple(label for label, task in study.tasks.items() if task.kind == "context_extension"),
        genes_first=tuple(study.report.genes),
        n_genes=study.report.n_genes,
        # In the study's order; a signal that lies there from an earlier configuration is none of this report's.
        tracks={Path(path).stem: Path(path) for path in snakemake.input.tracks},
        families=CATALOGUE,
    )
    write_report(inputs, Path(snakemake.output.index).parent)
