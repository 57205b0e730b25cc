"""Media: files that traces and dataset items refer to (contract: SDK contract 5.3, server semantics 2.7 and 6.11)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

EXTENSIONS: Final = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/jpg": "jpg",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/svg+xml": "svg",
    "image/tiff": "tiff",
    "image/bmp": "bmp",
    "image/avif": "avif",
    "image/heic": "heic",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/wav": "wav",
    "audio/ogg": "ogg",
    "audio/oga": "oga",
    "audio/aac": "aac",
    "audio/mp4": "m4a",
    "audio/flac": "flac",
    "audio/opus": "opus",
    "audio/webm": "weba",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "video/ogg": "ogv",
    "video/mpeg": "mpeg",
    "video/quicktime": "mov",
    "video/x-msvideo": "avi",
    "video/x-matroska": "mkv",
    "text/plain": "txt",
    "text/html": "html",
    "text/css": "css",
    "text/csv": "csv",
    "text/markdown": "md",
    "text/x-python": "py",
    "application/javascript": "js",
    "text/x-typescript": "ts",
    "application/x-yaml": "yaml",
    "application/pdf": "pdf",
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/zip": "zip",
    "application/json": "json",
    "application/xml": "xml",
    "application/octet-stream": "bin",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/rtf": "rtf",
    "application/x-ndjson": "jsonl",
    "application/vnd.apache.parquet": "parquet",
    "application/gzip": "gz",
    "application/x-tar": "tar",
    "application/x-7z-compressed": "7z",
}
"""The content types that the API accepts, with the extensions of their files."""

HASH_BYTES: Final = 32
_ID_LENGTH: Final = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """One file of a project, known by the hash of its content."""

    project_id: str
    id: str
    sha256_hash: str
    """Base64, 44 characters."""
    content_type: str
    content_length: int
    path: str
    """The key of its content in the blob store."""
    uploaded_at: datetime | None
    """When its content arrived; None until then."""


@dataclass(frozen=True, slots=True, order=True)
class MediaUse:
    """A place in a trace that refers to a file."""

    trace_id: str
    observation_id: str
    """Empty for the trace itself."""
    field: str
    """`input`, `output` or `metadata`."""
    media_id: str


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a file, with its hash and id."""

    content_type: str
    data: bytes
    digest: bytes
    """SHA-256, 32 bytes."""

    @classmethod
    def of(cls, content_type: str, data: bytes) -> Content:
        return cls(content_type, data, hashlib.sha256(data).digest())

    @property
    def id(self) -> str:
        return media_id(self.sha256_hash)

    @property
    def sha256_hash(self) -> str:
        return base64.b64encode(self.digest).decode()


def media_id(sha256_hash: str) -> str:
    """The id that SDKs compute too: the first 22 characters of the hash in URL-safe base64."""
    return sha256_hash.replace("+", "-").replace("/", "_")[:_ID_LENGTH]


def blob_key(project_id: str, identifier: str, content_type: str) -> str:
    """The blob key of a new file, `<project>/<id>.<extension>`; escaped, so that no project leads elsewhere."""
    folder = quote(project_id, safe="").replace(".", "%2E") or "%"
    return f"{folder}/{file_name(identifier, content_type)}"


def file_name(identifier: str, content_type: str) -> str:
    """The file name for downloads."""
    return f"{identifier}.{EXTENSIONS.get(content_type, 'bin')}"


def reference(content_type: str, identifier: str, source: str) -> str:
    """The text that stands for a file in inputs, outputs and metadata."""
    return f"@@@langfuseMedia:type={content_type}|id={identifier}|source={source}@@@"


_REFERENCE: Final = re.compile(r"@@@langfuseMedia:type=(?P<type>[^|@]+)\|id=(?P<id>[^|@]+)\|source=[^|@]+@@@")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a value holds a reference."""

    json_path: str
    """From the value's root, in brackets: `$['gallery'][0]`."""
    reference: str
    media_id: str


def find_references(value: Any) -> Iterator[Place]:
    """All strings in a JSON value that are a reference, and nothing else; text around one is no place for a file."""
    waiting: list[tuple[str, Any]] = [("$", value)]
    while waiting:
        path, here = waiting.pop()
        if isinstance(here, str):
            if match := _REFERENCE.fullmatch(here):
                yield Place(path, here, match["id"])
        elif isinstance(here, list):
            waiting += [(f"{path}[{number}]", item) for number, item in enumerate(here)]
        elif isinstance(here, dict):
            waiting += [(path + _step(key), item) for key, item in here.items()]


def referenced_ids(text: str) -> list[str]:
    """The ids of all references anywhere in a text, each once, in order."""
    return list(dict.fromkeys(match["id"] for match in _REFERENCE.finditer(text)))


def readable(text: str) -> str:
    """The text with readable references: `[image/png uEig0wSz8oCevEy61aDUP9]`."""
    return _REFERENCE.sub(r"[\g<type> \g<id>]", text) if "@@@langfuseMedia:" in text else text


def _step(key: str) -> str:
    """One key of a path, as the SDKs read it: nothing in it is escaped, and digits stand alone."""
    return f"[{key}]" if key.isascii() and key.isdigit() else f"['{key}']"
