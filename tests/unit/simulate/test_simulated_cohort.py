"""The files of a made cohort, judged by what can be computed from them alone."""

import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import pyBigWig
import pysam
import pytest
from glmflow.files import sha256
from glmflow.simulate import cohort as cohort_module
from glmflow.simulate.cohort import simulate_cohort
from simulation_oracles import (
    activity,
    consensus,
    crossed_edges,
    exons_by_gene,
    matches,
    promoters,
    read_table,
    reverse_complement,
)

PAIR_EFFECT, DISTANCE_SD = 0.8, 250
STRANDS = {"plus": "+", "minus": "-"}


def test_every_file_is_there(cohort, settings):
    tracks = {f"tracks/{b}.{s}.rep{n}.bw" for b in ("liver", "brain") for s in ("plus", "minus") for n in (1, 2, 3)}
    truth = {f"truth/tracks/{b}.{s}.bw" for b in ("liver", "brain") for s in ("plus", "minus")}
    truth |= {f"truth/{name}.tsv" for name in ("genes", "expression", "variants", "sites", "motifs")}
    rest = {"genome.fa", "genome.fa.fai", "cohort.vcf.gz", "cohort.vcf.gz.tbi", "genes.gtf", "samples.tsv"}
    found = {str(path.relative_to(cohort)) for path in cohort.rglob("*") if path.is_file()}
    assert found == tracks | truth | rest | {"expression.tsv", "windows.bed", "promoters.bed", "truth/README.txt"}
    genome = pysam.FastaFile(str(cohort / "genome.fa"))
    assert dict(zip(genome.references, genome.lengths, strict=True)) == settings.contigs
    assert "simulated" in (cohort / "truth" / "README.txt").read_text()


def test_people_are_the_same_in_every_file(cohort, settings):
    samples = read_table(cohort / "samples.tsv")
    assert samples["population"].value_counts().to_dict() == settings.population.people
    assert list(pysam.VariantFile(str(cohort / "cohort.vcf.gz")).header.samples) == samples["sample"].tolist()
    assert read_table(cohort / "expression.tsv").columns[4:].tolist() == samples["sample"].tolist()


def test_variants_are_phased_sorted_and_on_the_genome(cohort):
    genome = pysam.FastaFile(str(cohort / "genome.fa"))
    seen, kinds = {}, set()
    for record in pysam.VariantFile(str(cohort / "cohort.vcf.gz")):
        assert genome.fetch(record.chrom, record.start, record.stop) == record.ref
        assert record.start >= seen.get(record.chrom, 0)
        seen[record.chrom] = record.stop
        kinds.add(np.sign(len(record.alts[0]) - len(record.ref)))
        calls = [call for sample in record.samples.values() for call in sample["GT"]]
        assert all(sample.phased for sample in record.samples.values())
        assert record.info["AC"] == (sum(calls),) and record.info["AN"] == len(calls) == 120
        assert 0 < sum(calls) < 120
    assert kinds == {-1, 0, 1} and set(seen) == {"chr1", "chr2"}


def test_exons_lie_in_their_genes_and_introns_are_spliced(cohort):
    genome = pysam.FastaFile(str(cohort / "genome.fa"))
    strands, introns = set(), 0
    for exons in exons_by_gene(cohort).values():
        for (chrom, _, left, strand), (_, right, _, _) in pairwise(exons):
            assert right - left >= 150
            intron = genome.fetch(chrom, left, right)
            intron = intron if strand == "+" else reverse_complement(intron)
            assert intron.startswith("GT") and intron.endswith("AG")
            introns += 1
        chrom, start, _, strand = exons[0]
        assert start >= 0 and exons[-1][2] <= genome.get_reference_length(chrom)
        strands.add(strand)
    assert strands == {"+", "-"} and introns > 10


def test_genes_of_all_files_agree(cohort):
    exons = exons_by_gene(cohort)
    genes = read_table(cohort / "truth" / "genes.tsv")
    assert genes["gene_id"].tolist() == read_table(cohort / "expression.tsv")["gene_id"].tolist()
    assert set(genes["gene_id"]) == set(exons)
    for gene in genes.itertuples():
        first, last = exons[gene.gene_id][0], exons[gene.gene_id][-1]
        assert gene.tss == (first[1] if gene.strand == "+" else last[2] - 1)


