"""The README in Chinese, which has to say what the English one says, and the check of the pages that are translated."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("babel")  # which the docs need; Airflow has it, too
import translations
from babel.messages.catalog import Catalog

REPOSITORY = Path(__file__).parents[2]
CODE_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE_OR_LINK = re.compile(r"`[^`]+`|\]\([^)]+\)")
TO_THE_OTHER = re.compile(r"\[(中文|English)\]\(README[^)]*\)")


def readme(name: str) -> str:
    return TO_THE_OTHER.sub("", (REPOSITORY / name).read_text(encoding="utf-8"))


def parts(text: str) -> list[str]:
    """Say of each part in turn what begins it: ``##`` a heading, ``|`` a row, ``!`` a picture, nothing a paragraph."""
    lines = re.sub(r"\n(?=[|#!])", "\n\n", CODE_BLOCK.sub("```", text))
    blocks = filter(None, map(str.strip, lines.split("\n\n")))
    return [block[: -len(block.lstrip("#|!"))] for block in blocks]


def catalogue(messages: dict[str, str], flags: Sequence[str] = ()) -> Catalog:
    catalogue = Catalog(fuzzy=False)
    for english, translation in messages.items():
        catalogue.add(english, translation, flags=flags)
    return catalogue


def find_problems(english: str, translation: str) -> list[str]:
    return [*translations.find_problems(catalogue({english: translation}))]


class TestTheReadmeInChinese:
    ENGLISH, CHINESE = readme("README.md"), readme("README.zh-CN.md")

    def test_and_the_english_one_lead_to_each_other(self) -> None:
        assert "\n[中文](README.zh-CN.md)\n" in (REPOSITORY / "README.md").read_text(encoding="utf-8")
        assert "\n[English](README.md)\n" in (REPOSITORY / "README.zh-CN.md").read_text(encoding="utf-8")

    def test_has_the_same_code(self) -> None:
        assert CODE_BLOCK.findall(self.CHINESE) == CODE_BLOCK.findall(self.ENGLISH)

    def test_has_the_same_headings_rows_and_paragraphs(self) -> None:
        assert parts(self.CHINESE) == parts(self.ENGLISH)

    def test_lacks_no_link_and_no_name(self) -> None:
        english, chinese = (
            Counter(CODE_OR_LINK.findall(CODE_BLOCK.sub("", text))) for text in (self.ENGLISH, self.CHINESE)
        )
        assert english - chinese == Counter()


class TestThePagesThatAreTranslated:
    PASSAGE, TRANSLATION = "See [stop now](stop-now.md), or `isales`.", "见[立即停止](stop-now.md)或 `isales`。"

    def test_are_up_to_date_with_a_translation_of_each_passage_as_it_is(self) -> None:
        assert translations.is_translated(self.PASSAGE, catalogue({self.PASSAGE: self.TRANSLATION}))

    @pytest.mark.parametrize("flags", [["fuzzy"], []])
    def test_are_not_with_one_of_another_or_none(self, flags: list[str]) -> None:
        there = catalogue({self.PASSAGE: self.TRANSLATION if flags else ""}, flags)
        assert not translations.is_translated(self.PASSAGE, there)
        assert not translations.is_translated("Something new.", there)

    def test_may_say_the_same_in_another_order(self) -> None:
        assert find_problems(self.PASSAGE, "`isales`或[立即停止](stop-now.md)。") == []

    @pytest.mark.parametrize("other", ["见[立即停止](stop.md)或 `isales`。", "见[立即停止](stop-now.md)或 isales。"])
    def test_may_have_no_other_links_or_code(self, other: str) -> None:
        (problem,) = find_problems(self.PASSAGE, other)
        assert other in problem

    def test_may_not_begin_like_a_list(self) -> None:
        (problem,) = find_problems("1. Stop", "1. 停止")
        assert problem == "'1. 停止' begins like a list or a heading, and would not be shown"
