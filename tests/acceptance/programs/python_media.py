"""Official Python SDK 3 to 5: files in a trace and in a dataset item, sent and read back; prints both as JSON."""

import base64
import hashlib
import json
import os
import sys
import time
from importlib.metadata import version

import httpx

from langfuse import get_client
from langfuse.media import LangfuseMedia

PICTURE = base64.b64decode(sys.argv[1])
SOUND = hashlib.sha256(PICTURE).digest() * 100
PICTURE_URI = f"data:image/png;base64,{sys.argv[1]}"
SOUND_URI = f"data:audio/wav;base64,{base64.b64encode(SOUND).decode()}"

langfuse = get_client()
uploads = os.environ.get("LANGFUSE_MEDIA_UPLOAD_ENABLED") != "false"
sound = LangfuseMedia(content_bytes=SOUND, content_type="audio/wav") if uploads else SOUND_URI

with langfuse.start_as_current_observation(
    name="describe",
    as_type="generation",
    input=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": PICTURE_URI}}]}],
    metadata={"sound": sound},
) as generation:
    generation.update(output="A picture.")
langfuse.flush()

http = httpx.Client(
    base_url=os.environ["LANGFUSE_BASE_URL"],
    auth=(os.environ["LANGFUSE_PUBLIC_KEY"], os.environ["LANGFUSE_SECRET_KEY"]),
)
deadline = time.monotonic() + 15
while True:
    answer = http.get(f"/api/public/observations/{generation.id}")
    if answer.status_code == 200 or time.monotonic() > deadline:
        break
    time.sleep(0.1)
stored = answer.json()

items = []
if uploads and not version("langfuse").startswith("3."):  # which knows no files in dataset items
    dataset = f"media-{generation.id}"
    langfuse.create_dataset(name=dataset)
    picture = LangfuseMedia(base64_data_uri=PICTURE_URI)
    langfuse.create_dataset_item(dataset_name=dataset, input={"picture": picture}, expected_output="A picture.")
    # Older releases hand out the reference string.
    found = langfuse.get_dataset(dataset).items[0].input["picture"]
    items = [found.fetch_data_uri() if hasattr(found, "fetch_data_uri") else found]

print(
    json.dumps(
        {
            "stored": json.dumps([stored["input"], stored["metadata"]["sound"]]),
            "resolved": json.dumps(
                langfuse.resolve_media_references(
                    obj=[stored["input"], stored["metadata"]["sound"]], resolve_with="base64_data_uri"
                )
            ),
            "expected": json.dumps([PICTURE_URI, SOUND_URI]),
            "items": json.dumps(items),
        }
    )
)
langfuse.shutdown()
