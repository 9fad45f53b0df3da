"""A page opened in a headless Chromium, through its debugging pipe."""

import base64
import contextlib
import json
import os
import shutil
import subprocess

NAME = next(
    filter(shutil.which, ("chromium", "chromium-browser", "google-chrome")),
    None,
)
_OPTIONS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update "
    "--disable-extensions --disable-dev-shm-usage --hide-scrollbars "
    "--remote-debugging-pipe about:blank"
)


class Browser:
    """A Chromium that answers the DevTools protocol.

    Attributes:
        events: What happened on the page, a list of `(method, params)`.
    """

    def __init__(self, send, receive):
        self._send, self._receive = send, receive
        self._number = 0
        self._session = None
        self._rest = b""
        self.events = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call(
            "Target.attachToTarget", targetId=target, flatten=True
        )["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method, **params):
        """Returns the answer to a command of the protocol."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._send, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def close(self):
        """Ends the browser, which takes its files away."""
        self._session = None
        with contextlib.suppress(RuntimeError):
            self.call("Browser.close")
            while True:
                self._next()

    def open(self, path, width=1200, height=900, dark=False):
        """Loads a file and waits until it has loaded."""
        self.events.clear()
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.emulate(dark)
        self.call("Page.navigate", url=path.resolve().as_uri())
        while "Page.loadEventFired" not in dict(self.events):
            self._next()

    def emulate(self, dark):
        """Sets whether the reader prefers dark pages."""
        scheme = "dark" if dark else "light"
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def value(self, expression):
        """Returns the value of a JavaScript expression on the page."""
        answer = self.call(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def picture(self, path):
        """Writes a picture of the whole page."""
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(data["data"]))

    def complaints(self):
        """Returns errors and warnings of the console since `open`."""
        return [
            params
            for method, params in self.events
            if method == "Runtime.exceptionThrown"
            or (
                method == "Runtime.consoleAPICalled"
                and params["type"] in ("error", "warning", "assert")
            )
            or (
                method == "Log.entryAdded"
                and params["entry"]["level"] in ("error", "warning")
            )
        ]

    def requests(self):
        """Returns the addresses that were asked for since `open`."""
        return [
            params["request"]["url"]
            for method, params in self.events
            if method == "Network.requestWillBeSent"
        ]

    def _next(self):
        while b"\0" not in self._rest:
            some = os.read(self._receive, 1 << 20)
            if not some:
                raise RuntimeError("Chromium has ended.")
            self._rest += some
        message, _, self._rest = self._rest.partition(b"\0")
        message = json.loads(message)
        if "method" in message:
            self.events.append((message["method"], message["params"]))
        return message


@contextlib.contextmanager
def browser(profile):
    """Yields a `Browser`, whose profile is kept in that folder."""
    to_read, send = os.pipe()
    receive, to_write = os.pipe()
    # It reads commands from descriptor 3 and writes answers to 4.
    process = subprocess.Popen(
        [
            *("bash", "-c", f'exec "$@" 3<&{to_read} 4>&{to_write}', "-"),
            *(NAME, f"--user-data-dir={profile}", *_OPTIONS.split()),
        ],
        pass_fds=(to_read, to_write),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_read)
    os.close(to_write)
    try:
        opened = Browser(send, receive)
        yield opened
        opened.close()
    finally:
        os.close(send)
        if process.poll() is None:
            process.terminate()
        process.wait()
        os.close(receive)
