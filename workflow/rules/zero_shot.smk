# Models as they are, asked beside the tasks: `variant_scores:`, `mutagenesis:` and `dependency_maps:` of a study.
#
# needs  a published, pretrained or extended model, the genome, and the files that these keys name
# makes  results/{study}/variant_scores/{label}/{model}/seed{seed}.vcf.gz (.parquet, .tsv)
#        results/{study}/mutagenesis/{label}/{model}/seed{seed}/, results/{study}/dependency_maps/{label}/{model}/seed{seed}/
ANSWERS = [study_config.asked_results(STUDY, key) for key in study_config.QUESTIONS]


def asked_files(blocks):
    """Return an input function that gives the files of a question beside its model."""
    return lambda wildcards: study_config.asked_files(STUDY, blocks[wildcards.label])


def answering(key):
    """Return a function from wildcards to the plan of a question."""
    name = f"{job_plan.PREDICTING}{key}/{{label}}/{{model}}/seed{{seed}}"
    return lambda wildcards: planned(name.format_map(dict(wildcards.items())))


for KEY in study_config.QUESTIONS:
    BLOCKS = getattr(STUDY, KEY)
    ENDING = "{form}" if KEY == "variant_scores" else ""
    ANSWER = f"{{study}}/{KEY}/{{label}}/{{model}}/seed{{seed}}{ENDING}"

    rule:
        name:
            KEY
        input:
            unpack(asked_files(BLOCKS)),
            model=checkpoint_folder,
        output:
            f"results/{ANSWER}" if ENDING else directory(f"results/{ANSWER}"),
        log:
            f"logs/{ANSWER}.log",
        benchmark:
            f"benchmarks/{ANSWER}.tsv"
        wildcard_constraints:
            label=any_of(BLOCKS),
            form=any_of([".vcf.gz", ".parquet", ".tsv"]),
        resources:
            gpu=1,
            mem_mb=lambda wildcards, attempt, job=answering(KEY): attempt
            * job_plan.memory_mb(job(wildcards)),
            runtime=lambda wildcards, attempt, job=answering(KEY): job_plan.minutes(
                job(wildcards), attempt, LONGEST_MINUTES
            ),
        params:
            command=study_config.QUESTIONS[KEY],
            options=lambda wildcards, blocks=BLOCKS: blocks[wildcards.label].options,
        script:
            "../scripts/zero_shot.py"
