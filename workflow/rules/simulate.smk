# A cohort whose truth is known, in place of data that are not given.
#
# needs  nothing, or the real genome, genes and genotypes that it is laid over
# makes  results/{study}/simulated/
if STUDY.simulate and STUDY.simulate.repeats:

    rule simulate_repeats:
        output:
            fasta="results/{study}/simulated/genome.fa",
            truth="results/{study}/simulated/truth/repeats.npz",
        log:
            "logs/{study}/simulate.log",
        resources:
            mem_mb=lambda wildcards, attempt: 1000 * attempt,
            runtime=lambda wildcards, attempt: 30 * attempt,
        params:
            settings=STUDY.simulate.settings.model_dump(mode="json"),
        script:
            "../scripts/simulate_repeats.py"

elif STUDY.simulate and STUDY.simulate.coding:

    rule simulate_coding:
        output:
            **(
                {"hazards": "results/{study}/simulated/hazards.fa"}
                if STUDY.simulate.coding.hazard_bp
                else {}
            ),
            fasta="results/{study}/simulated/genome.fa",
            panel="results/{study}/simulated/genes.csv",
        log:
            "logs/{study}/simulate.log",
        resources:
            mem_mb=lambda wildcards, attempt: 1000 * attempt,
            runtime=lambda wildcards, attempt: 30 * attempt,
        params:
            settings=STUDY.simulate.settings.model_dump(mode="json"),
        script:
            "../scripts/simulate_coding.py"

elif STUDY.simulate and STUDY.simulate.annotated:

    rule simulate_annotated:
        output:
            genbank="results/{study}/simulated/annotated.gbk",
            fasta="results/{study}/simulated/genome.fa",
            pairs="results/{study}/simulated/pairs.jsonl",
        log:
            "logs/{study}/simulate.log",
        resources:
            mem_mb=lambda wildcards, attempt: 2000 * attempt,
            runtime=lambda wildcards, attempt: 30 * attempt,
        params:
            settings=STUDY.simulate.settings.model_dump(mode="json"),
        script:
            "../scripts/simulate_annotated.py"

elif STUDY.simulate:

    rule simulate:
        input:
            study_config.simulation_inputs(STUDY),
        output:
            fasta="results/{study}/simulated/genome.fa",
            annotation="results/{study}/simulated/genes.gtf",
            vcf="results/{study}/simulated/cohort.vcf.gz",
            index="results/{study}/simulated/cohort.vcf.gz.tbi",
            samples="results/{study}/simulated/samples.tsv",
            expression="results/{study}/simulated/expression.tsv",
            windows="results/{study}/simulated/windows.bed",
            promoters="results/{study}/simulated/promoters.bed",
            tracks=collect(
                "results/{{study}}/simulated/tracks/{file}", file=SIMULATED_TRACKS
            ),
            truth=directory("results/{study}/simulated/truth"),
        log:
            "logs/{study}/simulate.log",
        benchmark:
            "benchmarks/{study}/simulate.tsv"
        resources:
            mem_mb=lambda wildcards, attempt: 4000 * attempt,
            runtime=lambda wildcards, attempt: 60 * attempt,
        params:
            settings=STUDY.simulate.settings.model_dump(mode="json"),
        script:
            "../scripts/simulate.py"
