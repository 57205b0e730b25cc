"""Async clients of a Langfuse server's public API and of the local supervisor's control socket."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from codecs import getincrementaldecoder
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from msgspec.structs import replace

from appliance.api_types.health import ApiHealth
from appliance.api_types.jobs import ApiJob
from appliance.api_types.lenient import convert
from appliance.api_types.media import ApiMedia
from appliance.api_types.observations import ApiObservation
from appliance.api_types.pages import ApiList, ApiPage
from appliance.api_types.projects import ApiProject
from appliance.api_types.scores import ApiScore
from appliance.api_types.sessions import ApiSession, ApiSessionDetail
from appliance.api_types.traces import ApiTraceDetail, ApiTraceItem
from appliance.connection import (
    CONNECT_TIMEOUT_S,
    TIMEOUT_S,
    checked_address,
    explain,
    is_of_tls,
    of_proxy,
    speaks_tls,
    tls_context,
    tls_expected,
)
from appliance.errors import ConfigError, RemoteError
from appliance.http_client import (
    ConnectionEnded,
    ConnectTimedOut,
    HttpClient,
    HttpFailure,
    NotHttp,
    Request,
    ResponseTimedOut,
    basic,
)
from appliance.live_events import Arrival, read_arrivals
from appliance.model.printable import on_one_line
from appliance.model.services import ApplianceStatus
from appliance.proxies import Proxy, proxy_for

if TYPE_CHECKING:
    import ssl

T = TypeVar("T")
_HALF = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair, which neither an address nor UTF-8 can hold."""
Json = dict[str, Any]
Param = str | int | float | bool | Sequence[str] | Sequence[Mapping[str, Any]] | Mapping[str, Any] | None

KEEP_ALIVE_S = 3.0
"""How long an idle connection is used again; shorter than servers keep them, which is 5 s for many."""


_LIVE_SILENCE_S: Final = 30.0
"""Seconds; the server sends a message at least every ten, so one that is silent for longer is gone."""


