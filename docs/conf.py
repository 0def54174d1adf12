"""Sphinx configuration: ``make docs``."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config

# Before Airflow is imported, which would make a home directory for its user.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="isales-docs-")

from airflow_provider_isales import __version__

REPOSITORY = Path(__file__).parents[1]

project = "airflow-provider-isales"
author = "The airflow-provider-isales maintainers"
project_copyright = author
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_reredirects"]
exclude_patterns = ["_build"]
nitpicky = True
# Only names of our own must resolve: nothing is looked up in other projects' docs.
nitpick_ignore_regex = [
    ("py:.*", r"(?!airflow_provider_isales|ISales|ShiftCalendar|Pause|Resume).*"),
    # Not public.
    ("py:class", r".*\.tls_socket\.Peer"),
    ("py:class", r".*\.(responses\.Success|text\.Secret|http_response\.\w+|verbs\.T_co|client\.T|diagnosis\.T)"),
]

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

smartquotes = False  # quotes in tables are code to copy

# The pages that are also in Chinese. `make docs` builds them, and makes catalogues of them, with `only_translated`.
TRANSLATED = ("index", "quickstart", "on-call")
locale_dirs = ["locale"]
gettext_compact = False  # a catalogue for each page
gettext_location = False  # every edit would change the lines

# Pages that are part of another one now, by their old names.
redirects = {
    "alarms": "monitoring.html",
    "benchmarks": "reliability.html#how-it-is-tested",
    "calendar-errors": "shifts.html#mistakes-in-a-calendar",
    "campaigns": "operators.html#whole-campaigns",
    "changelog": "install.html#upgrade",
    "commands": "cli.html#the-commands",
    "compatibility": "install.html#compatibility",
    "connection-test": "connection.html#test-the-connection",
    "distributed": "production.html",
    "doctor": "live-platform.html#step-by-step",
    "examples": "evening-to-morning.html#examples",
    "glossary": "index.html#glossary",
    "guard": "operators.html#the-guard",
    "metrics": "monitoring.html#metrics",
    "promises": "reliability.html",
    "prove": "monitoring.html#evidence",
    "retries": "operators.html#retries",
    "security": "production.html#security",
    "signing": "client.html#signing",
    "stop-at-shift-end": "keep-stopped.html",
    "terminal": "cli.html",
    "tested": "reliability.html#how-it-is-tested",
    "timetables": "shifts.html#timetables",
    "troubleshooting": "on-call.html#troubleshooting",
}

html_theme = "furo"
html_title = f"{project} {version}"
html_logo = html_favicon = "integration-logos/isales.svg"
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/languages.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
html_context = {"translated": TRANSLATED}
templates_path = ["_templates"]


def uncover_contents(app: Sphinx, page: str, source: list[str]) -> None:
    """Take the tables of contents out of the comments that hide them from code hosts, which would show them as code."""
    if not app.config.only_translated:
        source[0] = source[0].replace("<!-- for Sphinx\n", "").replace("\n-->\n", "\n")
    elif page == "index":
        source[0] += "\n".join(["```{toctree}", ":hidden:", "", *TRANSLATED[1:], "```"])


def index_result_codes(app: Sphinx, page: str, source: list[str]) -> None:
    """Put the result codes into the index, in brackets as messages have them: the search finds numbers nowhere else."""
    if page == "errors":
        source[0] = re.sub(r"^- `(\d+)`", r"- {index}`\1 <[\1]>`", source[0], flags=re.MULTILINE)


def leave_out_what_is_not_translated(app: Sphinx, config: Config) -> None:
    """Have a translation consist of the pages that are translated, and no others in English."""
    if config.only_translated:
        config.include_patterns = [f"{page}.md" for page in TRANSLATED]
        config.redirects = {}


def link_to_files_of_the_repository(app: Sphinx, doctree: nodes.document) -> None:
    """Link to Markdown files that are no pages, such as the changelog, as to other files: to a copy."""
    for link in list(doctree.findall(addnodes.pending_xref)):
        if link["refdomain"] == "doc" and link["reftarget"].startswith(str(REPOSITORY)):
            path = os.path.relpath(link["reftarget"] + ".md", app.srcdir)
            link.replace_self(addnodes.download_reference("", "", *link.children, reftarget=path))


def link_to_english_pages(app: Sphinx, doctree: nodes.document) -> None:
    """Have links to the other pages lead to the English ones, one directory up."""
    if app.config.only_translated:
        for link in list(doctree.findall(addnodes.pending_xref)):
            page, anchor = link["reftarget"], link.get("reftargetid")
            if link["refdomain"] == "doc" and page not in TRANSLATED:
                address = f"../{page}.html" + (f"#{anchor}" if anchor else "")
                link.replace_self(nodes.reference("", "", *link.children, refuri=address, internal=True))


def setup(app: Sphinx) -> None:
    app.add_config_value("only_translated", False, "env")
    app.connect("config-inited", leave_out_what_is_not_translated)
    app.connect("doctree-read", link_to_files_of_the_repository, priority=400)  # before Sphinx copies such files
    app.connect("doctree-read", link_to_english_pages)
    app.connect("source-read", uncover_contents)
    app.connect("source-read", index_result_codes)
