"""Files of a tiny cohort, which training, baselines and applied models share."""

import pandas as pd
import pytest
from glmflow.genome.reference import Reference
from glmflow.genome.variants import build_store
from glmflow.simulate import simulate
from tiny_genes import CONTIG, SIZE


@pytest.fixture(scope="session")
def cohort(tmp_path_factory):
    """Eight samples, of whom three are held out, and six genes, of which two are unseen: files, examples, names."""
    folder = tmp_path_factory.mktemp("cohort")
    samples = {"north": 5, "south": 3}
    made = {"contigs": dict.fromkeys(("chr1", "chr2"), CONTIG), "population": {"people": samples}}
    simulate({"seed": 3, **made, "tracks": {"replicates": 1}}, folder / "made")
    build_store(folder / "made/cohort.vcf.gz", Reference(folder / "made/genome.fa"), folder / "store")
    expression = pd.read_csv(folder / "made/expression.tsv", sep="\t")
    names = list(expression.columns[4:])
    rows = []
    for number, gene in enumerate(expression.itertuples(index=False)):
        start = gene.tss - SIZE // 2
        if start < 0 or start + SIZE > CONTIG:
            continue
        for sample, value in zip(names, gene[4:]):
            held_out = "test" if number >= len(expression) - 2 or sample in names[5:] else "train"
            rows.append(
                {
                    "example": f"{gene.gene_id}|{sample}",
                    "split": "validation" if held_out == "test" and sample in names[5:7] else held_out,
                    "chrom": gene.chrom,
                    "start": start,
                    "end": start + SIZE,
                    "strand": gene.strand,
                    "sample": sample,
                    "group": gene.gene_id,
                    "target": value,
                }
            )
    files = {"fasta": str(folder / "made/genome.fa"), "store": str(folder / "store")}
    return files, pd.DataFrame(rows), names