class _JsonClient(ABC):
    """The base of both clients: an HTTP client, created with the first request, and errors in one sentence."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._headers: dict[str, str] = {}
        self._http: HttpClient | None = None

    @abstractmethod
    def _make(self) -> HttpClient:
        """A client that connects in the way of the class; called with the first request."""

    @abstractmethod
    async def _explained(self, error: HttpFailure) -> RemoteError:
        """The error of a request that ended without an answer."""

    def _client(self) -> HttpClient:
        if self._http is None:
            self._http = self._make()
        return self._http

    async def close(self) -> None:
        """Closes the connections; the client may be used again after."""
        if self._http is not None:
            http, self._http = self._http, None
            await http.close()

    async def request(
        self, method: str, path: str, params: Mapping[str, Param] | None = None, body: Any = None
    ) -> bytes:
        """The body of a successful answer; raises RemoteError for anything else."""
        client = self._client()
        request = self._new_request(method, path, params)
        if body is not None:
            headers = {**request.headers, "content-type": "application/json"}
            request = replace(request, headers=headers, content=msgspec.json.encode(body))
        async with self._translated():
            try:
                answer = await client.exchange(request)
            except (ConnectionEnded, NotHttp):
                if method != "GET":  # which the server may have carried out
                    raise
                # The server may have closed an idle connection at the moment of the request.
                answer = await client.exchange(request)
        if answer.status >= 400:
            raise await self._refusal(answer.status, answer.content)
        return answer.content

    def _new_request(self, method: str, path: str, params: Mapping[str, Param] | None) -> Request:
        query = urlencode(encode_params(params or {}))
        return Request(method, f"{self.base_url}{path}{'?' if query else ''}{query}", self._headers)

    async def get(self, path: str, params: Mapping[str, Param] | None = None, *, into: type[T]) -> T:
        """GET, decoded into a type; raises RemoteError, also when the answer has another shape."""
        content = await self.request("GET", path, params)
        try:
            return _decoded(content, into)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise RemoteError(
                f"{self.base_url}{path} answered something unexpected ({error}).", hint="Is this a Langfuse server?"
            ) from error

    async def stream_lines(
        self,
        path: str,
        params: Mapping[str, Param] | None = None,
        headers: Mapping[str, str] | None = None,
        read_s: float | None = None,
    ) -> AsyncGenerator[str]:
        """The lines of an answer as they come; raises RemoteError after `read_s` seconds without one."""
        client = self._client()
        request = self._new_request("GET", path, params)
        request = replace(request, headers={**request.headers, **(headers or {})})
        async with self._translated(), client.open(request, read_s=read_s) as response:
            if response.status >= 400:
                raise await self._refusal(response.status, await response.read())
            # A part may end within a line, or within a character.
            decoder, rest = getincrementaldecoder("utf-8")(errors="replace"), ""
            async with aclosing(response.parts()) as parts:
                async for part in parts:
                    *lines, rest = (rest + decoder.decode(part)).split("\n")
                    for line in lines:
                        yield line.removesuffix("\r")
            if rest:
                yield rest

    async def _refusal(self, status: int, content: bytes) -> RemoteError:
        return _refusal(status, content, self.base_url)

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        try:
            yield
        except HttpFailure as error:
            raise await self._explained(error) from error


class LangfuseClient(_JsonClient):
    """The public API of any Langfuse server; every method raises RemoteError with one clear sentence.

    Lists take the API's own query parameters as keyword arguments (`userId="alice"`, `page=2`); lists are repeated,
    and `filter` may be given as a list of conditions.
    """

    def __init__(
        self,
        base_url: str,
        public_key: str,
        secret_key: str,
        *,
        ca_file: Path | None = None,
        public_url: str = "",
        http: HttpClient | None = None,
    ) -> None:
        """`ca_file` holds certificates to trust besides the usual ones.

        With `public_url`, links in answers lead there, as for requests through a proxy of that name. `http` sends
        the requests until `close`, instead of a client created here.
        """
        super().__init__(base_url)
        self._http = http
        self._ca_file = ca_file
        self._headers = {"user-agent": "langfuse-local", "authorization": basic(public_key, secret_key)}
        if public_url and public_url != self.base_url:
            self._headers["x-forwarded-host"] = urlsplit(public_url).netloc
        self._proxy: Proxy | None = None

    def _make(self) -> HttpClient:
        try:
            self.base_url = checked_address(self.base_url)
            self._proxy = proxy_for(self.base_url)
        except ConfigError as error:
            raise RemoteError(error.message, hint=error.hint) from error
        return HttpClient(
            connect_s=CONNECT_TIMEOUT_S, read_s=TIMEOUT_S, keep_s=KEEP_ALIVE_S, tls=self._trusted, proxy=self._proxy
        )

    def _trusted(self) -> ssl.SSLContext:
        try:
            return tls_context(self._ca_file)
        except ConfigError as error:
            raise RemoteError(error.message, hint=error.hint) from error

    async def _explained(self, error: HttpFailure) -> RemoteError:
        return await explain(error, self.base_url, self._proxy)

    async def _refusal(self, status: int, content: bytes) -> RemoteError:
        refusal = _refusal(status, content, self.base_url)
        if is_of_tls(status, content) and self.base_url.startswith("http:") and await speaks_tls(self.base_url):
            return tls_expected(self.base_url)
        if self._proxy is not None and not _text_of_refusal(content):
            return of_proxy(self._proxy, status, self.base_url)
        return refusal

    async def health(self) -> ApiHealth:
        """Health and versions; raises RemoteError with status 503 when a store of the server is unavailable."""
        return await self.get("/api/public/health", into=ApiHealth)

    async def projects(self) -> list[ApiProject]:
        """The one project that the keys belong to."""
        return (await self.get("/api/public/projects", into=ApiList[ApiProject])).data

    async def traces(self, **params: Param) -> ApiPage[ApiTraceItem]:
        """A page of traces, newest first unless `orderBy` says otherwise."""
        return await self.get("/api/public/traces", params, into=ApiPage[ApiTraceItem])

    async def trace(self, trace_id: str, **params: Param) -> ApiTraceDetail:
        """One trace with its observations and scores; `fields` narrows it."""
        return await self.get(f"/api/public/traces/{segment(trace_id)}", params, into=ApiTraceDetail)

    async def observation(self, observation_id: str) -> ApiObservation:
        """One observation with input, output and metadata."""
        return await self.get(f"/api/public/observations/{segment(observation_id)}", into=ApiObservation)

    async def media(self, media_id: str) -> ApiMedia:
        """A file with its size and a link that opens it for a while."""
        return await self.get(f"/api/public/media/{segment(media_id)}", into=ApiMedia)

    async def sessions(self, **params: Param) -> ApiPage[ApiSession]:
        """A page of sessions, newest first."""
        return await self.get("/api/public/sessions", params, into=ApiPage[ApiSession])

    async def session(self, session_id: str) -> ApiSessionDetail:
        """One session with its traces."""
        return await self.get(f"/api/public/sessions/{segment(session_id)}", into=ApiSessionDetail)

    async def scores(self, **params: Param) -> ApiPage[ApiScore]:
        """A page of scores of every kind."""
        return await self.get("/api/public/v2/scores", params, into=ApiPage[ApiScore])

    async def metrics(self, query: Mapping[str, Any]) -> list[Json]:
        """The rows of a metrics query (view, dimensions, metrics, filters, timeDimension, from, to)."""
        return (await self.get("/api/public/metrics", {"query": query}, into=ApiList[Json])).data

    async def jobs(self, **params: Param) -> list[ApiJob]:
        """The background jobs, newest first; other servers answer 404."""
        return (await self.get("/api/local/jobs", params, into=ApiList[ApiJob])).data

    async def send(self, method: str, path: str, params: Mapping[str, Param] | None = None, body: Any = None) -> Json:
        """The JSON object that answers a request of any method."""
        return _decoded(await self.request(method, path, params, body), Json)

    async def live(self, after: str = "") -> AsyncGenerator[Arrival]:
        """Traces that were just written, as they are written; RemoteError with status 404 on other servers.

        It begins after the position of an earlier message, or with traces written from now on. A message without traces
        shows that the server listens, and has sent everything written since it began to.
        """
        headers = {"last-event-id": after} if after else {}
        lines_of = self.stream_lines("/api/local/live", headers=headers, read_s=_LIVE_SILENCE_S)
        async with aclosing(lines_of) as lines:
            async for arrival in read_arrivals(lines):
                yield arrival


class ControlClient(_JsonClient):
    """The local supervisor, over its unix socket."""

    def __init__(self, socket: Path) -> None:
        super().__init__("http://supervisor")
        self._socket = socket

    def _make(self) -> HttpClient:
        return HttpClient(connect_s=2.0, read_s=TIMEOUT_S, socket=self._socket)

    async def _explained(self, error: HttpFailure) -> RemoteError:
        if isinstance(error, ConnectTimedOut | ResponseTimedOut):
            return RemoteError(f"The supervisor did not answer within {TIMEOUT_S:.0f} s.", hint="Try again.")
        return RemoteError("The appliance has stopped.", hint="Start it: langfuse-local up --detach")

    async def status(self) -> ApplianceStatus:
        """Everything the supervisor knows of its services."""
        return await self.get("/status", into=ApplianceStatus)

    async def control(self, service: str, verb: str) -> None:
        """`start`, `stop` or `restart` one service."""
        await self.request("POST", f"/services/{segment(service)}/{verb}")

    async def logs(self, service: str, *, lines: int, follow: bool) -> AsyncIterator[str]:
        """The last lines of a service's log, and those to come when `follow`."""
        params = {"lines": lines, "follow": "true" if follow else "false"}
        async with aclosing(self.stream_lines(f"/logs/{segment(service)}", params)) as log_lines:
            async for line in log_lines:
                yield line


