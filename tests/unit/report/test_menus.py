"""The menu of a page leads to each of its sections."""

import re
from pathlib import Path

import glmflow.report
import pytest

FOLDER = Path(glmflow.report.__file__).parent
PAGES = sorted(page for page in FOLDER.rglob("*.html") if "{% block nav %}" in page.read_text())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_section_is_in_the_menu(page):
    text = page.read_text()
    menu = text.partition("{% block nav %}")[2].partition("{% endblock %}")[0]
    sections = set(re.findall(r'<section id="([\w-]+)"', text)) - {"summary"}
    assert sections <= set(re.findall(r'href="#([\w-]+)"', menu))