def test_expression_is_made_by_the_haplotypes_of_the_vcf(cohort, tmp_path):
    """Every haplotype by bcftools, its activity by sliding matrices, and the log of the mean of the two."""
    motifs, truth = read_table(cohort / "truth" / "motifs.tsv"), read_table(cohort / "truth" / "expression.tsv")
    spans = promoters(cohort, truth, 500)
    spared = crossed_edges(cohort, spans)
    by_gene, checked = truth.set_index("gene_id"), set()
    for gene in [gene for gene in spans if gene not in spared][:12]:
        memory = {}
        for sample in truth.columns[4::6]:
            haplotypes = [consensus(cohort, spans[gene], sample, number, tmp_path) for number in (1, 2)]
            for sequence in haplotypes:
                if sequence not in memory:
                    memory[sequence] = activity(sequence, motifs, "liver", PAIR_EFFECT, DISTANCE_SD)
            expected = np.log(np.mean([np.exp(memory[sequence]) for sequence in haplotypes]))
            assert by_gene.loc[gene, sample] == pytest.approx(expected, abs=1e-4)
        checked.add(len(memory))
    assert max(checked) > 2


def test_activity_of_the_genome_is_that_of_the_truth(cohort):
    motifs, genes = read_table(cohort / "truth" / "motifs.tsv"), read_table(cohort / "truth" / "genes.tsv")
    genome = pysam.FastaFile(str(cohort / "genome.fa"))
    spans = promoters(cohort, genes, 500)
    for gene in genes.iloc[:8].itertuples():
        chrom, start, end, strand = spans[gene.gene_id]
        sequence = genome.fetch(chrom, start, end)
        sequence = sequence if strand == "+" else reverse_complement(sequence)
        for biosample in ("liver", "brain"):
            expected = activity(sequence, motifs, biosample, PAIR_EFFECT, DISTANCE_SD)
            assert getattr(gene, f"log_activity_{biosample}") == pytest.approx(expected, abs=1e-4)


def test_heritability_is_the_stated_one(cohort, settings):
    genetic = read_table(cohort / "truth" / "expression.tsv").iloc[:, 4:].to_numpy()
    measured = read_table(cohort / "expression.tsv").iloc[:, 4:].to_numpy()
    squared = [np.corrcoef(g, y)[0, 1] ** 2 for g, y in zip(genetic, measured, strict=True)]
    # 25 genes and 60 people: a gene's r^2 has a standard deviation of about 0.1, their mean of 0.02.
    assert np.mean(squared) == pytest.approx(settings.expression.heritability, abs=0.07)
    genes = read_table(cohort / "truth" / "genes.tsv")
    assert genes["heritability_achieved"].to_numpy() == pytest.approx(squared, abs=1e-3)
    assert genes["genetic_variance"].to_numpy() == pytest.approx(genetic.var(axis=1), abs=1e-5)


def test_causal_variants_break_or_create_motifs(cohort, settings):
    """One allele of each completes the motif at its site, the other does not; three common ones a gene."""
    genome = pysam.FastaFile(str(cohort / "genome.fa"))
    consensus_of = read_table(cohort / "truth" / "motifs.tsv").set_index("motif")["consensus"]
    sites = read_table(cohort / "truth" / "sites.tsv")
    variants = read_table(cohort / "truth" / "variants.tsv")
    records = {(r.chrom, r.pos, r.ref, r.alts[0]) for r in pysam.VariantFile(str(cohort / "cohort.vcf.gz"))}
    causal = variants[variants["kind"] != "natural"]
    assert (causal["maf"] >= settings.expression.min_maf).all()
    assert (causal.groupby("gene_id").size() == settings.expression.causal_variants).mean() > 0.8
    assert set(causal["kind"]) == {"break", "create"}
    for row in causal.itertuples():
        assert (row.chrom, row.pos, row.ref, row.alt) in records
        here = sites[(sites["gene_id"] == row.gene_id) & (sites["kind"] == row.kind) & (sites["motif"] == row.motif)]
        here = here[(here["start"] < row.pos) & (row.pos <= here["end"])]
        assert len(here) == 1
        site = here.iloc[0]
        on_genome = genome.fetch(row.chrom, site["start"], site["end"])
        offset = row.pos - 1 - site["start"]
        assert on_genome[offset] == row.ref
        with_alt = on_genome[:offset] + row.alt + on_genome[offset + 1 :]
        completed, incomplete = (on_genome, with_alt) if row.kind == "break" else (with_alt, on_genome)
        turn = (lambda word: word) if site["strand"] == "+" else reverse_complement
        assert matches(turn(completed), consensus_of[row.motif])
        assert not matches(turn(incomplete), consensus_of[row.motif])


