# Tuned models applied to other genomes, samples and variants (`predict:` of a study).
#
# needs  results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/model, and the files that `predict:` names
# makes  …/seed{seed}/predict/{label}   a folder of bigWigs, a parquet table or a VCF
PREDICTIONS = []
SHOWN_PREDICTIONS = []  # those that a page of the report reads


def applied_files(prediction):
    """Return an input function that gives what a kind of task reads beside the files that `predict:` names."""

    def files(wildcards):
        genes = {"genes": prediction.genes or []}
        if prediction.records:
            return genes
        own = STUDY.tasks[wildcards.task].files(STUDY, wildcards.task, "apply")
        if prediction.genes:  # in place of those of the task
            own = {name: path for name, path in own.items() if name != "tables"}
        return genes | own

    return files


for LABEL, PREDICTION in STUDY.predict.items():
    OTHER = f"predict/{LABEL}{PREDICTION.suffix}"
    APPLIED = [
        label for label, task in STUDY.tasks.items() if PREDICTION.write in task.writes
    ]
    for RUN_APPLIED in study_config.applied_runs(STUDY, PREDICTION):
        PREDICTIONS.append(f"{RUN_APPLIED.folder(RESULTS)}/{OTHER}")
        if PREDICTION.write in STUDY.tasks[RUN_APPLIED.task].page_reads:
            SHOWN_PREDICTIONS.append(PREDICTIONS[-1])
    OTHER = f"results/{RUN}/{OTHER}"

    rule:
        name:
            f"apply_{LABEL}"
        input:
            unpack(applied_files(PREDICTION)),
            model=f"results/{RUN}/model",
            fasta=PREDICTION.fasta or "results/{study}/reference/genome.fa",
            vcf=PREDICTION.vcf or [],
            bed=PREDICTION.bed or [],
        output:
            directory(OTHER) if not PREDICTION.suffix else OTHER,
        log:
            f"logs/{{study}}/apply/{LABEL}/{{task}}/{{model}}/{{adaptation}}/seed{{seed}}.log",
        benchmark:
            f"benchmarks/{{study}}/apply/{LABEL}/{{task}}/{{model}}/{{adaptation}}/seed{{seed}}.tsv"
        wildcard_constraints:
            task=any_of(APPLIED),
            adaptation=TRAINED,
        resources:
            gpu=1,
            mem_mb=lambda wildcards, attempt, prediction=PREDICTION: job_plan.applying_mb(
                STUDY, prediction, predicting(wildcards)
            )
            * attempt,
            runtime=lambda wildcards, attempt: walltime(240, attempt),
        params:
            sample=PREDICTION.samples,
            haplotype=PREDICTION.haplotype,
            records_along=PREDICTION.records_along,
            span=PREDICTION.span,
            share=PREDICTION.share,
            symbolic=PREDICTION.symbolic,
            most_mismatches=PREDICTION.mismatches,
            unphased=PREDICTION.unphased,
            filter=PREDICTION.filters or [],
            states=f"{RESULTS}/states",
        script:
            "../scripts/apply.py"
