"""Starting, finding and ending the servers of the interoperability runs."""

import base64
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from grantproof.errors import GrantproofError
from grantproof.wire.form import encode_component
from tests.interop import run, server
from tests.interop.catalogue import SERVERS, find_server
from tests.interop.credentials import public_key_text, random_secret, reserved_secret, write_private_key
from tests.interop.servers.embedded_tls import server as embedded_tls

LISTENS = "import signal; print('a notice\\nlistening http://127.0.0.1:4711', flush=True); signal.pause()"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {LISTENS}"


def test_a_server_is_up_when_its_log_says_where(tmp_path: Path) -> None:
    process, base_url = server.spawn(
        [sys.executable, "-c", LISTENS], cwd=tmp_path, log=tmp_path / "log", environ={"SOME_SECRET": "s3cret"}
    )
    up = server.Running(base_url, process, tmp_path / "log", {"SOME_SECRET": "s3cret"})
    assert base_url == "http://127.0.0.1:4711"
    assert up.pid == process.pid
    assert "s3cret" not in repr(up)
    up.stop()
    assert process.returncode == -signal.SIGTERM
    up.stop()


def test_a_server_may_say_in_its_own_words_where_it_listens(tmp_path: Path) -> None:
    says = "import signal; print('INFO Up. Listening on: http://127.0.0.1:4712', flush=True); signal.pause()"
    process, base_url = server.spawn(
        [sys.executable, "-c", says],
        cwd=tmp_path,
        log=tmp_path / "log",
        environ={},
        listens=re.compile(r"Listening on: (\S+)"),
    )
    server.end_group(process)
    assert base_url == "http://127.0.0.1:4712"


def test_a_server_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    waits = "import signal; print('starting', flush=True); signal.pause()"
    with pytest.raises(GrantproofError, match="does not come up"):
        server.spawn([sys.executable, "-c", waits], cwd=tmp_path, log=tmp_path / "log", environ={}, patience_s=0.0)


def test_a_server_may_speak_tls(tmp_path: Path) -> None:
    program = LISTENS.replace("http:", "https:")
    process, base_url = server.spawn([sys.executable, "-c", program], cwd=tmp_path, log=tmp_path / "log", environ={})
    server.end_group(process)
    assert base_url == "https://127.0.0.1:4711"


def test_free_ports_are_several_and_can_be_taken() -> None:
    ports = server.free_ports(3)
    assert len(set(ports)) == 3
    for port in ports:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", port))


def test_nginx_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(embedded_tls, "NGINX_FOLDERS", ())
    with pytest.raises(GrantproofError, match="nginx is needed") as problem:
        find_server("embedded-tls").install()
    assert "apt-get install" in (problem.value.hint or "")


def test_a_server_that_does_not_listen_to_reason_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_END_S", 0.1)
    process, _ = server.spawn([sys.executable, "-c", STUBBORN], cwd=tmp_path, log=tmp_path / "log", environ={})
    server.end_group(process)
    assert process.returncode == -signal.SIGKILL


def test_a_server_that_is_not_up_yet_ends_with_who_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Interrupting:
        """Ends the wait as a signal does, at the first look into the log."""

        def search(self, _text: str) -> None:
            raise SystemExit(143)

    original = subprocess.Popen[bytes]

    def starting(*words: Any, **options: Any) -> "subprocess.Popen[bytes]":
        started.append(original(*words, **options))
        return started[0]

    monkeypatch.setattr(subprocess, "Popen", starting)
    command, listens = [sys.executable, "-c", "import time; time.sleep(60)"], cast("re.Pattern[str]", Interrupting())
    with pytest.raises(SystemExit):
        server.spawn(command, cwd=tmp_path, log=tmp_path / "log", environ={}, listens=listens)
    assert started[0].returncode == -signal.SIGTERM


def test_a_server_that_ends_at_once_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(GrantproofError, match="does not come up") as problem:
        server.spawn(
            [sys.executable, "-c", "raise SystemExit('no such table')"], cwd=tmp_path, log=tmp_path / "log", environ={}
        )
    assert problem.value.hint == "no such table"


def test_a_server_sees_only_its_own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    shown = "import os; print(sorted(set(os.environ) & {'PYTHONPATH', 'OWN', 'PATH'}))"
    with pytest.raises(GrantproofError) as problem:
        server.spawn([sys.executable, "-c", shown], cwd=tmp_path, log=tmp_path / "log", environ={"OWN": "1"})
    assert problem.value.hint == "['OWN', 'PATH']"


def test_an_installation_is_done_once_and_begun_again_when_it_was_interrupted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "cache"

    def install(*, fails: bool) -> bool:
        with server.installation(folder, "it") as due:
            if fails:
                (folder / "half").touch()
                raise GrantproofError("interrupted")
        return due

    with pytest.raises(GrantproofError):
        install(fails=True)
    assert install(fails=False)
    assert not (folder / "half").exists()
    capsys.readouterr()
    assert not install(fails=False)
    assert capsys.readouterr().out == ""


def test_each_lock_has_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    lock = tmp_path / "lock"
    folders: set[Path] = set()
    for content in ("a", "b", "a"):
        lock.write_text(content)
        folders.add(server.cache_folder("it", lock))
    assert len(folders) == 2
    assert all(tmp_path in folder.parents for folder in folders)


def test_a_tool_that_fails_or_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(GrantproofError, match="not on the PATH"):
        server.run_tool(["no-such-tool-anywhere"])
    with pytest.raises(GrantproofError) as problem:
        server.run_tool([sys.executable, "-c", "raise SystemExit('why')"], cwd=tmp_path)
    assert problem.value.hint == "why"


def test_secrets_are_random_and_of_the_two_kinds() -> None:
    assert random_secret() != random_secret()
    assert encode_component(plain := random_secret()) == plain
    assert encode_component(reserved := reserved_secret()) != reserved
    assert all(0x20 <= ord(character) <= 0x7E for character in reserved)


def test_a_private_key_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = write_private_key(tmp_path / "key.pem")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().startswith("-----BEGIN PRIVATE KEY-----")


def test_the_public_half_of_a_key_is_one_line_of_base64(tmp_path: Path) -> None:
    text = public_key_text(write_private_key(tmp_path / "key.pem"))
    assert base64.b64decode(text, validate=True).startswith(b"\x30\x82")
    assert "\n" not in text


def test_servers_are_found_by_name() -> None:
    assert [find_server(name).name for name in SERVERS] == list(SERVERS)
    with pytest.raises(GrantproofError, match="no server 'keycloack'"):
        find_server("keycloack")


def test_an_unknown_server_is_trouble_not_a_difference(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["unheard-of", "--", "-n", "2"]) == run.TROUBLE
    assert "oauth2orize" in capsys.readouterr().err
