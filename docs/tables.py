"""Tables of the docs that are made from the code's own tables, as MyST directives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from airflow_provider_isales.client import (
    RESULT_ERRORS,
    ISalesAlreadySuspendedError,
    ISalesAuthenticationError,
    ISalesCertificateError,
    ISalesConnectError,
    ISalesConnectionLostError,
    ISalesError,
    ISalesHTTPStatusError,
    ISalesParameterComplaintError,
    ISalesProtocolError,
    ISalesResultError,
    ISalesTimeoutError,
    ISalesTLSError,
)
from airflow_provider_isales.provider_info import CONNECTION_FIELDS

OTHER_ERRORS = {
    "no connection could be made": ISalesConnectError,
    "the server's certificate is not trusted": ISalesCertificateError,
    "TLS failed otherwise": ISalesTLSError,
    "no answer in time": ISalesTimeoutError,
    "the connection broke": ISalesConnectionLostError,
    "an answer that can't be read": ISalesProtocolError,
    "HTTP 401": ISalesAuthenticationError,
}
STATUSES = (302, 403, 404, 408, 425, 429, 500, 502, 503, 504)


class Table(SphinxDirective):
    """A table whose rows a subclass gives; cells are Markdown."""

    head: ClassVar[Sequence[str]]

    def rows(self) -> Iterable[Sequence[str]]:
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        lines = [self.head, ["---"] * len(self.head), *self.rows()]
        return self.parse_text_to_nodes("\n".join(f"| {' | '.join(line)} |" for line in lines))


class ResultCodes(Table):
    """Every documented failure code, from ``RESULT_ERRORS``."""

    head = ("code", "meaning", "the task", "sent again within the call", "what to do")

    def rows(self) -> Iterable[Sequence[str]]:
        for code, error in sorted(RESULT_ERRORS.items()):
            yield f"`{code}`", error.meaning, the_task(error), yes(error.transient), error.advice
        for codes, error in {
            "others of eight digits that begin with `02000`": ISalesParameterComplaintError,
            "any other": ISalesResultError,
        }.items():
            yield codes, error.meaning, the_task(error), yes(error.transient), error.advice


class OtherFailures(Table):
    """What else can go wrong with a call, from the classes of errors."""

    head = ("what came", "the task", "sent again within the call", "what to do")

    def rows(self) -> Iterable[Sequence[str]]:
        for what, kind in OTHER_ERRORS.items():
            yield what, the_task(kind), yes(kind.transient), kind.advice
        for error in map(ISalesHTTPStatusError, STATUSES):
            yield error.problem, the_task(error), yes(error.transient), error.advice


class ConnectionFields(Table):
    """The extra fields of a connection, from ``CONNECTION_FIELDS``."""

    head = ("extra field", "meaning", "when empty")

    def rows(self) -> Iterable[Sequence[str]]:
        for name, field in CONNECTION_FIELDS.items():
            default = field["schema"].get("default")
            yield f"`{name}`", field["description"], "" if default is None else f"`{default}`"


def the_task(error: ISalesError | type[ISalesError]) -> str:
    """Say how an error ends a task."""
    kind = error if isinstance(error, type) else type(error)
    if issubclass(kind, ISalesAlreadySuspendedError):
        return "**succeeds**, if it pauses"
    return "fails the try" if error.retryable else "fails for good"


def yes(value: bool) -> str:
    return "yes" if value else "no"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    for name, directive in {
        "result-codes": ResultCodes,
        "other-failures": OtherFailures,
        "connection-fields": ConnectionFields,
    }.items():
        app.add_directive(name, directive)
    return {"parallel_read_safe": True}
