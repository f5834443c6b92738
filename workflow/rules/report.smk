# One folder that opens by double click.
#
# needs  metrics of all runs, what is known of the data of each task, and predictions for samples that a page shows
# makes  results/{study}/report/index.html, models.html and a page for each task; results/{study}/provenance.json
#        results/index.html over all studies (`snakemake -c1 overview`)
rule report:
    input:
        metrics=collect("{folder}/metrics.tsv", folder=RUN_FOLDERS),
        pictures=collect("{folder}/pictures", folder=PICTURED),
        applied=SHOWN_PREDICTIONS,
        counts=collect("results/{{study}}/examples/{task}.counts.tsv", task=STUDY.tasks),
        leakage=collect(
            "results/{{study}}/examples/{task}.leakage.tsv", task=STUDY.tasks
        ),
        comparisons=collect(
            "results/{{study}}/comparisons/{task}.tsv", task=STUDY.runs_by_task
        ),
        tracks=collect("results/{{study}}/tracks/{track}.bw", track=SHOWN_TRACKS),
        statistics="results/{study}/tracks/statistics.tsv" if SHOWN_TRACKS else [],
        replicates="results/{study}/tracks/replicates.tsv" if SHOWN_TRACKS else [],
        variants="results/{study}/cohort/variants.tsv" if DATA.cohort else [],
        genes=(
            "results/{study}/reference/genes.tsv"
            if DATA.reference and DATA.reference.annotation
            else []
        ),
        fasta="results/{study}/reference/genome.fa" if DATA.reference else [],
    output:
        index=report(
            "results/{study}/report/index.html",
            caption="../report/index.rst",
            category="Study",
            labels={"page": "results"},
        ),
        models="results/{study}/report/models.html",
        pages=report(
            collect("results/{{study}}/report/{page}", page=PAGES.values()),
            caption="../report/index.rst",
            category="Study",
        ),
        provenance="results/{study}/provenance.json",
    log:
        "logs/{study}/report.log",
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        study=STUDY.model_dump(mode="json"),
        command=COMMAND,
        published=str(Path(workflow.basedir) / "config"),
        pages=PAGES,
    script:
        "../scripts/report.py"


# The start page over all studies that have a report; always written again.
rule overview:
    log:
        f"logs/{STUDY.study}/overview.log",
    localrule: True
    script:
        "../scripts/overview.py"
