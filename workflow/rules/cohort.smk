# People's variants as sparse arrays, counted by what became of them.
if DATA.cohort:

    rule variants:
        input:
            vcf=DATA.cohort.vcf,
            fasta="results/{study}/reference/genome.fa",
            index="results/{study}/reference/genome.fa.fai",
        output:
            store=directory("results/{study}/cohort/store"),
            counts="results/{study}/cohort/variants.tsv",
        log:
            "logs/{study}/variants.log",
        benchmark:
            "benchmarks/{study}/variants.tsv"
        resources:
            mem_mb=2000,
            runtime=120,
        params:
            contigs=DATA.reference.contigs,
            unphased=DATA.cohort.unphased,
            variants=DATA.cohort.variants,
        script:
            "../scripts/variants.py"

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
            mem_mb=4000,
            runtime=60,
        params:
            variants=DATA.cohort.variants,
        script:
            "../scripts/haplotype.py"
