"""OTLP over gRPC: another door to the same queue, with the same keys in the metadata (OTLP specification 1.x).

Requests are read as streams of one message, so that key, memory and a free place are checked before anything is read.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final, NoReturn

import grpc
import grpc.aio
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from appliance.cancelling import cancel
from appliance.errors import (
    ApplianceError,
    ConfigError,
    Overloaded,
    RequestError,
    RequestTimedOut,
    StoreUnavailable,
    Undecodable,
)
from appliance.web.auth import Auth, authorize_header
from appliance.web.context import Context
from appliance.web.memory_budget import MemoryBudget, MemoryCharge
from appliance.web.otlp import Export, accept, check_version
from appliance.web.sdk import sdk_of

log = logging.getLogger(__name__)

MOST_MESSAGE_BYTES: Final = 16 * 1024 * 1024
"""Largest message, after decompression; smaller when LANGFUSE_LOCAL_MAX_BODY_BYTES is."""
READERS: Final = 4
"""How many messages of a project are received at one time; more wait unread, and cost next to nothing."""
PROMPT_S: Final = 0.25
"""A call whose message has not come by then gives its place to the next one."""
MOST_LATE: Final = 16
"""How many calls of a project are then still waited for; the message of one takes memory without a place."""
LARGE_MESSAGE_BYTES: Final = 1024 * 1024
"""A message of this size keeps its place until it is stored: on its way it is several times in memory."""
MOST_CALLS: Final = 1000
_WINDOW_BYTES = 256 * 1024
_MOST_METADATA_BYTES = 32 * 1024
_READ_S = 30.0
_GRACE_S = 3.0
_RETRY_AFTER_S = 2

_PACKAGE = "opentelemetry.proto.collector"
Call = grpc.aio.ServicerContext[bytes, bytes]


@contextlib.asynccontextmanager
async def serving(context: Context, host: str, port: int) -> AsyncIterator[int]:
    """Serves until the block ends, or until the web server is told to stop; yields the port.

    Several web processes share the port. Raises ConfigError when somebody else has it.
    """
    limit = min(context.settings.ingestion.max_body_bytes, MOST_MESSAGE_BYTES)
    server = grpc.aio.server(
        maximum_concurrent_rpcs=MOST_CALLS,
        options=[
            ("grpc.max_receive_message_length", limit),
            ("grpc.http2.bdp_probe", 0),  # it would grow windows until whole messages wait in memory
            ("grpc.http2.lookahead_bytes", _WINDOW_BYTES),
            ("grpc.max_metadata_size", _MOST_METADATA_BYTES),
            ("grpc.so_reuseport", int(context.settings.web_workers > 1)),
        ],
    )
    door = _Door(context)
    server.add_generic_rpc_handlers((_handlers(door),))
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        bound = server.add_insecure_port(address)
    except RuntimeError as error:
        raise ConfigError(
            f"OTLP over gRPC cannot listen on {address}: the port is taken.",
            hint="Choose another LANGFUSE_LOCAL_OTLP_GRPC_PORT.",
        ) from error
    await server.start()
    log.info("OTLP over gRPC answers at %s", address)
    stopping = asyncio.create_task(_stop_early(server, context.stopping))
    try:
        yield bound
    finally:
        stopping.cancel()
        await server.stop(_GRACE_S)


async def _stop_early(server: grpc.aio.Server, stopping: asyncio.Event) -> None:
    await stopping.wait()
    await server.stop(_GRACE_S)


class _Door:
    """The three services of an OTLP receiver; traces are stored, the others accepted and dropped."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._budget = MemoryBudget(context.settings.ingestion.max_inflight_bytes)
        self._places: dict[str, _Places] = {}

    async def export_traces(self, call: Call) -> bytes:
        """Answers once the spans are stored durably."""
        metadata = _metadata(call)
        auth = await authorize_header(metadata.get("authorization"), self._context.keys)
        check_version(metadata.get("x-langfuse-ingestion-version"))
        await self._context.stream.require_capacity()
        with MemoryCharge(self._budget) as charge:
            places = self._places_of(auth)
            async with contextlib.AsyncExitStack() as place:
                await place.enter_async_context(places.free)
                await self._context.stream.require_capacity()  # those before it may have filled the queue
                body = await places.read(call, place)
                charge.take(2 * len(body))  # once more on its way to Redis
                if len(body) < LARGE_MESSAGE_BYTES:
                    await place.aclose()
                export = Export(kind="otlp-protobuf", body=body, is_gzip=False, charge=charge, sdk=sdk_of(metadata))
                counted = await accept(self._context, auth.project_id, export)
        answer = ExportTraceServiceResponse()
        if counted.refused:
            answer.partial_success.rejected_spans = counted.refused
            answer.partial_success.error_message = counted.reason
        return answer.SerializeToString()

    async def drop(self, call: Call) -> bytes:
        """Accept metrics and logs, which are not stored: exporters that send them must not fail."""
        auth = await authorize_header(_metadata(call).get("authorization"), self._context.keys)
        places = self._places_of(auth)
        async with contextlib.AsyncExitStack() as place:
            await place.enter_async_context(places.free)
            await places.read(call, place)
        return b""

    def _places_of(self, auth: Auth) -> _Places:
        return self._places.setdefault(auth.project_id, _Places())


