import subprocess
import sys

import pytest
from glmflow.config.simulation_settings import OverlaySettings, PromoterSettings, SimulationSettings
from pydantic import BaseModel, ValidationError


def test_settings_are_read_without_anything_heavy():
    code = "import sys, glmflow.config.simulation_settings; print(sorted({m.partition('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'pydantic'" in loaded
    for heavy in ("numpy", "pandas", "torch", "msprime", "pysam", "pyBigWig"):
        assert f"'{heavy}'" not in loaded


def _blocks(model: type[BaseModel]):
    yield model
    for field in model.model_fields.values():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _blocks(field.annotation)


@pytest.mark.parametrize("model", [SimulationSettings, OverlaySettings])
def test_every_key_is_described_and_no_other_is_taken(model):
    for block in _blocks(model):
        assert block.model_config["extra"] == "forbid"
        for name, field in block.model_fields.items():
            assert field.description, name


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"sede": 1}, "sede"),
        ({"contigs": {"chr1": 100_000}}, "contigs"),
        ({"genes": {"spacing_bp": 2000}}, "spacing_bp"),
        ({"promoter": {"effects": {"liver": [1, 1, 1, 1, 1], "brain": [1, 1]}}}, "effects"),
        ({"promoter": {"effects": {"liver": [1, 1]}}}, "effects"),
        ({"expression": {"heritability": 1.2}}, "heritability"),
        ({"genes": {"exon_bp": [500, 120]}}, "exon_bp"),
        ({"genes": {"spacing_bp": 30_000}, "contigs": {"chr1": 50_000, "chr2": 20_000}}, "chr2"),
        ({"expression": {"causal_variants": 30}}, "causal_variants"),
    ],
)
def test_what_cannot_be_simulated_is_refused_by_name(given, named):
    with pytest.raises(ValidationError, match=named):
        SimulationSettings(**given)


def test_pseudo_genes_need_room():
    with pytest.raises(ValidationError, match="pseudo_gene_spacing_bp"):
        OverlaySettings(pseudo_gene_spacing_bp=1200)
    assert OverlaySettings(pseudo_gene_spacing_bp=None).pseudo_gene_spacing_bp is None


def test_settings_survive_yaml_and_json():
    settings = SimulationSettings(seed=3, promoter=PromoterSettings(sites_per_gene=5))
    assert SimulationSettings(**settings.model_dump(mode="json")) == settings
