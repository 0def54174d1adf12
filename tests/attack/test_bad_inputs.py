"""Whatever a caller passes: it is taken as it should be or refused with our own error, and nothing is sent then."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from measuring import Figures, Size
from raw_server import RawServer, Request, answering, ca_file, http_answer

from airflow_provider_isales.client import C2Auth, ISalesArgumentError, ISalesClient, ISalesError, RetryPolicy

BATCH = "174712034211433247704877116507"


class Unspeakable:
    """Refuses everything that it can."""

    def __repr__(self) -> str:
        raise RuntimeError("no")

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")

    def __len__(self) -> int:
        raise RuntimeError("no")

    def __bool__(self) -> bool:
        raise RuntimeError("no")

    def __iter__(self) -> Iterator[object]:
        raise RuntimeError("no")

    __hash__ = None  # type: ignore[assignment]


class Liar(int):
    """An integer that says another number wherever it can."""

    def __int__(self) -> int:
        return 99

    __index__ = __int__

    def __str__(self) -> str:
        return "99"

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return "99"


class LyingText(str):
    """A text that says another one wherever it can."""

    def __str__(self) -> str:
        return "99"

    def __format__(self, spec: str) -> str:
        return "99"

    def encode(self, *args: Any, **kwargs: Any) -> bytes:
        return b"99"


class Campaign(IntEnum):
    EVENING = 7


class Batch(StrEnum):
    EVENING = BATCH


def nested(depth: int) -> list[Any]:
    inner: list[Any] = []
    for _ in range(depth):
        inner = [inner]
    return inner


BAD: list[object] = [
    10**5000, -(10**5000), 10**70, -1, 0, 0.0, 1e400, -math.inf, math.nan, 7.5, 7j, True, False,
    "", " ", "\0", "7\0", "\ud800", "x\ud800y", " 7", "7 ", "7\n", "1_0", "+7", "-7", "0x7", "7.0", "7e0",
    "\u0667", "\uff17", "\u00b2", "9" * 10**5, "x" * 10**5, "../..", "7/../8", "7?a=b", "7#a", "%37", "7;8", "{{ x }}",
    "{0.__class__}", "%s%n", "None", b"", b"7", bytearray(b"7"), [], [7], (7,), {}, {7: 7}, {"a": {}}, {7}, range(3),
    nested(100), nested(5000), object(), object, Unspeakable(), [Unspeakable()], {"https": Unspeakable()}, len,
    lambda: 7, Ellipsis, NotImplemented, Exception("x"), datetime(2026, 1, 1), memoryview(b"7"), iter([7]),
]  # fmt: skip

# One certificate to trust: to read all of the system's takes longer than what is tested, and that for each client.
SETTINGS: dict[str, Any] = {
    "host": "127.0.0.1", "access_key": "ak", "secret_key": "sk", "vdn_id": 25, "port": 1, "verify": str(ca_file()),
    "timeout": 1.0, "signing_profile": "current", "proxies": None, "retry": None, "max_connections": 1,
}  # fmt: skip
MORE_BAD: dict[str, list[object]] = {
    "host": [
        "::1%x]@127.0.0.1:8443?", "[::1]@x", "::1%eth0", "[::1", "a..b", ".a", "a b", "a@b", "a:1", "//a", "a\\b",
        "\u00e4", "https://a", "a/b", "a?b", "[v1.x]", "127.0.0.1:1", "::1:1:", "x" * 64, "a\r\nX: y", "[::1]:80",
    ],
    "port": ["1", "443", 65536],
    "access_key": ["a/b", "a b", "a\r\nX: y", "\u00e4"],
    "signing_profile": ["CURRENT", "v2", "current "],
    "proxies": ["http://127.0.0.1:1", [("https", "http://127.0.0.1:1")], {"https": 7}, {"https": "ftp://127.0.0.1"}],
    "retry": [RetryPolicy, 3, "8"],
    "vdn_id": [10_000, "10000"],
    "verify": ["/no/such.pem", 1],
}  # fmt: skip


def _is_seven_and_a_half(value: object) -> bool:
    return type(value) is float and value == 7.5


# What is bad elsewhere but has a meaning here.
TAKEN: dict[str, Callable[[object], bool]] = {
    "host": lambda value: isinstance(value, str) and value in ("None", "1_0", "-7", "0x7", "7.0", "7e0"),
    "access_key": lambda value: isinstance(value, str) and bool(value) and value.isascii() and value.isprintable(),
    "secret_key": lambda value: isinstance(value, str) and value not in ("", "\ud800", "x\ud800y"),
    "verify": lambda value: isinstance(value, bool) or value == "../..",
    "timeout": _is_seven_and_a_half,
    **dict.fromkeys(("total", "first_wait", "max_wait", "max_retry_after"), _is_seven_and_a_half),
    "proxies": lambda value: isinstance(value, dict) and "https" not in value,
}


def refused(action: Callable[[], object]) -> str:
    """Return how an action was refused: "" if it was not."""
    try:
        action()
    except ISalesArgumentError as error:
        return str(error) and type(error).__name__
    except ISalesError as error:
        return f"{type(error).__name__}: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:200]
    return ""


def check(figures: Figures, what: str, actions: dict[str, list[tuple[object, Callable[[], object]]]]) -> list[str]:
    """Return what was neither refused as it should be nor may be taken."""
    wrong = []
    for argument, each in actions.items():
        for number, (value, action) in enumerate(each):
            how = refused(action)
            if how == "ISalesArgumentError":
                continue
            if how or not (argument in TAKEN and TAKEN[argument](value)):
                wrong.append(f"{argument}, {number}, a {type(value).__name__}: {how or 'taken'}")
    figures.add(f"bad inputs, {what}", sum(map(len, actions.values())), f"{len(wrong)} not refused as they should", "0")
    return wrong


def test_a_client_refuses_bad_settings(figures: Figures) -> None:
    def make(name: str, value: object) -> Callable[[], object]:
        return lambda: ISalesClient(**{**SETTINGS, name: value}).close()

    actions: dict[str, list[tuple[object, Callable[[], object]]]] = {
        name: [(value, make(name, value)) for value in BAD + MORE_BAD.get(name, [])] for name in SETTINGS
    }
    assert check(figures, "settings of a client", actions) == []


def test_a_signer_refuses_bad_keys(figures: Figures) -> None:
    good = {"access_key": "ak", "secret_key": "sk", "profile": "current", "clock": lambda: datetime.now(UTC)}

    def make(name: str, value: object) -> Callable[[], object]:
        return lambda: C2Auth(**{**good, name: value})  # type: ignore[arg-type]

    actions = {name: [(value, make(name, value)) for value in BAD if not callable(value)] for name in good}
    assert check(figures, "arguments of C2Auth", actions) == []


BOUNDS = ("attempts", "total", "first_wait", "max_wait", "max_retry_after")


def test_a_retry_policy_refuses_bad_bounds(figures: Figures) -> None:
    def make(name: str, value: object) -> Callable[[], object]:
        return lambda: RetryPolicy(**{name: value})  # type: ignore[arg-type]

    actions = {name: [(value, make(name, value)) for value in [*BAD, "8", 10**6]] for name in BOUNDS}
    assert check(figures, "bounds of a RetryPolicy", actions) == []


CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "pause": ("pause_call_batch", {"campaign_id": 7, "batch_id": BATCH, "vdn_id": 25}),
    "resume": ("resume_call_batch", {"campaign_id": 7, "batch_id": BATCH, "vdn_id": 25}),
    "create": ("create_call_batch", {"campaign_id": 7, "name": "a", "status": 1, "vdn_id": 25}),
    "update": ("update_call_batch", {"campaign_id": 7, "batch_id": BATCH, "name": "a", "vdn_id": 25}),
    "delete": ("delete_call_batch", {"campaign_id": 7, "batch_id": BATCH, "vdn_id": 25}),
    "list": ("list_call_batches", {"campaign_id": 7, "status": 1, "name": "a", "vdn_id": 25}),
    "stop before": ("stop_before", {"edge": datetime(2199, 1, 1, tzinfo=UTC)}),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_call_refuses_bad_arguments_and_sends_nothing(call: str, figures: Figures) -> None:
    method, good = CALLS[call]

    def make(name: str, value: object) -> Callable[[], object]:
        # A listing that is not read sends nothing; its arguments are checked at once.
        return lambda: getattr(client, method)(**{**good, name: value})

    with RawServer(answering(lambda request: http_answer())) as server, server.client() as client:
        actions = {name: [(value, make(name, value)) for value in BAD if not _is_fine(name, value)] for name in good}
        if "edge" in actions:
            actions["edge"].append((None, make("edge", datetime.min.replace(tzinfo=UTC))))
        wrong = check(figures, f"arguments of {method}", actions)
    assert (wrong, server.connections) == ([], 0)


def _is_fine(name: str, value: object) -> bool:
    if name == "name":
        return isinstance(value, str) and 0 < len(value) < 256 and not set('<>!@#$%^&*?;"~/\\\0\n\ud800') & set(value)
    return False


SUBCLASSES: list[dict[str, Any]] = [
    {"campaign_id": Campaign.EVENING, "batch_id": BATCH},
    {"campaign_id": Liar(7), "batch_id": BATCH},
    {"campaign_id": LyingText("7"), "batch_id": LyingText(BATCH)},
    {"campaign_id": 7, "batch_id": Batch.EVENING},
    {"campaign_id": 7, "batch_id": BATCH, "vdn_id": Liar(25)},
    {"campaign_id": 7, "batch_id": BATCH, "vdn_id": LyingText("25")},
]


@pytest.mark.parametrize("arguments", SUBCLASSES)
def test_a_checked_value_is_sent_unchanged(arguments: dict[str, Any]) -> None:
    received: list[Request] = []

    def answer(request: Request) -> bytes:
        received.append(request)
        return http_answer()

    with RawServer(answering(answer)) as server, server.client() as client:
        batch = client.pause_call_batch(**arguments).batch
    (request,) = received
    assert request.path == "/rest/isales/v1/openapi/campaigns/25/callbatch/7/pause"
    assert request.body == b'{"id": "%s"}' % BATCH.encode()
    assert [type(value) for value in vars(batch).values()] == [int, int, str]


@pytest.mark.parametrize(
    "make", [lambda: ISalesClient("h", "a", "s", port=Liar(7)), lambda: RetryPolicy(attempts=Liar(7))]
)
def test_subclasses_of_int_and_str_are_accepted_as_settings(make: Callable[[], object]) -> None:
    assert "99" not in repr(make())


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
    max_leaves=5,
)


def test_any_value_is_accepted_or_refused_with_our_own_error(
    size: Size, figures: Figures, pytestconfig: pytest.Config
) -> None:
    tried = size.of(60, 3000)
    names = sorted(SETTINGS)

    @settings(max_examples=tried, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(names), ANYTHING)
    def take(name: str, value: object) -> None:
        assert refused(lambda: ISalesClient(**{**SETTINGS, name: value}).close()) in ("", "ISalesArgumentError")

    take()
    figures.add("anything at all, as a setting of a client (Hypothesis)", f"{tried:,}", "0 other exceptions", "0")
