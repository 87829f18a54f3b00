import pytest
from pydantic import ValidationError

from mailguard.edge.config.settings_model import SmtpSettings, UpstreamSettings, WebSettings
from mailguard.edge.config.values import Endpoint


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:2525", "127.0.0.1", 2525),
        ("[::1]:0", "::1", 0),
        ("localhost:65535", "localhost", 65535),
        (" 0.0.0.0:25 ", "0.0.0.0", 25),
    ],
)
def test_an_endpoint_is_host_and_port(text: str, host: str, port: int) -> None:
    listen = WebSettings.model_validate({"listen": text}).listen
    assert listen == Endpoint(host=host, port=port)
    assert str(listen) == text.strip()


@pytest.mark.parametrize(
    "text", ["", "25", ":25", "a:", "a:b", "a:-1", "a:65536", "::1:25", "[]:25", "a:\u0665"]
)
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        WebSettings.model_validate({"listen": text})


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0", "10.0.0.1/8", "x", "300.0.0.1"])
def test_a_network_that_cannot_be_meant_is_refused(network: str) -> None:
    with pytest.raises(ValidationError):
        SmtpSettings.model_validate({"trusted_networks": [network]})


def test_spelling_makes_no_other_network() -> None:
    networks = ["2001:DB8:0::/48", "10.0.0.0/8", "192.0.2.7", "::1"]
    told = [
        str(each) for each in SmtpSettings.model_validate({"trusted_networks": networks}).trusted_networks
    ]
    assert told == ["2001:db8::/48", "10.0.0.0/8", "192.0.2.7/32", "::1/128"]


def test_a_list_may_come_in_one_text() -> None:
    for text in ("127.0.0.1:1,127.0.0.1:2", '["127.0.0.1:1", "127.0.0.1:2"]', "127.0.0.1:1 , 127.0.0.1:2,"):
        assert [each.port for each in SmtpSettings.model_validate({"listen": text}).listen] == [1, 2]
    with pytest.raises(ValidationError, match="is no list"):
        SmtpSettings.model_validate({"listen": "[oops"})


@pytest.mark.parametrize(
    ("host", "normal"),
    [("SMTP.corp.example.", "smtp.corp.example"), ("::1", "::1"), ("127.0.0.1", "127.0.0.1")],
)
def test_a_host_is_a_name_or_an_address(host: str, normal: str) -> None:
    assert UpstreamSettings.model_validate({"host": host}).host == normal


@pytest.mark.parametrize("url", ["ftp://x.example", "guard.example", "https://", "https://x.example/?a=b"])
def test_a_public_url_is_a_page(url: str) -> None:
    with pytest.raises(ValidationError):
        WebSettings.model_validate({"public_url": url})


def test_settings_never_change() -> None:
    with pytest.raises(ValidationError):
        SmtpSettings().max_recipients = 5  # type: ignore[misc]
