"""A run as a whole: what is done before a model is loaded, what it leaves, and whose haplotypes it learns from."""

import pytest
from glmflow.errors import HopelessError, InputError
from glmflow.genome.reference import Reference
from glmflow.genome.variants import build_store
from glmflow.training import finetune as module
from glmflow.training.loop.fit import checkpoints_of, record_failure
from tiny_genes import ADAPTATIONS, settings_of
from tiny_tracks import LENGTH, tiny_tracks


@pytest.fixture(params=["track_windows", "gene_haplotypes"])
def arguments(request, tmp_path):
    """Arguments of `finetune` for two kinds of input."""
    if request.param == "track_windows":
        return tiny_tracks(tmp_path) | {"folder": tmp_path / "run"}
    files, examples, _ = request.getfixturevalue("cohort")
    settings = settings_of(*ADAPTATIONS["full"])
    run = {"settings": settings, "examples": examples, "files": files}
    return run | {"checkpoint": None, "folder": tmp_path / "run"}


def test_a_run_that_failed_for_good_is_refused_before_its_model_is_loaded(arguments, monkeypatch):
    def fails(model, draws, collate, training, updates, folder, seed, evaluate, identity):
        assert updates == arguments["settings"]["adaptation"]["train"]["steps"]
        error = HopelessError("the loss is nan")
        record_failure(checkpoints_of(folder, training, updates, seed, identity), error)
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(module, "fit", fails)
        with pytest.raises(HopelessError, match="the loss is nan"):
            module.finetune(**arguments)

    def never(*arguments):
        raise AssertionError("a model is loaded")

    monkeypatch.setattr(module, "starting_model", never)
    with pytest.raises(HopelessError, match="not tried again, as nothing has changed: the loss is nan"):
        module.finetune(**arguments)


def test_a_run_leaves_its_model_and_what_it_cost(tmp_path):
    module.finetune(**tiny_tracks(tmp_path), folder=tmp_path / "run")
    assert {path.name for path in (tmp_path / "run").iterdir()} >= {"model", "metrics.jsonl", "cost.json"}


def test_haplotypes_are_those_of_the_table_of_samples(tmp_path, monkeypatch):
    """One sample has G at every base, the other C: what is learned from tells whose it is."""
    task = {"haplotypes": {"share": 1.0, "variants": "snv", "inserted": "masked"}}
    arguments = tiny_tracks(tmp_path, task=task) | {"folder": tmp_path / "run"}
    arguments["files"]["store"] = str(tmp_path / "store")
    reference = Reference(arguments["files"]["fasta"])
    bases = reference.fetch_string("chr1", 0, LENGTH)
    others = {"A": "C,G", "C": "G", "G": "C", "T": "C,G"}
    lines = ["##fileformat=VCFv4.2", f"##contig=<ID=chr1,length={LENGTH}>"]
    lines += ['##FORMAT=<ID=GT,Number=1,Type=String,Description="">']
    lines += ["#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tgia\tcyd"]
    for n, ref in enumerate(bases):
        order = [ref, *others[ref].split(",")]
        genotypes = "\t".join(f"{order.index(base)}|{order.index(base)}" for base in "GC")
        lines.append(f"chr1\t{n + 1}\t.\t{ref}\t{others[ref]}\t.\tPASS\t.\tGT\t{genotypes}")
    (tmp_path / "cohort.vcf").write_text("\n".join(lines) + "\n")
    build_store(tmp_path / "cohort.vcf", reference, tmp_path / "store")

    def learned(samples):
        read, identities = [], []

        def fit(model, draws, collate, training, updates, folder, seed, evaluate, identity):
            read.extend(item["sequence"] for item, _ in zip(draws, range(20)))
            identities.append(checkpoints_of(folder, training, updates, seed, identity).hash)
            raise KeyboardInterrupt

        monkeypatch.setattr(module, "fit", fit)
        with pytest.raises(KeyboardInterrupt):
            module.finetune(**arguments | {"files": arguments["files"] | {"samples": samples}})
        return set("".join(read)), identities[0]

    (tmp_path / "gia.tsv").write_text("sample\ngia\n")
    (tmp_path / "cyd.tsv").write_text("sample\ncyd\n")
    (bases_of_gia, gia), (bases_of_cyd, cyd) = learned(str(tmp_path / "gia.tsv")), learned(str(tmp_path / "cyd.tsv"))
    assert bases_of_gia == {"G"} and bases_of_cyd == {"C"} and learned([])[0] == {"C", "G"}
    assert gia != cyd, "a run on other samples does not go on from these checkpoints"
    (tmp_path / "cyd.tsv").write_text("sample\ncyd\nnope\n")
    with pytest.raises(InputError, match="1 of its 2 samples have no genotypes: 'nope'"):
        module.finetune(**arguments | {"files": arguments["files"] | {"samples": str(tmp_path / "cyd.tsv")}})


def test_nothing_to_learn_from_is_refused(cohort, tmp_path):
    files, examples, _ = cohort
    settings = settings_of(*ADAPTATIONS["full"])
    with pytest.raises(InputError, match="no gene has two training samples"):
        module.finetune(settings, examples[examples["split"] != "train"], files, None, tmp_path)
    with pytest.raises(InputError, match="no gene differs between training samples"):
        module.finetune(settings, examples.assign(target=1.0), files, None, tmp_path)
    assert not (tmp_path / "model").exists()
