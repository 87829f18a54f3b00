import ipaddress
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mailguard.core.errors import ConfigurationError
from mailguard.edge.config import Settings, check_config, load_settings, locate
from mailguard.edge.config.outbound_model import NotifySettings
from mailguard.edge.config.values import Endpoint


def load(directory: Path, text: str) -> Settings:
    (directory / "mailguard.toml").write_text(text)
    return load_settings(directory / "mailguard.toml")


def faults(directory: Path, text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as error:
        load(directory, text)
    return [str(fault).replace(f"{directory}/", "") for fault in error.value.faults]


def test_without_any_file_nothing_can_leave_the_machine(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.smtp.listen == (Endpoint(host="127.0.0.1", port=2525),)
    assert str(settings.web.listen) == "127.0.0.1:8025"
    assert settings.upstream.kind == "maildir"
    assert settings.outgoing == tmp_path / "here/var/outgoing"
    assert settings.database == tmp_path / "here/var/queue.db"
    assert settings.rules_file is None
    assert settings.public_url == "http://127.0.0.1:8025"
    assert all(network.is_loopback for network in settings.smtp.trusted_networks)


def test_an_empty_file_is_the_embedded_default_beside_itself(tmp_path: Path) -> None:
    settings = load(tmp_path, "")
    assert settings.state_dir == tmp_path / "var"
    assert settings.accounts.file == tmp_path / "users"
    assert settings.model_dump(exclude={"state_dir", "accounts"}) == load_settings().model_dump(
        exclude={"state_dir", "accounts"}
    )


def test_the_example_of_the_contract_is_good(tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text("keep = '1d'\n")
    (tmp_path / "secret").write_text("hunter2\nand a second line\n")
    settings = load(
        tmp_path,
        f"""
        hostname   = "Guard.corp.example"
        state_dir  = "/var/lib/mailguard"
        rules_file = "rules.toml"
        language   = "fr"
        [smtp]
        listen           = ["0.0.0.0:587", "[::]:587"]
        trusted_networks = ["127.0.0.0/8", "::1/128", "192.0.2.7"]
        bare_newline = "normalize"
        [upstream]
        kind = "smtp"
        host = "smtp.corp.example"
        tls  = "tls"
        username = "guard"
        password_file = "{tmp_path}/secret"
        [store]
        url = "postgresql://user@host/db"
        [web]
        listen = "127.0.0.1:8025"
        public_url = "https://guard.corp.example/"
        [log]
        format = "json"
        """,
    )
    assert settings.hostname == "guard.corp.example"
    assert settings.rules_file == tmp_path / "rules.toml"
    assert settings.smtp.listen[1] == Endpoint(host="::", port=587)
    assert ipaddress.ip_network("192.0.2.7/32") in settings.smtp.trusted_networks
    assert settings.upstream.port == 465
    assert settings.upstream.password is not None
    assert settings.upstream.password.get_secret_value() == "hunter2"
    assert settings.database is None
    assert settings.public_url == "https://guard.corp.example"
    assert "hunter2" not in f"{settings!r}{settings}{settings.model_dump_json()}"


@pytest.mark.parametrize(("tls", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_the_port_follows_the_kind_of_tls(tmp_path: Path, tls: str, port: int) -> None:
    text = f'[upstream]\nkind = "smtp"\nhost = "localhost"\ntls = "{tls}"\n'
    assert load(tmp_path, text).upstream.port == port
    assert load(tmp_path, text + "port = 2526\n").upstream.port == 2526


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILGUARD_HOSTNAME", "other.example")
    monkeypatch.setenv("MAILGUARD_SMTP__LISTEN", "127.0.0.1:1, [::1]:2")
    monkeypatch.setenv("MAILGUARD_SMTP__LISTEN_TLS", "[]")
    monkeypatch.setenv("mailguard_smtp__max_recipients", "7")
    monkeypatch.setenv("MAILGUARD_UPSTREAM__TLS", "tls")
    monkeypatch.setenv("MAILGUARD_STATE_DIR", "state")
    monkeypatch.setenv("MAILGUARD_LOG__LEVEL", "")
    settings = load(
        tmp_path,
        'hostname = "x.example"\n[smtp]\nmax_connections = 9\nmax_recipients = 8\n'
        '[upstream]\nkind = "smtp"\nhost = "h"\n',
    )
    assert settings.hostname == "other.example"
    assert [str(each) for each in settings.smtp.listen] == ["127.0.0.1:1", "[::1]:2"]
    assert (settings.smtp.max_recipients, settings.smtp.max_connections) == (7, 9)
    assert settings.upstream.port == 465
    assert settings.state_dir == tmp_path / "here/state"
    assert settings.log.level == "info"


def test_a_fault_in_the_environment_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILGUARD_SMTP__LISTEN", "nowhere")
    monkeypatch.setenv("MAILGUARD_SMTP__MAX_RECIPIENT", "7")
    monkeypatch.setenv("MAILGUARD_SMPT__LISTEN", "127.0.0.1:25")
    monkeypatch.setenv("MAILGUARD_UPSTREAM__PASSWORD_FILE", "gone")
    monkeypatch.setenv("MAILGUARD_CONFIG", str(tmp_path / "mailguard.toml"))
    told = faults(tmp_path, "[smtp]\nmax_connections = 'x'\n")
    assert sorted(line.partition(";")[0] for line in told) == [
        "MAILGUARD_SMPT__LISTEN: there is no section smpt",
        "MAILGUARD_SMTP__LISTEN: smtp.listen: 'nowhere' is no address to listen on",
        "MAILGUARD_SMTP__MAX_RECIPIENT: smtp.max_recipient: there is no such key",
        "MAILGUARD_UPSTREAM__PASSWORD_FILE: upstream.password_file: "
        "here/gone cannot be read: No such file or directory",
        "mailguard.toml:2: smtp.max_connections: is no whole number",
    ]


def test_what_the_environment_mends_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    login = 'username = "guard"\npassword = "hunter2"\n'
    clear = f'[upstream]\nkind = "smtp"\nhost = "smtp.corp.example"\ntls = "none"\n{login}'
    assert "the password would cross the network" in faults(tmp_path, clear)[0]
    monkeypatch.setenv("MAILGUARD_UPSTREAM__TLS", "starttls")
    assert load(tmp_path, clear).upstream.tls == "starttls"


def test_every_error_is_told_at_once(tmp_path: Path) -> None:
    told = faults(
        tmp_path,
        '_env_file = "x"\nlanguage = "de"\n[smtp]\nlisten = []\n[upstream]\nkind = "smtp"\nport = 0\n',
    )
    keys = [line.split(": ")[1] for line in told]
    # [upstream] is bad by itself, so what its keys have to do with each other is not asked.
    assert keys == ["_env_file", "language", "smtp.listen", "upstream.port"]


def test_rules_beside_the_file_need_not_be_named(tmp_path: Path) -> None:
    assert load(tmp_path, "").rules_file is None
    (tmp_path / "rules.toml").write_text("keep = '1d'\n")
    assert load(tmp_path, "").rules_file == tmp_path / "rules.toml"


def test_both_readers_agree_on_the_state_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mailguard.toml"
    for text in ("", 'state_dir = "x/y"', 'state_dir = "/srv/guard"', 'state_dir = "~/guard"'):
        assert load(tmp_path, text).state_dir == locate.state_dir(path)
    monkeypatch.setenv("MAILGUARD_STATE_DIR", "elsewhere")
    assert load(tmp_path, "").state_dir == locate.state_dir(path)
    assert load_settings().state_dir == locate.state_dir(None)


def test_a_secret_can_be_in_a_file_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "url").write_text("postgresql://guard:hunter2@db/mail\r\n")
    monkeypatch.setenv("MAILGUARD_STORE__URL_FILE", str(tmp_path / "url"))
    assert load(tmp_path, "").store.url.get_secret_value() == "postgresql://guard:hunter2@db/mail"
    (tmp_path / "url").write_text("mysql://guard:hunter2@db/mail\n")
    told = faults(tmp_path, "")
    assert "is no store that mailguard knows" in told[0]
    assert "hunter2" not in told[0]


def test_check_config_reads_both_files(tmp_path: Path) -> None:
    (tmp_path / "mailguard.toml").write_text('rules_file = "mine.toml"\nlanguage = "de"\n')
    (tmp_path / "mine.toml").write_text('margin = "x"\n')
    told = [
        str(fault).replace(f"{tmp_path}/", "").split(";")[0]
        for fault in check_config(tmp_path / "mailguard.toml")
    ]
    assert told == [
        "mailguard.toml:2: language: is not one of the words it can be",
        "mine.toml:1: margin: 'x' is no duration",
    ]
    assert [str(fault).split(";")[0] for fault in check_config("gone.toml")] == [
        "gone.toml: there is no such file"
    ]
    assert check_config() == ()


def test_the_shipped_file_shows_every_key_with_its_default(tmp_path: Path) -> None:
    """A key in config/mailguard.toml that is not the default is marked so; none is left out."""
    shipped = Path(__file__).parents[3] / "config/mailguard.toml"
    lines = shipped.read_text().splitlines()
    keys = [line[1:] for line in lines if line.startswith("#") and line[1:2].isalpha()]
    usual = [line for line in lines if line not in {f"#{key}" for key in keys}]
    told = "\n".join(line[1:] if line[1:] in keys and "# no default" not in line else line for line in lines)
    assert "\n".join(usual) != "\n".join(lines)
    assert load(tmp_path, told) == load(tmp_path, "")
    named = {line.split(" = ")[0] for line in keys}
    models = [Settings, *(field.annotation for field in Settings.model_fields.values())]
    fields = {
        name
        for model in models
        if isinstance(model, type) and hasattr(model, "model_fields")
        for name, field in model.model_fields.items()
        if not hasattr(field.annotation, "model_fields")
    }
    assert named == fields - {"notify"}
    # A list of tables has no default; an example shows its keys.
    shown = {line[2:].split(" = ")[0] for line in lines if line.startswith("# ") and " = " in line}
    assert shown >= set(NotifySettings.model_fields) - {"secret"}


def test_reading_settings_reads_no_network_and_writes_nothing(tmp_path: Path) -> None:
    shutil.copyfile(Path(__file__).parents[3] / "config/mailguard.toml", tmp_path / "mailguard.toml")
    before = sorted(tmp_path.rglob("*"))
    load_settings(tmp_path / "mailguard.toml")
    assert sorted(tmp_path.rglob("*")) == before


def test_nothing_heavy_is_imported_with_the_package() -> None:
    code = "import sys, mailguard.edge.config; print('pydantic' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
