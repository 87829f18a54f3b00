"""A way in with all checks, for hostile content."""

from dataclasses import dataclass, replace

from mailguard.core.judge import Verdict
from mailguard.core.reply import Reply
from tests.flow.parts import Parts, submission

OWN = ("anne@corp.example",)
# Mail inside leaves at once, unless a check says otherwise.
RULES = """
internal_domains = ["corp.example", "customer.example"]
[checks]
"""


@dataclass
class Inbox:
    """Anne's messages: logged in, or (`user` None) from a trusted network."""

    parts: Parts

    async def accept(self, content: bytes, *to: str, user: str | None = "anne") -> Reply:
        """The answer to the final dot."""
        made = submission(*to, now=self.parts.clock, content=content, user=user)
        return await self.parts.receive.accept(replace(made, own=OWN if user else None))

    async def judged(self, content: bytes, *to: str, user: str | None = "anne") -> Verdict:
        """What the rules and checks make of it."""
        made = submission(*to, now=self.parts.clock, content=content, user=user)
        made = replace(made, own=OWN if user else None)
        return (await self.parts.receive.consider(made, self.parts.rules.current)).verdict
