"""Simulation over real data: nothing that is real is changed, but for the flanks where that is asked for."""

import os
from pathlib import Path

import numpy as np
import pysam
import pysam.bcftools
import pytest
from glmflow.config.simulation_settings import OverlaySettings
from glmflow.errors import InputError
from glmflow.files import sha256
from glmflow.simulate import simulate
from glmflow.simulate.overlay import overlay_cohort
from simulation_oracles import activity, consensus, crossed_edges, matches, promoters, read_table, reverse_complement

PSEUDO = OverlaySettings(seed=3)


@pytest.fixture(scope="session")
def given(cohort, tmp_path_factory):
    """A small genome, VCF and GTF in the part of the real ones; made without causal variants in mind of the overlay."""
    folder = tmp_path_factory.mktemp("given")
    records = pysam.bcftools.view("--no-version", str(cohort / "cohort.vcf.gz"))
    # A record that fails its filter, one that no sample carries: the bases under them are not to be edited either.
    lines = [line.split("\t") for line in records.splitlines()]
    body = [i for i, line in enumerate(lines) if not line[0].startswith("#")]
    for i in body[::10]:
        lines[i][6] = "LowQual"
    for i in body[5::10]:
        lines[i][9:] = ["0|0"] * len(lines[i][9:])
    header = '##FILTER=<ID=LowQual,Description="">'
    text = "\n".join([lines[0][0], header, *("\t".join(line) for line in lines[1:])]) + "\n"
    (folder / "people.vcf").write_text(text)
    (folder / "genes.gtf").write_text((cohort / "genes.gtf").read_text())
    (folder / "genome.fa").write_text((cohort / "genome.fa").read_text())
    return folder


def _overlay(given: Path, folder: Path, settings: OverlaySettings) -> Path:
    return overlay_cohort(given / "genome.fa", given / "people.vcf", given / "genes.gtf", folder, settings)


@pytest.fixture(scope="session")
def edited(given, tmp_path_factory):
    settings = PSEUDO.model_copy(update={"pseudo_gene_spacing_bp": 1500})
    return _overlay(given, tmp_path_factory.mktemp("edited") / "overlay", settings)


@pytest.fixture(scope="session")
def untouched(given, tmp_path_factory):
    settings = OverlaySettings(edit_flanks=False, pseudo_gene_spacing_bp=None)
    return _overlay(given, tmp_path_factory.mktemp("untouched") / "overlay", settings)


def _sequences(fasta: Path) -> dict[str, str]:
    with pysam.FastaFile(str(fasta)) as genome:
        return {name: genome.fetch(name) for name in genome.references}


def _records(vcf: Path) -> list[str]:
    text = pysam.bcftools.view("--no-version", "-H", str(vcf))
    return text.splitlines()


def assert_references_match(folder: Path) -> None:
    genome = _sequences(folder / "genome.fa")
    count = 0
    for record in pysam.VariantFile(str(folder / "cohort.vcf.gz")):
        assert genome[record.chrom][record.start : record.start + len(record.ref)] == record.ref
        count += 1
    assert count


def test_untouched_means_untouched(given, untouched):
    assert _sequences(untouched / "genome.fa") == _sequences(given / "genome.fa")
    assert _records(untouched / "cohort.vcf.gz") == _records(given / "people.vcf")
    assert len(read_table(untouched / "truth" / "edits.tsv")) == 0
    assert len(read_table(untouched / "truth" / "sites.tsv")) == 0
    assert "the sequence is untouched" in (untouched / "truth" / "README.txt").read_text()


def test_no_variant_is_changed_by_editing(given, edited):
    assert _records(edited / "cohort.vcf.gz") == _records(given / "people.vcf")
    assert_references_match(edited)


def test_the_edits_are_listed_and_counted(given, edited):
    before, after = _sequences(given / "genome.fa"), _sequences(edited / "genome.fa")
    expected = {
        (chrom, i + 1, a, b)
        for chrom in before
        for i, (a, b) in enumerate(zip(before[chrom], after[chrom], strict=True))
        if a != b
    }
    edits = read_table(edited / "truth" / "edits.tsv")
    assert set(edits.itertuples(index=False, name=None)) == expected
    assert len(edits) == len(expected) > 100
    readme = (edited / "truth" / "README.txt").read_text()
    assert f"Simulated on real haplotypes; flanks edited at {len(expected)} positions" in readme


def test_edits_lie_in_promoters(edited):
    spans = promoters(edited, read_table(edited / "truth" / "genes.tsv"), 500).values()
    for edit in read_table(edited / "truth" / "edits.tsv").itertuples():
        assert any(chrom == edit.chrom and start < edit.pos <= end for chrom, start, end, _ in spans)


