# Predictions against what was measured.
rule score:
    input:
        examples="results/{study}/examples/{task}.parquet",
        predictions="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/predictions.parquet",
        predicted=lambda wildcards: collect(
            "results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/{track}.bw",
            track=tracks_of(wildcards.task),
            **wildcards,
        ),
        observed=averaged_tracks,
        genes="results/{study}/reference/genes.tsv",
        exons="results/{study}/reference/exons.tsv",
    output:
        metrics="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/metrics.tsv",
        genes="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/genes.tsv",
    log:
        "logs/{study}/score/{task}/{model}/{adaptation}/seed{seed}.log",
    wildcard_constraints:
        task=any_of(TRACK_TASKS),
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        settings=score_settings,
    script:
        "../scripts/score.py"
