"""The way to the real outgoing server: connections that are reused, and the message's bytes as they are.

aiosmtplib connects, speaks STARTTLS and logs in. Then the connection is taken over, because aiosmtplib
rewrites line ends, knows no pipelining and writes a whole message at once.
"""

from mailguard.edge.smtp_out.options import Tls, UpstreamOptions
from mailguard.edge.smtp_out.relay import SmtpRelay

__all__ = ["SmtpRelay", "Tls", "UpstreamOptions"]
