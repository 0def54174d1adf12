"""
"C2", the AK/SK request signature of CC-iSales.

Source: the chapter "Authentication" of the Huawei Cloud CEC API Reference, and the vendor's public demo.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import parse_qsl, quote, urlsplit

from requests import PreparedRequest
from requests.auth import AuthBase

from airflow_provider_isales.client.arguments import check_access_key, check_signing_profile, hide_variables
from airflow_provider_isales.client.errors import ISalesArgumentError
from airflow_provider_isales.client.profiles import SigningProfile, Timespec
from airflow_provider_isales.client.text import Secret

SCHEME = "auth-v2"

# A table, because quote() would take most of the time of a signature.
_ENCODED = [quote(bytes([byte]), safe="") for byte in range(256)]


def format_timestamp(at: datetime, timespec: Timespec) -> str:
    """Format an aware datetime for C2: in UTC with a ``Z``, truncated to ``timespec``."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=timespec) + "Z"


def percent_encode(text: str | bytes) -> str:
    """Percent-encode all but ``A-Z a-z 0-9 - . _ ~`` of UTF-8 text, in upper-case hex."""
    return "".join([_ENCODED[byte] for byte in (text.encode() if isinstance(text, str) else text)])


def build_canonical_request(
    method: str, path: str, query: Iterable[tuple[str, str]], headers: Mapping[str, str], body: str | bytes
) -> str:
    """
    Build the text that is signed.

    :param path: the path as sent, without the query
    :param query: the decoded query parameters; without any, their line is left out
    :param headers: only the headers to sign, with their values as sent
    """
    lines = [method.upper(), path]
    if parameters := sorted([f"{percent_encode(name)}={percent_encode(value)}" for name, value in query]):
        lines.append("&".join(parameters))
    return "\n".join([*lines, _format_headers(tuple(headers.items())), percent_encode(body)])


def make_authorization(
    access_key: str,
    secret_key: str | Secret,
    timestamp: str,
    *,
    method: str,
    path: str,
    query: Iterable[tuple[str, str]] = (),
    headers: Mapping[str, str],
    body: str | bytes = b"",
) -> str:
    """Return the ``Authorization`` header; see :func:`format_timestamp` and :func:`build_canonical_request`."""
    prefix = f"{SCHEME}/{access_key}/{timestamp}/{_join_names(tuple(headers))}"
    signing_key = _compute_hmac(secret_key, prefix)
    signature = _compute_hmac(signing_key, build_canonical_request(method, path, query, headers, body))
    return f"{prefix}/{signature}"


@lru_cache(maxsize=256)  # a client sends the same few headers again and again
def _format_headers(headers: tuple[tuple[str, str], ...]) -> str:
    lines = sorted(f"{percent_encode(name.lower())}:{percent_encode(value.strip())}" for name, value in headers)
    return "\n".join([_join_names(tuple(name for name, _ in headers)), *lines])


@lru_cache(maxsize=16)
def _join_names(headers: tuple[str, ...]) -> str:
    return ";".join(sorted(name.lower() for name in headers))


def _compute_hmac(key: str | Secret, message: str) -> str:
    # Revealed inside the expression, so that no variable of a frame holds the secret key.
    return hmac.digest((key if isinstance(key, str) else key.reveal()).encode(), message.encode(), hashlib.sha256).hex()


class C2Auth(AuthBase):
    """
    Signs each ``requests`` request with C2: ``session.post(url, data=body, auth=C2Auth(ak, sk))``.

    It sets the Host header, so follow no redirects: they would send it to another host.

    :param access_key: the access key (AK)
    :param secret_key: the secret key (SK)
    :param profile: the signing profile, or its name
    :param clock: returns the time of signing as an aware datetime; UTC now by default
    :raises ISalesArgumentError: for a key that is empty or cannot stand in a header, or an unknown profile
    """

    @hide_variables
    def __init__(
        self,
        access_key: str,
        secret_key: str | Secret,
        profile: SigningProfile | str = SigningProfile.CURRENT,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._secret_key = secret_key = Secret.of(secret_key)
        if not secret_key:
            raise ISalesArgumentError("the secret key must not be empty")
        if secret_key.is_padded:
            raise ISalesArgumentError(
                "the secret key must not begin or end with white space: it may end with a line break, as from `echo`"
            )
        self.access_key = check_access_key(access_key)
        self.profile = check_signing_profile(profile)
        if not callable(clock):
            raise ISalesArgumentError("the clock must be a function that returns an aware datetime")
        self._clock = clock

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        body = request.body or b""
        if not isinstance(body, (str, bytes)):
            raise ISalesArgumentError(f"only text or bytes can be signed as a body, not {type(body).__name__}")
        given = {
            name: value if isinstance(value, str) else value.decode("latin-1")
            for name, value in request.headers.items()
        }
        request.headers.update(self.make_headers(str(request.method), str(request.url), given, body))
        return request

    def make_headers(self, method: str, url: str, headers: Mapping[str, str], body: str | bytes) -> dict[str, str]:
        """Return the headers and those of the signature; raise ``ISalesArgumentError`` if one to sign is missing."""
        parts = urlsplit(url)
        # Set Host here, so that the signed text is the sent one: HTTP libraries keep a given Host.
        sent = {**headers, "Host": _format_host(parts.scheme, parts.netloc)}
        values = {name.lower(): value for name, value in sent.items()}
        if "content-length" in self.profile.signed_headers and "content-length" not in values:
            sent["Content-Length"] = values["content-length"] = "0"
        sent["Authorization"] = make_authorization(
            self.access_key,
            self._secret_key,
            format_timestamp(self._clock(), self.profile.timespec),
            method=method,
            path=parts.path,
            query=parse_qsl(parts.query, keep_blank_values=True),
            headers=self._select_signed(values),
            body=body,
        )
        return sent

    def make_variant(
        self, *, profile: SigningProfile | str | None = None, clock: Callable[[], datetime] | None = None
    ) -> C2Auth:
        """Return a copy with another profile or clock."""
        return C2Auth(self.access_key, self._secret_key, profile or self.profile, clock=clock or self._clock)

    def __repr__(self) -> str:
        if not hasattr(self, "profile"):
            return f"<{type(self).__name__} that could not be made>"
        return f"{type(self).__name__}(access_key={self.access_key!r}, profile={self.profile.value!r})"

    def _select_signed(self, values: Mapping[str, str]) -> dict[str, str]:
        try:
            return {name: values[name] for name in self.profile.signed_headers}
        except KeyError as error:
            raise ISalesArgumentError(
                f"the {self.profile.value!r} signing profile signs the {error.args[0]} header, which this request lacks"
            ) from None


def _format_host(scheme: str, netloc: str) -> str:
    host = netloc.rpartition("@")[2]
    return host.removesuffix({"https": ":443", "http": ":80"}[scheme])
