"""
Compare translated pages with the English: ``python dev/translations.py build/gettext docs/locale/zh_CN/LC_MESSAGES``.

Prints which passages are not translated, or have changed since; this is no failure, because authors need not know the
language. Fails where a translation has other code or links than the English, or begins like a list or a heading, which
Markdown would not show as text.
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
    """Print the stale passages; exit with the wrong ones."""
    templates, catalogues = map(Path, sys.argv[1:])
    wrong: list[str] = []
    for template in sorted(templates.glob("*.pot")):
        english, translated = read_catalogue(template), read_catalogue(catalogues / f"{template.stem}.po")
        passages = [message for message in english if message.id]
        stale = [get_english(message) for message in passages if not is_translated(get_english(message), translated)]
        if stale:
            print(f"{WARNING}docs/{template.stem}.md: not translated, {len(stale)} of {len(passages)} passages:")
            print(*(f"    {passage[:SHOWN]}" for passage in stale), sep="\n")
        wrong += (f"{catalogues / template.stem}.po: {problem}" for problem in find_problems(translated))
    sys.exit("\n".join(wrong) or None)


def read_catalogue(path: Path) -> Catalog:
    """Return a catalogue; an empty one if there is no file."""
    if not path.exists():
        return Catalog()
    with path.open("rb") as file:
        return read_po(file)


def get_english(message: Message) -> str:
    """Return the English of a message; the docs have no plural forms."""
    return str(message.id)


def is_translated(passage: str, catalogue: Catalog) -> bool:
    """Tell whether the current text of a passage is translated."""
    message = catalogue.get(passage)
    return message is not None and bool(message.string) and not message.fuzzy


def find_problems(catalogue: Catalog) -> Iterator[str]:
    """Yield what is wrong with translations."""
    for message in catalogue:
        english, translation = get_english(message), str(message.string)
        if english and translation and not message.fuzzy:
            expected, found = (Counter(CODE_OR_LINK.findall(passage)) for passage in (english, translation))
            if expected != found:
                missing, added = ([*(one - other)] for one, other in ((expected, found), (found, expected)))
                yield f"'{translation[:SHOWN]}' lacks {missing} and has {added} instead"
            if BLOCK.match(translation):
                yield f"'{translation[:SHOWN]}' begins like a list or a heading, and would not be shown"


if __name__ == "__main__":
    main()
