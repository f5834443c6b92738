# One folder that opens by double click.
rule report:
    input:
        metrics=collect("{folder}/metrics.tsv", folder=RUN_FOLDERS),
        causal=collect("{folder}/causal.tsv", folder=CAUSAL_FOLDERS),
        tracks=collect(
            "results/{{study}}/tracks/{track}.bw",
            track=DATA.tracks if TRACK_TASKS else [],
        ),
        statistics="results/{study}/tracks/statistics.tsv" if TRACK_TASKS else [],
        replicates="results/{study}/tracks/replicates.tsv" if TRACK_TASKS else [],
        windows=collect(
            "results/{{study}}/examples/{task}.windows.tsv", task=TRACK_TASKS
        ),
        counts=collect(
            "results/{{study}}/examples/{task}.counts.tsv", task=PERSONAL_TASKS
        ),
        leakage=collect(
            "results/{{study}}/examples/{task}.leakage.tsv",
            task=[*TRACK_TASKS, *PERSONAL_TASKS],
        ),
        variants="results/{study}/cohort/variants.tsv" if DATA.cohort else [],
        genes=(
            "results/{study}/reference/genes.tsv"
            if TRACK_TASKS or PERSONAL_TASKS
            else []
        ),
        comparisons=collect(
            "results/{{study}}/context/{task}.comparison.tsv", task=CONTEXT_TASKS
        ),
        fasta="results/{study}/reference/genome.fa",
    output:
        index=report(
            "results/{study}/report/index.html",
            caption="../report/index.rst",
            category="Study",
            labels={"page": "results"},
        ),
        tracks="results/{study}/report/tracks.html" if TRACK_TASKS else [],
        models="results/{study}/report/models.html",
        context=(
            report(
                "results/{study}/report/context.html",
                caption="../report/index.rst",
                category="Study",
                labels={"page": "context"},
            )
            if CONTEXT_TASKS
            else []
        ),
        personal="results/{study}/report/personal.html" if PERSONAL_TASKS else [],
        provenance="results/{study}/provenance.json",
    log:
        "logs/{study}/report.log",
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        study=STUDY.model_dump(mode="json"),
        command=COMMAND,
    script:
        "../scripts/report.py"
