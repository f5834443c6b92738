"""The hackathon's files: its own DataLoader as the oracle (expected/hackathon_mini)."""

import hashlib
import json
import shutil

import h5py
import numpy as np
import pandas as pd
import pytest
from glmflow.binding.binding_data import region_names
from glmflow.binding.cell_features import principal_components, tf_expression
from glmflow.binding.h5ad_tables import read_h5ad
from glmflow.errors import InputError
from glmflow.genome.reference import Reference
from glmflow.tasks.seq2cellxtf.hackathon_binding import read_expression, read_hackathon, read_trial

SPLITS = {"train": "train", "val": "validation", "test": "test"}


@pytest.fixture(scope="module")
def mini(test_data):
    return test_data / "seq2cellxtf/expected/hackathon_mini"


def read(folder, task):
    files = [folder / name for name in ("ad_chip_chromsubset.h5ad", "ad_rna_bulk.h5ad", "jaspar_meme.txt", "hg38.fa")]
    return read_hackathon(*files, folder / f"task{task}/config.json")


@pytest.mark.parametrize("task", ["a", "b", "c"])
def test_trials_are_read_as_by_the_hackathons_loader(mini, task):
    expected = json.loads((mini / "expected.json").read_text())["expected"][task]
    data = read(mini, task)
    assert region_names(data.regions) == expected["regions"]
    split = data.keys["key"].map(data.held_out).fillna("train").to_numpy()
    components = principal_components(data.expression, 20)
    genome = Reference(mini / "hg38.fa")
    for theirs, ours in SPLITS.items():
        part = expected[theirs]
        keys, regions = np.flatnonzero(split == ours), np.flatnonzero(data.splits == ours)
        assert data.keys["key"].to_numpy()[keys].tolist() == part["keys"]
        assert regions.tolist() == part["region_index"]
        assert data.labels[np.ix_(keys, regions)].astype(int).tolist() == part["Y"]
        sequences = data.regions["sequence"].to_numpy()[regions].tolist()
        assert sequences[0] == part["X_seq_first"].upper()
        found = components.loc[data.keys["cell"].to_numpy()[keys]].abs().to_numpy()
        assert found.shape == tuple(part["X_rna_shape"])
        assert found == pytest.approx(np.array(part["X_rna_abs"]), abs=2e-4)
        motifs = [data.motifs[tf][0] for tf in data.keys["tf"].to_numpy()[keys]]
        assert [motif.width for motif in motifs] == part["pwm_widths"]
        assert [motif.probabilities[0] for motif in motifs] == [
            pytest.approx(row, abs=1e-5) for row in part["pwm_first_row"]
        ]
        if all(name in genome.contigs for name in set(data.regions["chrom"])):
            raw = _raw(mini / "hg38.fa")
            rows = data.regions.iloc[regions]
            cased = [raw[row.chrom][row.start : row.end] for row in rows.itertuples()]
            assert hashlib.md5("\n".join(cased).encode()).hexdigest() == part["X_seq_md5"]
            assert [one.upper() for one in cased] == sequences


def _raw(path):
    found, name = {}, None
    for line in path.read_text().splitlines():
        if line.startswith(">"):
            name = line[1:].split()[0]
            found[name] = []
        else:
            found[name].append(line)
    return {name: "".join(lines) for name, lines in found.items()}


def test_a_trial_without_a_key_or_with_one_twice_is_refused(mini, tmp_path):
    config = json.loads((mini / "taska/config.json").read_text())
    config["celltype_TF"]["val"] = ["K562_REST"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="key K562_REST more than once"):
        read_trial(tmp_path / "config.json")
    config["celltype_TF"]["val"] = ["K562_MYC"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    files = [mini / name for name in ("ad_chip_chromsubset.h5ad", "ad_rna_bulk.h5ad", "jaspar_meme.txt", "hg38.fa")]
    with pytest.raises(InputError, match=r"1 keys are not in .*: K562_MYC"):
        read_hackathon(*files, tmp_path / "config.json")
    with pytest.raises(InputError, match="no trial of the hackathon"):
        read_trial(mini / "hg38.fa")


def changed(mini, folder, change):
    """A copy of the ChIP file with something else in it."""
    shutil.copyfile(mini / "ad_chip_chromsubset.h5ad", folder / "chip.h5ad")
    with h5py.File(folder / "chip.h5ad", "r+") as file:
        change(file)
    return folder / "chip.h5ad", mini / "ad_rna_bulk.h5ad", mini / "jaspar_meme.txt", mini / "hg38.fa"


def counted(file):
    values = file["X/data"][()].astype(np.float32)
    values[0] = 3
    del file["X/data"]
    file["X/data"] = values


def without_targets(file):
    del file["obs/Target of assay"]


def overlapping(file):
    file["var/end"][0] = file["var/start"][1] + 1


def turned(file):
    """The first contig comes once more at the end."""
    for name in ("start", "end"):
        file["var"][name][:] = np.roll(file["var"][name][()], -1)
    part = file["var/chr/codes"] if isinstance(file["var/chr"], h5py.Group) else file["var/chr"]
    part[:] = np.roll(part[()], -1)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (counted, "values up to 3"),
        (without_targets, "obs lacks Target of assay"),
        (overlapping, "1 regions overlap the one before or are out of order"),
        (turned, "1 regions overlap the one before or are out of order"),
    ],
)
def test_damaged_files_are_named(mini, tmp_path, change, what):
    with pytest.raises(InputError, match=what):
        read_hackathon(*changed(mini, tmp_path, change), mini / "taska/config.json")


