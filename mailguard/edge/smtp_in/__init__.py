"""The way in for mail: SMTP submission on top of aiosmtpd, with its traps fenced here."""

from mailguard.edge.smtp_in.incident import incident, place
from mailguard.edge.smtp_in.options import SmtpOptions
from mailguard.edge.smtp_in.reception import Accept, Reception
from mailguard.edge.smtp_in.session import SmtpSession

__all__ = ["Accept", "Reception", "SmtpOptions", "SmtpSession", "incident", "place"]
