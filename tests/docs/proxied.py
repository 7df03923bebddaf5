"""nginx and Caddy with the files of docs/guides/proxies.md, but for names, ports, certificate."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hookbundle.tests.docs.pages import DOCS, FENCED, ROOT
from hookbundle.tests.program import TIMEOUT_S
from hookbundle.tests.receivers import CERTIFICATE

UNPACKED = ROOT / ".venv" / "proxies" / "usr"
NAME = "receiver.example"  # that of the certificate
NGINX = """\
{user}
pid {folder}/nginx.pid;
events {{}}
http {{
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/hookbundle;
}}
"""


def program(name: str) -> str | None:
    places = f"{UNPACKED}/sbin:{UNPACKED}/bin:{os.environ['PATH']}:/usr/sbin"
    return shutil.which(name, path=places)


def of_the_page(file: str, folder: Path, daemon: str, port: str) -> str:
    """The file as the page has it, with our names for what only this machine knows."""
    page = (DOCS / "guides" / "proxies.md").read_text(encoding="utf-8")
    (text,) = [match[3] for match in FENCED.finditer(page) if match[2] == file]
    pem = folder / "receiver.pem"
    pem.write_text(CERTIFICATE)
    for there, here in (
        ("listen 443", f"listen 127.0.0.1:{port}"),
        ("/etc/letsencrypt/live/hooks.example.com/fullchain.pem", str(pem)),
        ("/etc/letsencrypt/live/hooks.example.com/privkey.pem", str(pem)),
        ("hooks.example.com {", f"https://{NAME}:{port} {{\n\tbind 127.0.0.1\n\ttls {pem} {pem}"),
        ("hooks.example.com", NAME),
        ("127.0.0.1:8470", f"127.0.0.1:{daemon}"),
        ("/var/log/nginx", str(folder)),
        ("/var/log/caddy", str(folder)),
    ):
        text = text.replace(there, here)
    return text


@contextmanager
def nginx(folder: Path, daemon: str, port: str) -> Iterator[None]:
    path = program("nginx")
    assert path is not None
    site = of_the_page("/etc/nginx/sites-available/hookbundle", folder, daemon, port)
    (folder / "hookbundle").write_text(site)
    # Its workers would have another user than the test, who may not read the test's folder.
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, user=user))
    command: list[str | Path] = [path, "-e", folder / "error.log", "-p", folder]
    command += ["-c", folder / "nginx.conf"]
    # It goes into the background once it listens.
    subprocess.run(command, check=True, timeout=TIMEOUT_S)
    try:
        yield
    finally:
        subprocess.run([*command, "-s", "stop"], check=True, timeout=TIMEOUT_S)


@contextmanager
def caddy(folder: Path, daemon: str, port: str) -> Iterator[None]:
    path = program("caddy")
    assert path is not None
    site = of_the_page("/etc/caddy/Caddyfile", folder, daemon, port)
    (folder / "Caddyfile").write_text(
        f"{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{site}"
    )
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    command = [path, "run", "--config", str(folder / "Caddyfile")]
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE) as running:
        assert running.stderr is not None
        try:
            said = []
            for line in running.stderr:
                said.append(line)
                if b"serving initial configuration" in line:
                    break
            yield
            running.terminate()
            # It waits for requests under way, also for those that it makes for a reader who left.
            _, rest = running.communicate(timeout=TIMEOUT_S)
            (folder / "caddy.log").write_bytes(b"".join(said) + rest)
        finally:
            running.kill()