def segment(text: str) -> str:
    """Any text as one segment of a path."""
    return quote(_HALF.sub("\ufffd", text), safe="")


def encode_params(params: Mapping[str, Param]) -> list[tuple[str, str | int | float | bool | None]]:
    """Query parameters in the API's form: None left out, lists repeated, structures as JSON."""
    pairs: list[tuple[str, str | int | float | bool | None]] = []
    for key, value in params.items():
        if value is None:
            continue
        if isinstance(value, Mapping) or (isinstance(value, Sequence) and value and isinstance(value[0], Mapping)):
            pairs.append((key, json.dumps(value, separators=(",", ":"))))
        elif isinstance(value, bool):  # before int, which a bool is, too
            pairs.append((key, "true" if value else "false"))
        elif isinstance(value, int | float):
            pairs.append((key, value))
        else:
            items = [value] if isinstance(value, str) else map(str, value)
            pairs += [(key, _HALF.sub("\ufffd", item)) for item in items]
    return pairs


def _decoded(content: bytes, into: type[T]) -> T:
    """JSON into a type; halves of surrogate pairs and bytes that are not UTF-8 become U+FFFD.

    Numbers may be texts, as some servers send costs, and what is null may be absent.
    """
    try:
        return msgspec.json.decode(content, type=into, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = json.dumps(json.loads(content.decode(errors="replace")), ensure_ascii=False)
        return convert(json.loads(_HALF.sub("\ufffd", text)), into)


def _refusal(status: int, content: bytes, base_url: str) -> RemoteError:
    if status in (401, 403):
        return RemoteError(
            f"{base_url} refused the keys.", status=status, hint="Check the public and secret key and the address."
        )
    message = _message(content)
    if status == 404:
        return RemoteError(message or f"{base_url} has no such thing.", status=status)
    if status >= 500:
        return RemoteError(
            message or f"{base_url} failed with status {status}.", status=status, hint="Trying again may help."
        )
    return RemoteError(message or f"{base_url} refused the request with status {status}.", status=status)


def _message(content: bytes) -> str:
    """The message of a refusal, on one line."""
    return on_one_line(_text_of_refusal(content))


def _text_of_refusal(content: bytes) -> str:
    try:
        body = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    if not isinstance(body, dict):
        return ""
    match body:
        case {"message": str(text), "error": [{"message": str(issue), "path": [*path]}, *_]}:
            return f"{text}: {'.'.join(map(str, path))}: {issue}" if path else f"{text}: {issue}"
        case {"message": str(text)}:
            return text
        case {"reasons": [*reasons]}:
            return " ".join(map(str, reasons))
    return ""
