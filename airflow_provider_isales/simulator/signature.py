"""Check C2 signatures as the server does."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from airflow_provider_isales.client.auth import SCHEME, format_timestamp, make_authorization
from airflow_provider_isales.client.profiles import SigningProfile

CLOCK_WINDOW = timedelta(minutes=15)


@dataclass(frozen=True)
class SignatureCheck:
    """
    Checks signatures made with one pair of keys.

    :param access_key: the access key (AK)
    :param secret_key: the secret key (SK)
    :param profiles: the signing profiles that are accepted
    """

    access_key: str
    secret_key: str = field(repr=False)
    profiles: Collection[SigningProfile]

    def find_refusal(
        self,
        now: datetime,
        *,
        method: str,
        path: str,
        query: Iterable[tuple[str, str]],
        headers: Mapping[str, str],
        body: bytes,
    ) -> str | None:
        """
        Return why a request is refused; None if it is accepted.

        :param now: the server's time
        :param headers: as received, by names in lower case
        """
        given = headers.get("authorization", "")
        scheme, access_key, timestamp, signed_headers, *_ = [*given.split("/"), "", "", "", ""]
        if scheme != SCHEME or not hmac.compare_digest(access_key.encode(), self.access_key.encode()):
            return "unknown scheme or access key"
        profile = next((p for p in self.profiles if ";".join(p.signed_headers) == signed_headers), None)
        signed_at = _parse_timestamp(timestamp, profile)
        if profile is None or signed_at is None:
            return "timestamp and signed headers are of no accepted signing profile"
        if abs(now - signed_at) > CLOCK_WINDOW:
            return "the timestamp is not within 15 minutes of the server's time"
        expected = make_authorization(
            self.access_key,
            self.secret_key,
            timestamp,
            method=method,
            path=path,
            query=query,
            headers={name: headers.get(name, "") for name in profile.signed_headers},
            body=body,
        )
        return None if hmac.compare_digest(given.encode(), expected.encode()) else "the signature does not match"


def _parse_timestamp(text: str, profile: SigningProfile | None) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    # Accept only the form that the profile writes.
    return at if profile and at.tzinfo is UTC and format_timestamp(at, profile.timespec) == text else None
