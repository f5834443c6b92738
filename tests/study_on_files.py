"""A small valid study on files, to be spoilt."""

import pyBigWig
import pysam

LENGTHS = {"chr1": 20_000, "chr2": 20_000}


def write_study(folder):
    """Write genome, genotypes and a track; return the study as a dictionary."""
    bases = "ACGTTGCA" * 2500
    (folder / "genome.fa").write_text("".join(f">{name}\n{bases}\n" for name in LENGTHS))
    write_vcf(folder / "cohort.vcf", ["chr1"])
    write_track(folder / "a.bw", LENGTHS)
    return {
        "study": "trial",
        "reference": {"fasta": "genome.fa"},
        "cohort": {"vcf": "cohort.vcf.gz"},
        "tracks": {"t": {"biosample": "b", "replicates": ["a.bw"]}},
        "splits": {"by": "contig", "train": ["chr1"], "test": ["chr2"]},
        "tasks": {"rna": {"kind": "rnaseq_tracks", "windows": {"size": 4096, "overlap": 2048}}},
        "models": {"mean": {"baseline": {"kind": "mean_track"}}},
        "adaptations": {"baseline": {"kind": "baseline"}},
        "runs": [{"tasks": ["rna"], "models": ["mean"], "adaptations": ["baseline"]}],
    }


def write_vcf(path, contigs):
    lines = ["##fileformat=VCFv4.2", '##FORMAT=<ID=GT,Number=1,Type=String,Description="">']
    lines += [f"##contig=<ID={name}>" for name in contigs]
    lines += ["#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tP1"]
    lines += [f"{name}\t1\t.\tA\tC\t.\tPASS\t.\tGT\t0|1" for name in contigs]
    path.write_text("\n".join(lines) + "\n")
    pysam.tabix_index(str(path), preset="vcf", force=True)


def write_track(path, lengths):
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader(list(lengths.items()))
        file.addEntries(["chr1"], [0], ends=[100], values=[1.0])