def test_real_alleles_complete_motifs(edited):
    genome = _sequences(edited / "genome.fa")
    consensus_of = read_table(edited / "truth" / "motifs.tsv").set_index("motif")["consensus"]
    sites = read_table(edited / "truth" / "sites.tsv")
    causal = read_table(edited / "truth" / "variants.tsv").query("kind != 'natural'")
    assert set(causal["kind"]) == {"break", "create"} and (causal["maf"] >= 0.05).all()
    for row in causal.itertuples():
        here = sites.query("gene_id == @row.gene_id and kind == @row.kind and start < @row.pos <= end")
        site = here.iloc[0]
        word, offset = genome[row.chrom][site.start : site.end], row.pos - 1 - site.start
        complete = word if row.kind == "break" else word[:offset] + row.alt + word[offset + 1 :]
        assert word[offset] == row.ref
        assert matches(complete if site.strand == "+" else reverse_complement(complete), consensus_of[site.motif])


def test_pseudo_genes_are_labelled_and_keep_off_real_ones(given, edited):
    genes = read_table(edited / "truth" / "genes.tsv")
    assert set(genes["gene_type"]) == {"annotated", "simulated"}
    gtf = [line.split("\t") for line in (edited / "genes.gtf").read_text().splitlines()]
    real_exons = [(f[0], int(f[3]) - 1, int(f[4])) for f in gtf if f[2] == "exon" and 'gene_type "annotated"' in f[8]]
    simulated = [(f[0], int(f[3]) - 1, int(f[4])) for f in gtf if f[2] == "gene" and 'gene_type "simulated"' in f[8]]
    spans = promoters(edited, genes[genes["gene_type"] == "annotated"], 500)
    real = real_exons + [(chrom, start, end) for chrom, start, end, _ in spans.values()]
    assert simulated
    for chrom, start, end in simulated:
        assert not any(chrom == c and start < e and s < end for c, s, e in real)
    given_genes = [line for line in (given / "genes.gtf").read_text().splitlines() if "\tgene\t" in line]
    assert (genes["gene_type"] == "annotated").sum() == len(given_genes)


def assert_expression_is_that_of_the_haplotypes(folder: Path, scratch: Path, genes: int, step: int) -> None:
    """Haplotypes by bcftools (records that pass), activity by sliding matrices."""
    motifs, truth = read_table(folder / "truth" / "motifs.tsv"), read_table(folder / "truth" / "expression.tsv")
    spans = promoters(folder, truth, 500)
    spared = crossed_edges(folder, spans)
    varying = truth.set_index("gene_id").std(axis=1, numeric_only=True).sort_values(ascending=False).index
    by_gene = truth.set_index("gene_id")
    memory: dict[str, float] = {}
    for gene in [gene for gene in varying if gene in spans and gene not in spared][:genes]:
        for sample in truth.columns[4::step]:
            sequences = [consensus(folder, spans[gene], sample, number, scratch) for number in (1, 2)]
            for sequence in sequences:
                if sequence not in memory:
                    memory[sequence] = activity(sequence, motifs, "liver", 0.8, 250)
            expected = np.log(np.mean([np.exp(memory[sequence]) for sequence in sequences]))
            assert by_gene.loc[gene, sample] == pytest.approx(expected, abs=1e-4)
    assert len(memory) > genes


