# Tuned models applied to other genomes, people and variants (`predict:` of a study).
PREDICTIONS = []


def genes_of(prediction):
    """Return an input function that gives the genes whose expression is predicted; nothing for a track task."""

    def genes(wildcards):
        if prediction.records or wildcards.task not in PERSONAL_TASKS:
            return []
        return (
            prediction.genes
            or f"results/{wildcards.study}/examples/{wildcards.task}.genes.tsv"
        )

    return genes


def cohort_of(wildcards):
    """Return what tells the variants that a model was trained on, where its task reads common ones alone."""
    if getattr(STUDY.tasks[wildcards.task], "min_maf", 0):
        examples = f"results/{wildcards.study}/examples/{wildcards.task}.parquet"
        return [f"results/{wildcards.study}/cohort/store", examples]
    return []


for LABEL, PREDICTION in STUDY.predict.items():
    OTHER = f"predict/{LABEL}{PREDICTION.suffix}"
    APPLIED = [
        label for label, task in STUDY.tasks.items() if task.kind in PREDICTION.kinds
    ]
    PREDICTIONS += [
        f"{run.folder(RESULTS)}/{OTHER}"
        for run in study_config.applied_runs(STUDY, PREDICTION)
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
            genes=genes_of(PREDICTION),
            cohort=cohort_of,
        output:
            directory(OTHER) if PREDICTION.write == "tracks" else OTHER,
        log:
            f"logs/{{study}}/apply/{LABEL}/{{task}}/{{model}}/{{adaptation}}/seed{{seed}}.log",
        benchmark:
            f"benchmarks/{{study}}/apply/{LABEL}/{{task}}/{{model}}/{{adaptation}}/seed{{seed}}.tsv"
        wildcard_constraints:
            task=any_of(APPLIED),
            adaptation=TRAINED,
        resources:
            gpu=1,
            mem_mb=lambda wildcards, attempt, prediction=PREDICTION: training_plan.applying_mb(
                STUDY, prediction, predicting(wildcards)
            )
            * attempt,
            runtime=lambda wildcards, attempt: 240 * attempt,
        params:
            sample=PREDICTION.samples,
            haplotype=PREDICTION.haplotype,
            records_along=PREDICTION.records_along,
            unphased=PREDICTION.unphased,
            filter=PREDICTION.filters or [],
            states=f"{RESULTS}/states",
        script:
            "../scripts/apply.py"