def test_planted_sites_are_in_the_genome_and_in_promoters(cohort):
    genome = pysam.FastaFile(str(cohort / "genome.fa"))
    consensus_of = read_table(cohort / "truth" / "motifs.tsv").set_index("motif")["consensus"]
    spans = promoters(cohort, read_table(cohort / "truth" / "genes.tsv"), 500)
    sites = read_table(cohort / "truth" / "sites.tsv")
    planted = sites[sites["kind"] == "planted"]
    assert len(planted) > 5 * len(spans)
    for site in planted.itertuples():
        word = genome.fetch(site.chrom, site.start, site.end)
        assert matches(word if site.strand == "+" else reverse_complement(word), consensus_of[site.motif])
        chrom, start, end, _ = spans[site.gene_id]
        assert (site.chrom, start <= site.start, site.end <= end) == (chrom, True, True)


def test_effects_are_what_one_allele_alone_changes(cohort):
    genome = pysam.FastaFile(str(cohort / "genome.fa"))
    motifs, genes = read_table(cohort / "truth" / "motifs.tsv"), read_table(cohort / "truth" / "genes.tsv")
    spans = promoters(cohort, genes, 500)
    for row in read_table(cohort / "truth" / "variants.tsv").iloc[::8].itertuples():
        chrom, start, end, strand = spans[row.gene_id]
        reference = genome.fetch(chrom, start, end)
        at = row.pos - 1 - start
        changed = reference[:at] + row.alt + reference[at + len(row.ref) :]
        both = [s if strand == "+" else reverse_complement(s) for s in (changed, reference)]
        with_alt, without = (activity(s, motifs, "liver", PAIR_EFFECT, DISTANCE_SD) for s in both)
        assert row.effect_liver == pytest.approx(with_alt - without, abs=1e-4)


def _values(path, chrom, length):
    with pyBigWig.open(str(path)) as bigwig:
        return np.nan_to_num(bigwig.values(chrom, 0, length, numpy=True)).astype(float)


@pytest.mark.parametrize("biosample", ["liver", "brain"])
@pytest.mark.parametrize("label", ["plus", "minus"])
def test_tracks_are_nonzero_only_on_genes_of_their_strand(cohort, settings, biosample, label):
    exons = exons_by_gene(cohort)
    for chrom, length in settings.contigs.items():
        inside = np.zeros(length, bool)
        for rows in exons.values():
            if rows[0][0] == chrom and rows[0][3] == STRANDS[label]:
                inside[rows[0][1] : rows[-1][2]] = True
        assert inside.any()
        for name in [f"tracks/{biosample}.{label}.rep{n}.bw" for n in (1, 2, 3)] + [
            f"truth/tracks/{biosample}.{label}.bw"
        ]:
            values = _values(cohort / name, chrom, length)
            assert (values >= 0).all() and (values[~inside] == 0).all() and values[inside].any()


@pytest.mark.parametrize("biosample", ["liver", "brain"])
def test_mean_coverage_is_the_activity_of_the_gene(cohort, settings, biosample):
    """A read's length away from the transcript's ends: activity, and the unspliced share of it on top."""
    exons, genes = exons_by_gene(cohort), read_table(cohort / "truth" / "genes.tsv")
    for gene in genes.itertuples():
        label = "plus" if gene.strand == "+" else "minus"
        truth = _values(cohort / f"truth/tracks/{biosample}.{label}.bw", gene.chrom, settings.contigs[gene.chrom])
        exonic = np.concatenate([np.arange(start, end) for _, start, end, _ in exons[gene.gene_id]])
        level = np.exp(getattr(gene, f"log_activity_{biosample}"))
        assert truth[exonic[100:-100]] == pytest.approx(np.full(len(exonic) - 200, 1.02 * level), rel=1e-4)
        span = np.arange(exonic[0], exonic[-1] + 1)
        intronic = np.setdiff1d(span[100:-100], exonic)
        assert truth[intronic] == pytest.approx(np.full(len(intronic), 0.02 * level), rel=1e-4)


@pytest.mark.parametrize("biosample", ["liver", "brain"])
def test_replicates_scatter_about_their_mean(cohort, settings, biosample):
    exons, ratios, one = exons_by_gene(cohort), [], []
    for rows in exons.values():
        chrom, strand = rows[0][0], rows[0][3]
        label = "plus" if strand == "+" else "minus"
        length = settings.contigs[chrom]
        truth = _values(cohort / f"truth/tracks/{biosample}.{label}.bw", chrom, length)
        exonic = np.concatenate([np.arange(start, end) for _, start, end, _ in rows])
        found = [_values(cohort / f"tracks/{biosample}.{label}.rep{n}.bw", chrom, length) for n in (1, 2, 3)]
        ratios.append(np.mean([values[exonic].sum() for values in found]) / truth[exonic].sum())
        one += [np.log(values[exonic].sum() / truth[exonic].sum()) for values in found]
    # 25 genes: log-normal 0.15 over 3 replicates and genes, and fewer reads' Poisson noise: standard error about 0.03.
    assert np.mean(ratios) == pytest.approx(1, abs=0.1)
    assert 0.1 < np.std(one) < 0.45


