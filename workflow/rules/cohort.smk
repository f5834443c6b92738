# People's variants as sparse arrays, parsed once whatever kind of variants is asked for.
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
        threads: 8
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
