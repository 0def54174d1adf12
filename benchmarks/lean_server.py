"""
An HTTPS server that is as fast as asyncio allows, for benchmarks that the simulator would slow down.

It knows campaign 7 of any VDN, checks no signature, and answers ``pause`` and ``list`` alone; both take their time,
and a suspended batch stays in the list. ``GET /state`` says when the last pause came in. It prints its port when it is
ready.
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

    :param batches: how many started batches campaign 7 has
    :param delay: the seconds that it takes for an answer
    """

    def __init__(self, batches: int, delay: float) -> None:
        self.statuses = {f"{n:030d}": STARTED for n in range(1, batches + 1)}
        self.delay = delay
        self.last_pause = 0.0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests until it is closed."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1]
                length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
                body = await reader.readexactly(int(length or 0))
                answer = await self.answer(path.decode(), body)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def answer(self, path: str, body: bytes) -> bytes:
        """Return the JSON for one request."""
        if self.delay and not path.endswith("/state"):
            await asyncio.sleep(self.delay)
        if path.endswith("/pause"):
            self.statuses[json.loads(body)["id"]] = SUSPENDED
            self.last_pause = time.time()
            return f"{{{SUCCESS}}}".encode()
        if path.endswith("/list"):
            asked = json.loads(body)
            wanted = asked.get("status")
            listed = [entry for entry in self.statuses.items() if wanted in (None, entry[1])]
            page = listed[asked["offset"] : asked["offset"] + asked["limit"]]
            data = [{"id": batch_id, "name": batch_id, "status": status} for batch_id, status in page]
            return f'{{{SUCCESS}, "totalCount": {len(listed)}, "data": {json.dumps(data)}}}'.encode()
        started = [*self.statuses.values()].count(STARTED)
        return json.dumps({"last_pause": self.last_pause, "started": started}).encode()


async def main() -> None:
    """Serve until terminated."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--batches", type=int, default=1000)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--ca-file", type=Path, required=True)
    options = parser.parse_args()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(options.ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = await asyncio.start_server(
        LeanServer(options.batches, options.delay).serve, "127.0.0.1", 0, ssl=context, backlog=256
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
