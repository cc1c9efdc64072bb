"""Headless Chromium, driven through its debugging pipe: pages, keys, scripts and screenshots."""

from __future__ import annotations

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final

FLAGS: Final = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --hide-scrollbars --remote-debugging-pipe about:blank"""
SECONDS: Final = 20
"""Time for which a page may work on an answer."""
CODES: Final = {"Enter": 13, "Escape": 27, "PageUp": 33, "PageDown": 34, "End": 35, "Home": 36} | {
    f"Arrow{side}": 37 + number for number, side in enumerate(("Left", "Up", "Right", "Down"))
}
"""Key without a character -> code of Windows."""


class Chromium:
    """One page of a browser process of its own; a context manager."""

    def __init__(self, profile: Path) -> None:
        self._profile = profile
        self._numbers = itertools.count(1)
        self._session: str | None = None
        self._rest = b""
        self.problems: list[str] = []
        """Exceptions and errors of the console, refused resources too."""

    def __enter__(self) -> Chromium:
        program = shutil.which("chromium") or shutil.which("google-chrome")
        assert program, "the gallery is tested in Chromium: apt-get install chromium"
        (there, self._out), (self._in, back) = os.pipe(), os.pipe()
        # The pipe of a browser has the numbers 3 and 4.
        script = f'exec 3<&{there} 4>&{back}; exec "$0" "$@"'
        command = ["bash", "-c", script, program, *FLAGS.split(), f"--user-data-dir={self._profile}"]
        self._process = subprocess.Popen(command, pass_fds=(there, back), stderr=subprocess.DEVNULL)
        os.close(there)
        os.close(back)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.resize(1280, 900)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session = None
        os.close(self._out)
        self._process.terminate()
        self._process.wait(SECONDS)
        os.close(self._in)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command of the DevTools protocol; return its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def open(self, address: str, ready: str = "'ready' in document.documentElement.dataset") -> None:
        """Open a page and wait until an expression is true."""
        self.problems.clear()
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=address)
        self.wait(ready)

    def wait(self, expression: str) -> None:
        """Wait until an expression is true after a frame."""
        end = time.monotonic() + SECONDS
        while not self.evaluate(f"(() => {{ try {{ return Boolean({expression}) }} catch {{ return false }} }})()"):
            assert time.monotonic() < end, f"never true: {expression}; {self.problems}"
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression, after its promise; the page may navigate meanwhile."""
        for _ in range(50):
            answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
            if "exceptionDetails" not in answer:
                return answer["result"].get("value")
            if "navigated" not in str(answer) and "Cannot find context" not in str(answer):
                raise AssertionError(answer["exceptionDetails"])
        raise AssertionError(expression)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            code = CODES.get(key) or ord(key.upper())
            text = "\r" if key == "Enter" else "" if key in CODES else key
            extra = {"text": text} if text else {}
            self.call("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, **extra)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def resize(self, width: int, height: int) -> None:
        """Give the page a size in px."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def prefer(self, scheme: str) -> None:
        """Prefer `light` or `dark` colours."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, path: Path) -> None:
        """Write the window as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            assert select.select([self._in], [], [], SECONDS)[0], "the browser does not answer"
            part = os.read(self._in, 1 << 20)
            assert part, "the browser has ended"
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        event: dict[str, Any] = json.loads(message)
        if event.get("method") == "Runtime.exceptionThrown":
            self.problems.append(str(event["params"]["exceptionDetails"]))
        if event.get("method") == "Log.entryAdded" and event["params"]["entry"]["level"] == "error":
            self.problems.append(event["params"]["entry"]["text"])
        return event
