"""Pictures that are made to eat a server: how much of the worker's memory they take, and whether it still answers."""

import json
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from tests.pictures import UNUSABLE, form, many_scans, png, written
from tests.servers import Server, serving
from tests.soak.test_kills import call, workers

GROWS_BY = 200  # megabytes at most
SIDE = 5000  # 25 megapixels


def _flat(mode: str, kind: str, **options: object) -> bytes:
    return written(Image.linear_gradient("L").resize((SIDE, SIDE)).convert(mode), kind, **options)


# Within 25 megapixels and 5 MB: each is decoded.
HEAVY: dict[str, Callable[[], bytes]] = {
    "PNG, RGBA": lambda: png(SIDE, SIDE, b"\x80" * 4 * SIDE, color_type=6),
    "PNG, 16 bits of RGBA": lambda: png(SIDE, SIDE, b"\x80" * 8 * SIDE, depth=16, color_type=6),
    "PNG, 16 bits of grey": lambda: png(SIDE, SIDE, b"\x80" * 2 * SIDE, depth=16, color_type=0),
    "JPEG, progressive": lambda: _flat("RGB", "JPEG", progressive=True, subsampling=0),
    "JPEG, progressive CMYK": lambda: _flat("CMYK", "JPEG", progressive=True),
    "JPEG, 190 scans": lambda: many_scans(180, (SIDE, SIDE)),
    "JPEG, 116,000 scans": lambda: many_scans(116_000, (SIDE, SIDE)),
    "WebP, lossless": lambda: written(Image.new("RGBA", (SIDE, SIDE), "red"), "WEBP", lossless=True, method=0),
    "a line of 25 million pixels": lambda: png(1, SIDE * SIDE, b"\x80", color_type=0),
}
BOMBS = HEAVY | {name: UNUSABLE[name] for name in ("14,000 × 14,000 pixels", "a PNG cut in half", "an SVG")}


def memory(pid: int) -> tuple[int, int]:
    """Return what a process takes now, and took at most, in megabytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) // 1024 for line in lines if line.startswith(("VmRSS", "VmHWM"))}
    return sizes["VmRSS"], sizes["VmHWM"]


def assert_slug(refused: urllib.error.HTTPError) -> None:
    assert json.loads(refused.read())["slug"] in {"unusable_picture", "too_many_pictures"}


def send(server: Server, token: str, data: bytes) -> tuple[int, float]:
    """Upload a picture; return the status and the seconds that it took."""
    body = form(data)
    headers = {"Content-Type": body["content_type"], "Authorization": f"Bearer {token}"}
    address = f"{server.url}/api/v1/profiles/me/avatar"
    request = urllib.request.Request(address, body["data"], headers, method="PUT")
    began = time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, time.monotonic() - began
    except urllib.error.HTTPError as refused:
        assert_slug(refused)
        return refused.code, time.monotonic() - began


def test_bombs_cost_the_worker_little_and_it_answers_meanwhile(tmp_path: Path) -> None:
    made = {name: make() for name, make in BOMBS.items()}
    assert all(len(data) <= 5 * 1024 * 1024 for data in made.values()), {name: len(made[name]) for name in made}
    with serving(tmp_path, SMS_SIMULATED_DELAY="0") as server:
        code = call(server, "/auth/code", {"phone": "+79990000001"})["code"]
        token = call(server, "/auth/token", {"phone": "+79990000001", "code": code})["access_token"]
        (worker,) = workers(server)
        before, _ = memory(worker)
        for name, data in made.items():
            status, seconds = send(server, token, data)
            print(f"{name}: {len(data):,} bytes, {status} after {seconds:.2f} s; worker at {memory(worker)[0]} MB")
            assert status in ({200, 422} if name in HEAVY else {422}), name
        statuses: Counter[int] = Counter()
        slowest = 0.0
        with ThreadPoolExecutor(12) as pool:
            sent = [pool.submit(send, server, token, data) for data in [*made.values()] * 3]
            while not all(one.done() for one in sent):
                began = time.monotonic()
                with urllib.request.urlopen(f"{server.url}/health/live", timeout=60) as answer:
                    assert answer.status == 200
                slowest = max(slowest, time.monotonic() - began)
                time.sleep(0.05)
            statuses.update(one.result()[0] for one in sent)
        now, most = memory(worker)
        print(f"12 at a time: {dict(statuses)}; the slowest answer of /health/live meanwhile {slowest:.2f} s")
        print(f"the worker: {before} MB before, {now} MB after, {most} MB at most")
        assert most - before < GROWS_BY
        assert workers(server) == [worker]
        assert statuses.keys() <= {200, 422, 429}


@pytest.mark.parametrize("name", HEAVY)
def test_the_decoder_stays_within_its_bounds(name: str) -> None:
    import resource
    import subprocess
    import sys

    from referral_app import pictures

    began = time.monotonic()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        ["/usr/bin/env", "-i", sys.executable, "-I", pictures.__file__],
        input=HEAVY[name](),
        capture_output=True,
        timeout=60,
        check=False,
    )
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    print(f"\n{name}: status {done.returncode}, {seconds:.2f} s of CPU, {time.monotonic() - began:.2f} s in all")
    assert seconds < pictures._SECONDS + 2
