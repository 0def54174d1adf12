"""Parts of the pages that are made from code: ``make docs-refresh`` writes them between the markers of cog."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from pathlib import Path

from airflow_provider_isales.cli.output import STATUSES as EXIT_STATUSES
from airflow_provider_isales.cli.parser import COMMANDS, CONNECTION, Argument, Command
from airflow_provider_isales.client import ISalesAuthenticationError, ISalesError, ISalesProtocolError
from airflow_provider_isales.client.errors import (
    ISalesCertificateError,
    ISalesConnectError,
    ISalesConnectionLostError,
    ISalesHeldBackError,
    ISalesHTTPStatusError,
    ISalesTimeoutError,
    ISalesTLSError,
)
from airflow_provider_isales.client.result_codes import (
    ALREADY_SUSPENDED,
    CAMPAIGN_RESULT_CODES,
    PARAMETER_COMPLAINT,
    RESULT_CODES,
    UNDOCUMENTED,
    ResultCode,
)
from airflow_provider_isales.provider_info import CONNECTION_FIELDS

REPOSITORY = Path(__file__).resolve().parents[1]

OTHER_ERRORS = {
    "no connection could be made": ISalesConnectError,
    "the server's certificate is not trusted": ISalesCertificateError,
    "TLS failed otherwise": ISalesTLSError,
    "no response in time": ISalesTimeoutError,
    "the connection broke": ISalesConnectionLostError,
    "a response that can't be read": ISalesProtocolError,
    "the server asked to slow down for longer than a call may take": ISalesHeldBackError,
    "HTTP 401, and the clocks agree": ISalesAuthenticationError,
}
# What each command says of its argument CAMPAIGN; the page says it once.
CAMPAIGN = 'the id of a campaign ("outbound call task" in the console); '
STATUSES = (302, 403, 404, 405, 406, 408, 418, 425, 429, 500, 502, 503, 504)


def result_codes() -> str:
    """Every documented failure code, from ``RESULT_CODES`` and ``CAMPAIGN_RESULT_CODES``."""
    codes = {
        **{f"`{known.code}`": known for known in sorted({*RESULT_CODES, *CAMPAIGN_RESULT_CODES})},
        "others of eight digits that begin with `02000`": PARAMETER_COMPLAINT,
        "any other": UNDOCUMENTED,
    }
    return list_by_task(
        (the_task(known), f"{code} ({known.interface}): {known.meaning}", known.advice) for code, known in codes.items()
    )


def other_failures() -> str:
    """What else can go wrong with a call, from the classes of errors; HTTP statuses with the same advice together."""
    failures = [
        (the_task(error), what, error("").during("", changes=True).advice) for what, error in OTHER_ERRORS.items()
    ]
    statuses: dict[tuple[str, str], list[str]] = {}
    for status in STATUSES:
        error = ISalesHTTPStatusError(status)
        statuses.setdefault((the_task(error), error.advice), []).append(str(status))
    failures += [(task, f"HTTP {', '.join(same)}", advice) for (task, advice), same in statuses.items()]
    return list_by_task(failures)


def list_by_task(failures: Iterable[tuple[str, str, str]]) -> str:
    """Lists of failures with what to do, one for each way in which they end a task."""
    by_task: dict[str, list[str]] = {}
    for task, what, advice in failures:
        by_task.setdefault(task, []).append(f"- {what}. {advice}")
    return apart("\n\n".join("\n".join([f"**{task}:**\n", *lines]) for task, lines in by_task.items()))


def connection_fields() -> str:
    """The extra fields of a connection, from ``CONNECTION_FIELDS``."""
    fields = []
    for name, field in CONNECTION_FIELDS.items():
        default = field["schema"].get("default")
        fields.append(f"- `{name}`: {field['description']}" + ("" if default is None else f" Default: `{default}`."))
    return apart("\n".join(fields))


def terminal_commands() -> str:
    """Every command of ``isales``, from their table, without the arguments that it shares with others."""
    return apart("\n\n".join(f"### isales {name}\n\n{_command(command)}" for name, command in COMMANDS.items()))


def terminal_shared() -> str:
    """The arguments that several commands of ``isales`` have, from the same table."""
    return apart(
        "\n".join(f"- {argument} ({', '.join(names)}): {meaning}" for (argument, meaning), names in _shared().items())
    )


def terminal_connection() -> str:
    """The arguments of ``isales`` that name a connection."""
    return apart("\n".join(f"- {argument}: {meaning}" for argument, meaning in map(_argument, CONNECTION)))


def terminal_statuses() -> str:
    """The exit statuses of ``isales``."""
    return apart("\n".join(f"- `{status}`: {meaning}" for status, meaning in EXIT_STATUSES.items()))


def _command(command: Command) -> str:
    shared = _shared()
    own = [argument for argument in map(_argument, command.arguments) if argument not in shared]
    return "\n".join(
        [
            f"{command.summary}\n",
            f"```sh\n{textwrap.dedent(command.examples).strip()}\n```\n",
            *(
                f"- {argument}: {meaning.removeprefix(CAMPAIGN)}"
                for argument, meaning in own
                if meaning + "; " != CAMPAIGN
            ),
        ]
    )


def _shared() -> dict[tuple[str, str], list[str]]:
    """Return each argument that several commands have, and their names."""
    commands: dict[tuple[str, str], list[str]] = {}
    for name, command in COMMANDS.items():
        for argument in map(_argument, command.arguments):
            commands.setdefault(argument, []).append(name)
    return {argument: names for argument, names in commands.items() if len(names) > 1}


def _argument(argument: Argument) -> tuple[str, str]:
    settings = argument.settings
    choices = "{" + ",".join(settings["choices"]) + "}" if "choices" in settings else ""
    flags = ", ".join(flag for flag in argument.flags if flag.startswith("-"))
    meaning = settings["help"].replace("%(default)s", str(settings.get("default")))
    return f"`{flags} {settings.get('metavar', choices)}`".replace("` ", "`").replace(" `", "`"), meaning


def excerpt(path: str, first: str, last: str = "") -> str:
    """A Python file from the line that begins with ``first`` to the line ``last``, or to the end of the file."""
    text = (REPOSITORY / path).read_text()
    start = text.index(f"\n{first}") + 1
    end = text.index(f"\n{last}\n", start) + len(f"\n{last}") if last else len(text)
    return apart(f"```python\n{textwrap.dedent(text[start:end]).strip()}\n```")


def apart(text: str) -> str:
    """Markdown with an empty line before and, once printed, behind it, lest the markers become part of it."""
    return f"\n{text.strip()}\n"


def the_task(error: ISalesError | type[ISalesError] | ResultCode) -> str:
    """Say how an error ends a task."""
    if isinstance(error, ResultCode) and error.code == ALREADY_SUSPENDED:
        return "A pause succeeds"
    if error.transient:
        return "Retries the call"
    return "Fails the try" if error.retryable else "Fails without retries"
