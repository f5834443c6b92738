"""The files of a small hackathon (real data), as a task names them."""

FILES = {"chip": "ad_chip_chromsubset.h5ad", "rna": "ad_rna_bulk.h5ad", "motifs": "jaspar_meme.txt", "fasta": "hg38.fa"}


def hackathon(test_data, trial):
    """Return the block `hackathon` of a task, for the trial `a`, `b` or `c`."""
    folder = test_data / "seq2cellxtf/expected/hackathon_mini"
    return {key: str(folder / name) for key, name in (FILES | {"trial": f"task{trial}/config.json"}).items()}
