"""
Compare translated pages with the English: ``python dev/translations.py build/gettext docs/locale/zh_CN/LC_MESSAGES``.

Says which passages are not translated, or changed since, and goes on: who changes a page need not know the language.
Fails where a translation would show something else than the English: other code, other links, or nothing at all because
Markdown takes it for a list or a heading.
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

CODE_OR_LINK = re.compile(r"`[^`]+`|\]\([^)]+\)|<[a-z]+://[^>]+>")
BLOCK = re.compile(r"\d+[.)] |[-+*] |#+ |>")
SHOWN = 100  # characters of a passage
WARNING = "::warning::" if "GITHUB_ACTIONS" in os.environ else ""


def main() -> None:
    """Print what is stale, and exit with what is wrong."""
    templates, catalogues = map(Path, sys.argv[1:])
    wrong: list[str] = []
    for template in sorted(templates.glob("*.pot")):
        english, translated = read(template), read(catalogues / f"{template.stem}.po")
        passages = [message for message in english if message.id]
        stale = [text(message) for message in passages if not is_translated(text(message), translated)]
        if stale:
            print(f"{WARNING}docs/{template.stem}.md: not translated, {len(stale)} of {len(passages)} passages:")
            print(*(f"    {passage[:SHOWN]}" for passage in stale), sep="\n")
        wrong += (f"{catalogues / template.stem}.po: {problem}" for problem in problems(translated))
    sys.exit("\n".join(wrong) or None)


def read(path: Path) -> Catalog:
    """Read a catalogue; one that is not there is empty."""
    if not path.exists():
        return Catalog()
    with path.open("rb") as file:
        return read_po(file)


def text(message: Message) -> str:
    """Give the English of a message, which is in the plural nowhere in the docs."""
    return str(message.id)


def is_translated(passage: str, catalogue: Catalog) -> bool:
    """Say whether a passage is translated as it is now."""
    message = catalogue.get(passage)
    return message is not None and bool(message.string) and not message.fuzzy


def problems(catalogue: Catalog) -> Iterator[str]:
    """Name the translations that would not show what the English does."""
    for message in catalogue:
        english, translation = text(message), str(message.string)
        if english and translation and not message.fuzzy:
            expected, found = (Counter(CODE_OR_LINK.findall(each)) for each in (english, translation))
            if expected != found:
                missing, added = ([*(one - other)] for one, other in ((expected, found), (found, expected)))
                yield f"'{translation[:SHOWN]}' lacks {missing} and has {added} instead"
            if BLOCK.match(translation):
                yield f"'{translation[:SHOWN]}' begins like a list or a heading, and would not be shown"


if __name__ == "__main__":
    main()
