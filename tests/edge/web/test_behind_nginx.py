"""The proxy as deploy/README.md shows it, in a real nginx: people sign in through it, see what happens as it
happens, and are told apart."""

import re
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from tests.edge.web.parts import configured, csrf, submit
from tests.guard import LOGIN, PASSWORD, Guard
from tests.programs import free_port, require

SHOWN = Path(__file__).parents[3] / "deploy" / "README.md"
NAME = "guard.corp.example"
# Not the address of the proxy, which is believed; it reaches this machine all the same.
ELSEWHERE = "127.0.0.2"

AROUND = """
daemon off;
pid {place}/pid;
error_log {place}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {place}/body;
    proxy_temp_path {place}/proxy;
    fastcgi_temp_path {place}/fastcgi;
    uwsgi_temp_path {place}/uwsgi;
    scgi_temp_path {place}/scgi;
{server}
}}
"""


@dataclass(frozen=True, kw_only=True)
class Front:
    """A guard that people reach under its name, over TLS, through nginx."""

    guard: Guard
    port: int

    def browser(self) -> httpx2.Client:
        """Of somebody elsewhere, for whom the certificate of this machine is the one of the name."""
        trust = ssl.create_default_context(cafile=str(self.guard.ca))
        return httpx2.Client(
            base_url=f"https://127.0.0.1:{self.port}",
            headers={"Host": NAME},
            transport=httpx2.HTTPTransport(verify=trust, local_address=ELSEWHERE),
            timeout=30,
        )


def server_shown(guard: Guard, port: int) -> str:
    """The example, but for what every installation has to put in: ports and a certificate."""
    [shown] = re.findall(r"^```\n(server \{\n.*?)^```$", SHOWN.read_text(), re.MULTILINE | re.DOTALL)
    for there, here in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("/etc/ssl/guard.corp.example.pem", str(guard.directory / "cert.pem")),
        ("/etc/ssl/private/guard.corp.example.key", str(guard.directory / "key.pem")),
        ("127.0.0.1:8025", f"127.0.0.1:{guard.web_port}"),
    ):
        assert there in shown
        shown = shown.replace(there, here)
    return str(shown)


@contextmanager
def front(directory: Path) -> Iterator[Front]:
    """Both of them, for as long as the context lasts."""
    program = require("nginx", package="nginx-light")
    guard = configured(directory, web=f'public_url = "https://{NAME}"\ntrusted_proxies = ["127.0.0.1"]\n')
    port = free_port()
    place = directory / "nginx"
    place.mkdir()
    settings = place / "nginx.conf"
    settings.write_text(AROUND.format(place=place, server=server_shown(guard, port)))
    guard.start()
    command = [program, "-e", str(place / "error.log"), "-p", str(place), "-c", str(settings)]
    with subprocess.Popen(command) as process:
        try:
            _await(port, place)
            yield Front(guard=guard, port=port)
        finally:
            process.terminate()
            process.wait(20)
            assert guard.stop() == 0, guard.log()


def _await(port: int, place: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            httpx2.get(f"http://127.0.0.1:{port}", timeout=5)
        except httpx2.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"nginx does not answer: {(place / 'error.log').read_text()}")


def test_the_proxy_that_is_shown(tmp_path: Path) -> None:
    with front(tmp_path) as proxied, proxied.browser() as browser:
        with proxied.browser() as guesser:
            guess = {"login": LOGIN, "password": "a guess"}
            assert guesser.post("/sign-in", data=guess).status_code == 403
        answer = browser.post(
            "/sign-in",
            data={"login": LOGIN, "password": PASSWORD},
            headers={"Origin": f"https://{NAME}", "X-Forwarded-For": "198.51.100.7"},
        )
        assert answer.status_code == 303, answer.text
        assert "secure" in answer.headers["set-cookie"].lower()
        with browser.stream("GET", "/live") as events:
            assert events.status_code == 200
            lines = events.iter_lines()
            next(lines)
            held = submit(proxied.guard)
            assert "event: changed" in lines
        stopped = browser.post(
            f"/messages/{held}/cancel", data={"csrf": csrf(browser)}, headers={"Origin": f"https://{NAME}"}
        )
        assert stopped.status_code == 303, stopped.text
        assert proxied.guard.ask("show", held)["state"] == "cancelled"
        # What a client says of itself counts for nothing: the proxy puts down whom it has seen.
        assert f"peer={ELSEWHERE}" in proxied.guard.log()
        assert "198.51.100.7" not in proxied.guard.log()
