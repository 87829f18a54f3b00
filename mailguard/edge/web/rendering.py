"""Templates: HTML that is escaped unless it says otherwise, and the words of our own small pages."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from mailguard.edge.web.assets import Assets
from mailguard.edge.web.wording import words

TEMPLATES = Path(__file__).with_name("templates")


@cache
def environment() -> Environment:
    """The templates; what one of them does not know is an error, not an empty place."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def assets() -> Assets:
    """The style sheet, the script and the icon."""
    return Assets()


def rendered(template: str, status: int = 200, *, language: str, **values: object) -> HTMLResponse:
    """One page. `say` in the template are the words of this language."""
    values.setdefault("asset", assets().place)
    text = environment().get_template(template).render(language=language, say=words(language), **values)
    return HTMLResponse(text, status)
