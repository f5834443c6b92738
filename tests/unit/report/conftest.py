import pytest
import synthetic_study


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    """A small study with everything a report can show."""
    return synthetic_study.make_study(tmp_path_factory.mktemp("study"), genes_per_contig=12)


@pytest.fixture
def undrawn(monkeypatch):
    """Figures are built and named but not drawn, which is almost half of a report's time; test_write.py has them drawn."""
    import matplotlib.pyplot as plt

    def leave(figure, stem):
        for kind in ("png", "svg"):
            stem.with_name(f"{stem.name}.{kind}").touch()
        plt.close(figure)

    monkeypatch.setattr("glmflow.report.figures._save", leave)
