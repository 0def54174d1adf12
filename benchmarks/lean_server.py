"""
An HTTPS server that is as fast as asyncio allows, for benchmarks that the simulator would slow down.

It knows campaign 7 of any VDN, checks no signature, and answers ``pause`` and ``list`` alone. ``GET /state`` says when
the last pause came in. It prints its port when it is ready.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import time
from pathlib import Path

import trustme

SUCCESS = '"resultCode": "0200000", "resultDesc": "success", "returnCode": "0200000", "returnDesc": "success"'


class LeanServer:
    """
    Its state, and the protocol.

    :param batches: how many started batches campaign 7 has
    :param delay: the seconds that it takes for a pause
    """

    def __init__(self, batches: int, delay: float) -> None:
        self.started = dict.fromkeys(f"{n:030d}" for n in range(1, batches + 1))
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
        if path.endswith("/pause"):
            if self.delay:
                await asyncio.sleep(self.delay)
            self.started.pop(json.loads(body)["id"], None)
            self.last_pause = time.time()
            return f"{{{SUCCESS}}}".encode()
        if path.endswith("/list"):
            asked = json.loads(body)
            page = list(self.started)[asked["offset"] : asked["offset"] + asked["limit"]]
            data = [{"id": batch_id, "name": batch_id, "status": 1} for batch_id in page]
            return f'{{{SUCCESS}, "totalCount": {len(self.started)}, "data": {json.dumps(data)}}}'.encode()
        return json.dumps({"last_pause": self.last_pause, "started": len(self.started)}).encode()


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
