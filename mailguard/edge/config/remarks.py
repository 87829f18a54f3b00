"""What is no error in rules.toml, but worth a second look before it surprises somebody."""

from collections.abc import Iterator

from mailguard.core.address import parse
from mailguard.core.errors import Fault
from mailguard.edge.config.rules_model import RulesDocument, RuleTable
from mailguard.edge.config.toml_source import Place, TomlSource


def remarks(document: RulesDocument, source: TomlSource) -> Iterator[Fault]:
    """The remarks on a valid file."""

    def remark(place: Place, key: str, problem: str, expected: str) -> Fault:
        return Fault(file=source.file, line=source.line(place), key=key, problem=problem, expected=expected)

    if not document.internal_domains:
        yield remark((), "internal_domains", "none is named, so everybody is external", "your own domains")
    for index, rule in enumerate(document.rule):
        if _exempts_too_much(rule):
            yield remark(
                ("rule", index, "exempts"),
                f'rule "{rule.name}".exempts',
                "one recipient that `to` means is enough to exempt the message for all the others too",
                "`to_all` in `when`",
            )
        for key, people in (("approvers", rule.approvers), ("deputies", rule.deputies)):
            for person in people:
                if odd := _odd(person):
                    yield remark(("rule", index, key), f'rule "{rule.name}".{key}', f"{person}: {odd}", "")


def _exempts_too_much(rule: RuleTable) -> bool:
    return bool(rule.exempts) and rule.when.to is not None and rule.when.to_all is None


def _odd(address: str) -> str:
    """What looks odd about an address, or nothing.

    Only ever a remark: the library refuses addresses that work, among them whole domains that companies
    use inside (.local, .test), so it is asked about the part before the @ alone.
    """
    # Imported here, since most files name nobody, and the library takes its time to load.
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415

    try:
        validate_email(f"{parse(address).local}@example.com", check_deliverability=False, allow_smtputf8=True)
    except EmailNotValidError as error:
        return str(error)
    return ""
