"""The links in notices: signed with a key of this installation, so that nobody can make one, and expiring.

Every guard with the same secret.key reads the links of all others.
"""

import hashlib
from datetime import timedelta

from itsdangerous import BadData, URLSafeSerializer

from mailguard.core import notice
from mailguard.core.hold import HeldMessage
from mailguard.core.link import Link, LinkAction
from mailguard.ports import Clock

# Longer than a message is held, and than a cancel can be taken back.
GOOD_FOR = timedelta(days=30)
# Another version of the payload would be another purpose.
PURPOSE = "mailguard link 1"
LONGEST = 4000


class SignedLinks:
    """Makes links below `public_url`, and reads them again. Without a `public_url` there are none."""

    def __init__(self, key: bytes, *, public_url: str, clock: Clock) -> None:
        self._signer = URLSafeSerializer(
            key, salt=PURPOSE, signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256}
        )
        self._public_url = public_url
        self._clock = clock

    def of(self, message: HeldMessage, person: str) -> notice.Links:
        """The links of a notice about this message to this person (an address). To stop it is the sender's
        alone; whoever approves signs in."""
        if not self._public_url:
            return notice.Links()
        sender = person == message.sender
        login = message.user if sender else None
        cancel = self._link(LinkAction.CANCEL, message.id, login, person) if sender else ""
        show = self._link(LinkAction.SHOW, message.id, login, person)
        return notice.Links(show=show, cancel=cancel)

    def read(self, text: str) -> Link | None:
        """What this link is for; None where it is not one of ours, or not any more."""
        if len(text) > LONGEST:
            return None
        try:
            action, message_id, login, address, until = self._signer.loads(text)
            link = Link(action=LinkAction(action), message_id=message_id, login=login, address=address)
        except (BadData, ValueError, TypeError):
            return None
        return link if self._clock.now().timestamp() < until else None

    def _link(self, action: LinkAction, message_id: str, login: str | None, address: str) -> str:
        until = int((self._clock.now() + GOOD_FOR).timestamp())
        text = self._signer.dumps([action.value, message_id, login, address, until])
        return f"{self._public_url}/l/{text}"