def test_cells_without_rna_and_tfs_without_a_motif_are_named(mini, tmp_path):
    files = [mini / name for name in ("ad_chip_chromsubset.h5ad", "ad_rna_bulk.h5ad", "jaspar_meme.txt", "hg38.fa")]
    shutil.copyfile(files[1], tmp_path / "rna.h5ad")
    with h5py.File(tmp_path / "rna.h5ad", "r+") as file:
        names = (
            file["obs/term_name"]["categories"]
            if isinstance(file["obs/term_name"], h5py.Group)
            else file["obs/term_name"]
        )
        place = next(number for number, name in enumerate(names.asstr()[()]) if name == "PFSK-1")
        names[place] = "another"
    with pytest.raises(InputError, match="1 cells without RNA: PFSK-1"):
        read_hackathon(files[0], tmp_path / "rna.h5ad", *files[2:], mini / "taska/config.json")
    text = files[2].read_text()
    (tmp_path / "motifs.txt").write_text(text.replace(".REST", ".OTHER"))
    with pytest.raises(InputError, match="1 TFs without a motif: REST"):
        read_hackathon(*files[:2], tmp_path / "motifs.txt", files[3], mini / "taska/config.json")


def test_genes_of_one_symbol_are_all_kept(mini, tmp_path):
    """The original's components are of all genes; the expression of a TF is that of the first gene of its name."""
    shutil.copyfile(mini / "ad_rna_bulk.h5ad", tmp_path / "rna.h5ad")
    whole = read_expression(mini / "ad_rna_bulk.h5ad")
    with h5py.File(tmp_path / "rna.h5ad", "r+") as file:
        group = file["var/gene_symbol"]
        part = group["codes"] if isinstance(group, h5py.Group) else group
        part[5] = part[3]
    found = read_expression(tmp_path / "rna.h5ad")
    assert found.shape == whole.shape and found.columns.is_unique
    assert (found.to_numpy() == whole.to_numpy()).all()
    name = whole.columns[3]
    assert (tf_expression(found, [name]) == tf_expression(whole, [name])).all(axis=None)


def test_h5ad_files_that_are_not_are_refused(tmp_path):
    (tmp_path / "no.h5ad").write_text("no")
    with pytest.raises(InputError, match="no h5ad file"):
        read_h5ad(tmp_path / "no.h5ad")
    with h5py.File(tmp_path / "empty.h5ad", "w") as file:
        file["X"] = np.zeros((2, 2))
    with pytest.raises(InputError, match="no h5ad file"):
        read_h5ad(tmp_path / "empty.h5ad")


def test_components_are_fitted_on_training_cells_alone():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(6, 30)), index=pd.Index(list("ABCDEF"), name="cell"))
    found = principal_components(table, 2, "ABCDE")
    changed = table.copy()
    changed.loc["F"] += 5
    again = principal_components(changed, 2, "ABCDE")
    assert again.loc[list("ABCDE")].to_numpy() == pytest.approx(found.loc[list("ABCDE")].to_numpy())
    assert not np.allclose(again.loc["F"], found.loc["F"])
    assert found.loc[list("ABCDE")].mean().to_numpy() == pytest.approx([0, 0])
    with pytest.raises(InputError, match="3 samples of training cells, and 5 components"):
        principal_components(table, 5, "ABC")


def test_expression_of_tfs_is_found_by_name():
    table = pd.DataFrame([[1.0, 2], [3, 4]], index=pd.Index(["A", "A"], name="cell"), columns=["Max", "REST"])
    found = tf_expression(table, ["MAX", "NOT"])
    assert found.loc["A", "MAX"] == 2 and np.isnan(found.loc["A", "NOT"])
