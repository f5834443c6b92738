"""What checkpoints were trained on, and whether a test contig was among it."""

import pytest
from glmflow.config import check_study
from glmflow.config.corpora import (
    Corpus,
    corpus_of,
    populations_seen,
    pretraining_sentences,
    read_corpora,
    seen_in_pretraining,
)
from glmflow.config.pretraining import pretraining_of
from glmflow.config.published import read_checkpoints
from glmflow.errors import InputError
from running import ROOT

CHECKPOINTS, CORPORA = read_checkpoints(ROOT / "config" / "models.yaml"), read_corpora(ROOT / "config" / "corpora.yaml")


def test_every_published_checkpoint_says_its_corpus_or_that_it_is_unknown():
    assert {entry["corpus"] for entry in CHECKPOINTS.values()} <= CORPORA.keys()


@pytest.mark.parametrize(
    ("checkpoint", "answer"),
    [
        ("nucleotide-transformer-500m-human-ref", "yes"),
        ("nucleotide-transformer-500m-1000g", "yes"),
        ("nucleotide-transformer-v2-500m", "unknown"),
        ("caduceus-ph-131k", "partly"),
        ("hyenadna-large-1m", "partly"),
        ("genos-1.2b", "yes"),
        ("evo2-7b", "unknown"),
        ("plantcaduceus-l20", "unknown"),
        ("a/folder/of/mine", "unknown"),
    ],
)
def test_whether_chromosome_20_was_in_pretraining(checkpoint, answer):
    found = seen_in_pretraining(corpus_of(checkpoint, CHECKPOINTS, CORPORA), "chr20", "hg38")
    assert found.answer == answer and ("not known" in found.sentence) == (answer == "unknown")


def test_contigs_that_were_kept_out_and_other_species():
    corpus = Corpus(species=["homo_sapiens"], complete=True, contigs=["chr1", "2", "MT"], held_out=["chr21"])
    answers = [seen_in_pretraining(corpus, contig).answer for contig in ("1", "chr2", "chrM", "3", "21")]
    assert answers == ["yes", "yes", "yes", "no", "no"]
    assert seen_in_pretraining(corpus, "1", "Mus musculus").answer == "no"
    assert seen_in_pretraining(corpus.model_copy(update={"complete": False}), "1", "Mus musculus").answer == "unknown"


@pytest.mark.parametrize(
    ("contig", "answer"),
    [
        ("NC_000021.9", "no"), ("NC_000001.11", "yes"), ("CM000683.2", "no"), ("CM000664.2", "yes"), ("NC_060945.1", "no"),
        ("NC_000023.11", "no"), ("NC_012920.1", "yes"), ("Chr_21", "no"), ("chr17w", "unknown"), ("my_window", "unknown"),
    ],
)  # fmt: skip
def test_accessions_are_the_chromosomes_they_name_and_other_names_are_not_known(contig, answer):
    corpus = Corpus(species=["homo_sapiens"], complete=True, contigs=["chr1", "2", "MT"], held_out=["chr21"])
    assert seen_in_pretraining(corpus, contig, "hg38").answer == answer


@pytest.mark.parametrize(("species", "answer"), [
    ("Homo sapiens (GRCh38)", "yes"), ("GRCh38.p14", "yes"), ("human hg38", "yes"), ("9606", "yes"), ("T2T-CHM13v2.0", "yes"),
    ("taxid:9606", "yes"), ("Homo sapiens", "yes"), ("mm39", "no"), ("Human herpesvirus 4", "no"), ("Pan troglodytes", "no"),
])  # fmt: skip
def test_the_human_genome_is_known_by_every_usual_name(species, answer):
    assert seen_in_pretraining(CORPORA["human_reference"], "chr8", species).answer == answer


def test_lengths_of_human_chromosomes_are_believed_before_the_species_that_is_given():
    said = pretraining_sentences(CORPORA["human_reference"], ["chr9"], {"chr9": 138_394_717}, "mus_musculus")
    assert "as long as those of a human genome" in said[0] and "chr9 was in pretraining" in said[1]
    plain = pretraining_sentences(CORPORA["human_reference"], ["chr9"], {"chr9": 138_394_717}, "human")
    assert plain == said[1:]


