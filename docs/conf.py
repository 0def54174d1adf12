"""Sphinx configuration: ``make docs``."""

from __future__ import annotations

import os
import re
import tempfile

from sphinx.application import Sphinx

# Before Airflow is imported, which would make a home directory for its user.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="isales-docs-")

from airflow_provider_isales import __version__

project = "airflow-provider-isales"
author = "The airflow-provider-isales maintainers"
project_copyright = author
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
nitpicky = True
# Only names of our own must resolve: nothing is looked up in other projects' docs.
nitpick_ignore_regex = [
    ("py:.*", r"(?!airflow_provider_isales|ISales|ShiftCalendar|Pause|Resume).*"),
    # Not public.
    ("py:class", r".*\.(bulk\.Client|answers\.Answer|text\.Secret|transport\.Peer|verbs\.T_co|client\.T|look\.T)"),
]

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

smartquotes = False  # quotes in tables are code to copy

html_theme = "furo"
html_title = f"{project} {version}"
html_logo = html_favicon = "integration-logos/isales.svg"


def uncover_contents(app: Sphinx, page: str, source: list[str]) -> None:
    """Take the tables of contents out of the comments that hide them from code hosts, which would show them as code."""
    source[0] = source[0].replace("<!-- for Sphinx\n", "").replace("\n-->\n", "\n")


def index_result_codes(app: Sphinx, page: str, source: list[str]) -> None:
    """Put the result codes into the index, in brackets as messages have them: the search finds numbers nowhere else."""
    if page == "errors":
        source[0] = re.sub(r"^\| `(\d+)` \|", r"| {index}`\1 <[\1]>` |", source[0], flags=re.MULTILINE)


def setup(app: Sphinx) -> None:
    app.connect("source-read", uncover_contents)
    app.connect("source-read", index_result_codes)
