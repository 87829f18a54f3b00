"""An answer of the front desk as one of HTTP: the code that goes with its word, and its JSON."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from mailguard.core.told import Told
from mailguard.edge.web.models import Fault

CODES = {
    Told.DONE: 200,
    Told.ALREADY: 200,
    Told.REFUSED: 400,
    Told.NO_SUCH_MESSAGE: 404,
    Told.TOO_LATE: 409,
    Told.NOT_YOURS: 403,
    Told.TRY_LATER: 503,
    Told.FAULT: 500,
}
# Seconds; a disk that fails or a store that is copied is looked at again as often.
RETRY_AFTER = "5"

_WHY = {
    400: "It makes no sense, or not for a message that stands so.",
    401: "Nobody has signed in, and no good token was shown.",
    403: "Not the asker's to see or to decide, or the token does not reach so far.",
    404: "There is no such message.",
    409: "Too late: the answer says what left, to whom, and when.",
    413: "Larger than a request may be.",
    422: "The request is not of the shape that stands here.",
    429: "Too many wrong passwords.",
    503: "Not now: try again after `Retry-After` seconds.",
}


def telling(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of a route, for the OpenAPI document."""
    return {
        code: {"model": Fault, "description": _WHY[code]} for code in sorted({401, 403, 422, 503, *codes})
    }


def told(answer: Mapping[str, object]) -> Told:
    """The word of an answer."""
    return Told(str(answer["told"]))


def refusal(answer: Mapping[str, object]) -> Response | None:
    """The answer as it is told to somebody who did not get what was asked for; None where it was done."""
    code = CODES[told(answer)]
    return None if code == 200 else outcome(answer)


def outcome(answer: Mapping[str, object]) -> Response:
    """The whole answer."""
    word = told(answer)
    response = JSONResponse(dict(answer), CODES[word])
    if word is Told.TRY_LATER:
        response.headers["Retry-After"] = RETRY_AFTER
    return response
