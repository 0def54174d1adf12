"""
An HTTPS server that is as fast as asyncio allows, for benchmarks that the simulator would slow down.

It knows the campaigns 1 to as many as it is told of any VDN, all with batches of the same ids, checks no signature, and
answers ``pause`` and ``list`` alone; both take their time, and a suspended batch stays in the list. It can allow so
many requests in each second and refuse the others with 429. ``GET /state`` says when the first request and the last
pause of each campaign came in, and how many requests were refused. It prints its port when it is ready.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import time
from pathlib import Path

import trustme

STARTED, SUSPENDED = 1, 2
SUCCESS = '"resultCode": "0200000", "resultDesc": "success", "returnCode": "0200000", "returnDesc": "success"'


class LeanServer:
    """
    Its state, and the protocol.

    :param batches: how many started batches each campaign has
    :param campaigns: how many campaigns there are
    :param delay: the seconds that it takes for an answer
    :param rate: how many requests are allowed in each second; 0 for any number
    """

    def __init__(self, batches: int, campaigns: int, delay: float, rate: int) -> None:
        ids = [f"{n:030d}" for n in range(1, batches + 1)]
        self.statuses = {str(campaign): dict.fromkeys(ids, STARTED) for campaign in range(1, campaigns + 1)}
        self.delay = delay
        self.rate = rate
        self.second, self.allowed, self.refused = 0, 0, 0
        self.first_request: dict[str, float] = {}
        self.last_pause: dict[str, float] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests until it is closed."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1]
                length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
                body = await reader.readexactly(int(length or 0))
                if self.allows(path):
                    status, answer = b"200 OK", await self.answer(path.decode(), body)
                else:
                    status, answer = b"429 Too Many Requests", b""
                writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(answer), answer))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def allows(self, path: bytes) -> bool:
        """Tell whether a request is within the rate."""
        if not self.rate or path == b"/state":
            return True
        if self.second != int(time.time()):
            self.second, self.allowed = int(time.time()), 0
        self.allowed += 1
        self.refused += self.allowed > self.rate
        return self.allowed <= self.rate

    async def answer(self, path: str, body: bytes) -> bytes:
        """Return the JSON for one request."""
        if path == "/state":
            started = {campaign: [*batches.values()].count(STARTED) for campaign, batches in self.statuses.items()}
            known = {"started": started, "first_request": self.first_request, "last_pause": self.last_pause}
            return json.dumps(known | {"refused": self.refused}).encode()
        *_, campaign, verb = path.split("/")
        self.first_request.setdefault(campaign, time.time())
        if self.delay:
            await asyncio.sleep(self.delay)
        batches, asked = self.statuses[campaign], json.loads(body)
        if verb == "pause":
            batches[asked["id"]] = SUSPENDED
            self.last_pause[campaign] = time.time()
            return f"{{{SUCCESS}}}".encode()
        page = [*batches.items()][asked["offset"] : asked["offset"] + asked["limit"]]
        data = [{"id": batch_id, "name": batch_id, "status": status} for batch_id, status in page]
        return f'{{{SUCCESS}, "totalCount": {len(batches)}, "data": {json.dumps(data)}}}'.encode()


async def main() -> None:
    """Serve until terminated."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--batches", type=int, default=1000)
    parser.add_argument("--campaigns", type=int, default=7)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--rate", type=int, default=0)
    parser.add_argument("--ca-file", type=Path, required=True)
    options = parser.parse_args()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(options.ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    lean = LeanServer(options.batches, options.campaigns, options.delay, options.rate)
    server = await asyncio.start_server(lean.serve, "127.0.0.1", 0, ssl=context, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
