"""What scanners of other people find: no relay, no users, no old TLS."""

import re
import subprocess

import pytest

from tests.guard import Guard
from tests.programs import require


def told_by(*command: str) -> str:
    """What a scanner writes."""
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=240).stdout


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nmap_finds_no_relay_and_no_users(strict: Guard) -> None:
    """Its scripts by name with a plus: on an odd port they would not run otherwise."""
    scripts = "+smtp-open-relay,+smtp-commands,+smtp-enum-users,+smtp-ntlm-info,+smtp-vuln-cve2010-4344"
    ports = f"{strict.port},{strict.tls_port}"
    told = told_by(require("nmap"), "-Pn", "-p", ports, "--script", scripts, "127.0.0.1")
    assert told.count("smtp-commands: guard.corp.example, PIPELINING") == 2, told
    assert re.findall(r"smtp-open-relay: (.*)", told), told
    assert "is an open relay" not in told, told
    # A name that it believes in stands on a line of its own.
    assert re.findall(r"smtp-enum-users: *(.*)", told), told
    assert not re.search(r"^\|[ _]+(?:root|admin|guest|test)$", told, re.MULTILINE), told
    assert "VULNERABLE:" not in told, told


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("implicit", [True, False])
def test_sslscan_finds_no_old_tls_and_no_weak_cipher(strict: Guard, implicit: bool) -> None:
    """It takes the first packet for the whole reply to EHLO, too."""
    where = [f"localhost:{strict.tls_port}"] if implicit else ["--starttls-smtp", f"localhost:{strict.port}"]
    told = told_by(require("sslscan"), "--ipv4", "--no-colour", *where)
    states = dict(re.findall(r"^(SSLv[23]|TLSv1\.[0-3])\s+(enabled|disabled)$", told, re.MULTILINE))
    assert states == {
        **dict.fromkeys(("SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1"), "disabled"),
        **dict.fromkeys(("TLSv1.2", "TLSv1.3"), "enabled"),
    }, told
    ciphers = re.findall(r"^(?:Preferred|Accepted)\s+\S+\s+(\d+) bits\s+(\S+)", told, re.MULTILINE)
    assert ciphers
    assert all(int(bits) >= 128 for bits, _ in ciphers), told
    assert not re.search(r"RC4|3DES|NULL|EXP|anon|_MD5", " ".join(name for _, name in ciphers)), told
    assert re.search(r"Compression disabled|does not support compression", told), told
    assert not re.search(r"^[^\n]*(?<!not )vulnerable to heartbleed", told, re.MULTILINE), told