@pytest.mark.parametrize("genome", [True, False, "alleles"])
def test_models_that_the_study_pretrains_say_what_they_have_seen(tmp_path, genome):
    (tmp_path / "genome.fa").write_text(">chr20\nACGT\n")
    (tmp_path / "genome.fa.fai").write_text("chr20\t64444167\t7\t60\t61\n")
    pretrain = {"family": "small", "steps": 5}
    models = {"phages": {"pretrain": {**pretrain, "corpus": "phages"}}}
    given = {"tasks": {"bases": {"kind": "language", "corpus": "phages"}}}
    if genome:
        models["plain"] = {"pretrain": pretrain}
        models["longer"] = {"extend": {"model": "plain", "method": "pi", "factor": 2}}
        given = {
            "reference": {"fasta": str(tmp_path / "genome.fa")},
            "splits": {"by": "contig", "train": ["chr1"], "test": ["chr20"]},
            "tasks": {"far": {"kind": "context_extension", "contexts": [4096, 8192]}},
        }
    if genome == "alleles":  # a task with places of its own, not cut by the splits of the study
        given["tasks"]["calls"] = {"kind": "variant_effects", "table": "calls.tsv", "label": "y", "direction": "loss"}
    study = check_study(
        {
            "study": "s",
            **given,
            "corpora": {"phages": {"sources": [{"path": "data/phages*.fa"}]}},
            "models": models,
            "adaptations": {"zero": {"kind": "zero-shot"}},
            "runs": [{"tasks": list(given["tasks"]), "models": list(models), "adaptations": ["zero"]}],
        }
    )
    found = pretraining_of(study, ROOT / "config")
    assert set(found) == set(models)
    assert "training part of corpus phages (phages*.fa)" in found["phages"][0]
    assert ("of the genome was: they are not compared" in found["phages"][0]) == bool(genome)
    if genome:
        more = "; what calls tests on was in it where it lies there, without its labels" if genome == "alleles" else ""
        said = [f"pretrained by this study on the training regions of its genome alone{more}"]
        assert found["plain"] == found["longer"] == said


def test_samples_of_a_collection_are_not_new_to_a_model():
    seen = populations_seen(corpus_of("nucleotide-transformer-2.5b-1000g", CHECKPOINTS, CORPORA))
    assert "1000 Genomes" in seen and "not new" in seen
    assert "not known" in populations_seen(Corpus())


def test_a_corpus_that_nobody_described():
    with pytest.raises(InputError, match="no corpus 'x'"):
        corpus_of("a", {"a": {"corpus": "x"}}, {})


def test_what_is_said_beside_a_score_names_the_answers_of_all_contigs():
    corpus = Corpus(species=["homo_sapiens"], complete=True, contigs="all", held_out=["chr8"], populations="reference")
    said = pretraining_sentences(corpus, ["chr8", "chr9", "chr10"], {"chr9": 138_394_717})
    assert "chr8 was kept out" in said[0] and "chr9 was in pretraining" in said[1] and "1 more contigs" in said[1]
    assert "reference genomes alone" in said[-1]
    other = pretraining_sentences(corpus, ["2L"], {"2L": 23_513_712})
    assert "give `reference.species`" in other[0]
    assert "was not in pretraining" in pretraining_sentences(corpus, ["2L"], {"2L": 1}, "drosophila_melanogaster")[0]


def test_models_behind_which_a_checkpoint_stands_are_said(tmp_path):
    (tmp_path / "genome.fa").write_text(">chr20\nACGT\n")
    (tmp_path / "genome.fa.fai").write_text("chr20\t64444167\t7\t60\t61\n")
    study = check_study(
        {
            "study": "s",
            "reference": {"fasta": str(tmp_path / "genome.fa")},
            "splits": {"by": "contig", "train": ["chr1"], "test": ["chr20"]},
            "tasks": {"far": {"kind": "context_extension", "contexts": [4096, 8192]}},
            "models": {
                "hyena": {"checkpoint": "hyenadna-large-1m"},
                "mine": {"checkpoint": "a/folder"},
                "small": {"new": {"family": "small"}},
            },
            "adaptations": {"zero": {"kind": "zero-shot"}},
            "runs": [{"tasks": ["far"], "models": ["hyena", "mine", "small"], "adaptations": ["zero"]}],
        }
    )
    found = pretraining_of(study, ROOT / "config")
    assert set(found) == {"hyena", "mine"}
    assert found["hyena"][0].startswith("parts of homo sapiens, chr20 were in pretraining")
    assert "not known" in found["mine"][0]
