"""A cohort as 1000 Genomes gives it, one VCF a chromosome, is parsed once on all cores."""

import pandas as pd
import pysam
import pytest
import yaml
from running import run_snakemake

STUDY = {
    "study": "trial",
    "reference": {"fasta": "genome.fa"},
    "cohort": {"vcf": ["1.vcf.gz", "2.vcf.gz"], "filters": ["PASS", "LowQual"]},
    "tracks": {"t": {"biosample": "b", "replicates": ["a.bw"]}},
    "splits": {"by": "contig", "train": ["1"], "test": ["2"]},
    "tasks": {"rna": {"kind": "rnaseq_tracks", "windows": {"size": 4096, "overlap": 2048}}},
    "models": {"mean": {"baseline": {"kind": "mean_track"}}},
    "adaptations": {"baseline": {"kind": "baseline"}},
    "runs": [{"tasks": ["rna"], "models": ["mean"], "adaptations": ["baseline"]}],
}


def write_files(folder):
    import pyBigWig

    (folder / "genome.fa").write_text("".join(f">{name}\n{'ACGT' * 2500}\n" for name in "12"))
    with pyBigWig.open(str(folder / "a.bw"), "w") as track:
        track.addHeader([("1", 10_000), ("2", 10_000)])
        track.addEntries(["1"], [0], ends=[100], values=[1.0])
    for chrom in "12":
        lines = ["##fileformat=VCFv4.2", '##FORMAT=<ID=GT,Number=1,Type=String,Description="">']
        lines += [f'##FILTER=<ID={name},Description="">' for name in ("LowQual", "Worse")]
        lines += [f"##contig=<ID={chrom}>", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tP1"]
        for pos, alt, kept in ((1, "C", "PASS"), (5, "AGG", "LowQual"), (9, "T", "Worse"), (13, "T", ".")):
            lines.append(f"{chrom}\t{pos}\t.\tA\t{alt}\t.\t{kept}\t.\tGT\t0|1")
        (folder / f"{chrom}.vcf").write_text("\n".join(lines) + "\n")
        pysam.tabix_index(str(folder / f"{chrom}.vcf"), preset="vcf", force=True)


def counts(folder, *options):
    """Ask for the table of variants; return what Snakemake said, and the counts by reason (None in a dry run)."""
    target = "results/trial/cohort/variants.tsv"
    done = run_snakemake(target, "-c3", "--configfile", "study.yaml", *options, directory=folder)
    table = pd.read_csv(folder / target, sep="\t", dtype={"contig": str})
    return done.stdout + done.stderr, table.set_index(["contig", "reason"])["count"]


@pytest.mark.slow
def test_a_cohort_in_several_files_is_parsed_once_for_every_kind_of_variants(tmp_path):
    write_files(tmp_path)
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(STUDY))
    said, found = counts(tmp_path)
    for chrom in "12":  # the SNV at 1 and the insertion at 5; "Worse" and "." are not among the filters
        assert found[chrom, "applied"] == 2 and found[chrom, "filter"] == 2
    parsing = said[said.index("localrule variants:" if "localrule variants:" in said else "rule variants:") :]
    assert "threads: 2" in parsing.split("\n\n")[0], "contigs are parsed side by side, one of three cores is left"

    store = tmp_path / "results/trial/cohort/store/store.json"
    before = store.stat().st_mtime_ns
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(STUDY | {"cohort": {**STUDY["cohort"], "variants": "snv"}}))
    said, found = counts(tmp_path)
    assert "rule variant_counts:" in said and "rule variants:" not in said
    assert store.stat().st_mtime_ns == before
    assert [found[chrom, "applied"] for chrom in "12"] == [1, 1]
