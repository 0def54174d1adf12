"""A mail server on loopback, which keeps what it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import takewhile
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread


class MailServer(ThreadingTCPServer):
    """It speaks as much SMTP as it takes to be sent mail."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.mails: list[EmailMessage] = []

    @property
    def connection(self) -> str:
        """The connection to it, as Airflow's environment variables have it."""
        port = self.server_address[1]
        return (
            f'{{"conn_type": "smtp", "host": "127.0.0.1", "port": {port}, "extra": '
            '{"from_email": "airflow@example.com", "disable_ssl": true, "disable_tls": true}}'
        )

    def contents(self, subject: str) -> list[str]:
        """Return what is in the mails so far that have this subject."""
        parts = [mail.get_body() for mail in self.mails if mail["Subject"] == subject]
        return [part.get_content().strip() for part in parts if part]


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Run one from entry to exit."""
    with MailServer() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


class _Session(StreamRequestHandler):
    server: MailServer
    timeout = 30

    def handle(self) -> None:
        self._answer("220 ready")
        for line in self.rfile:
            command = line[:4].upper()
            if command == b"QUIT":
                self._answer("221 bye")
                return
            if command == b"DATA":
                self._answer("354 go on")
                content = b"".join(takewhile(lambda line: line != b".\r\n", self.rfile))
                self.server.mails.append(message_from_bytes(content, EmailMessage, policy=policy.default))
            self._answer("250 done")

    def _answer(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())
