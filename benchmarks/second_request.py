"""How long a second visitor waits for a small page while the first one asks for the costliest things there are.

``python -m benchmarks.second_request CATALOGUE`` serves a catalogue with one worker that keeps no answers, and asks for
``/about`` again and again: first alone, then beside clients that search texts, open ``/reproduction`` and pages of
stability, and take corrected sets and archives, as many at a time as ``--clients`` says. What stands in the catalogue
decides what is asked: the whole release costs more than the sample. Printed are percentiles of what the second visitor
waited, their ratios to the idle server, and the slowest answer beside each kind of request. What else the machine does
counts too, the first clients' own work among it.
"""

import argparse
import gc
import statistics
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import httpx

from benchmarks.site import SITE, served

SMALL = "/about"
#: Seconds between two requests of the second visitor.
APART = 0.01
TOLD = (50, 99, 100)
SUFFIXES = ("csv", "json", "npy", "parquet")


def costly(site: str) -> dict[str, str]:
    """Kind of request -> an address that costs the server something, as far as the catalogue has it."""
    api = "/api/v1/datasets"
    found = {"reproduction": "/reproduction", "openapi": "/api/openapi.json"}
    with httpx.Client(base_url=site, timeout=60) as client:
        for dataset in client.get(api).raise_for_status().json()["items"]:
            name = dataset["name"]
            wanted = {
                f"search {name}": f"/{name}?q=the",
                f"prefix {name}": f"{api}/{name}/issues?q=a*&limit=200",
                f"stability {name}": f"/{name}/stability",
                f"confusions {name}": f"/{name}/confusions",
                f"classes {name}": f"/{name}/classes",
                **{f"{suffix} {name}": f"{api}/{name}/corrected.{suffix}" for suffix in SUFFIXES},
            }
            for kind, address in wanted.items():
                with client.stream("GET", address) as answer:
                    if answer.status_code == 200:
                        found[kind] = address
    return found


def ask(site: str, addresses: dict[str, str], asked: list[str], stop: threading.Event) -> None:
    """One after another of the costly addresses, until told to stop; ``asked[0]`` is the one being answered."""
    with httpx.Client(base_url=site, timeout=60) as client:
        while not stop.is_set():
            for kind, address in addresses.items():
                asked[0] = kind
                with client.stream("GET", address) as answer:
                    for _ in answer.iter_raw():
                        if stop.is_set():
                            return


def waits(site: str, seconds: float, asked: Sequence[list[str]] = ()) -> list[tuple[float, str]]:
    """(milliseconds, what others asked for meanwhile) of each answer of the small page."""
    found = []
    with httpx.Client(base_url=site, timeout=60) as client:
        client.get(SMALL).raise_for_status()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            began, beside = time.perf_counter(), ", ".join(one[0] for one in asked)
            client.get(SMALL).raise_for_status()
            found.append(((time.perf_counter() - began) * 1000, beside))
            time.sleep(APART)
    return found


def percentiles(measured: Sequence[tuple[float, str]]) -> list[float]:
    """The percentiles that are told, in milliseconds; the hundredth is the slowest.

    >>> percentiles([(float(n), "") for n in range(1, 101)])
    [50.0, 99.0, 100.0]
    """
    ordered = sorted(ms for ms, _ in measured)
    return [ordered[max(0, -(-len(ordered) * p // 100) - 1)] for p in TOLD]


def beside(site: str, seconds: float, clients: int, addresses: dict[str, str]) -> list[tuple[float, str]]:
    """What the second visitor waits while ``clients`` others ask, each beginning at another address."""
    stop, asked = threading.Event(), [[""] for _ in range(clients)]
    kinds = list(addresses)
    threads = []
    for place, one in enumerate(asked):
        first = place * len(kinds) // clients
        turned = {kind: addresses[kind] for kind in kinds[first:] + kinds[:first]}
        threads.append(threading.Thread(target=ask, args=(site, turned, one, stop)))
    for thread in threads:
        thread.start()
    try:
        return waits(site, seconds, asked)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def report(idle: Sequence[tuple[float, str]], busy: dict[int, list[tuple[float, str]]]) -> None:
    alone = percentiles(idle)
    print(f"{'':18}{'answers':>9}" + "".join(f"{f'p{p} ms' if p < 100 else 'worst ms':>10}" for p in TOLD))
    print(f"{'alone':18}{len(idle):9,}" + "".join(f"{ms:10.1f}" for ms in alone))
    for clients, measured in busy.items():
        found = percentiles(measured)
        print(f"{f'beside {clients}':18}{len(measured):9,}" + "".join(f"{ms:10.1f}" for ms in found))
        ratios = (ms / one for ms, one in zip(found, alone, strict=True))
        print(f"{'  of alone':18}{'':9}" + "".join(f"{ratio:9.1f}x" for ratio in ratios))
        slowest: dict[str, list[float]] = defaultdict(list)
        for ms, kind in measured:
            slowest[kind].append(ms)
        for kind, all_ms in sorted(slowest.items(), key=lambda pair: -max(pair[1]))[:8]:
            print(f"    {max(all_ms):7.1f} at worst, {statistics.median(all_ms):6.1f} mostly beside {kind}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.second_request", description=__doc__.split("\n")[0])
    parser.add_argument("catalogue", type=Path, help="a catalogue made by `python -m ingest`")
    parser.add_argument("--seconds", type=float, default=20, help="seconds of each measurement (default 20)")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4], help="how many ask beside (default 1 4)")
    arguments = parser.parse_args()
    gc.freeze()  # else a full collection of this process, 0.05 seconds, would count as a wait for the server
    with served(SITE, catalogue=arguments.catalogue.resolve(), kept_answers=0) as site:
        addresses = costly(site)
        idle = waits(site, arguments.seconds)
        report(idle, {n: beside(site, arguments.seconds, n, addresses) for n in arguments.clients})
    return 0


if __name__ == "__main__":
    sys.exit(main())
