"""Alternate loci, patches, HLA alleles and decoys are known by their names; scaffolds that are no copies are kept.

The roles of these contigs are those of NCBI's assembly reports (GCF_000001405.25 and GCF_000001405.39).
"""

import pytest
from glmflow.genome.contigs import alternate_contigs, pseudoautosomal_regions, say_alternates
from glmflow.genome.splits import used_contigs

HUMAN = {"38": 248_956_422, "37": 249_250_621}
# Chromosomes, unplaced and unlocalized scaffolds; and copies.
GENOMES = {
    "UCSC hg38": ("38", "chr1 chrM chr1_KI270706v1_random chrUn_KI270302v1 chrUn_GL000195v1 chrEBV",
                  "chr1_KI270762v1_alt chr19_GL000209v2_alt chr1_KN196472v1_fix chrUn_KN707606v1_decoy HLA-A*01:01:01:01"),
    "UCSC hg19": ("37", "chr1 chr1_gl000191_random chrUn_gl000211", "chr6_apd_hap1 chr17_ctg5_hap1 chr4_ctg9_hap1"),
    "hs37d5": ("37", "1 X MT GL000191.1 GL000209.1 GL000249.1 NC_007605", "hs37d5"),
    "Ensembl 38": ("38", "1 MT KI270706.1 KI270757.1 GL000008.2", "CHR_HSCHR1_1_CTG3 CHR_HG107_PATCH CHR_HG1342_HG2282_PATCH"),
    "Ensembl 37": ("37", "1 MT GL000191.1", "HSCHR6_MHC_APD HSCHR17_1 HSCHR4_1_CTG9 HG104_HG975_PATCH HG79_PATCH"),
    "RefSeq 38": ("38", "NC_000001.11 NT_187361.1 NT_113793.3 NT_167215.1 NT_187513.1 NC_012920.1",
                  "NT_187514.1 NT_187599.1 NT_187693.1 NT_113891.3 NT_113949.2 NT_167244.2 NT_167251.2 NW_012132914.1"),
    "RefSeq 37": ("37", "NC_000001.10 NT_113878.1 NT_113949.1 NT_167243.1", "NT_167244.1 NT_113891.2 NW_003315905.1"),
    "GenBank 38": ("38", "CM000663.2 KI270706.1 KI270757.1 GL000008.2", "KI270758.1 KI270762.1 GL000209.2 GL000250.2 GL383518.1 "
                   "JH159136.1 KB021644.2 KN196472.1 KQ031383.1 KV575243.1 KZ208904.1 ML143341.1"),
    "GENCODE all": ("38", "chr1 KI270706.1 GL000195.1", "KI270762.1 KN196472.1 GL877875.1"),
    "GRC names": ("38", "1 HSCHR1_CTG1_UNLOCALIZED HSCHRUN_RANDOM_CTG1 HSCHR4_RANDOM_CTG4 HSCHR22_UNLOCALIZED_CTG1", "HSCHR1_1_CTG3 "
                  "HSCHR19KIR_FH05_A_HAP_CTG3_1 HG1342_HG2282_PATCH"),
    "mouse": ("", "chr1 chr1_GL456210_random GL456210.1 JH584304.1 KI270762.1", "CHR_MG117_PATCH CHR_WSB_EIJ_MMCHR11_CTG1 "
              "MMCHR1_CHORI29_IDD5_1 chr7_KZ289075_alt"),
    "other species": ("", "CHR_1 scaffold_12 NW_003614111.1 NT_187514.1 KN196472.1 contig7 HLA", ""),
}  # fmt: skip


@pytest.mark.parametrize("genome", GENOMES)
def test_copies_are_told_from_scaffolds(genome):
    build, primary, copies = GENOMES[genome]
    names = dict.fromkeys(f"{primary} {copies}".split(), 1000)
    if build:
        names[primary.split()[0]] = HUMAN[build]
    assert alternate_contigs(names) == copies.split()


def test_they_are_named_in_one_line():
    said = say_alternates([f"chr{n}_KI_alt" for n in range(1, 9)], "genome.fa")
    assert said.startswith("genome.fa: 8 contigs left out as copies of others") and said.endswith(
        "chr5_KI_alt and 3 more"
    )


def test_they_are_left_out_unless_they_are_named_or_kept(caplog):
    genome = {"1": 900, "2": 800, "HSCHR1_CTG3": 90, "HLA-B*07:02:01": 30, "hs37d5": 400, "GL000195.1": 50}
    assert list(used_contigs(genome, None)) == ["1", "2", "GL000195.1"]
    assert "3 contigs left out as copies of others" in caplog.text
    assert used_contigs(genome, None, "keep") == genome
    assert list(used_contigs(genome, ["2", "hs37d5"])) == ["2", "hs37d5"]


@pytest.mark.parametrize(("name", "length"), [("Y", 59_373_566), ("chrY", 57_227_415), ("chrY", 62_460_029)])
def test_pseudoautosomal_regions_of_y_are_known_by_its_length(name, length):
    regions = pseudoautosomal_regions({"X": 10, name: length})
    assert [region[0] for region in regions] == [name, name]
    # PAR1 is about 2.6 Mb at one end, PAR2 about 330 kb at the other.
    (first, second) = ((end - start) / 1e6 for _, start, end in regions)
    assert 2.4 < first < 2.8 and 0.32 < second < 0.35 and regions[1][2] > length - 20_000
    assert pseudoautosomal_regions({name: length - 1, "chrX": length}) == []
