# What language models are pretrained on.
#
# needs  FASTA and GenBank files
# makes  results/{study}/corpora/{corpus}/sequences.parquet, bases.u8    sequences with their splits; one byte a base
#        results/{study}/corpora/{corpus}/audit.tsv, counts.tsv          what splits share; what was left out
#        results/{study}/corpora/{corpus}/copies.tsv                     sequences that are copies of others, and of which
#        results/{study}/corpora/{corpus}/viruses.tsv, corpus.json       viruses of eukaryotes, and whether any was kept
if STUDY.corpora:

    rule corpus:
        input:
            lambda wildcards: study_config.made_sources(STUDY, wildcards.corpus),
        output:
            table="results/{study}/corpora/{corpus}/sequences.parquet",
            bases="results/{study}/corpora/{corpus}/bases.u8",
            audit="results/{study}/corpora/{corpus}/audit.tsv",
            counts="results/{study}/corpora/{corpus}/counts.tsv",
            copies="results/{study}/corpora/{corpus}/copies.tsv",
            viruses="results/{study}/corpora/{corpus}/viruses.tsv",
            record="results/{study}/corpora/{corpus}/corpus.json",
        log:
            "logs/{study}/corpora/{corpus}.log",
        benchmark:
            "benchmarks/{study}/corpora/{corpus}.tsv"
        wildcard_constraints:
            corpus=any_of(STUDY.corpora),
        resources:
            mem_mb=lambda wildcards, attempt: 8000 * attempt,
            runtime=lambda wildcards, attempt: walltime(120, attempt),
        params:
            settings=lambda wildcards: STUDY.corpora[wildcards.corpus].model_dump(
                mode="json"
            ),
        script:
            "../scripts/corpus.py"
