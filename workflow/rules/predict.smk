# Tuned track models applied to other genomes, people and variants (`predict:` of a study).
PREDICTIONS = []

for LABEL, PREDICTION in STUDY.predict.items():
    OTHER = f"predict/{LABEL}{PREDICTION.suffix}"
    PREDICTIONS += [
        f"{run.folder(RESULTS)}/{OTHER}"
        for run in RUNS
        if run.task in (PREDICTION.tasks or TRACK_TASKS)
        and STUDY.adaptations[run.adaptation].kind in ("full", "lora", "probe")
        and run.task in TRACK_TASKS
        and run.model in (PREDICTION.models or STUDY.models)
    ]
    OTHER = (
        f"results/{{study}}/runs/{{task}}/{{model}}/{{adaptation}}/seed{{seed}}/{OTHER}"
    )

    rule:
        name:
            f"apply_{LABEL}"
        input:
            model="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/model",
            fasta=PREDICTION.fasta or "results/{study}/reference/genome.fa",
            vcf=PREDICTION.vcf or [],
            bed=PREDICTION.bed or [],
        output:
            directory(OTHER) if PREDICTION.write == "tracks" else OTHER,
        log:
            f"logs/{{study}}/apply/{LABEL}/{{task}}/{{model}}/{{adaptation}}/seed{{seed}}.log",
        benchmark:
            f"benchmarks/{{study}}/apply/{LABEL}/{{task}}/{{model}}/{{adaptation}}/seed{{seed}}.tsv"
        wildcard_constraints:
            task=any_of(TRACK_TASKS),
            adaptation=TRAINED,
        resources:
            gpu=1,
            mem_mb=lambda wildcards, attempt: 16000 * attempt,
            runtime=lambda wildcards, attempt: 240 * attempt,
        params:
            sample=PREDICTION.sample,
            haplotype=PREDICTION.haplotype,
        script:
            "../scripts/apply.py"
