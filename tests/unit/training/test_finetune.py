"""A track run as a whole: what is done before a model is loaded, and what is left of a prediction that was killed."""

import pytest
from glmflow.errors import HopelessError, InputError
from glmflow.genome.reference import Reference
from glmflow.genome.variants import build_store
from glmflow.training import finetune as module
from glmflow.training import predict as prediction
from glmflow.training.fit import checkpoints_of, record_failure
from tiny_tracks import LENGTH, tiny_tracks


def test_a_run_that_failed_for_good_is_refused_before_its_model_is_loaded(tmp_path, monkeypatch):
    arguments = tiny_tracks(tmp_path) | {"folder": tmp_path / "run"}

    def fails(model, draws, collate, training, updates, folder, seed, evaluate, identity):
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


def test_haplotypes_are_those_of_the_table_of_people(tmp_path, monkeypatch):
    """One person has G at every base, the other C: what is learned from tells whose it is."""
    arguments = tiny_tracks(tmp_path) | {"folder": tmp_path / "run", "store": tmp_path / "store"}
    arguments["settings"]["task"]["haplotypes"] = {"share": 1.0, "variants": "snv", "inserted": "masked"}
    reference = Reference(arguments["reference"])
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
            module.finetune(**arguments, samples=samples)
        return set("".join(read)), identities[0]

    (tmp_path / "gia.tsv").write_text("sample\ngia\n")
    (tmp_path / "cyd.tsv").write_text("sample\ncyd\n")
    (bases_of_gia, gia), (bases_of_cyd, cyd) = learned(tmp_path / "gia.tsv"), learned(tmp_path / "cyd.tsv")
    assert bases_of_gia == {"G"} and bases_of_cyd == {"C"} and learned(None)[0] == {"C", "G"}
    assert gia != cyd, "a run on other people does not go on from these checkpoints"
    (tmp_path / "cyd.tsv").write_text("sample\ncyd\nnope\n")
    with pytest.raises(InputError, match="1 of its 2 people have no genotypes: 'nope'"):
        module.finetune(**arguments, samples=tmp_path / "cyd.tsv")


def test_a_killed_prediction_computes_the_other_windows_alone(tmp_path, monkeypatch):
    arguments = tiny_tracks(tmp_path)
    module.finetune(**arguments, folder=tmp_path / "run")
    examples = arguments["examples"].assign(example=[f"w{n}" for n in range(len(arguments["examples"]))])
    inputs = (tmp_path / "run/model", examples, arguments["reference"])
    prediction.predict_tracks(*inputs, tmp_path / "expected")
    computed, predict_windows = [], prediction.predict_windows

    def killed_at(number):
        def predict(model, genome, windows, swap):
            computed.extend(windows["example"])
            if len(computed) == number:
                raise KeyboardInterrupt
            return predict_windows(model, genome, windows, swap)

        return predict

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(prediction, "predict_windows", killed_at(2))
        prediction.predict_tracks(*inputs, tmp_path / "again")
    assert computed == ["w13", "w14"], "the first of three held-out windows is kept"
    computed.clear()
    monkeypatch.setattr(prediction, "predict_windows", killed_at(None))
    prediction.predict_tracks(*inputs, tmp_path / "again")
    assert computed == ["w14", "w15"]
    for name in ("blood.bw", "predictions.parquet"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "expected" / name).read_bytes()
    assert not (tmp_path / "again/.parts").exists()
