"""browser.py - a headless Chromium, driven through the pipe of its own debugging protocol; and a server of files for
it.

The protocol is Chromium's "DevTools": a JSON message with a number, NUL behind it, and an answer with that number.
Nothing but the browser itself is needed.
"""
import base64
import functools
import http.server
import json
import os
import select
import shutil
import subprocess
import tempfile
import threading
import time

COMMAND = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript",
                      ".mjs": "text/javascript"}

    def log_message(self, *_):
        pass


class Server:
    """Files of a folder, on a port of its own."""

    def __init__(self, folder):
        handler = functools.partial(Quiet, directory=folder)
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/"

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class Browser:
    """One page. A message that the page logs as an error, or an uncaught exception, is kept in `errors`."""

    def __init__(self, *flags, width=1440, height=1000):
        self.profile = tempfile.mkdtemp(prefix="quire-chromium-")
        to_read, self.write_end = os.pipe()
        self.read_end, to_write = os.pipe()
        words = [COMMAND, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 "--no-first-run", "--disable-extensions", "--disable-background-networking",
                 "--disable-component-update", "--mute-audio", "--remote-debugging-pipe",
                 f"--user-data-dir={self.profile}", f"--window-size={width},{height}", *flags, "about:blank"]
        script = f'exec 3<&{to_read} 4>&{to_write}; exec "$@"'
        self.process = subprocess.Popen(["bash", "-c", script, "bash", *words], pass_fds=(to_read, to_write),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.number, self.rest, self.events, self.errors, self.session = 0, b"", [], [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    # ---- The protocol ----

    def message(self, deadline):
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.read_end], [], [], max(0, deadline - time.monotonic()))
            assert ready, "Chromium does not answer"
            piece = os.read(self.read_end, 1 << 16)
            assert piece, "Chromium has gone"
            self.rest += piece
        one, self.rest = self.rest.split(b"\0", 1)
        return json.loads(one)

    def note(self, message):
        method, what = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = what["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or json.dumps(details))
        elif method == "Log.entryAdded" and what["entry"]["level"] == "error":
            self.errors.append(f"{what['entry']['text']} {what['entry'].get('url', '')}")

    def call(self, method, limit=60, **what):
        self.number += 1
        message = {"id": self.number, "method": method, "params": what}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + limit
        while True:
            answer = self.message(deadline)
            if answer.get("id") == self.number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self.note(answer)

    # ---- The page ----

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def js(self, words, limit=60):
        """The value of an expression; of a promise, its result."""
        answer = self.call("Runtime.evaluate", limit, expression=words, awaitPromise=True, returnByValue=True)
        wrong = answer.get("exceptionDetails")
        assert wrong is None, wrong.get("exception", {}).get("description", answer)
        return answer["result"].get("value")

    def wait(self, words, limit=60):
        """Wait until an expression is true; returns its value. The page itself evaluates it, a few times a second."""
        return self.js("new Promise((done, failed) => { const began = Date.now(); const look = () => { let value; "
                       f"try {{ value = ({words}); }} catch (error) {{ value = false; }} "
                       f"if (value) done(value); else if (Date.now() - began > {limit * 1000}) "
                       f"failed(new Error('in {limit} s it never came to this: ' + {json.dumps(words)})); "
                       "else setTimeout(look, 50); }; look(); })", limit + 10)

    def click(self, selector):
        """Click as a mouse does: in the middle of the element, once it is in view."""
        x, y = self.js(f"(() => {{ const e = document.querySelector({json.dumps(selector)}); "
                       "e.scrollIntoView({block: 'center', behavior: 'instant'}); "
                       "const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()")
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            button = "none" if kind == "mouseMoved" else "left"
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, clickCount=1)

    def key(self, key, code=None, number=0, modifiers=0, text=None):
        for kind in ("keyDown", "keyUp"):
            what = {"type": kind, "key": key, "code": code or key, "windowsVirtualKeyCode": number,
                    "modifiers": modifiers}
            if text and kind == "keyDown":
                what["text"] = text
            self.call("Input.dispatchKeyEvent", **what)

    def enter(self):
        self.key("Enter", number=13, text="\r")

    def tab(self, back=False):
        self.key("Tab", number=9, modifiers=8 if back else 0)

    def words(self, words):
        self.call("Input.insertText", text=words)

    def dress(self, width=1440, height=1000, dark=False, phone=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if phone else 1,
                  mobile=phone)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def picture(self, path):
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def close(self):
        try:
            self.session = None
            self.call("Browser.close", limit=10)
            self.process.wait(10)
        except (AssertionError, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        for end in (self.read_end, self.write_end):
            os.close(end)
        shutil.rmtree(self.profile, ignore_errors=True)
