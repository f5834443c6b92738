"""Files as the field has them: saturation editing of BRCA1, reporter assays, a table of maize with its own windows."""

import pandas as pd
import pytest
from glmflow.apply.variants.variant_sources import TableSource, VcfSource
from glmflow.cli import main
from glmflow.genome.first_look import look, require_matching
from glmflow.genome.reasons import Reason
from glmflow.genome.reference import Reference
from toy_models import small

pytestmark = pytest.mark.real


def test_every_allele_of_brca1_fits_and_three_share_a_site(test_data):
    folder = test_data / "variant_effects" / "brca1_sge"
    genome = Reference(folder / "genome.fa")
    for source in (VcfSource(folder / "variants.vcf"), TableSource(folder / "variants.tsv")):
        found = look(source, genome, far=300)
        require_matching(found, genome, source.path, strict=True)
        assert found.reasons == {0: 3893} and (found.equal, found.sites, found.changed) == (3893, 1326, 0)


def test_every_allele_of_the_reporter_assays_fits(test_data):
    folder = test_data / "variant_effects" / "satmut_mpra"
    genome = Reference(folder / "elements.fa")
    found = look(TableSource(folder / "variants.tsv.gz"), genome)
    # one deletion is written NT>N: the data have it so
    assert found.reasons == {0: 44621, Reason.NOT_ACGT: 1} and found.examples[Reason.NOT_ACGT] == "TCF7L2:12:NT:N"
    assert found.lengths.keys() == {(1, 0)}


def test_a_table_of_maize_with_its_windows_and_the_vcf_it_comes_from(test_data, tmp_path):
    folder = test_data / "variant_effects" / "maize_snp"
    small(context=64).save(tmp_path / "toy")
    options = ["variants", "--model", tmp_path / "toy", "--table", folder / "example_snp.tsv", "--window", 64]
    assert main([str(word) for word in (*options, "--output", tmp_path / "out.tsv")]) == 0
    found = pd.read_csv(tmp_path / "out.tsv", sep="\t")
    assert len(found) == 190 + 7  # five rows have two or three alternatives
    assert found[["llr", "flank"]].notna().any(axis=1).all() and found["reason"].isna().all()
    assert (found["window_start"] == 255 - 32).all()
    assert found["variant"][0] == "chr1:2520559:A:G"
    source = VcfSource(folder / "example_maize_snp.vcf")
    records = next(source.parts(1000, keep=True))
    lines = [line for line in (folder / "example_maize_snp.vcf").read_text().splitlines() if not line.startswith("#")]
    assert records.lines == lines
