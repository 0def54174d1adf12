"""
An HTTPS server that is as fast as asyncio allows, for benchmarks that the simulator would slow down.

It has the campaigns 1 to ``--campaigns`` in any VDN, all with batches of the same ids, and checks no signature. It
supports ``pause`` and ``list`` of batches, and the list, details, ``pause`` and ``resume`` of campaigns; suspended ones
stay in the lists. Each response takes ``--delay`` seconds. With ``--rate``, more requests a second get HTTP 429.
``GET /state`` returns when the first request and the last pause of each campaign came in, and how many requests were
refused. It prints its port when it is ready.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import trustme

ROOT = "/rest/isales/v1/openapi/campaigns/"
STARTED, SUSPENDED = 1, 2
CAMPAIGN_STARTED, CAMPAIGN_SUSPENDED = 2, 3
#: The key of requests for all campaigns.
VDN = "VDN"
SUCCESS = '"resultCode": "0200000", "resultDesc": "success", "returnCode": "0200000", "returnDesc": "success"'


class LeanServer:
    """
    The state and the protocol.

    :param batches: how many started batches each campaign has
    :param campaigns: how many campaigns there are
    :param delay: the seconds that each response takes
    :param rate: how many requests a second are allowed; 0 for any number
    """

    def __init__(self, batches: int, campaigns: int, delay: float, rate: int) -> None:
        ids = [f"{n:030d}" for n in range(1, batches + 1)]
        self.statuses = {str(campaign): dict.fromkeys(ids, STARTED) for campaign in range(1, campaigns + 1)}
        self.campaigns = dict.fromkeys(self.statuses, CAMPAIGN_STARTED)
        self.delay = delay
        self.rate = rate
        self.second, self.allowed, self.refused = 0, 0, 0
        self.first_request: dict[str, float] = {}
        self.last_pause: dict[str, float] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Respond to one connection's requests until it is closed."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1]
                length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
                body = await reader.readexactly(int(length or 0))
                if self.allows(path):
                    status, content = b"200 OK", await self.handle(path.decode(), body)
                else:
                    status, content = b"429 Too Many Requests", b""
                writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(content), content))
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

    async def handle(self, address: str, body: bytes) -> bytes:
        """Return the JSON for one request."""
        path, _, query = address.partition("?")
        if path == "/state":
            return json.dumps(self.state()).encode()
        _, *rest = path.removeprefix(ROOT).split("/")
        whole, verb, campaign = rest[:1] != ["callbatch"], rest[-1] if rest[1:] else "", VDN
        if rest:
            campaign = rest[0] if whole else rest[1]
        self.first_request.setdefault(campaign, time.time())
        if self.delay:
            await asyncio.sleep(self.delay)
        if verb == "pause":
            self.last_pause[campaign] = time.time()
        if whole:
            fields = self.list_campaigns(query) if campaign == VDN else self.handle_campaign(campaign, verb)
        else:
            fields = self.handle_batches(self.statuses[campaign], verb, json.loads(body))
        return f"{{{SUCCESS}{fields}}}".encode()

    def state(self) -> dict[str, object]:
        """Return what benchmarks read afterwards."""
        started = {
            campaign: [*batches.values()].count(STARTED) if self.campaigns[campaign] == CAMPAIGN_STARTED else 0
            for campaign, batches in self.statuses.items()
        }
        known = {"started": started, "first_request": self.first_request, "last_pause": self.last_pause}
        return known | {"refused": self.refused}

    def list_campaigns(self, query: str) -> str:
        """Return one page of the campaigns."""
        fields = dict(parse_qsl(query))
        size = int(fields["rowsPerPage"])
        first = (int(fields["curPage"]) - 1) * size
        data = [make_row(campaign, status) for campaign, status in [*self.campaigns.items()][first : first + size]]
        return f', "totalSize": {len(self.campaigns)}, "rowsPerPage": {size}, "data": {json.dumps(data)}'

    def handle_campaign(self, campaign: str, verb: str) -> str:
        """Suspend or start a campaign, or return its details."""
        if verb == "pause":
            self.campaigns[campaign] = CAMPAIGN_SUSPENDED
            return ""
        if verb == "resume":
            self.campaigns[campaign] = CAMPAIGN_STARTED
            self.first_request.pop(VDN, None)
            return ""
        return f', "returnObject": {json.dumps(make_row(campaign, self.campaigns[campaign]))}'

    def handle_batches(self, batches: dict[str, int], verb: str, asked: dict[str, Any]) -> str:
        """Suspend a batch, or return one page of them."""
        if verb == "pause":
            batches[asked["id"]] = SUSPENDED
            return ""
        page = [*batches.items()][asked["offset"] : asked["offset"] + asked["limit"]]
        data = [{"id": batch_id, "name": batch_id, "status": status} for batch_id, status in page]
        return f', "totalCount": {len(batches)}, "data": {json.dumps(data)}'


def make_row(campaign: str, status: int) -> dict[str, object]:
    """Return a campaign as lists and details show it."""
    name, times = f"campaign-{campaign}", {"strBeginTime": "2020-01-01 00:00:00", "strEndTime": "2099-12-31 23:59:59"}
    return {"id": int(campaign), "name": name, "status": status, **times, "deviceType": 3, "callerNo": ""}


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