class _Places:
    """Places for the messages of one project: nobody else waits for its exporters."""

    def __init__(self) -> None:
        self.free = asyncio.Semaphore(READERS)
        self._late = 0

    async def read(self, call: Call, place: contextlib.AsyncExitStack) -> bytes:
        """As `_read`, but gives the place up while nothing comes: an exporter may be suspended before it sends."""
        reading = asyncio.create_task(_read(call))
        try:
            if not (await asyncio.wait({reading}, timeout=PROMPT_S))[0]:
                await place.aclose()
                await self._read_late(reading)
            return await reading
        finally:
            await cancel(reading)

    async def _read_late(self, reading: asyncio.Task[bytes]) -> None:
        if self._late >= MOST_LATE:
            raise RequestTimedOut(f"No whole message came, and {MOST_LATE} other calls send nothing either.")
        self._late += 1
        try:
            await asyncio.wait({reading})
        finally:
            self._late -= 1


async def _read(call: Call) -> bytes:
    """The one message of a call; raises Undecodable when there is none, RequestTimedOut when it takes half a minute.

    Iterating over the requests would keep the message until the next garbage collection.
    """
    try:
        async with asyncio.timeout(_READ_S):
            message = await call.read()
    except TimeoutError:
        raise RequestTimedOut(f"No whole message came within {_READ_S:g} s.") from None
    if not isinstance(message, bytes):  # grpc.aio.EOF
        raise Undecodable("The call holds no message.")
    return message


def _metadata(call: Call) -> Mapping[str, str]:
    return {key: value for key, value in call.invocation_metadata() or () if isinstance(value, str)}


Method = Callable[[Call], Awaitable[bytes]]


def _handlers(door: _Door) -> grpc.GenericRpcHandler:
    methods: dict[str, Method] = {
        f"/{_PACKAGE}.trace.v1.TraceService/Export": door.export_traces,
        f"/{_PACKAGE}.metrics.v1.MetricsService/Export": door.drop,
        f"/{_PACKAGE}.logs.v1.LogsService/Export": door.drop,
    }
    by_path: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        path: grpc.stream_unary_rpc_method_handler(_guarded(method)) for path, method in methods.items()
    }

    class Handlers(grpc.GenericRpcHandler):
        def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
            return by_path.get(handler_call_details.method)

    return Handlers()


def _guarded(method: Method) -> Any:
    """The method with every refusal as a gRPC status."""

    async def answer(requests: object, call: Call) -> bytes:
        try:
            return await method(call)
        except (Undecodable, RequestError, StoreUnavailable) as error:
            code, message, retry_after_s = _refusal(error)
        # Not within `except`: the error holds on to the message that was read.
        return await _abort(call, code, message, retry_after_s)

    return answer


def _refusal(error: ApplianceError) -> tuple[grpc.StatusCode, str, int]:
    """Code, message, and after how many seconds to come back (0: never)."""
    if isinstance(error, StoreUnavailable):
        log.warning("OTLP over gRPC: %s", error)
        return grpc.StatusCode.UNAVAILABLE, f"Service Unavailable: {error.in_short}", _RETRY_AFTER_S
    if isinstance(error, Overloaded):
        return grpc.StatusCode.UNAVAILABLE, error.message, error.retry_after_s
    status = error.status if isinstance(error, RequestError) else 400
    return _CODES.get(status, grpc.StatusCode.INVALID_ARGUMENT), error.message, 0


_CODES: Final = {
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    408: grpc.StatusCode.DEADLINE_EXCEEDED,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
}


async def _abort(call: Call, code: grpc.StatusCode, message: str, retry_after_s: int) -> NoReturn:
    """Ends a call with a status; with `retry_after_s` it says when to come back, as exporters need to retry."""
    if not retry_after_s:
        await call.abort(code, message)
    status = Status(code=code.value[0], message=message)
    status.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=retry_after_s)))
    await call.abort(code, message, (("grpc-status-details-bin", status.SerializeToString()),))
