"""Whether the process lives, whether the whole works, and numbers for a monitor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, timedelta

from flask import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.serializers import JSONSerializer
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from webapp import enqueue
from webapp.api.fields import Body, ErrorBody, answer
from webapp.api.guard import api_blueprint, require_bearer
from webapp.api.spec import BEARER
from webapp.database import transaction
from webapp.models import Connection, Entry, MappingSource, PlayRow, RequestCount, Run, utcnow

blueprint = api_blueprint("api_health", prefix=None, guard=None)

SILENT = timedelta(seconds=180)  # an idle worker of RQ reports every 75 s


class OkBody(Body):
    ok: bool


@blueprint.get("/healthz", summary="The process lives", responses={200: OkBody})
def healthz() -> Response:
    return answer(OkBody(ok=True))


@blueprint.get("/readyz", summary="Database, Redis and a worker answer", responses={200: OkBody, 503: OkBody})
def readyz() -> Response:
    ok = _database_answers() and _worker_lives()
    return answer(OkBody(ok=ok), 200 if ok else 503)


def _database_answers() -> bool:
    try:
        with transaction(readonly=True) as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True


def _worker_lives() -> bool:
    client = enqueue.redis_connection()
    if client is None:
        return False
    try:
        workers = Worker.all(connection=client, serializer=JSONSerializer)
    except RedisError:
        return False
    now = utcnow()
    return any(w.last_heartbeat is not None and now - w.last_heartbeat.replace(tzinfo=UTC) < SILENT for w in workers)


@blueprint.get(
    "/metrics",
    summary="Numbers in Prometheus' text format",
    security=BEARER,
    responses={200: {"content": {"text/plain": {}}}, 401: ErrorBody, 429: ErrorBody},
)
def metrics() -> Response:
    require_bearer()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Numbers())
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Numbers(Collector):
    """Counted from the database at the moment of asking; queue lengths from Redis when it answers."""

    def collect(self) -> Iterator[Metric]:
        with transaction(readonly=True) as session:
            groups = (
                ("tsuzuki_runs", "Runs by mode and status", ("mode", "status"), (Run.mode, Run.status)),
                ("tsuzuki_plays", "Plays of the ledger by state", ("state",), (PlayRow.state,)),
                ("tsuzuki_entries", "Entries by pile", ("pile",), (func.coalesce(Entry.pile, "unknown"),)),
                ("tsuzuki_connections", "Connections by state", ("service", "state"), (Connection.service, Connection.state)),
            )  # fmt: skip
            for name, doc, labels, columns in groups:
                family = GaugeMetricFamily(name, doc, labels=labels)
                for *values, count in session.execute(select(*columns, func.count()).group_by(*columns)):
                    family.add_metric([str(value) for value in values], count)
                yield family
            requests = GaugeMetricFamily("tsuzuki_requests", "Requests of runs by service", labels=("service",))
            sums = select(RequestCount.service, func.sum(RequestCount.requests)).group_by(RequestCount.service)
            for service, count in session.execute(sums):
                requests.add_metric([service], float(count or 0))
            yield requests
            sources = session.scalars(select(MappingSource)).all()
        yield from _caches(sources)
        yield from _queues()


def _caches(sources: Sequence[MappingSource]) -> Iterator[Metric]:
    rows = GaugeMetricFamily("tsuzuki_cache_rows", "Rows of the mapping caches", labels=("cache",))
    age = GaugeMetricFamily("tsuzuki_cache_age_seconds", "Time since the last good look", labels=("cache",))
    for source in sources:
        rows.add_metric([source.name], source.rows_kept)
        if source.last_sync is not None:
            age.add_metric([source.name], (utcnow() - source.last_sync).total_seconds())
    yield rows
    yield age


def _queues() -> Iterator[Metric]:
    family = GaugeMetricFamily("tsuzuki_queue_length", "Jobs that wait for a worker", labels=("queue",))
    client = enqueue.redis_connection()
    if client is None:
        return
    try:
        for name in enqueue.QUEUES:
            family.add_metric([name], Queue(name, connection=client, serializer=JSONSerializer).count)
    except RedisError:
        return
    yield family
