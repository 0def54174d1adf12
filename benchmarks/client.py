"""The client against what people would write instead, on a lean HTTPS server in a process of its own."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

import httpx
import requests
from airflow.providers.http.hooks.http import HttpHook
from table import Row, medians

from airflow_provider_isales.client import ISalesClient
from airflow_provider_isales.client.auth import make_authorization
from airflow_provider_isales.hooks.isales import ISalesHook

HERE = Path(__file__).parent
PATH = "/rest/isales/v1/openapi/campaigns/25/callbatch/7/pause"
BATCH = "000000000000000000000000000001"
# As long as a real one: a ready header costs its sender nothing.
READY = {"Content-Type": "application/json; charset=UTF-8", "Authorization": "x" * 160}


@dataclass(frozen=True)
class Server:
    """Where a lean server is."""

    port: int
    ca_file: str

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}{PATH}"

    def state(self) -> dict[str, Any]:
        """Return what the server tells of itself."""
        answer = requests.get(f"https://127.0.0.1:{self.port}/state", verify=self.ca_file, timeout=10)
        return dict(answer.json())

    def connection(self) -> str:
        """Return the Airflow connection to it."""
        extra = {"vdn_id": 25, "verify": self.ca_file}
        fields = {"conn_type": "isales", "host": "127.0.0.1", "port": self.port, "login": "ak", "password": "sk"}
        return json.dumps(fields | {"extra": extra})

    def client(self, parallel: int = 8) -> ISalesClient:
        """Return a client for it."""
        return ISalesClient(
            "127.0.0.1", "ak", "sk", vdn_id=25, port=self.port, verify=self.ca_file, max_connections=parallel
        )


@contextmanager
def lean_server(batches: int = 1000, delay: float = 0.0, rate: int = 0, campaigns: int = 7) -> Iterator[Server]:
    """Run a lean server: so many batches in each campaign, seconds for each answer, requests in each second."""
    with tempfile.TemporaryDirectory() as directory:
        ca_file = f"{directory}/ca.pem"
        settings = {"batches": batches, "delay": delay, "rate": rate, "campaigns": campaigns, "ca-file": ca_file}
        options = [f"--{name}={value}" for name, value in settings.items()]
        process = subprocess.Popen(
            [sys.executable, str(HERE / "lean_server.py"), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout
        try:
            yield Server(int(process.stdout.readline()), ca_file)
        finally:
            process.terminate()
            process.wait(10)


def one_call() -> list[Row]:
    """Time one pause over a connection that is there."""
    with lean_server() as server, requests.Session() as bare, httpx.Client(verify=server.ca_file) as http:
        os.environ["AIRFLOW_CONN_ISALES_DEFAULT"] = server.connection()
        extra = json.dumps({"verify": server.ca_file, "check_response": False})
        fields = {"conn_type": "http", "schema": "https", "host": "127.0.0.1", "port": server.port, "extra": extra}
        os.environ["AIRFLOW_CONN_HTTP_DEFAULT"] = json.dumps(fields)
        body = json.dumps({"id": BATCH})
        client, http_hook = ISalesHook().get_conn(), HttpHook(method="POST")
        contenders = {
            "ours": lambda: client.pause_call_batch(7, BATCH),
            "requests": lambda: bare.post(server.url, body, headers=READY, verify=server.ca_file, timeout=10).json(),
            "httpx": lambda: http.post(server.url, content=body, headers=READY).json(),
            "HttpHook": lambda: http_hook.run(
                PATH, body, headers=READY, extra_options={"verify": server.ca_file}
            ).json(),
        }
        seconds = medians(contenders, rounds=6, calls=100)
    return [
        Row(
            "one pause",
            f"{seconds['ours'] * 1e6:.0f} us",
            f"{name}, unsigned: {seconds[name] * 1e6:.0f} us",
            seconds["ours"] / seconds[name],
            goal=goal,
        )
        for name, goal in (("requests", 0.75), ("httpx", 1.0), ("HttpHook", None))
    ]


def thousand_at_once(rounds: int = 5) -> list[Row]:
    """Time 1000 batches on a server that answers at once, beside a bare thread pool that is told the ids."""
    ours, theirs = [], []
    for _ in range(rounds):
        with lean_server() as server, server.client() as client:
            ours.append(timed(partial(client.pause_call_batches, 7)))
        with lean_server() as server:
            theirs.append(timed(partial(requests_pool, server, 1000)))
    rival = "requests thread pool, unsigned, told the ids, not verifying"
    rows = []
    for number, (unit, goal) in enumerate((("seconds", 0.65), ("processor seconds", None))):
        our_median, their_median = (statistics.median(times[number] for times in each) for each in (ours, theirs))
        what, beside = f"1000 batches, found, paused and verified: {unit}", f"{rival}: {their_median:.2f} s"
        rows.append(Row(what, f"{our_median:.2f} s", beside, our_median / their_median, goal=goal))
    return rows


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """Call something; return the seconds it took, and the processor seconds of this process."""
    began, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - began, time.process_time() - cpu


def requests_pool(server: Server, batches: int) -> None:
    """Pause batches as people would by themselves: eight threads with one session, told the ids, verifying nothing."""
    with requests.Session() as bare, ThreadPoolExecutor(8) as pool:
        bare.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=8))

        def pause(number: int) -> None:
            body = json.dumps({"id": f"{number:030d}"})
            bare.post(server.url, body, headers=READY, verify=server.ca_file, timeout=10).json()

        list(pool.map(pause, range(1, batches + 1)))


def thousand_with_latency(delay: float = 0.05, rounds: int = 3) -> list[Row]:
    """Time 1000 batches, found, paused and verified, beside what latency alone makes of it: two pages deep, twice."""
    rows = []
    for parallel, goal in ((8, 1.10), (16, 1.10), (32, 1.15), (64, 1.25)):
        taken = [seconds_for(1000, delay, parallel) for _ in range(rounds)]
        seconds, ideal = statistics.median(wall for wall, _ in taken), (1000 / parallel + 4) * delay
        rows.append(
            Row(
                f"1000 batches at {delay * 1000:.0f} ms, {parallel} at once",
                f"{seconds:.2f} s, {statistics.median(cpu for _, cpu in taken):.2f} s of processor",
                f"latency alone {ideal:.2f} s",
                seconds / ideal,
                goal=goal,
            )
        )
    return rows


def seconds_for(batches: int, delay: float, parallel: int = 8) -> tuple[float, float]:
    """Find, pause and verify batches; return the seconds it took, and the processor seconds."""
    with lean_server(batches, delay) as server, server.client(parallel) as client:
        return timed(partial(client.pause_call_batches, 7, max_parallel_requests=parallel))


def whole_campaigns(campaigns: int = 20, delay: float = 0.05, rounds: int = 9) -> list[Row]:
    """Time all campaigns of a VDN, found, paused as a whole, read back and verified, beside latency alone."""
    rows = []
    for parallel in (8, 20):
        ours, theirs = [], []
        for _ in range(rounds):
            with lean_server(1000, delay, campaigns=campaigns) as server, server.client(parallel) as client:
                pause_all = partial(client.pause_campaigns, "all", max_parallel_requests=parallel)
                ours.append(timed(pause_all))
                assert not any(server.state()["started"].values())
            with lean_server(1000, delay, campaigns=campaigns) as server:
                theirs.append(timed(partial(requests_pool_for_campaigns, server, parallel))[0])
        seconds, ideal = statistics.median(wall for wall, _ in ours), (2 + 2 * campaigns / parallel) * delay
        rows.append(
            Row(
                f"{campaigns} campaigns of 1000 batches as a whole at {delay * 1000:.0f} ms, {parallel} at once",
                f"{seconds:.2f} s, {statistics.median(cpu for _, cpu in ours):.2f} s of processor",
                f"latency alone {ideal:.2f} s (requests thread pool, unsigned: {statistics.median(theirs):.2f} s)",
                seconds / ideal,
                goal=1.2,
            )
        )
    return rows


def requests_pool_for_campaigns(server: Server, parallel: int) -> None:
    """Send the same requests as people would by themselves: list, pause each, read its details, list again."""
    with requests.Session() as bare, ThreadPoolExecutor(parallel) as pool:
        bare.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=parallel))

        def send(method: str, path: str = "") -> dict[str, Any]:
            url = f"https://127.0.0.1:{server.port}/rest/isales/v1/openapi/campaigns/25{path}"
            answer = bare.request(method, url, headers=READY, verify=server.ca_file, timeout=10)
            return dict(answer.json())

        listing = "?status=0&deviceType=0&curPage=1&rowsPerPage=100"
        ids = [row["id"] for row in send("GET", listing)["data"]]
        list(pool.map(lambda each: send("PUT", f"/{each}/pause"), ids))
        list(pool.map(lambda each: send("GET", f"/{each}"), ids))
        send("GET", listing)


def limited(rate: int = 100, rounds: int = 3) -> list[Row]:
    """Time 1000 batches on a server that refuses what is more than so many requests in a second."""
    seconds, refused = [], []
    for _ in range(rounds):
        with lean_server(rate=rate) as server, server.client() as client:
            seconds.append(timed(partial(client.pause_call_batches, 7))[0])
            refused.append(int(server.state()["refused"]))
    taken, share = statistics.median(seconds), statistics.median(refused) / (1000 + statistics.median(refused)) * 100
    what = f"1000 batches, where {rate} requests a second are allowed"
    ideal = f"the rate alone {1000 / rate:.1f} s"
    return [
        Row(what, f"{taken:.1f} s", ideal, taken * rate / 1000, goal=1.15),
        Row(f"{what}: per cent refused", f"{statistics.median(refused):.0f} of them", "", share, goal=2),
    ]


def signing() -> list[Row]:
    """Time one signature beside its two HMACs alone."""
    body = json.dumps({"id": BATCH}).encode()
    headers = {"content-length": "40", "content-type": READY["Content-Type"], "host": "127.0.0.1:8443"}
    timestamp, key = "2026-01-01T00:00:00.000Z", b"k" * 64

    def sign() -> None:
        make_authorization("ak", "s" * 40, timestamp, method="POST", path=PATH, headers=headers, body=body)

    def floor() -> None:
        hmac.digest(key, b"m" * 90, hashlib.sha256).hex()
        hmac.digest(key, b"m" * 300, hashlib.sha256).hex()

    seconds = medians({"ours": sign, "two HMACs": floor}, rounds=5, calls=2000)
    ours, bare = seconds["ours"] * 1e6, seconds["two HMACs"] * 1e6
    return [Row("one signature", f"{ours:.1f} us", f"its two HMACs {bare:.1f} us", ours / bare, goal=2)]


def growth(delay: float = 0.05) -> dict[int, tuple[float, float, float]]:
    """Time numbers of batches, eight at once; return our seconds, a requests pool's, and those of latency alone."""
    found = {}
    for size in (10, 30, 100, 300, 1000):
        with lean_server(size, delay) as server:
            pool = timed(partial(requests_pool, server, size))[0]
        pages = 4 if size > 100 else 2
        found[size] = seconds_for(size, delay)[0], pool, (ceil(size / 8) + pages) * delay
    return found


