"""The errors of certificates that are not accepted, and the settings that accept more."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from patience import LONG

from airflow_provider_isales.client import ISalesArgumentError, ISalesClient, Outcome, RetryPolicy
from airflow_provider_isales.client.errors import ISalesCertificateError, ISalesTLSError

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)
LOOPBACK = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
BODY = b'{"resultCode": "0200000", "returnCode": "0200000"}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


def name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])


class Authority:
    """
    An authority, and what it signs.

    :param directory: where its files are
    :param critical: whether its basic constraints are marked as the strict checks want them
    :param until: when its certificate expires
    """

    def __init__(self, directory: Path, *, critical: bool = True, until: datetime.datetime = NOW + 9 * DAY) -> None:
        self.directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        key_usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        certificate = (
            self._builder("authority", self._key, until)
            .add_extension(x509.BasicConstraints(True, None), critical=critical)
            .add_extension(key_usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.ca_file = str(directory / "ca.pem")
        Path(self.ca_file).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(
        self, *, names: x509.SubjectAlternativeName | None = LOOPBACK, until: datetime.datetime = NOW + 9 * DAY
    ) -> str:
        """Return the path of a new certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder("127.0.0.1", key, until)
        if names:
            builder = builder.add_extension(names, critical=False)
        path = self.directory / "server.pem"
        path.write_bytes(
            builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return str(path)

    def _builder(
        self, subject: str, key: ec.EllipticCurvePrivateKey, until: datetime.datetime
    ) -> x509.CertificateBuilder:
        own = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name("authority"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(NOW, until) - 30 * DAY)
            .not_valid_after(until)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own), critical=False)
        )


@contextlib.contextmanager
def served(
    certificate: str, adapt: Callable[[ssl.SSLContext], object] = lambda context: None
) -> Iterator[Callable[..., ISalesClient]]:
    """Run a server with a certificate; return what makes clients for it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    adapt(context)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection = listener.accept()[0]
                connection.settimeout(LONG)
                with connection.dup() as spare, contextlib.suppress(OSError):
                    with contextlib.suppress(ssl.SSLError), context.wrap_socket(connection, server_side=True) as tls:
                        tls.recv(65536)
                        tls.sendall(ANSWER)
                    spare.recv(65536)  # to close with something unread would discard an alert that was sent

    def client(**settings: Any) -> ISalesClient:
        port = listener.getsockname()[1]
        given = {"vdn_id": 25, "port": port, "timeout": LONG, "retry": RetryPolicy(attempts=1)}
        return ISalesClient("127.0.0.1", "ak", "sk", **{**given, **settings})

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield client
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def advice_about(certificate: str, **settings: Any) -> str:
    with served(certificate) as client, client(**settings) as ours, pytest.raises(ISalesCertificateError) as caught:
        ours.pause_call_batch(7, "1")
    assert not caught.value.sent
    return caught.value.advice


def test_a_good_certificate_is_accepted(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with served(authority.issue()) as client, client(verify=authority.ca_file) as ours:
        assert ours.pause_call_batch(7, "1").outcome is Outcome.PAUSED


@pytest.mark.parametrize("expired", ["certificate", "authority"])
def test_the_error_of_an_expired_certificate_says_that_it_expired(tmp_path: Path, expired: str) -> None:
    until = {"certificate": NOW + 9 * DAY, "authority": NOW + 9 * DAY, expired: NOW - DAY}
    authority = Authority(tmp_path, until=until["authority"])
    advice = advice_about(authority.issue(until=until["certificate"]), verify=authority.ca_file)
    assert advice.startswith("Check this machine's date. If it is right, ask the platform's operator to renew")


@pytest.mark.parametrize("names", [None, x509.SubjectAlternativeName([x509.DNSName("isales.example.com")])])
def test_the_error_of_a_certificate_for_another_name_says_so(
    tmp_path: Path, names: x509.SubjectAlternativeName | None
) -> None:
    authority = Authority(tmp_path)
    advice = advice_about(authority.issue(names=names), verify=authority.ca_file)
    assert advice.startswith("The certificate does not name the connection's host. Set host to a name that")


def test_the_error_of_an_unknown_authority_names_verify(tmp_path: Path) -> None:
    assert "set the connection's extra 'verify' to its path" in advice_about(Authority(tmp_path).issue())


@pytest.fixture
def _strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default context of Python 3.13, on any Python."""
    make = ssl.create_default_context

    def make_strict(**settings: Any) -> ssl.SSLContext:
        context = make(**settings)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr("ssl.create_default_context", make_strict)


@pytest.mark.usefixtures("_strict")
def test_the_error_of_a_certificate_that_only_strict_checks_refuse_names_verify_strict(tmp_path: Path) -> None:
    authority = Authority(tmp_path, critical=False)
    advice = advice_about(authority.issue(), verify=authority.ca_file)
    assert "Set the connection's extra 'verify_strict' to false" in advice


@pytest.mark.usefixtures("_strict")
def test_verify_strict_false_accepts_what_only_the_strict_checks_refuse(tmp_path: Path) -> None:
    authority = Authority(tmp_path, critical=False)
    with served(authority.issue()) as client, client(verify=authority.ca_file, verify_strict=False) as ours:
        assert ours.pause_call_batch(7, "1").outcome is Outcome.PAUSED


def test_verify_strict_false_still_refuses_another_name(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    names = x509.SubjectAlternativeName([x509.DNSName("isales.example.com")])
    advice_about(authority.issue(names=names), verify=authority.ca_file, verify_strict=False)


class TestAServerThatAsksForAClientCertificate:
    @staticmethod
    def ask(authority: Authority, most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> Callable[[ssl.SSLContext], None]:
        def adapt(context: ssl.SSLContext) -> None:
            context.maximum_version = most
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(authority.ca_file)

        return adapt

    # With TLS 1.3 a server refuses after the request was sent: if it resets the connection, its reason may be lost.
    def test_the_error_says_that_the_server_asks_for_a_client_certificate(self, tmp_path: Path) -> None:
        authority = Authority(tmp_path)
        with (
            served(authority.issue(), self.ask(authority, ssl.TLSVersion.TLSv1_2)) as client,
            client(verify=authority.ca_file) as ours,
            pytest.raises(ISalesTLSError, match="'client_cert'"),
        ):
            ours.pause_call_batch(7, "1")

    def test_the_certificate_of_client_cert_is_accepted(self, tmp_path: Path) -> None:
        authority = Authority(tmp_path)
        certificate = authority.issue()
        with (
            served(certificate, self.ask(authority)) as client,
            client(verify=authority.ca_file, client_cert=certificate) as ours,
        ):
            assert ours.pause_call_batch(7, "1").outcome is Outcome.PAUSED

    def test_a_client_cert_file_without_a_key_is_refused(self, tmp_path: Path) -> None:
        authority = Authority(tmp_path)
        with pytest.raises(ISalesArgumentError, match="client_cert names no certificate with its key"):
            ISalesClient("127.0.0.1", "ak", "sk", client_cert=authority.ca_file)
