"""Every error the appliance raises on purpose; a driver's error is translated where the driver lives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.issues import Issue


class ApplianceError(Exception):
    """Base of all expected errors: one sentence that says what is wrong, and a hint that says what to do."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        if message.endswith("..") and not message.endswith("..."):  # a quoted message ends in a full stop of its own
            message = message[:-1]
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class ConfigError(ApplianceError):
    """A setting is missing or cannot be used."""


class RuntimeUnavailable(ApplianceError):
    """The chosen runtime cannot run here (no binary, no Docker, no permission)."""


class PortTaken(RuntimeUnavailable):
    """Another program took a port that a store was to use."""

    def __init__(self, message: str, port: int, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.port = port


class AlreadyRunning(ApplianceError):
    """An appliance already runs on this data directory."""


class NotRunning(ApplianceError):
    """No appliance runs on this data directory."""


class StartFailed(ApplianceError):
    """A service did not become healthy in time; the message carries its last log lines."""


class StoreUnavailable(ApplianceError):
    """A store (Postgres, Redis or ClickHouse) cannot be reached right now; trying again may help.

    The message may name addresses and paths; `in_short` names only the store, for those who have no key.
    """

    def __init__(self, message: str, *, hint: str = "", store: str = "") -> None:
        super().__init__(message, hint=hint)
        self.in_short = f"{store or 'A store'} cannot be used right now."


class TooMuchAtOnce(StoreUnavailable):
    """A store lacks the memory for this many rows at once; fewer rows or a later attempt may work."""


class StoreRefused(StoreUnavailable):
    """A store refused rows for an unknown reason: to be retried for a while, then given up."""


class LookupUnavailable(StoreUnavailable):
    """Data names a prompt or a score config that was never looked up, and Postgres, which knows it, is away."""


class ServiceSilent(StoreUnavailable):
    """The service's process runs but does not answer: it hangs, or is overloaded."""


class QueryTooExpensive(ApplianceError):
    """ClickHouse refused a query for time or memory; the caller should narrow it."""


class MigrationFailed(ApplianceError):
    """A migration could not be applied; nothing of it was kept."""


class CopyFailed(ApplianceError):
    """Copied data differs from its source, which is unchanged."""


class PositionForgotten(ApplianceError):
    """Live messages were requested after one that is no longer kept."""


class Undecodable(ApplianceError):
    """A payload that can never be decoded; it becomes a dead letter."""


class RemoteError(ApplianceError):
    """A Langfuse server answered a client's request with an error, or not at all."""

    def __init__(self, message: str, *, status: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


class RequestError(ApplianceError):
    """A request the public API refuses; subclasses carry the HTTP status and the reference server's error name."""

    status = 400
    name: str | None = "InvalidRequestError"


class InvalidRequest(RequestError):
    """400: the request is well formed but asks for something impossible."""


class InvalidData(RequestError):
    """400 with a list of issues: query or body do not match the schema."""

    name = None

    def __init__(self, issues: Sequence[Issue], message: str = "Invalid request data") -> None:
        super().__init__(message)
        self.issues = issues


class Unauthorized(RequestError):
    """401: missing or wrong credentials."""

    status = 401
    name = "UnauthorizedError"


class Forbidden(RequestError):
    """403: the key is known but may not do this."""

    status = 403
    name = "ForbiddenError"


class NotFound(RequestError):
    """404: the object does not exist in this project."""

    status = 404
    name = "LangfuseNotFoundError"


class Conflict(RequestError):
    """409: the object exists in another state than the request needs."""

    status = 409
    name = "LangfuseConflictError"


class PayloadTooLarge(RequestError):
    """413: the body is larger than this server accepts."""

    status = 413
    name = "PayloadTooLargeError"


class RequestTimedOut(RequestError):
    """408: the client stopped, or was too slow, in the middle of its request."""

    status = 408
    name = "RequestTimeoutError"


class Overloaded(RequestError):
    """503 with Retry-After: the backlog is at its bound, or a store is down; nothing was accepted."""

    status = 503
    name = "ServiceUnavailableError"

    def __init__(self, message: str, *, retry_after_s: int = 2) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
