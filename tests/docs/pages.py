"""The pages of the documentation and the blocks of code on them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

REPOSITORY = Path(__file__).parents[2]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
NOT_RUN = re.compile(r"<!-- not run: (.+) -->\s*$")


@dataclass(frozen=True)
class Block:
    """
    A block of code.

    :param page: the file that it is in
    :param line: the number of its first line of code
    :param language: what follows the backticks
    :param code: the code
    :param reason: why the tests do not run it, from a comment ``<!-- not run: ... -->`` right above it; else empty
    """

    page: Path
    line: int
    language: str
    code: str
    reason: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(REPOSITORY)}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """Return all blocks of code of a page, in their order."""
    blocks = []
    above = ""
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "fence" and token.map:
            reason = NOT_RUN.match(above)
            first_line = token.map[0] + 2
            blocks.append(Block(page, first_line, token.info.strip(), token.content, reason[1] if reason else ""))
        above = token.content if token.type == "html_block" else ""
    return blocks


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def blocks_to_run(*languages: str) -> dict[str, list[Block]]:
    """Return the blocks in these languages that the tests run, by the name of their page."""
    found: dict[str, list[Block]] = {}
    for block in BLOCKS:
        if block.language in languages and not block.reason:
            found.setdefault(block.page.stem, []).append(block)
    return found
