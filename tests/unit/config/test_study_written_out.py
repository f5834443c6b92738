"""A study that is written out with every key, as jobs receive it, is read as the same study."""

import pytest
from glmflow.config import read_study
from glmflow.config.study import Study
from running import ROOT

STUDIES = [*sorted((ROOT / "config/studies").glob("*.yaml")), *sorted((ROOT / "tests/workflow").glob("*.yaml"))]


@pytest.mark.parametrize("path", [ROOT / "config/config.yaml", *STUDIES], ids=lambda path: path.stem)
def test_a_study_is_the_same_when_it_is_read_again(path):
    study = read_study(path)
    written = study.model_dump(mode="json")
    assert Study.model_validate(written).model_dump(mode="json") == written
