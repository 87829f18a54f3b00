"""Where the outgoing server is and how to talk to it."""

import ssl
from pathlib import Path

import pytest
import trustme

from mailguard.edge.smtp_out import Tls, UpstreamOptions
from mailguard.edge.smtp_out.options import trust


def test_no_secret_is_shown() -> None:
    options = UpstreamOptions(host="h", port=587, hostname="g", username="u", password="canary")
    assert "canary" not in repr(options)
    assert options.tls is Tls.STARTTLS
    assert options.place == "h:587"


def test_certificates_are_verified_and_old_versions_refused(tmp_path: Path) -> None:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    for context in (trust(None), trust(tmp_path / "ca.pem")):
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert len(trust(tmp_path / "ca.pem").get_ca_certs()) == 1


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        trust(tmp_path / "none.pem")
