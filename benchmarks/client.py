"""The client against what people would write instead, on a lean HTTPS server in a process of its own."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import requests
from airflow.providers.http.hooks.http import HttpHook
from table import Row, medians

from airflow_provider_isales.client import ISalesClient
from airflow_provider_isales.client.auth import authorization
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
def lean_server(batches: int = 1000, delay: float = 0.0, rate: int = 0) -> Iterator[Server]:
    """Run a lean server: so many batches in each campaign, seconds for each answer, requests in each second."""
    with tempfile.TemporaryDirectory() as directory:
        ca_file = f"{directory}/ca.pem"
        command = [sys.executable, str(HERE / "lean_server.py"), "--ca-file", ca_file]
        process = subprocess.Popen(
            [*command, "--batches", str(batches), "--delay", str(delay), "--rate", str(rate)],
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
            f"{name} {seconds[name] * 1e6:.0f} us",
            seconds["ours"] / seconds[name],
            goal=1.15 if name == "requests" else None,
        )
        for name in ("requests", "httpx", "HttpHook")
    ]


def thousand_at_once(rounds: int = 5) -> list[Row]:
    """Time 1000 batches on a server that answers at once, beside a bare thread pool that is told the ids."""
    ours, theirs = [], []
    for _ in range(rounds):
        with lean_server() as server, server.client() as client:
            began = time.perf_counter()
            client.pause_call_batches(7)
            ours.append(time.perf_counter() - began)
        with lean_server() as server, requests.Session() as bare:
            bare.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=8))

            def pause(number: int, server: Server = server, bare: requests.Session = bare) -> None:
                body = json.dumps({"id": f"{number:030d}"})
                bare.post(server.url, body, headers=READY, verify=server.ca_file, timeout=10).json()

            began = time.perf_counter()
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(pause, range(1, 1001)))
            theirs.append(time.perf_counter() - began)
    our_best, their_best = sorted(ours)[rounds // 2], sorted(theirs)[rounds // 2]
    return [
        Row(
            "1000 batches, found, paused and verified",
            f"{our_best:.2f} s",
            f"requests thread pool, told the ids, not verifying: {their_best:.2f} s",
            our_best / their_best,
            goal=1.2,
        )
    ]


def thousand_with_latency(delay: float = 0.05) -> list[Row]:
    """Time 1000 batches, found, paused and verified, beside what latency alone makes of it: two pages deep, twice."""
    rows = []
    for parallel, goal in ((8, 1.10), (16, 1.10), (32, 1.15), (64, 1.25)):
        with lean_server(delay=delay) as server, server.client(parallel) as client:
            began = time.perf_counter()
            client.pause_call_batches(7, max_parallel_requests=parallel)
            seconds = time.perf_counter() - began
        ideal = (1000 / parallel + 4) * delay
        rows.append(
            Row(
                f"1000 batches at {delay * 1000:.0f} ms, {parallel} at once",
                f"{seconds:.2f} s",
                f"latency alone {ideal:.2f} s",
                seconds / ideal,
                goal=goal,
            )
        )
    return rows


def signing() -> list[Row]:
    """Time one signature beside its two HMACs alone."""
    body = json.dumps({"id": BATCH}).encode()
    headers = {"content-length": "40", "content-type": READY["Content-Type"], "host": "127.0.0.1:8443"}
    timestamp, key = "2026-01-01T00:00:00.000Z", b"k" * 64

    def sign() -> None:
        authorization("ak", "s" * 40, timestamp, method="POST", path=PATH, headers=headers, body=body)

    def floor() -> None:
        hmac.digest(key, b"m" * 90, hashlib.sha256).hex()
        hmac.digest(key, b"m" * 300, hashlib.sha256).hex()

    seconds = medians({"ours": sign, "two HMACs": floor}, rounds=5, calls=2000)
    ours, bare = seconds["ours"] * 1e6, seconds["two HMACs"] * 1e6
    return [Row("one signature, us", f"{ours:.1f} us", f"two HMACs {bare:.1f} us", ours, goal=12)]


def growth() -> list[Row]:
    """Time 10, 100 and 1000 batches; return the cost of one more batch and the fixed cost."""
    seconds = {}
    for size in (10, 100, 1000):
        with lean_server(batches=size) as server, server.client() as client:
            began = time.perf_counter()
            client.pause_call_batches(7)
            seconds[size] = time.perf_counter() - began
    each = (seconds[1000] - seconds[10]) / 990
    fixed = seconds[10] - 10 * each
    shown = ", ".join(f"{size}: {value * 1000:.0f} ms" for size, value in seconds.items())
    return [Row("growth, ms for each batch", shown, f"fixed cost {fixed * 1000:.0f} ms", each * 1000)]


def server_ceiling() -> str:
    """Say how many requests a second the server can answer, as ``wrk`` measures it over TLS with keep-alive."""
    if not shutil.which("wrk"):
        return "not measured: wrk is not installed"
    with lean_server() as server, tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"wrk.method = 'POST'\nwrk.body = '{json.dumps({'id': BATCH})}'\n")
        script.flush()
        command = ["wrk", "-t1", "-c8", "-d3s", "-s", script.name, server.url]
        output = subprocess.check_output(command, text=True)
    return f"{float(re.findall(r'Requests/sec: *([0-9.]+)', output)[0]):.0f} requests a second"


def rows() -> list[Row]:
    """Measure all."""
    return [*one_call(), *thousand_at_once(), *thousand_with_latency(), *signing(), *growth()]
