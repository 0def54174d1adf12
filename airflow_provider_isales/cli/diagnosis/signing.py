"""What the server makes of signatures: clocks, keys and signing profiles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

from airflow_provider_isales.cli.diagnosis.visit import REPORT, Finding, State, Visit, make_failure
from airflow_provider_isales.client import ISalesAuthenticationError, ISalesError
from airflow_provider_isales.client.answers import MAX_CLOCK_DIFFERENCE_SECONDS
from airflow_provider_isales.client.probe import probe

# What the Date header, which has whole seconds, and a slow answer can't explain.
_CLOCK_SECONDS = 5
# That of the operators' guard: a pause of a worker whose clock is further off is given up.
_ASSUMED_CLOCK_MINUTES = 15
_CLOCK_MINUTES = (1, 5, 14, 16, 60)


def check_clock(visit: Visit) -> Finding:
    """Compare this machine's clock with the server's."""
    ahead = visit.first.seconds_ahead
    if ahead is None:
        return Finding(State.SKIPPED, "no answer came that tells the server's time", "Run NTP anyway.")
    if abs(ahead) <= _CLOCK_SECONDS:
        return Finding(State.OK, "agrees with the server's to a few seconds")
    return Finding(
        State.FAIL if abs(ahead) > MAX_CLOCK_DIFFERENCE_SECONDS else State.WARN,
        f"this machine's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the server's",
        "Set it right (NTP): signatures hold the time, and shifts end by it.",
    )


def check_signature(visit: Visit) -> Finding:
    """Find out whether the server accepts the connection's keys and signing profile."""
    look, used = visit.first, visit.client.auth.profile
    if look.accepted:
        return Finding(State.OK, f"accepted, signing profile {used.value!r}")
    others = visit.by_other_profiles
    if accepted := next((profile for profile, other in others.items() if other.accepted), None):
        advice = f"Set the connection's extra 'signing_profile' to {accepted.value!r}, which is accepted."
    elif abs(look.seconds_ahead or 0) > MAX_CLOCK_DIFFERENCE_SECONDS:
        advice = ""  # the error's own, which is about clocks
    else:
        advice = (
            f"Check access key and secret key: {' or '.join(f'profile {profile.value!r}' for profile in others)} is "
            "not accepted either. A proxy that drops the body of a GET or changes the Host header has the same effect."
        )
    return make_failure(look, advice)


def check_other_profile(visit: Visit) -> Finding:
    """Find out which other signing profiles the server accepts too."""
    others = visit.by_other_profiles
    for look in others.values():
        if not (look.accepted or isinstance(look.error, ISalesAuthenticationError)):
            return make_failure(look, state=State.WARN)
    if not any(look.accepted for look in (visit.first, *others.values())):
        return Finding(State.SKIPPED, "not known: none is accepted, so this says nothing of the profile")
    told = {True: "is accepted", False: "is not accepted"}
    return Finding(
        State.OK,
        "; ".join(f"signing profile {profile.value!r} {told[look.accepted]}" for profile, look in others.items()),
    )


def check_clock_tolerance(visit: Visit) -> Finding:
    """Find out how far a clock may be off, by signing as of another time; each way ends at the first refusal."""
    told, refused = [], []
    for sign, way in ((-1, "behind"), (1, "ahead")):
        accepted = 0
        for minutes in _CLOCK_MINUTES:
            error = _find_error_when_off(visit, timedelta(minutes=sign * minutes))
            if isinstance(error, ISalesAuthenticationError):
                told.append(f"{accepted} min {way} is accepted, {minutes} is not")
                refused.append(minutes)
                break
            if error:
                return make_failure(error, state=State.WARN)
            accepted = minutes
        else:
            told.append(f"even {accepted} min {way} is accepted")
    if refused and min(refused) < _ASSUMED_CLOCK_MINUTES:
        advice = f"Run NTP on every worker: the operators count on {_ASSUMED_CLOCK_MINUTES} min. {REPORT}"
        return Finding(State.WARN, "; ".join(told), advice)
    return Finding(State.OK, "; ".join(told))


def _find_error_when_off(visit: Visit, shift: timedelta) -> ISalesError | None:
    """Return what goes wrong with a request that is signed by a clock that is off the server's by so much."""
    ahead = timedelta(seconds=visit.first.seconds_ahead or 0)
    auth = visit.client.auth.variant(clock=partial(_get_shifted_time, shift - ahead))
    look = probe(visit.client, visit.campaign, auth)
    return None if look.accepted else look.error


def _get_shifted_time(shift: timedelta) -> datetime:
    return datetime.now(UTC) + shift
