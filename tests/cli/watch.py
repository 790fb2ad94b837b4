"""`tenon watch`: what it serves, to whom, and how it follows logs that grow, come later or are replaced; or, with
`browser`, how its page looks in a Chromium that is told by its pipe: at desktop and phone widths, light and dark.
usage: watch.py TENON SCRATCH served|browser"""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

TENON, SCRATCH, PART = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
BROWSER = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), "")
HEAD = {"tenon": "0", "began": "now", "device": "cpu", "samples": 60, "parameters": 9,
        "settings": {"net": "mlp", "data": "x.csv", "epochs": 4}}
WAIT = 20  # seconds, on a busy machine


class Watch:
    def __init__(self, *files):
        self.log = open(SCRATCH / "stderr", "w+", encoding="utf-8")
        self.process = subprocess.Popen([TENON, "watch", *files, "--port", "0"], stdout=subprocess.PIPE, stderr=self.log,
                                        text=True, cwd=SCRATCH)
        said = self.process.stdout.readline()
        found = re.search(r"at http://127\.0\.0\.1:(\d+)/", said)
        assert found, f"no address: {said} {self.said()}"
        self.port = int(found[1])

    def said(self):
        return (SCRATCH / "stderr").read_text(encoding="utf-8")

    def get(self, path, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer

    def end(self):
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(WAIT) == 0, f"Ctrl-C: {self.process.returncode} {self.said()}"
        self.log.close()


class Events:
    """What a browser is told, one event after the other."""

    def __init__(self, watch):
        status, headers, self.answer = watch.get("/events")
        assert status == 200 and headers["Content-Type"] == "text/event-stream", status

    def next(self):
        while True:
            line = self.answer.readline()
            assert line, "the events have ended"
            if line.startswith(b"data: "):
                return json.loads(line[6:])

    def expect(self, *events):
        for event in events:
            got = self.next()
            assert got == event, f"{got}, expected {event}"


def write(name, *lines, mode="w"):
    with open(SCRATCH / name, mode, encoding="utf-8") as file:
        file.write("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))


def line(run, content):
    return {"run": run, "line": content}


def check_followed():
    write("a.jsonl", HEAD, {"epoch": 1, "loss": 0.5})
    watch = Watch("a.jsonl", "later.jsonl")
    first = Events(watch)
    first.expect({"run": 0, "name": "a.jsonl"}, {"run": 1, "name": "later.jsonl"}, line(0, HEAD), line(0, {"epoch": 1, "loss": 0.5}))
    write("later.jsonl", HEAD, '{"epoch": 1, "lo')  # it comes, and half a line of it
    first.expect(line(1, HEAD))
    write("later.jsonl", 'ss": 2}\n', mode="a")
    first.expect(line(1, {"epoch": 1, "loss": 2}))
    write("a.jsonl", "no JSON\n", "[1]\n", "\n", '{"other": 1}\n', {"epoch": 2, "loss": 0.25}, mode="a")
    first.expect({"run": 0, "bad": 3, "why": "is no line of JSON"}, {"run": 0, "bad": 4, "why": "is no line of a training's log"},
                 {"run": 0, "bad": 6, "why": "is no line of a training's log"}, line(0, {"epoch": 2, "loss": 0.25}))
    assert "a.jsonl:3: is no line of JSON" in watch.said(), watch.said()
    write("new.jsonl", HEAD)
    os.replace(SCRATCH / "new.jsonl", SCRATCH / "a.jsonl")  # by another file
    first.expect({"run": 0, "name": "a.jsonl"}, line(0, HEAD))
    write("a.jsonl", {"epoch": 7, "loss": 1})  # and cut, as a training does that begins anew: shorter than it was
    first.expect({"run": 0, "name": "a.jsonl"}, line(0, {"epoch": 7, "loss": 1}))
    second = Events(watch)  # one that comes late hears all of it
    seen = [second.next() for _ in range(14)]
    assert seen[-1] == line(0, {"epoch": 7, "loss": 1}) and sum("name" in e for e in seen) == 4, seen
    started = time.monotonic()
    watch.end()  # with two that listen
    assert time.monotonic() - started < WAIT / 2, "Ctrl-C waits"


def check_served():
    watch = Watch("none.jsonl")
    status, headers, answer = watch.get("/")
    page = answer.read().decode("utf-8")
    assert status == 200 and "default-src 'none'" in headers["Content-Security-Policy"], headers
    assert "http://www.w3.org/2000/svg" in page and len(re.findall(r"https?://", page)) == 1, "it names another place"
    assert "@import" not in page and "url(" not in page and " src=" not in page, "it loads something"
    assert watch.get("/etc/passwd")[0] == 404 and watch.get("/../stderr")[0] == 404
    assert watch.get("/", Host="elsewhere.example")[0] == 403 and watch.get("/events", Host="elsewhere.example")[0] == 403
    assert watch.get("/", Host=f"localhost:{watch.port}")[0] == 200
    bound = [words[1] for words in (text.split() for text in open("/proc/net/tcp", encoding="ascii"))
             if words[1].endswith(f":{watch.port:04X}") and words[3] == "0A"]
    assert bound == [f"0100007F:{watch.port:04X}"], f"bound to {bound}"
    again = subprocess.run([TENON, "watch", "a", "--port", str(watch.port)], capture_output=True, text=True, timeout=WAIT)
    assert again.returncode == 1 and "--port N takes another" in again.stderr, again.stderr
    watch.end()
    wrong = (["watch"], "watch needs FILE"), (["watch", "."], "is a folder"), (["watch", "a", "--port", "70000"], "--port")
    for words, say in wrong:
        done = subprocess.run([TENON, *words], capture_output=True, text=True, timeout=WAIT)
        assert done.returncode == 2 and say in done.stderr, done.stderr


# ---- in a browser ----


class Browser:
    """Chromium by its debugging pipe: messages of JSON, each closed by a zero."""

    def __init__(self):
        to_read, self.to = os.pipe()
        self.source, from_write = os.pipe()
        for end, fixed in ((to_read, 3), (from_write, 4)):
            os.set_inheritable(end, True)
        command = [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
                   f"--user-data-dir={SCRATCH / 'browser'}", "about:blank"]
        plumbing = f'exec {to_read}<&{to_read}; exec "$@" 3<&{to_read} 4>&{from_write}'
        self.process = subprocess.Popen(["bash", "-c", plumbing, "browser", *command], pass_fds=(to_read, from_write),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read), os.close(from_write)
        self.number, self.rest, self.complaints, self.session = 0, b"", [], None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for name in ("Runtime.enable", "Log.enable", "Page.enable", "Network.enable"):
            self.ask(name)
        self.requested = []

    def hear(self):
        while b"\0" not in self.rest:
            got = os.read(self.source, 1 << 16)
            assert got, "the browser is gone"
            self.rest += got
        message, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(message)
        if message.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
            self.complaints.append(json.dumps(message["params"])[:400])
        if message.get("method") == "Network.requestWillBeSent":
            self.requested.append(message["params"]["request"]["url"])
        return message

    def ask(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.hear()
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                return answer["result"]

    def run(self, script):
        result = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def until(self, script, what):
        end = time.monotonic() + WAIT
        while not self.run(script):
            assert time.monotonic() < end, f"{what}: {self.run('document.body.innerText')} {self.complaints}"
            time.sleep(0.1)

    def end(self):
        self.session = None
        os.write(self.to, json.dumps({"id": 0, "method": "Browser.close"}).encode() + b"\0")
        self.process.wait(WAIT)


MEASURE = """(() => {
  const root = document.documentElement, inside = (e) => { for (let p = e; p; p = p.parentElement) if (getComputedStyle(p).overflowX == "auto") return true; };
  const over = [...document.querySelectorAll("main *")].filter((e) => e.getClientRects().length && !inside(e) && e.getBoundingClientRect().right > root.clientWidth + 1);
  const overlaps = [];
  for (const svg of document.querySelectorAll("svg")) {
    const texts = [...svg.querySelectorAll("text")], boxes = texts.map((t) => t.getBoundingClientRect()), all = svg.getBoundingClientRect();
    texts.forEach((t, i) => { if (boxes[i].right > all.right + 1 || boxes[i].left < all.left - 1) overlaps.push(t.textContent + " is cut"); });
    for (let i = 0; i < boxes.length; i++) for (let k = 0; k < i; k++) { const a = boxes[i], b = boxes[k];
      if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3) overlaps.push(texts[i].textContent + " / " + texts[k].textContent); }
  }
  const light = (c) => c.match(/\\d+/g).slice(0, 3).reduce((a, b) => a + +b, 0), style = getComputedStyle(document.body);
  return { width: innerWidth, scroll: root.scrollWidth - root.clientWidth, over: over.map((e) => e.outerHTML.slice(0, 80)), overlaps,
    dark: light(style.backgroundColor) < light(style.color), cards: document.querySelectorAll(".run").length,
    figures: [...document.querySelectorAll("figure")].map((f) => f.getBoundingClientRect().height > 60) };
})()"""


def train(name, *words):
    done = subprocess.run([TENON, "train", *words, "--device", "cpu", "--quiet", "--log", name], capture_output=True,
                          text=True, cwd=SCRATCH)
    assert done.returncode == 0, done.stderr


def check_looks(browser, shots):
    for width, height, scale in ((1280, 900, "desktop"), (360, 740, "phone")):
        for theme in ("light", "dark"):
            browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
            browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
            time.sleep(0.3)
            seen = browser.run(MEASURE)
            what = f"{scale}, {theme}"
            assert seen["width"] == width and seen["scroll"] == 0 and not seen["over"], f"{what}: wider than the window: {seen}"
            assert not seen["overlaps"], f"{what}: {seen['overlaps']}"
            assert seen["dark"] == (theme == "dark") and seen["cards"] == 3, f"{what}: {seen}"
            assert len(seen["figures"]) == 4 and all(seen["figures"]), f"{what}: {seen['figures']}"
            if shots:
                import base64
                shot = browser.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
                (pathlib.Path(shots) / f"watch-{scale}-{theme}.png").write_bytes(base64.b64decode(shot))
            print(f"{what} is fine")


def check_browser():
    rows = "\n".join(f"{i % 7},{i % 5},{'<b>&' if i % 7 < i % 5 else 'other'}" for i in range(120))
    (SCRATCH / "kinds.csv").write_text("a,b,kind\n" + rows + "\n")
    train("one.jsonl", "--data", "kinds.csv", "--epochs", "12", "--validation", "0.2")
    train("two with a rather long name.jsonl", "--data", "kinds.csv", "--epochs", "6", "--lr", "0.01", "--schedule", "cosine 30")
    write("two with a rather long name.jsonl", "nothing\n", mode="a")
    watch, browser = Watch("one.jsonl", "two with a rather long name.jsonl", "<i>coming.jsonl"), Browser()
    browser.ask("Page.navigate", url=f"http://127.0.0.1:{watch.port}/")
    browser.until("document.querySelectorAll('.run').length == 3 && document.querySelectorAll('figure').length == 4", "three runs")
    text = browser.run("document.body.innerText")
    for part in ("epoch 12 of 12", "waiting for a training's lines", "line 9 is no line of JSON", "<b>&", "<i>coming.jsonl", "validation loss"):
        assert part in text, f"{part} is missing: {text}"
    check_looks(browser, os.environ.get("TENON_SHOTS"))
    write("<i>coming.jsonl", HEAD, {"epoch": 1, "loss": 0.5, "test_loss": 0.625, "seconds": 2})  # as it goes
    browser.until("document.body.innerText.includes('0.625') && document.body.innerText.includes('epoch 1 of 4')", "a first epoch")
    write("<i>coming.jsonl", {"epoch": 2, "loss": 1.3691234e-6, "test_loss": 123456789012, "seconds": 2}, mode="a")
    browser.until("['1.369e-6', '1.235e11'].every((t) => document.body.innerText.includes(t))", "short numbers")
    wide = browser.run("[...document.querySelectorAll('.values b')].filter((b) => b.scrollWidth > b.clientWidth).map((b) => b.textContent)")
    assert wide == [], f"values lie on their neighbours: {wide}"
    write("<i>coming.jsonl", {"done": False, "reason": "out of tea", "epochs": 1}, mode="a")
    browser.until("document.body.innerText.includes('stopped: out of tea')", "the end")
    browser.run("document.getElementById('log').click()")
    browser.until("[...document.querySelectorAll('text')].some((t) => ['0.1', '1'].includes(t.textContent)) && document.getElementById('log').checked", "the logarithm")
    own = f"http://127.0.0.1:{watch.port}/"
    assert set(browser.requested) <= {own, own + "events", "data:,"}, browser.requested
    assert not browser.complaints, browser.complaints
    watch.end()
    browser.until("document.body.innerText.includes('has ended')", "the end of the server")
    browser.end()


def main():
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    probe = subprocess.run([TENON, "watch", "--help"], capture_output=True, text=True)
    if "without libmicrohttpd" in probe.stdout:
        print("built without libmicrohttpd")
        sys.exit(77)
    if PART == "browser" and not BROWSER:
        print("no Chromium")
        sys.exit(77)
    parts = {"served": (check_followed, check_served), "browser": (check_browser,)}[PART]
    for part in parts:
        part()


main()
print("all well")
