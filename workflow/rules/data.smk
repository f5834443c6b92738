# From the files of a study to what its tasks are cut from.
#
# needs  FASTA, GTF, VCF and bigWigs of the study (or simulated ones)
# makes  results/{study}/reference/{genome.fa,genes.tsv,exons.tsv}   upper case and indexed; genes as tables
#        results/{study}/cohort/store, variants.tsv, haplotypes/     variants of all samples, parsed once
#        results/{study}/tracks/{track}.bw, statistics.tsv           the exact mean of each track's replicates
#        resources/{set}/                                            public data sets (`fetch`, where there is internet)
OWN_DATA = [label for label, task in STUDY.tasks.items() if task.own_data(STUDY)]

if OWN_DATA:

    # The data that a task brings along, as a genome, phased variants over it, and genes.
    rule own_data:
        input:
            **STUDY.tasks[OWN_DATA[0]].files(STUDY, OWN_DATA[0], "own_data"),
        output:
            fasta="results/{study}/own_data/genome.fa",
            annotation="results/{study}/own_data/genes.gtf",
            vcf="results/{study}/own_data/cohort.vcf.gz",
            index="results/{study}/own_data/cohort.vcf.gz.tbi",
        log:
            "logs/{study}/own_data.log",
        benchmark:
            "benchmarks/{study}/own_data.tsv"
        resources:
            mem_mb=lambda wildcards, attempt: 4000 * attempt,
            runtime=lambda wildcards, attempt: walltime(240, attempt),
        params:
            settings=study_config.task_settings(STUDY, OWN_DATA[0]),
        script:
            "../scripts/own_data.py"


if DATA.reference:

    rule reference:
        input:
            fasta=DATA.reference.fasta,
        output:
            fasta="results/{study}/reference/genome.fa",
            index="results/{study}/reference/genome.fa.fai",
        log:
            "logs/{study}/reference.log",
        benchmark:
            "benchmarks/{study}/reference.tsv"
        resources:
            mem_mb=lambda wildcards, attempt: 2000 * attempt,
            runtime=lambda wildcards, attempt: 60 * attempt,
        script:
            "../scripts/reference.py"

    rule genes:
        input:
            annotation=DATA.reference.annotation or [],
            fasta="results/{study}/reference/genome.fa",
            index="results/{study}/reference/genome.fa.fai",
        output:
            genes="results/{study}/reference/genes.tsv",
            exons="results/{study}/reference/exons.tsv",
        log:
            "logs/{study}/genes.log",
        resources:
            mem_mb=lambda wildcards, attempt: 4000 * attempt,
            runtime=lambda wildcards, attempt: 30 * attempt,
        script:
            "../scripts/genes.py"


if DATA.cohort:

    rule variants:
        input:
            vcf=DATA.cohort.vcf,
            fasta="results/{study}/reference/genome.fa",
            index="results/{study}/reference/genome.fa.fai",
        output:
            store=directory("results/{study}/cohort/store"),
        log:
            "logs/{study}/variants.log",
        benchmark:
            "benchmarks/{study}/variants.tsv"
        threads: up_to(8)
        resources:
            mem_mb=lambda wildcards, threads, attempt: 2000 * threads * attempt,
            runtime=lambda wildcards, attempt: 120 * attempt,
        params:
            contigs=DATA.reference.contigs,
            filters=DATA.cohort.filters,
            unphased=DATA.cohort.unphased,
        script:
            "../scripts/variants.py"

    rule variant_counts:
        input:
            store="results/{study}/cohort/store",
        output:
            counts="results/{study}/cohort/variants.tsv",
        log:
            "logs/{study}/variant_counts.log",
        resources:
            mem_mb=lambda wildcards, attempt: 1000 * attempt,
            runtime=lambda wildcards, attempt: 30 * attempt,
        params:
            variants=DATA.cohort.variants,
        script:
            "../scripts/variant_counts.py"

    rule haplotype:
        input:
            store="results/{study}/cohort/store",
            fasta="results/{study}/reference/genome.fa",
            index="results/{study}/reference/genome.fa.fai",
        output:
            fasta="results/{study}/cohort/haplotypes/{sample}.{haplotype}.fa.gz",
            index="results/{study}/cohort/haplotypes/{sample}.{haplotype}.fa.gz.fai",
            blocks="results/{study}/cohort/haplotypes/{sample}.{haplotype}.fa.gz.gzi",
        log:
            "logs/{study}/haplotypes/{sample}.{haplotype}.log",
        wildcard_constraints:
            sample=r"[^/]+",
            haplotype="[12]",
        resources:
            mem_mb=lambda wildcards, attempt: 4000 * attempt,
            runtime=lambda wildcards, attempt: 60 * attempt,
        params:
            variants=DATA.cohort.variants,
        script:
            "../scripts/haplotype.py"


if DATA.reference and DATA.tracks:

    rule average_track:
        input:
            replicates=lambda wildcards: DATA.tracks[wildcards.track].replicates,
            fasta="results/{study}/reference/genome.fa",
            index="results/{study}/reference/genome.fa.fai",
        output:
            track="results/{study}/tracks/{track}.bw",
            counts="results/{study}/tracks/{track}.tsv",
        log:
            "logs/{study}/average_track/{track}.log",
        benchmark:
            "benchmarks/{study}/average_track/{track}.tsv"
        # Before a pretraining, which would keep one of a laptop's cores for minutes while all that needs tracks waits.
        priority: 2
        threads: up_to(8)
        resources:
            mem_mb=lambda wildcards, threads, attempt: (1000 + 100 * threads) * attempt,
            runtime=lambda wildcards, attempt: 120 * attempt,
        params:
            sign=lambda wildcards: -1 if DATA.tracks[wildcards.track].negate else 1,
            contigs=DATA.reference.contigs,
        script:
            "../scripts/average_track.py"

    rule track_statistics:
        input:
            tracks=collect("results/{{study}}/tracks/{track}.bw", track=DATA.tracks),
            counts=collect("results/{{study}}/tracks/{track}.tsv", track=DATA.tracks),
            regions="results/{study}/examples/regions.tsv",
        output:
            statistics="results/{study}/tracks/statistics.tsv",
        log:
            "logs/{study}/track_statistics.log",
        resources:
            mem_mb=lambda wildcards, attempt: 2000 * attempt,
            runtime=lambda wildcards, attempt: 60 * attempt,
        params:
            tracks={
                name: track.model_dump(mode="json")
                for name, track in DATA.tracks.items()
            },
        script:
            "../scripts/track_statistics.py"

    rule replicates:
        input:
            files=[file for track in DATA.tracks.values() for file in track.replicates],
        output:
            table="results/{study}/tracks/replicates.tsv",
        log:
            "logs/{study}/replicates.log",
        resources:
            mem_mb=lambda wildcards, attempt: 2000 * attempt,
            runtime=lambda wildcards, attempt: 60 * attempt,
        params:
            tracks={
                name: track.model_dump(mode="json")
                for name, track in DATA.tracks.items()
            },
        script:
            "../scripts/replicates.py"


# Always runs: files that are there are compared with their checksums, and downloads that were cut off are gone on with.
rule fetch:
    log:
        f"logs/{STUDY.study}/fetch.log",
    localrule: True
    params:
        sets=STUDY.sets,
    script:
        "../scripts/fetch.py"
