"""Media over HTTP: the whole way of a file, and every way that it can go wrong."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import os
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from appliance.config import MediaSettings, Settings
from appliance.model.media import Media, blob_key, media_id, reference
from appliance.storage.blobs.choice import blob_store
from appliance.storage.postgres.media import MediaRecords
from appliance.web.app import create_app
from appliance.web.context import Context
from tests.integration.s3_server import S3Server, s3_server

Json = dict[str, Any]
NOW = "2026-11-23T09:16:12.344769Z"


class File:
    """A file as an SDK knows it."""

    def __init__(self, content: bytes, content_type: str = "image/png") -> None:
        self.content, self.content_type = content, content_type
        self.hash = base64.b64encode(hashlib.sha256(content).digest()).decode()
        self.id = media_id(self.hash)

    def announced(self, **fields: Any) -> Json:
        body = {
            "traceId": "trace",
            "observationId": None,
            "datasetId": None,
            "datasetItemId": None,
            "contentType": self.content_type,
            "contentLength": len(self.content),
            "sha256Hash": self.hash,
            "field": "input",
        }
        return body | fields

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Content-Type": self.content_type,
            "x-amz-checksum-sha256": self.hash,
            "x-ms-blob-type": "BlockBlob",
        }


@pytest.fixture
def file() -> File:
    return File(os.urandom(5000))


@pytest.fixture
async def anyone(client: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """A client without keys."""
    async with httpx.AsyncClient(transport=client._transport) as found:
        yield found


async def announce(client: httpx.AsyncClient, file: File, **fields: Any) -> str | None:
    answer = await client.post("/media", json=file.announced(**fields))
    assert answer.status_code == 201, answer.text
    assert answer.json()["mediaId"] == file.id
    url: str | None = answer.json()["uploadUrl"]
    return url


async def upload(client: httpx.AsyncClient, anyone: httpx.AsyncClient, file: File) -> Json:
    """The whole way; returns what the API says of the file afterwards."""
    url = await announce(client, file)
    assert url is not None
    sent = await anyone.put(url, content=file.content, headers=file.headers)
    assert sent.status_code == 200, sent.text
    confirmation = {"uploadedAt": NOW, "uploadHttpStatus": 200, "uploadHttpError": "{}", "uploadTimeMs": 43}
    assert (await client.patch(f"/media/{file.id}", json=confirmation)).status_code == 200
    found = await client.get(f"/media/{file.id}")
    assert found.status_code == 200, found.text
    shown: Json = found.json()
    return shown


def changed(url: str, **fields: object) -> str:
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()} | fields
    return parts._replace(query=urlencode(query)).geturl()


async def test_a_file_goes_the_whole_way(client: httpx.AsyncClient, anyone: httpx.AsyncClient, file: File) -> None:
    shown = await upload(client, anyone, file)
    assert (shown["mediaId"], shown["contentType"]) == (file.id, "image/png")
    assert (shown["contentLength"], shown["uploadedAt"]) == (5000, "2026-11-23T09:16:12.344Z")
    assert shown["urlExpiry"] > shown["uploadedAt"]
    got = await anyone.get(shown["url"])
    assert (got.status_code, got.content) == (200, file.content)
    assert got.headers["content-type"] == "image/png"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert (await anyone.head(shown["url"])).headers["content-length"] == "5000"


async def test_the_links_lead_to_where_the_request_came_to(client: httpx.AsyncClient, file: File) -> None:
    url = await announce(client, file)
    assert url is not None and url.startswith("http://test/api/media/")
    headers = {"X-Forwarded-Host": "traces.example.org:8443", "X-Forwarded-Proto": "https"}
    answer = await client.post("/media", json=file.announced(), headers=headers)
    assert answer.json()["uploadUrl"].startswith("https://traces.example.org:8443/api/media/")


async def test_the_same_content_is_sent_once(
    client: httpx.AsyncClient, anyone: httpx.AsyncClient, file: File, context: Context
) -> None:
    await upload(client, anyone, file)
    assert await announce(client, file, observationId="o", field="output") is None
    sql = "SELECT trace_id, observation_id, field FROM trace_media WHERE media_id = %(id)s ORDER BY observation_id"
    rows = await context.postgres.rows(sql, {"id": file.id})
    assert [tuple(row.values()) for row in rows] == [("trace", "", "input"), ("trace", "o", "output")]


async def test_another_content_type_is_sent_again(
    client: httpx.AsyncClient, anyone: httpx.AsyncClient, file: File
) -> None:
    await upload(client, anyone, file)
    again = File(file.content, "image/webp")
    assert (await upload(client, anyone, again))["contentType"] == "image/webp"


async def test_content_that_vanished_is_asked_for_again(
    client: httpx.AsyncClient, anyone: httpx.AsyncClient, file: File, context: Context
) -> None:
    shown = await upload(client, anyone, file)
    (context.settings.data_dir / "media" / blob_key(context.settings.init.project_id, file.id, "image/png")).unlink()
    assert (await anyone.get(shown["url"])).status_code == 404
    assert await announce(client, file) is not None


async def test_media_of_dataset_items(client: httpx.AsyncClient, file: File, context: Context) -> None:
    dataset = (await client.post("/v2/datasets", json={"name": f"media {uuid.uuid4()}"})).json()
    place = {"traceId": None, "datasetId": dataset["id"], "datasetItemId": "item", "field": "expectedOutput"}
    assert await announce(client, file, **place) is not None
    rows = await context.postgres.rows("SELECT * FROM dataset_item_media WHERE media_id = %(id)s", {"id": file.id})
    assert [(row["dataset_id"], row["dataset_item_id"]) for row in rows] == [(dataset["id"], "item")]
    unknown = await client.post("/media", json=file.announced(**(place | {"datasetId": "none"})))
    assert (unknown.status_code, unknown.json()["error"]) == (404, "LangfuseNotFoundError")


async def test_dataset_items_show_their_media(client: httpx.AsyncClient, anyone: httpx.AsyncClient, file: File) -> None:
    await upload(client, anyone, file)
    text = reference("image/png", file.id, "bytes")
    dataset = (await client.post("/v2/datasets", json={"name": f"media {uuid.uuid4()}"})).json()["name"]
    body = {"datasetName": dataset, "input": {"images": [text]}, "expectedOutput": text, "metadata": f"like {text}"}
    put = (await client.post("/dataset-items", json=body)).json()
    got = (await client.get(f"/dataset-items/{put['id']}")).json()
    (listed,) = (await client.get("/dataset-items", params={"datasetName": dataset})).json()["data"]
    for item in (put, got, listed):
        assert item["input"] == {"images": [text]}
        assert [(each["field"], each["jsonPath"]) for each in item["mediaReferences"]] == [
            ("expectedOutput", "$"),
            ("input", "$['images'][0]"),
        ]
        (first, _) = item["mediaReferences"]
        assert (first["referenceString"], first["media"]["mediaId"]) == (text, file.id)
        assert (await anyone.get(first["media"]["url"])).content == file.content
    unknown = {"datasetName": dataset, "input": reference("image/png", "x" * 22, "bytes")}
    refused = await client.post("/dataset-items", json=unknown)
    assert (refused.status_code, refused.json()["message"]) == (
        400,
        f"Dataset item references unknown media: {'x' * 22}",
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"contentType": "image/unknown"},
        {"contentLength": 0},
        {"contentLength": 1_000_000_001},
        {"contentLength": "many"},
        {"sha256Hash": "A" * 44},
        {"sha256Hash": "short"},
        {"field": "expectedOutput"},
        {"traceId": None},
        {"datasetId": "d", "datasetItemId": "i"},
        {"traceId": None, "datasetId": "d"},
    ],
    ids=str,
)
async def test_announcements_that_make_no_sense(client: httpx.AsyncClient, file: File, fields: Json) -> None:
    assert (await client.post("/media", json=file.announced(**fields))).status_code == 400


async def test_content_with_another_checksum(client: httpx.AsyncClient, anyone: httpx.AsyncClient, file: File) -> None:
    url = await announce(client, file)
    assert url is not None
    other = File(os.urandom(5000))
    told = await anyone.put(url, content=other.content, headers=other.headers)
    assert (told.status_code, "SHA-256 in the header" in told.text) == (400, True)
    untold = await anyone.put(url, content=other.content, headers={"Content-Type": "image/png"})
    assert (untold.status_code, "does not have the SHA-256" in untold.text) == (400, True)
    await assert_not_here(client, file)


async def test_content_of_another_length(client: httpx.AsyncClient, anyone: httpx.AsyncClient, file: File) -> None:
    url = await announce(client, file)
    assert url is not None

    async def parts(*given: bytes) -> AsyncIterator[bytes]:
        for part in given:
            yield part

    assert (await anyone.put(url, content=file.content[:-1], headers=file.headers)).status_code == 400
    assert (await anyone.put(url, content=parts(file.content, b"x"), headers=file.headers)).status_code == 400
    assert (await anyone.put(url, content=parts(file.content[:-1]), headers=file.headers)).status_code == 400
    await assert_not_here(client, file)


async def test_content_of_another_type(client: httpx.AsyncClient, anyone: httpx.AsyncClient, file: File) -> None:
    url = await announce(client, file)
    assert url is not None
    sent = await anyone.put(url, content=file.content, headers=file.headers | {"Content-Type": "text/html"})
    assert sent.status_code == 400
    await assert_not_here(client, file)


async def test_links_that_were_changed(client: httpx.AsyncClient, anyone: httpx.AsyncClient, file: File) -> None:
    other = File(os.urandom(100))
    url = (await upload(client, anyone, file))["url"]
    put = await announce(client, other)
    assert put is not None
    later = int(time.time()) + 10**6
    for forged in (
        changed(url, signature="0" * 64),
        changed(url, expires=later),
        changed(url, expires="x"),
        changed(url, length=5),
        url.replace(file.id, other.id),
        url.replace("/api/media/", "/api/media/x"),
        url.partition("?")[0],
    ):
        answer = await anyone.get(forged)
        assert (answer.status_code, answer.json()["message"]) == (403, "The link is not valid"), forged
    for forged in (changed(put, length=5), changed(put, type="text/html"), url, changed(put, signature="é")):
        assert (await anyone.put(forged, content=other.content)).status_code == 403
    assert (await anyone.get(put)).status_code == 403


async def test_links_end(
    client: httpx.AsyncClient, anyone: httpx.AsyncClient, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = (await upload(client, anyone, file))["url"]
    after = time.time() + 3700
    monkeypatch.setattr("appliance.web.links.time.time", lambda: after)
    answer = await anyone.get(url)
    assert (answer.status_code, answer.json()["message"]) == (403, "The link has expired")


async def test_media_of_another_project(client: httpx.AsyncClient, file: File, context: Context) -> None:
    project = str(uuid.uuid4())
    owner = {"id": project, "like": context.settings.init.project_id}
    sql = "INSERT INTO projects (id, org_id, name) SELECT %(id)s, org_id, %(id)s FROM projects WHERE id = %(like)s"
    assert await context.postgres.execute(sql, owner) == 1
    records = MediaRecords(context.postgres)
    await records.announce(
        Media(
            project_id=project,
            id=file.id,
            sha256_hash=file.hash,
            content_type="image/png",
            content_length=5000,
            path=blob_key(project, file.id, "image/png"),
            uploaded_at=None,
        )
    )
    await records.mark_uploaded(project, file.id, 5000)
    assert (await client.get(f"/media/{file.id}")).status_code == 404
    confirmation = {"uploadedAt": NOW, "uploadHttpStatus": 200}
    assert (await client.patch(f"/media/{file.id}", json=confirmation)).status_code == 404
    assert await announce(client, file) is not None


async def test_a_confirmation_without_content(client: httpx.AsyncClient, file: File) -> None:
    await announce(client, file)
    confirmation = {"uploadedAt": NOW, "uploadHttpStatus": 200}
    assert (await client.patch(f"/media/{file.id}", json=confirmation)).status_code == 200
    await assert_not_here(client, file)


async def test_parts_of_a_file(client: httpx.AsyncClient, anyone: httpx.AsyncClient, file: File) -> None:
    url = (await upload(client, anyone, file))["url"]
    part = await anyone.get(url, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, file.content[10:20])
    assert part.headers["content-range"] == "bytes 10-19/5000"
    assert (await anyone.get(url, headers={"Range": "bytes=-5"})).content == file.content[-5:]
    beyond = await anyone.get(url, headers={"Range": "bytes=5000-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */5000")
    tag = part.headers["etag"]
    assert (await anyone.get(url, headers={"If-None-Match": tag})).status_code == 304
    stale = await anyone.get(url, headers={"Range": "bytes=10-19", "If-Range": '"other"'})
    assert (stale.status_code, len(stale.content)) == (200, 5000)


@pytest.mark.parametrize(
    ("content_type", "disposition"),
    [("text/html", "attachment"), ("image/svg+xml", "inline"), ("application/xml", "attachment")],
)
async def test_pages_run_nothing_in_our_name(
    client: httpx.AsyncClient, anyone: httpx.AsyncClient, content_type: str, disposition: str
) -> None:
    page = File(f"<svg onload='alert(1)'/>{uuid.uuid4()}".encode(), content_type)
    got = await anyone.get((await upload(client, anyone, page))["url"])
    assert got.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert got.headers["content-disposition"].startswith(disposition)
    assert got.headers["x-content-type-options"] == "nosniff"


async def assert_not_here(client: httpx.AsyncClient, file: File) -> None:
    answer = await client.get(f"/media/{file.id}")
    assert (answer.status_code, answer.json()["error"]) == (404, "LangfuseNotFoundError")


@pytest.fixture
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture
async def on_s3(prepared: Settings, context: Context, s3: S3Server) -> AsyncIterator[httpx.AsyncClient]:
    """The same application, with its media in a bucket."""
    settings = dataclasses.replace(prepared, media=MediaSettings(s3=s3.settings))
    changed_context = dataclasses.replace(context, settings=settings, blobs=blob_store(settings))
    transport = httpx.ASGITransport(create_app(settings, changed_context))
    auth = (prepared.init.public_key, prepared.init.secret_key)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/public", auth=auth) as found:
        yield found


async def test_a_bucket_that_is_away_for_a_while(on_s3: httpx.AsyncClient, file: File, s3: S3Server) -> None:
    async with httpx.AsyncClient(transport=on_s3._transport) as anyone:
        url = await announce(on_s3, file)
        assert url is not None
        s3.stop()
        refused = await anyone.put(url, content=file.content, headers=file.headers)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        await assert_not_here(on_s3, file)
        s3.start()
        shown = await upload(on_s3, anyone, file)
        assert (await anyone.get(shown["url"])).content == file.content
        assert f"media/{blob_key('local-project', file.id, 'image/png')}" in s3.listing()
        s3.stop()
        assert (await anyone.get(shown["url"])).status_code == 503