def test_filtered_records_make_no_haplotype(edited, tmp_path):
    """The VCF keeps them; to compare with bcftools, which would apply them, they are taken out of a copy."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("genome.fa", "truth"):
        (copy / name).symlink_to(edited / name)
    (copy / "genome.fa.fai").symlink_to(edited / "genome.fa.fai")
    passing = str(copy / "cohort.vcf.gz")
    pysam.bcftools.view("-f", "PASS", "-Oz", "-o", passing, str(edited / "cohort.vcf.gz"), catch_stdout=False)
    pysam.tabix_index(passing, preset="vcf")
    assert_expression_is_that_of_the_haplotypes(copy, tmp_path, genes=4, step=10)


def test_the_same_seed_gives_the_same_bytes_by_the_plain_settings_too(given, edited, tmp_path):
    plain = {"seed": 3, "pseudo_gene_spacing_bp": 1500, "fasta": str(given / "genome.fa")}
    plain |= {"vcf": str(given / "people.vcf"), "annotation": str(given / "genes.gtf")}
    again = simulate(plain, tmp_path / "again")
    files = [path.relative_to(edited) for path in sorted(edited.rglob("*")) if path.is_file()]
    assert [sha256(edited / name) for name in files] == [sha256(again / name) for name in files]


def test_nothing_is_written_beside_the_input(given, edited, untouched):
    assert {path.name for path in given.iterdir()} - {"genome.fa.fai"} == {"genome.fa", "genes.gtf", "people.vcf"}


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("genes.gtf", lambda text: text.replace("chr1\t", "1x\t").replace("chr2\t", "2x\t"), "contig"),
        ("genes.gtf", lambda text: text.replace("\texon\t", "\tCDS\t"), "no gene has an exon"),
        ("genes.gtf", lambda text: text.replace("chr1\t", "chr2\t"), "past the end of chr2"),
        ("people.vcf", lambda text: text.replace("0|1", "0/1"), "unphased"),
        ("genome.fa", lambda text: text.replace("A\n", "C\n"), "REF disagrees"),
    ],
)
def test_files_that_do_not_fit_are_refused(given, tmp_path, name, change, message):
    changed = tmp_path / "changed"
    changed.mkdir()
    for path in ("genome.fa", "people.vcf", "genes.gtf"):
        text = (given / path).read_text()
        (changed / path).write_text(change(text) if path == name else text)
    with pytest.raises(InputError, match=message):
        _overlay(changed, tmp_path / "out", PSEUDO)
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="session")
def human():
    folder = os.environ.get("GLMFLOW_TEST_DATA")
    if folder is None or not (Path(folder) / "human_chr20").exists():
        pytest.skip("GLMFLOW_TEST_DATA is unset, or has no human_chr20")
    return Path(folder) / "human_chr20"


@pytest.fixture(scope="session", params=[True, False], ids=["edited", "untouched"])
def human_overlay(human, request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("human") / "overlay"
    settings = OverlaySettings(edit_flanks=request.param)
    return overlay_cohort(human / "genome.fa", human / "cohort.vcf.gz", human / "genes.gtf", folder, settings)


@pytest.mark.real
def test_real_people_keep_their_variants(human, human_overlay):
    assert _records(human_overlay / "cohort.vcf.gz") == _records(human / "cohort.vcf.gz")
    assert len(_records(human_overlay / "cohort.vcf.gz")) == 7568
    assert_references_match(human_overlay)
    assert read_table(human_overlay / "samples.tsv")["sample"].nunique() == 300


@pytest.mark.real
def test_real_haplotypes_make_the_expression(human_overlay, tmp_path):
    assert_expression_is_that_of_the_haplotypes(human_overlay, tmp_path, genes=6, step=25)


@pytest.mark.real
def test_untouched_human_sequence_has_next_to_nothing_to_learn_and_edited_flanks_have(human_overlay):
    """Few natural variants lie in motifs; with edited flanks about half of the promoters hold a common causal one."""
    varies = (read_table(human_overlay / "truth" / "genes.tsv")["genetic_variance"] > 1e-4).mean()
    edited = len(read_table(human_overlay / "truth" / "edits.tsv")) > 0
    assert varies > 0.3 if edited else varies < 0.1


def test_promoters_at_the_edge_and_contigs_without_genes_or_variants(given, tmp_path):
    """A gene whose promoter reaches past the contig, a contig with nothing on it, and one with genes only."""
    odd = tmp_path / "odd"
    odd.mkdir()
    (odd / "people.vcf").write_text((given / "people.vcf").read_text())
    bare = "".join(np.random.default_rng(0).choice(list("ACGT"), 5000))
    (odd / "genome.fa").write_text((given / "genome.fa").read_text() + f">bare\n{bare}\n>genes_only\n{bare}\n")
    lines = []
    for chrom, gene, start, end, strand in (("chr1", "edge", 100, 900, "+"), ("genes_only", "alone", 1, 5000, "-")):
        names = f'gene_id "{gene}"; gene_name "{gene}"; transcript_id "{gene}.1";'
        lines += [
            f"{chrom}\tx\t{kind}\t{start}\t{end}\t.\t{strand}\t.\t{names}" for kind in ("gene", "transcript", "exon")
        ]
    (odd / "genes.gtf").write_text("\n".join([*lines, ""]))
    folder = _overlay(odd, tmp_path / "out", OverlaySettings(pseudo_gene_spacing_bp=None))
    genes = read_table(folder / "truth" / "genes.tsv").set_index("gene_id")
    assert set(genes.index) == {"edge", "alone"}
    assert genes.loc["alone", "genetic_variance"] == 0 and genes.loc["alone", "heritability_achieved"] == 0
    assert genes.loc["alone", "log_activity_liver"] == 0  # nothing lies upstream of the contig's last base
    assert _sequences(folder / "genome.fa")["bare"] == bare
    assert_references_match(folder)
