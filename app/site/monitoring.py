"""Addresses for monitoring: a health check, and metrics for Prometheus.

``/metrics`` exists only if ``LABELERRORS_METRICS`` is set, and only for the addresses it names. Requests that come
through a proxy are refused: behind a proxy on this machine, every visitor would appear to be on this machine.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from fastapi import APIRouter, HTTPException, Request, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool

from app.catalogue.current import Catalogue, current
from app.errors import Busy, SiteError
from app.schema.engine import FileState
from app.site.evaluate.upload import Evaluations
from app.web.json_response import json_response
from app.web.plain_route import PlainRoute
from app.web.response_cache import KeptAnswers
from app.web.server.client_addresses import address_of, within
from app.web.server.connection_limits import connections_open
from app.web.server.counters import Totals
from app.web.server.telemetry import Telemetry
from app.web.server.traffic import GROUPS, Traffic, durations, requests

router: Final = APIRouter(include_in_schema=False, route_class=PlainRoute)

#: Headers that a proxy adds to what it passes on.
_BY_PROXY: Final = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
#: Where the metrics are.
METRICS: Final = "/metrics"
_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"


def have_counted(traffic: Traffic | None, kept: KeptAnswers, evaluations: Evaluations) -> None:
    """Let ``traffic``, if metrics are on, read the numbers of this process's site."""
    if traffic is not None:
        traffic.sources |= {
            "connections": connections_open,
            "evaluations": lambda: evaluations.running,
            "kept_answers_bytes": lambda: kept.held,
            "kept_answers_hits": lambda: kept.hits,
            "kept_answers_misses": lambda: kept.misses,
        }


@router.get("/healthz")
async def healthz(request: Request) -> Response:
    """200 with the catalogue's version if there is a catalogue to serve, else 503."""
    return json_response({"status": "ok", "catalogue": current(request).version})


@router.get(METRICS)
async def metrics(request: Request) -> Response:
    """The numbers of all processes in the text format of Prometheus; 404 for clients that may not read them."""
    telemetry: Telemetry = request.app.state.telemetry
    client = address_of(request.client.host) if request.client else None
    direct = not any(name in request.headers for name in _BY_PROXY)
    if telemetry.traffic is None or not direct or not within(client, telemetry.metrics_for):
        raise HTTPException(404)
    try:
        catalogue = current(request)
    except SiteError:
        catalogue = None
    text = await run_in_threadpool(_text, telemetry.traffic, catalogue)
    return Response(text, media_type=_TEXT, headers={"Cache-Control": "no-store"})


def _text(traffic: Traffic, catalogue: Catalogue | None) -> bytes:
    try:
        totals = traffic.totals()
    except FileNotFoundError as error:
        raise Busy("The files in which this server's processes count were cleared away; start it again.") from error
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Numbers(totals, catalogue))
    return generate_latest(registry)


class _Numbers(Collector):
    """The numbers under their Prometheus names."""

    def __init__(self, totals: Totals, catalogue: Catalogue | None) -> None:
        self.totals = totals
        self.catalogue = catalogue

    def collect(self) -> Iterator[Metric]:
        yield from self._of_requests()
        yield from self._of_processes()
        yield from self._of_catalogue()

    def _of_requests(self) -> Iterator[Metric]:
        n = CounterMetricFamily("labelerrors_requests", "Requests by what was asked for.", labels=["group", "status"])
        sizes = CounterMetricFamily("labelerrors_response_bytes", "Bytes of bodies that were sent.", labels=["group"])
        seconds = HistogramMetricFamily(
            "labelerrors_request_seconds", "Time until all of an answer was handed over.", labels=["group"]
        )
        for group in GROUPS:
            for status, count in requests(self.totals, group).items():
                n.add_metric([group, status], count)
            sizes.add_metric([group], self.totals.counted[f"{group} bytes"])
            buckets, total = durations(self.totals, group)
            seconds.add_metric([group], buckets, total)
        yield from (n, sizes, seconds)

    def _of_processes(self) -> Iterator[Metric]:
        counted, living = self.totals
        yield CounterMetricFamily(
            "labelerrors_kept_answers_hits", "Answers that were kept and sent again.", counted["kept_answers_hits"]
        )
        yield CounterMetricFamily(
            "labelerrors_kept_answers_misses", "Answers that had to be made.", counted["kept_answers_misses"]
        )
        yield CounterMetricFamily(
            "labelerrors_access_log_lines_lost",
            "Lines of the access log that could not be written.",
            counted["access_log_lines_lost"],
        )
        yield CounterMetricFamily("process_cpu_seconds", "Processor time of all workers.", counted["cpu_ns"] / 1e9)
        for name, of, text in (
            ("labelerrors_kept_answers_bytes", "kept_answers_bytes", "Memory of kept answers, of all workers."),
            ("labelerrors_connections_open", "connections", "Connections open."),
            ("labelerrors_evaluations_running", "evaluations", "Evaluations of predictions that run."),
        ):
            yield GaugeMetricFamily(name, text, sum(values[of] for values in living))
        yield GaugeMetricFamily("labelerrors_workers", "Processes that serve.", len(living))
        rss = GaugeMetricFamily("process_resident_memory_bytes", "Memory of each worker.", labels=["pid"])
        for values in living:
            rss.add_metric([str(values["pid"])], values["rss"])
        yield rss

    def _of_catalogue(self) -> Iterator[Metric]:
        catalogue = self.catalogue
        if catalogue is None:
            return
        yield InfoMetricFamily("labelerrors_catalogue", "The catalogue served.", {"version": catalogue.file_version})
        written = datetime.fromisoformat(catalogue.written_at).timestamp()
        yield GaugeMetricFamily("labelerrors_catalogue_written_timestamp_seconds", "When it was written.", written)
        refused = FileState.at(catalogue.path) != catalogue.file.state
        yield GaugeMetricFamily(
            "labelerrors_catalogue_refused", "1: another file is at its place, and cannot be served.", refused
        )