def test_a_seed_gives_the_same_bytes_in_another_process(cohort, settings, tmp_path):
    code = (
        "import sys; from glmflow.simulate import simulate; import json; simulate(json.loads(sys.argv[1]), sys.argv[2])"
    )
    again = tmp_path / "elsewhere" / "again"
    subprocess.run(
        [sys.executable, "-c", code, settings.model_dump_json(), str(again)],
        check=True,
        env=os.environ | {"PYTHONHASHSEED": "4711", "TZ": "Asia/Tokyo"},
    )
    files = [path.relative_to(cohort) for path in sorted(cohort.rglob("*")) if path.is_file()]
    assert [str(name) for name in files if sha256(cohort / name) != sha256(again / name)] == []


def test_another_seed_gives_other_data(cohort, settings, tmp_path):
    other = simulate_cohort(settings.model_copy(update={"seed": 8}), tmp_path / "other")
    same_by_design = {"samples.tsv", "genome.fa.fai"}  # names and lengths are the settings'
    for path in cohort.rglob("*"):
        name = str(path.relative_to(cohort))
        if path.is_file() and name not in same_by_design:
            assert sha256(path) != sha256(other / name), name


def test_one_population_and_no_causal_variants(settings, tmp_path):
    """The plain case: nothing is moved into promoters, and most genes hardly vary."""
    plain = settings.model_copy(
        update={
            "population": settings.population.model_copy(update={"people": {"only": 20}}),
            "expression": settings.expression.model_copy(update={"causal_variants": 0}),
        }
    )
    folder = simulate_cohort(plain, tmp_path / "plain")
    assert set(read_table(folder / "truth" / "variants.tsv")["kind"]) == {"natural"}
    assert (read_table(folder / "truth" / "sites.tsv")["kind"] == "planted").all()
    genes = read_table(folder / "truth" / "genes.tsv")
    # Constant genes are all noise and said to be so, not divided by zero.
    assert genes["heritability_achieved"].between(0, 1).all() and np.isfinite(genes["noise_variance"]).all()


def test_a_failure_leaves_nothing_behind(settings, tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("disk full")

    monkeypatch.setattr(cohort_module, "write_tracks", fail)
    with pytest.raises(RuntimeError, match="disk full"):
        simulate_cohort(settings, tmp_path / "cohort")
    assert list(tmp_path.iterdir()) == []


def test_labelled_windows_are_parts_of_promoters_and_windows_of_like_gc_outside_of_all_of_them(cohort):
    windows = pd.read_csv(cohort / "windows.bed", sep="\t", names=["chrom", "start", "end", "name", "score", "strand"])
    active = pd.read_csv(cohort / "promoters.bed", sep="\t", names=["chrom", "start", "end", "gene", "score", "strand"])
    promoter, other = (windows[windows["name"] == name].reset_index(drop=True) for name in ("promoter", "other"))
    assert len(promoter) == len(active) > 20 and 0.9 * len(promoter) < len(other) <= len(promoter)
    genes = read_table(cohort / "truth/genes.tsv").set_index("gene_id").loc[active["gene"]]
    assert active["score"].to_numpy() == pytest.approx(genes["log_activity_liver"].to_numpy(), abs=1e-6)
    forward = (active["strand"] == "+").to_numpy()
    tss = genes["tss"].to_numpy()
    assert (active["end"].to_numpy()[forward] == tss[forward] - 45).all()
    assert (active["start"].to_numpy()[~forward] == tss[~forward] + 46).all()
    fasta = pysam.FastaFile(str(cohort / "genome.fa"))

    def gc(row):
        text = fasta.fetch(row.chrom, row.start, row.end)
        return (text.count("G") + text.count("C")) / len(text)

    shares = [np.array([gc(row) for row in part.itertuples()]) for part in (promoter, other)]
    assert abs(shares[0].mean() - shares[1].mean()) < 0.01 and abs(shares[0].std() - shares[1].std()) < 0.01
    for row in other.itertuples():
        near = genes[genes["chrom"] == row.chrom]
        ahead = (near["strand"] == "+").to_numpy()
        start = np.where(ahead, near["tss"] - 500, near["tss"] + 1)
        assert not ((start < row.end) & (row.start < start + 500)).any()
