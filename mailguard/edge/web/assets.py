"""The style sheet, the script and the icon, each named after what is in it: a browser keeps them for ever."""

import hashlib
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

STATIC = Path(__file__).with_name("static")
_KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


class Assets:
    """The files, read once."""

    def __init__(self) -> None:
        self._files = {path.name: path.read_bytes() for path in STATIC.iterdir() if path.suffix in _KINDS}
        self._marks = {name: hashlib.sha256(text).hexdigest()[:12] for name, text in self._files.items()}

    def place(self, name: str) -> str:
        """The address of a file as it is now."""
        return f"/static/{self._marks[name]}/{name}"

    def router(self) -> APIRouter:
        """`/static`."""
        routes = APIRouter(include_in_schema=False)

        @routes.get("/static/{mark}/{name}")
        async def asset(mark: str, name: str) -> Response:
            if self._marks.get(name) != mark:
                return Response(status_code=404)
            return Response(self._files[name], media_type=_KINDS[Path(name).suffix], headers=_FOR_EVER)

        @routes.get("/favicon.ico")
        async def icon() -> Response:
            return Response(self._files["icon.svg"], media_type=_KINDS[".svg"], headers=_FOR_EVER)

        return routes
