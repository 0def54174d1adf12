"""Compare the client with what people would write instead, on a lean HTTPS server in a separate process."""

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
from table import Row, measure_medians

from airflow_provider_isales.client import ISalesClient
from airflow_provider_isales.client.auth import make_authorization
from airflow_provider_isales.hooks.isales import ISalesHook

HERE = Path(__file__).parent
PATH = "/rest/isales/v1/openapi/campaigns/25/callbatch/7/pause"
BATCH = "000000000000000000000000000001"
# As long as a real one; a ready-made header costs its sender nothing.
READY = {"Content-Type": "application/json; charset=UTF-8", "Authorization": "x" * 160}


@dataclass(frozen=True)
class Server:
    """The address of a lean server."""

    port: int
    ca_file: str

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}{PATH}"

    def state(self) -> dict[str, Any]:
        """Return the server's state."""
        return dict(requests.get(f"https://127.0.0.1:{self.port}/state", verify=self.ca_file, timeout=10).json())

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
def run_lean_server(batches: int = 1000, delay: float = 0.0, rate: int = 0, campaigns: int = 7) -> Iterator[Server]:
    """Run a lean server; ``delay`` is in seconds per response, ``rate`` in requests per second."""
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


def time_one_pause() -> list[Row]:
    """Time one pause over an open connection."""
    with run_lean_server() as server, requests.Session() as bare, httpx.Client(verify=server.ca_file) as http:
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
        seconds = measure_medians(contenders, rounds=6, calls=100)
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


def time_without_latency(rounds: int = 5) -> list[Row]:
    """Time 1000 batches on a server without latency, beside a bare thread pool that knows the ids."""
    ours, theirs = [], []
    for _ in range(rounds):
        with run_lean_server() as server, server.client() as client:
            ours.append(time_call(partial(client.pause_call_batches, 7)))
        with run_lean_server() as server:
            theirs.append(time_call(partial(pause_batches_in_pool, server, 1000)))
    rival = "requests thread pool, unsigned, told the ids, not verifying"
    rows = []
    for number, (unit, goal) in enumerate((("seconds", 0.65), ("processor seconds", None))):
        our_median, their_median = (statistics.median(times[number] for times in each) for each in (ours, theirs))
        what, beside = f"1000 batches, found, paused and verified: {unit}", f"{rival}: {their_median:.2f} s"
        rows.append(Row(what, f"{our_median:.2f} s", beside, our_median / their_median, goal=goal))
    return rows


def time_call(call: Callable[[], object]) -> tuple[float, float]:
    """Call a function; return the seconds it took, and the processor seconds of this process."""
    began, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - began, time.process_time() - cpu


def pause_batches_in_pool(server: Server, batches: int) -> None:
    """Pause batches as people would: eight threads with one session that know the ids and verify nothing."""
    with requests.Session() as bare, ThreadPoolExecutor(8) as pool:
        bare.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=8))

        def pause(number: int) -> None:
            body = json.dumps({"id": f"{number:030d}"})
            bare.post(server.url, body, headers=READY, verify=server.ca_file, timeout=10).json()

        list(pool.map(pause, range(1, batches + 1)))


def time_with_latency(delay: float = 0.05, rounds: int = 3) -> list[Row]:
    """Time 1000 batches, found, paused and verified, beside latency alone; each listing has two pages in sequence."""
    rows = []
    for parallel, goal in ((8, 1.10), (16, 1.10), (32, 1.15), (64, 1.25)):
        taken = [time_batches(1000, delay, parallel) for _ in range(rounds)]
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


def time_batches(batches: int, delay: float, parallel: int = 8) -> tuple[float, float]:
    """Find, pause and verify batches; return the seconds it took, and the processor seconds."""
    with run_lean_server(batches, delay) as server, server.client(parallel) as client:
        return time_call(partial(client.pause_call_batches, 7, max_parallel_requests=parallel))


def time_whole_campaigns(campaigns: int = 20, delay: float = 0.05, rounds: int = 9) -> list[Row]:
    """Time whole campaigns of a VDN, found, paused, read back and verified, beside latency alone."""
    rows = []
    for parallel in (8, 20):
        ours, theirs = [], []
        for _ in range(rounds):
            with run_lean_server(1000, delay, campaigns=campaigns) as server, server.client(parallel) as client:
                pause_all = partial(client.pause_campaigns, "all", max_parallel_requests=parallel)
                ours.append(time_call(pause_all))
                assert not any(server.state()["started"].values())
            with run_lean_server(1000, delay, campaigns=campaigns) as server:
                theirs.append(time_call(partial(pause_campaigns_in_pool, server, parallel))[0])
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