def growth_row(found: dict[int, tuple[float, float, float]]) -> Row:
    """Return the row of how the time grows: what ten times as many batches cost."""
    shown = ", ".join(f"{size}: {ours:.2f} s" for size, (ours, *_) in found.items())
    alone = ", ".join(f"{size}: {limit:.2f} s" for size, (*_, limit) in found.items())
    (few, most), (limit_of_few, limit_of_most) = ((found[100][i], found[1000][i]) for i in (0, 2))
    ratio = (most / few) / (limit_of_most / limit_of_few)
    return Row("growth at 50 ms, from 100 to 1000 batches beside latency alone", shown, alone, ratio)


def server_ceiling() -> str:
    """Say how many requests a second the server can answer, as ``wrk`` measures it over TLS with keep-alive."""
    if not shutil.which("wrk"):
        return "not measured, since `wrk` is not installed"
    with lean_server() as server, tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"wrk.method = 'POST'\nwrk.body = '{json.dumps({'id': BATCH})}'\n")
        script.flush()
        command = ["wrk", "-t1", "-c8", "-d3s", "-s", script.name, server.url]
        output = subprocess.check_output(command, text=True)
    return f"{float(re.findall(r'Requests/sec: *([0-9.]+)', output)[0]):.0f} requests a second, by `wrk`"


def rows() -> list[Row]:
    """Measure all."""
    return [*one_call(), *thousand_at_once(), *thousand_with_latency(), *whole_campaigns(), *limited(), *signing()]
