# SPDX-License-Identifier: MIT
"""Chromium without a window, by chromedriver's HTTP interface (WebDriver). Python's own library is all it takes."""
import base64
import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request


class Browser:
    """A browser of its own, with all of its files below `scratch`. For use with `with`: nothing is left running."""

    def __init__(self, scratch):
        self.scratch = os.path.realpath(scratch)
        self.profile = os.path.join(self.scratch, "profile")
        self.log = os.path.join(self.scratch, "chromedriver.log")
        self.session = None

    def __enter__(self):
        # Whatever it writes, it writes there; and a session of its own, so that it can be ended with all it has started.
        environment = {**os.environ, "TMPDIR": self.scratch, "HOME": self.scratch}
        self.driver = subprocess.Popen(["chromedriver", "--port=0", "--log-path=" + self.log], stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, text=True, start_new_session=True, env=environment)
        try:
            self._open()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _open(self):
        for line in self.driver.stdout:
            port = re.search(r"started successfully on port (\d+)", line)
            if port:
                break
        else:
            raise RuntimeError(f"chromedriver does not start; its log is {self.log}")
        self.base = f"http://127.0.0.1:{port[1]}"
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                     "--disable-background-networking", "--hide-scrollbars", "--user-data-dir=" + self.profile]
        wanted = {"browserName": "chrome", "goog:chromeOptions": {"args": arguments},
                  "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
        self.session = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]

    def __exit__(self, *_):
        try:
            if self.session:
                self._ask("DELETE", f"/session/{self.session}")
        except OSError:
            pass
        self.driver.terminate()
        self.driver.wait()
        self.driver.stdout.close()
        self._end_all()

    def _end_all(self):
        """Until none is left of what the driver has started: all are in its process group."""
        for number in [0] * 60 + [signal.SIGTERM] * 40 + [signal.SIGKILL] * 40:
            try:
                os.killpg(self.driver.pid, number)
            except ProcessLookupError:
                return
            time.sleep(0.05)
        raise RuntimeError(f"processes of group {self.driver.pid} are left")

    def _ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        # Never by a proxy.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{path}: {json.load(error)['value']['message']}") from None

    def _in_session(self, path, body):
        return self._ask("POST", f"/session/{self.session}{path}", body)

    def devtools(self, command, **parameters):
        return self._in_session("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def show(self, width, height, dark=False, medium=""):
        """What the pages are shown on from now on."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                      mobile=width < 600)
        self.devtools("Emulation.setEmulatedMedia", media=medium,
                      features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def open(self, url):
        self._in_session("/url", {"url": url})

    def run(self, script, *arguments):
        """The body of a function in JavaScript; what it returns."""
        return self._in_session("/execute/sync", {"script": script, "args": arguments})

    def console(self):
        """What was said on the console since the last call."""
        return self._in_session("/se/log", {"type": "browser"})

    def requested(self):
        """The addresses that were asked for since the last call."""
        events = [json.loads(entry["message"])["message"] for entry in self._in_session("/se/log", {"type": "performance"})]
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]

    def print(self, path):
        """To PDF, as paper is saved: without backgrounds, but for those that the page insists on."""
        answer = self.devtools("Page.printToPDF", printBackground=False, preferCSSPageSize=True)
        with open(path, "wb") as file:
            file.write(base64.b64decode(answer["data"]))

    def picture(self, path, whole=True):
        answer = self.devtools("Page.captureScreenshot", captureBeyondViewport=whole)
        with open(path, "wb") as file:
            file.write(base64.b64decode(answer["data"]))
