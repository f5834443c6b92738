"""Write the report: one folder that opens by double click."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    from glmflow.checks.named_files import named_files
    from glmflow.config import QUESTIONS, Study, asked_results, expand_runs
    from glmflow.config.pretraining import pretraining_of
    from glmflow.models.facts import catalogue
    from glmflow.provenance import write_provenance
    from glmflow.report import ReportInputs, RunFolder, write_report

    study = Study.model_validate(snakemake.params.study)
    pretraining = pretraining_of(study, snakemake.params.published)
    runs, misfits = expand_runs(study)
    files = named_files(study).values()
    write_provenance(study, misfits, snakemake.params.command, snakemake.output.provenance, files)
    inputs = ReportInputs.from_results(
        study.results,
        runs=tuple(RunFolder(*run, Path(run.folder(study.results))) for run in runs),
        title=study.report.title,
        note=study.report.note,
        pages=snakemake.params.pages,
        genes_first=tuple(study.report.genes),
        n_genes=study.report.n_genes,
        # In the study's order; what lies there from an earlier configuration is no part of this report.
        tracks={Path(path).stem: Path(path) for path in snakemake.input.tracks},
        counts={label: Path(path) for label, path in zip(study.tasks, snakemake.input.counts)},
        leakage={label: Path(path) for label, path in zip(study.tasks, snakemake.input.leakage)},
        comparisons={Path(path).stem: Path(path) for path in snakemake.input.comparisons},
        applied=tuple(f"{label}{prediction.suffix}" for label, prediction in study.predict.items()),
        asked=tuple(Path(path) for key in QUESTIONS for path in asked_results(study, key)),
        families=catalogue(),
        pretraining=pretraining,
    )
    write_report(inputs, Path(snakemake.output.index).parent)
