"""What the benchmarks of load send, and the server that they send it to: nginx with a fixed token answer."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TOKEN = '{"access_token":"aG93IG1hbnkgb2YgdGhlc2UgY2FuIHlvdSBnaXZl","token_type":"Bearer","expires_in":3600}'
BODY = "grant_type=client_credentials"
AUTHORIZATION = "Basic c2VydmljZTpzZXJ2aWNlLXNlY3JldA=="
FORM = "application/x-www-form-urlencoded"
MODES = ("keep-alive", "TLS", "new connections", "TLS, new connections", "TLS 1.2, new connections")
UNIQUE = TOKEN.replace("aG93IG1hbnkgb2YgdGhlc2UgY2FuIHlvdSBnaXZl", "$request_id")

NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 1000000000; default_type application/json;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key; ssl_session_cache shared:a:10m;
  server {{
    listen 127.0.0.1:{old} ssl backlog=4096; ssl_protocols TLSv1.2;
    location /token {{ add_header Cache-Control no-store; return 200 '{token}'; }}
  }}
  server {{
    listen 127.0.0.1:{plain} backlog=4096; listen 127.0.0.1:{tls} ssl backlog=4096;
    location /token {{ add_header Cache-Control no-store; return 200 '{token}'; }}
    location /unique/ {{ add_header Cache-Control no-store; return 200 '{unique}'; }}
  }}
}}
"""

PROFILE = """
[endpoints]
token = "{url}/token"
[target]
name = "bench"
[clients.service]
id = "service"
secret = "service-secret"
auth_methods = ["client_secret_basic"]
grants = ["client_credentials"]
[load]
allowed = true
"""


def write_profile(path: Path, url: str, more: str = "") -> str:
    """Writes the profile of a target at a URL into a file; gives its path."""
    path.write_text(PROFILE.format(url=url) + more)
    return str(path)


@dataclass(frozen=True)
class Site:
    """nginx, and a folder with what the tools need."""

    folder: Path
    plain: int
    tls: int
    old: int

    def url(self, mode: str) -> str:
        """Where requests of a mode go."""
        if mode.startswith("TLS"):
            return f"https://localhost:{self.old if mode.startswith('TLS 1.2') else self.tls}"
        return f"http://127.0.0.1:{self.plain}"

    def profile(self, mode: str) -> str:
        """The path of the profile for a mode; nginx gives everybody the same token."""
        more = f'[tls]\nca = "{self.folder}/server.pem"\n[claims]\nreuses_tokens = true\n'
        return write_profile(
            self.folder / ("tls.toml" if mode.startswith("TLS") else "plain.toml"), self.url(mode), more
        )


@contextmanager
def nginx() -> Generator[Site]:
    """The server, on the second core, with a certificate of its own."""
    with tempfile.TemporaryDirectory() as name:
        site = Site(Path(name), _free_port(), _free_port(), _free_port())
        _certify(site.folder)
        config = site.folder / "nginx.conf"
        config.write_text(
            NGINX.format(folder=name, plain=site.plain, tls=site.tls, old=site.old, token=TOKEN, unique=UNIQUE)
        )
        server = subprocess.Popen(
            ["taskset", "-c", "1", find_program("nginx") or "nginx", "-p", name, "-c", str(config)],
            stderr=subprocess.DEVNULL,
        )
        try:
            time.sleep(0.5)
            if server.poll() is not None:
                raise SystemExit("nginx does not start")
            yield site
        finally:
            server.terminate()
            server.wait(10)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _certify(folder: Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", str(folder / "server.key"), "-out", str(folder / "server.pem")],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def find_program(program: str) -> str | None:
    """The path of a program that may stand where Go, Rust or Debian put theirs; None where it does not."""
    home = Path.home()
    return shutil.which(program) or shutil.which(program, path=f"{home}/go/bin:{home}/.cargo/bin:/usr/sbin")
