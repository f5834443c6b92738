# One signal a track: the exact mean of its replicates.
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
    threads: 8
    resources:
        mem_mb=lambda wildcards, threads, attempt: (1000 + 100 * threads) * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        sign=lambda wildcards: -1 if DATA.tracks[wildcards.track].negate else 1,
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
            name: track.model_dump(mode="json") for name, track in DATA.tracks.items()
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
            name: track.model_dump(mode="json") for name, track in DATA.tracks.items()
        },
    script:
        "../scripts/replicates.py"
