"""A server for an exported classifier, with BentoML.

    pip install "tfcourse[serve]"
    MODEL=runs/NAME/model bentoml serve docs/serving/service.py:Classifier

It answers this machine only. To open it to others, give a key, which each
request must then have, and put something in front of it that speaks HTTPS:

    export KEY=$(openssl rand -hex 32)
    export HOST=0.0.0.0 MODEL=runs/NAME/model
    bentoml serve docs/serving/service.py:Classifier
    curl -H "Authorization: Bearer $KEY" ...

Only TensorFlow and BentoML are used: copy this file where the server runs. To
load a SavedModel runs it: serve only what you trust.
"""

import hmac
import os

import bentoml
import numpy as np
import tensorflow as tf

HOST, KEY = os.environ.get("HOST", "127.0.0.1"), os.environ.get("KEY", "")
# A request of more bytes is refused before it is read.
MOST_BYTES = int(os.environ.get("MOST_BYTES", "1000000"))

if HOST not in ("127.0.0.1", "::1", "localhost") and not KEY:
    raise SystemExit(f"Set KEY before the server is opened to {HOST}.")


@bentoml.service(http={"host": HOST}, traffic={"timeout": 30})
class Classifier:
    def __init__(self):
        # Kept whole: its variables would be collected with it.
        self.model = tf.saved_model.load(os.environ["MODEL"])

    @bentoml.api
    def classify(self, features: list[list[float]]) -> dict:
        """Returns the class and its probability of each example."""
        answer = self.model.classify(tf.constant(features, tf.float32))
        return {name: plain(answer[name]) for name in ("label", "probability")}


def plain(tensor):
    values = tensor.numpy()
    if values.dtype == object:
        values = np.array([value.decode() for value in values])
    return values.tolist()


class Door:
    """Lets requests in that have the key and are not too large."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"authorization", b"")
        if KEY and not hmac.compare_digest(given, f"Bearer {KEY}".encode()):
            await refuse(send, 401)
            return
        body = await read(headers, receive)
        if body is None:
            await refuse(send, 413)
            return
        messages = iter([{"type": "http.request", "body": body}])

        async def again():
            return next(messages, None) or await receive()

        await self.app(scope, again, send)


async def read(headers, receive):
    """Returns the body of a request, or None if it is too large."""
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or int(length) > MOST_BYTES:
        return None
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MOST_BYTES:
            return None
    return body


async def refuse(send, status):
    headers = [(b"content-length", b"0"), (b"connection", b"close")]
    start = {"type": "http.response.start", "status": status}
    await send({**start, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


Classifier.add_asgi_middleware(Door)