def pause_campaigns_in_pool(server: Server, parallel: int) -> None:
    """Send the same requests as people would: list, pause each campaign, read its details, list again."""
    with requests.Session() as bare, ThreadPoolExecutor(parallel) as pool:
        bare.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=parallel))

        def send(method: str, path: str = "") -> dict[str, Any]:
            url = f"https://127.0.0.1:{server.port}/rest/isales/v1/openapi/campaigns/25{path}"
            return dict(bare.request(method, url, headers=READY, verify=server.ca_file, timeout=10).json())

        listing = "?status=0&deviceType=0&curPage=1&rowsPerPage=100"
        ids = [row["id"] for row in send("GET", listing)["data"]]
        list(pool.map(lambda campaign_id: send("PUT", f"/{campaign_id}/pause"), ids))
        list(pool.map(lambda campaign_id: send("GET", f"/{campaign_id}"), ids))
        send("GET", listing)


def time_limited_rate(rate: int = 100, rounds: int = 3) -> list[Row]:
    """Time 1000 batches on a server that limits the rate of requests."""
    seconds, refused = [], []
    for _ in range(rounds):
        with run_lean_server(rate=rate) as server, server.client() as client:
            seconds.append(time_call(partial(client.pause_call_batches, 7))[0])
            refused.append(int(server.state()["refused"]))
    taken, share = statistics.median(seconds), statistics.median(refused) / (1000 + statistics.median(refused)) * 100
    what = f"1000 batches, where {rate} requests a second are allowed"
    ideal = f"the rate alone {1000 / rate:.1f} s"
    return [
        Row(what, f"{taken:.1f} s", ideal, taken * rate / 1000, goal=1.15),
        Row(f"{what}: per cent refused", f"{statistics.median(refused):.0f} of them", "", share, goal=2),
    ]


def time_signature() -> list[Row]:
    """Time one signature beside its two HMACs alone."""
    body = json.dumps({"id": BATCH}).encode()
    headers = {"content-length": "40", "content-type": READY["Content-Type"], "host": "127.0.0.1:8443"}
    timestamp, key = "2026-01-01T00:00:00.000Z", b"k" * 64

    def sign() -> None:
        make_authorization("ak", "s" * 40, timestamp, method="POST", path=PATH, headers=headers, body=body)

    def floor() -> None:
        hmac.digest(key, b"m" * 90, hashlib.sha256).hex()
        hmac.digest(key, b"m" * 300, hashlib.sha256).hex()

    seconds = measure_medians({"ours": sign, "two HMACs": floor}, rounds=5, calls=2000)
    ours, bare = seconds["ours"] * 1e6, seconds["two HMACs"] * 1e6
    return [Row("one signature", f"{ours:.1f} us", f"its two HMACs {bare:.1f} us", ours / bare, goal=2)]


def measure_growth(delay: float = 0.05) -> dict[int, tuple[float, float, float]]:
    """Time several numbers of batches, eight at once; return our seconds, a requests pool's, and latency's alone."""
    found = {}
    for size in (10, 30, 100, 300, 1000):
        with run_lean_server(size, delay) as server:
            pool = time_call(partial(pause_batches_in_pool, server, size))[0]
        pages = 4 if size > 100 else 2
        found[size] = time_batches(size, delay)[0], pool, (ceil(size / 8) + pages) * delay
    return found


def make_growth_row(found: dict[int, tuple[float, float, float]]) -> Row:
    """Return the row for the growth of the time from 100 to 1000 batches."""
    shown = ", ".join(f"{size}: {ours:.2f} s" for size, (ours, *_) in found.items())
    alone = ", ".join(f"{size}: {limit:.2f} s" for size, (*_, limit) in found.items())
    (few, most), (limit_of_few, limit_of_most) = ((found[100][i], found[1000][i]) for i in (0, 2))
    ratio = (most / few) / (limit_of_most / limit_of_few)
    return Row("growth at 50 ms, from 100 to 1000 batches beside latency alone", shown, alone, ratio)


def measure_ceiling() -> str:
    """Return how many requests a second the server can handle, as ``wrk`` measures it over TLS with keep-alive."""
    if not shutil.which("wrk"):
        return "not measured, since `wrk` is not installed"
    with run_lean_server() as server, tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"wrk.method = 'POST'\nwrk.body = '{json.dumps({'id': BATCH})}'\n")
        script.flush()
        command = ["wrk", "-t1", "-c8", "-d3s", "-s", script.name, server.url]
        output = subprocess.check_output(command, text=True)
    return f"{float(re.findall(r'Requests/sec: *([0-9.]+)', output)[0]):.0f} requests a second, by `wrk`"


def measure() -> list[Row]:
    """Measure all."""
    return [
        *time_one_pause(),
        *time_without_latency(),
        *time_with_latency(),
        *time_whole_campaigns(),
        *time_limited_rate(),
        *time_signature(),
    ]
