"""The arguments that callers may pass, and the errors of all others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from airflow_provider_isales.client import BatchStatus, ISalesArgumentError
from airflow_provider_isales.client.arguments import (
    check_access_key,
    check_batch_id,
    check_batch_ids,
    check_batch_name,
    check_batch_status,
    check_campaign_id,
    check_instant,
    check_integer,
    check_parallelism,
    check_seconds,
    check_vdn_id,
)
from airflow_provider_isales.client.models import BatchKey

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


@pytest.mark.parametrize(("value", "campaign_id"), [(1, 1), ("2147483648", 2147483648), ("9" * 64, 10**64 - 1)])
def test_a_campaign_id_is_a_positive_integer_or_its_digits(value: object, campaign_id: int) -> None:
    assert check_campaign_id(value) == campaign_id


@pytest.mark.parametrize("value", [0, -7, True, 7.0, "7.0", "", "seven", "9" * 5000, 10**64, None, [7]])
def test_any_other_campaign_id_is_refused_with_what_is_allowed(value: object) -> None:
    with pytest.raises(ISalesArgumentError, match="campaign_id must be a positive integer, not"):
        check_campaign_id(value)


def test_a_batch_id_keeps_its_leading_zeros() -> None:
    assert check_batch_id(BATCH) == BATCH


def test_a_batch_id_may_have_64_digits() -> None:
    assert check_batch_id("9" * 64) == "9" * 64


def test_a_number_for_a_batch_id_is_refused_with_the_reason() -> None:
    with pytest.raises(ISalesArgumentError, match="not the number 1747: a number loses leading zeros"):
        check_batch_id(1747)


@pytest.mark.parametrize("value", ["", "12a", " 12", "12\n", "\uff11", 1.5, True, None, b"12", "9" * 65])
def test_any_other_batch_id_is_refused_with_what_is_allowed(value: object) -> None:
    with pytest.raises(ISalesArgumentError, match="batch_id must be text of 1 to 64 digits, not"):
        check_batch_id(value)


class Column:
    """A list as data frames have it: comparing it gives no yes or no."""

    def __iter__(self) -> Iterator[str]:
        return iter(["1", "2"])

    def __eq__(self, other: object) -> bool:
        raise ValueError("the truth value of a column is ambiguous")

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize("value", [["1", "2"], ("1", "2"), dict.fromkeys(["1", "2"]).keys(), Column()])
def test_batches_may_be_given_as_anything_like_a_list(value: object) -> None:
    assert check_batch_ids(value) == ["1", "2"]


def test_all_batches_are_named_by_a_word() -> None:
    assert check_batch_ids("all") == "all"


@pytest.mark.parametrize("value", [None, "123", b"123", 7, {"1": "2"}])
def test_anything_else_for_batches_is_refused(value: object) -> None:
    with pytest.raises(ISalesArgumentError, match=r'batch_ids must be a list of batch ids, or "all" for every'):
        check_batch_ids(value)


def test_a_list_of_batches_that_cannot_be_read_is_refused_with_the_reason() -> None:
    def broken() -> Iterator[str]:
        yield "1"
        raise OSError("no such file")

    with pytest.raises(ISalesArgumentError, match=r"iterating batch_ids failed: OSError\('no such file'\)"):
        check_batch_ids(broken())


@pytest.mark.parametrize("value", [1, 64])
def test_one_to_64_parallel_requests_are_accepted(value: int) -> None:
    assert check_parallelism(value) == value


@pytest.mark.parametrize("value", [0, 65, True, 8.0, "8", None])
def test_any_other_number_of_parallel_requests_is_refused(value: object) -> None:
    with pytest.raises(
        ISalesArgumentError, match=f"max_parallel_requests must be an integer from 1 to 64, not {value!r}"
    ):
        check_parallelism(value)


@pytest.mark.parametrize("value", [1, 65535])
def test_a_port_is_an_integer_from_1_to_65535(value: int) -> None:
    assert check_integer("port", value, 1, 65535) == value


@pytest.mark.parametrize("value", [0, 65536, True, 443.0, "443", None])
def test_any_other_port_is_refused(value: object) -> None:
    with pytest.raises(ISalesArgumentError, match=f"port must be an integer from 1 to 65535, not {value!r}"):
        check_integer("port", value, 1, 65535)


@pytest.mark.parametrize("value", [0.001, 7, 600])
def test_a_time_is_a_number_of_seconds(value: float) -> None:
    assert check_seconds("timeout", value, 600) == value


@pytest.mark.parametrize("value", [0, -1, 600.5, float("nan"), True, "7", None])
def test_any_other_time_is_refused(value: object) -> None:
    with pytest.raises(
        ISalesArgumentError, match=f"timeout must be a number of seconds above 0, up to 600, not {value!r}"
    ):
        check_seconds("timeout", value, 600)


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


@pytest.mark.parametrize("name", ["a\nb", "a\x00b", "a\ud800b"])
def test_a_name_that_cannot_be_read_or_sent_is_refused(name: str) -> None:
    with pytest.raises(ISalesArgumentError, match="name must not contain control characters, as 'a"):
        check_batch_name(name)


@pytest.mark.parametrize("value", [1, BatchStatus.STARTED])
def test_a_status_is_one_of_the_two(value: object) -> None:
    assert check_batch_status(value) is BatchStatus.STARTED


@pytest.mark.parametrize("value", [0, 3, "1", 1.0, True, None])
def test_any_other_status_is_refused_with_what_is_allowed(value: object) -> None:
    with pytest.raises(ISalesArgumentError, match=re.escape("status must be 1 (started) or 2 (suspended), not")):
        check_batch_status(value)


def test_a_key_as_text_names_vdn_campaign_and_batch() -> None:
    assert str(BatchKey(25, 1001, BATCH)) == f"call batch {BATCH} of campaign 1001 (VDN 25)"


@pytest.mark.parametrize("value", [datetime(2026, 11, 25, tzinfo=UTC), datetime(2, 1, 1, tzinfo=UTC)])
def test_an_instant_is_a_datetime_with_a_time_zone(value: datetime) -> None:
    assert check_instant("edge", value) == value


@pytest.mark.parametrize("value", [None, "now", datetime(2026, 11, 25), datetime(1, 1, 2, tzinfo=UTC)])
def test_any_other_instant_is_refused(value: object) -> None:
    with pytest.raises(ISalesArgumentError) as caught:
        check_instant("edge", value)
    assert str(caught.value) == f"edge must be a datetime with a time zone, not {value!r}"


@pytest.mark.parametrize("value", [None, 7, b"secret", "", "sec ret", "sec/ret", "sec\nret", "seçret"])
def test_an_access_key_that_is_not_visible_ascii_text_is_refused_without_showing_it(value: object) -> None:
    with pytest.raises(ISalesArgumentError) as caught:
        check_access_key(value)
    assert str(caught.value) == "the access key must be visible ASCII characters without spaces or slashes"


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (check_vdn_id, "a vdn"),
        (check_campaign_id, "a campaign"),
        (check_batch_id, "a batch"),
        (check_batch_id, 1747),
        (check_batch_ids, "batches"),
        (check_parallelism, "many"),
        (check_batch_name, ("a name",)),
        (check_batch_name, "a <name>"),
        (check_batch_name, "a\tname"),
        (check_batch_status, "started"),
    ],
)
def test_a_refusal_shows_the_value(check: Callable[[object], object], value: object) -> None:
    with pytest.raises(ISalesArgumentError) as caught:
        check(value)
    assert repr(value) in str(caught.value)


def test_a_refused_number_of_connections_names_its_setting() -> None:
    with pytest.raises(ISalesArgumentError, match="max_connections must be an integer from 1 to 64, not 0"):
        check_parallelism(0, "max_connections")
