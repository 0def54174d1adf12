"""What a caller may pass, and what the error says otherwise."""

from __future__ import annotations

import re

import pytest

from airflow_provider_isales.client import BatchStatus, ISalesArgumentError
from airflow_provider_isales.client.arguments import (
    batch_key,
    check_batch_id,
    check_batch_name,
    check_campaign_id,
    check_status,
    check_vdn_id,
)

BATCH = "012345678901234567890123456789"


@pytest.mark.parametrize(("value", "vdn_id"), [(1, 1), (9999, 9999), ("25", 25), ("0025", 25)])
def test_a_vdn_id_is_an_integer_or_its_digits(value: object, vdn_id: int) -> None:
    assert check_vdn_id(value) == vdn_id


@pytest.mark.parametrize("value", [0, 10000, -1, True, 25.0, "", " 25", "2_5", "٢٥", "+25", None, "{{ x }}"])
def test_any_other_vdn_id_is_refused_with_what_is_allowed(value: object) -> None:
    with pytest.raises(
        ISalesArgumentError, match=re.escape(f"vdn_id must be an integer from 1 to 9999, not {value!r}")
    ):
        check_vdn_id(value)


@pytest.mark.parametrize(("value", "campaign_id"), [(1, 1), ("2147483648", 2147483648)])
def test_a_campaign_id_is_a_positive_integer_or_its_digits(value: object, campaign_id: int) -> None:
    assert check_campaign_id(value) == campaign_id


@pytest.mark.parametrize("value", [0, -7, True, 7.0, "7.0", "", "seven", "9" * 5000, None, [7]])
def test_any_other_campaign_id_is_refused_with_what_is_allowed(value: object) -> None:
    with pytest.raises(ISalesArgumentError, match="campaign_id must be a positive integer, not"):
        check_campaign_id(value)


def test_a_batch_id_keeps_its_leading_zeros() -> None:
    assert check_batch_id(BATCH) == BATCH


def test_a_number_for_a_batch_id_is_refused_with_the_reason() -> None:
    with pytest.raises(ISalesArgumentError, match="not the number 1747: a number loses leading zeros"):
        check_batch_id(1747)


@pytest.mark.parametrize("value", ["", "12a", " 12", "12\n", "\uff11", 1.5, True, None, b"12"])
def test_any_other_batch_id_is_refused_with_what_is_allowed(value: object) -> None:
    with pytest.raises(ISalesArgumentError, match="batch_id must be text of 1 to 64 digits, not"):
        check_batch_id(value)


@pytest.mark.parametrize("name", ["a", "早班-催收 批次", "x" * 255, "a.b_c-d (1)"])
def test_a_name_by_the_documented_rules_is_accepted(name: str) -> None:
    assert check_batch_name(name) == name


@pytest.mark.parametrize("name", ["", "x" * 256, 7, None])
def test_a_name_of_another_length_or_type_is_refused(name: object) -> None:
    with pytest.raises(ISalesArgumentError, match="name must be text of 1 to 255 characters, not"):
        check_batch_name(name)


@pytest.mark.parametrize("character", '<>!@#$%^&*?;"~/\\')
def test_a_name_with_a_forbidden_character_is_refused_and_the_character_named(character: str) -> None:
    with pytest.raises(ISalesArgumentError, match=re.escape(f"name must not contain {character}, as ")):
        check_batch_name(f"a{character}b")


@pytest.mark.parametrize("value", [1, BatchStatus.STARTED])
def test_a_status_is_one_of_the_two(value: object) -> None:
    assert check_status(value) is BatchStatus.STARTED


@pytest.mark.parametrize("value", [0, 3, "1", True, None])
def test_any_other_status_is_refused_with_what_is_allowed(value: object) -> None:
    with pytest.raises(ISalesArgumentError, match=re.escape("status must be 1 (started) or 2 (suspended), not")):
        check_status(value)


def test_a_key_reads_as_what_it_names() -> None:
    assert str(batch_key(25, "1001", BATCH)) == f"call batch {BATCH} of campaign 1001 (VDN 25)"
