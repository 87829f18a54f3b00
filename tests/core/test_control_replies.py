"""Replies to notices as mail programs really write them: what of it is the order."""

import base64
import quopri
from datetime import timedelta

import pytest

from mailguard.core import control_mail
from mailguard.core.body import read_body
from mailguard.core.control_mail import Order, Wish

HOST = "guard.corp.example"
QUOTED = "Your message has not left yet.\nTo stop it, just reply to this mail.\n\n  - send: it leaves now\n"


def order_of(raw: bytes, to: str = "cancel+k7fm2xqp9d3t") -> Order:
    address = control_mail.addressed(f"{to}@{HOST}", HOST)
    assert address is not None
    return control_mail.order(address, read_body(raw).own_text)


def plain(text: str, *, head: str = "Content-Type: text/plain; charset=utf-8") -> bytes:
    lines = f"From: anne@corp.example\nSubject: RE: Held: Cost cuts\nMIME-Version: 1.0\n{head}\n\n{text}"
    return lines.replace("\n", "\r\n").encode()


def html(text: str, encoding: str = "quoted-printable") -> bytes:
    head = f"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}"
    body = (
        quopri.encodestring(text.encode())
        if encoding == "quoted-printable"
        else base64.encodebytes(text.encode())
    )
    return f"From: anne@corp.example\r\nSubject: RE: x\r\nMIME-Version: 1.0\r\n{head}\r\n\r\n".encode() + body


def both(text: str, markup: str) -> bytes:
    return (
        "From: anne@corp.example\r\nSubject: Re: x\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/alternative; boundary=b1\r\n\r\n"
        f"--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
        f"--b1\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{markup}\r\n--b1--\r\n"
    ).encode()


def marked(text: str) -> str:
    return "".join(f"> {line}\n" for line in text.split("\n"))


OUTLOOK = """<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8">
<style><!-- p.MsoNormal {margin:0cm;} --></style></head><body lang="FR" link="#0563C1">
<div class="WordSection1"><p class="MsoNormal"><span style="color:#1F497D">%s<o:p></o:p></span></p>
<p class="MsoNormal"><o:p>&nbsp;</o:p></p><div style="border:none;border-top:solid #E1E1E1 1.0pt">
<p class="MsoNormal"><b>De&nbsp;:</b> mailguard &lt;postmaster@guard.corp.example&gt;<br>
<b>Envoyé&nbsp;:</b> dimanche 22 novembre 2026 11:00<br><b>À&nbsp;:</b> Anne &lt;anne@corp.example&gt;<br>
<b>Objet&nbsp;:</b> Retenu : Cost cuts<o:p></o:p></p></div>
<p class="MsoNormal">Votre message n'est pas encore parti.</p><ul><li>envoyer : il part maintenant</li></ul>
</div></body></html>"""
APPLE = """<html><head></head><body style="overflow-wrap: break-word;">%s<br
id="lineBreakAtBeginningOfMessage">
<div><br><blockquote type="cite"><div>Le 22 nov. 2026 à 11:00, mailguard &lt;postmaster@guard.corp.example&gt;
a écrit :</div><br><div><p>Votre message n'est pas encore parti.</p>
<li>envoyer : il part maintenant</li></div>
</blockquote></div></body></html>"""
GMAIL = """<div dir="ltr">%s</div><br><div class="gmail_quote gmail_quote_container">
<div dir="ltr" class="gmail_attr">Le dim. 22 nov. 2026 à 11:00, mailguard &lt;<a
href="mailto:postmaster@guard.corp.example"
>postmaster@guard.corp.example</a>&gt;
a écrit :<br></div><blockquote class="gmail_quote"><p>Votre message
n'est pas encore parti.</p><li>envoyer : il part maintenant</li></blockquote></div>"""
PHONE = (
    "<html><body><div>%s</div><div><br></div><div dir='ltr'>Envoyé de mon iPhone</div><div dir='ltr'><br>"
    "<blockquote type='cite'>Le 22 nov. 2026 à 11:00, mailguard a écrit :<br><br></blockquote></div>"
    "<blockquote type='cite'><div>Votre message n'est pas encore parti.</div></blockquote></body></html>"
)

FORMS = {
    "mutt, above": lambda said: plain(
        f"{said}\n\nOn Sun, Nov 22, 2026 at 10:00:00AM +0000, mailguard wrote:\n{marked(QUOTED)}"
    ),
    "mutt, below": lambda said: plain(
        f"On Sun, Nov 22, 2026 at 10:00:00AM +0000, mailguard wrote:\n{marked(QUOTED)}\n{said}\n"
    ),
    "mutt, French": lambda said: plain(
        f"Le dim. 22 nov. 2026 à 11:00:00, mailguard a écrit :\n{marked(QUOTED)}\n{said}\n"
    ),
    "a signature": lambda said: plain(f"{said}\n-- \nAnne Moser\nsend me your questions\n"),
    "swaks": lambda said: plain(f"{said}\n", head="X-Mailer: swaks v20201014.0 jetmore.org/john/code/swaks/"),
    "nodemailer, base64": lambda said: html(f"<p>{said}</p>", "base64"),
    "Thunderbird, flowed": lambda said: plain(
        f"{said} \n\n\nAm 22.11.26 um 11:00 schrieb mailguard:\n{marked(QUOTED)}\n",
        head="Content-Type: text/plain; charset=UTF-8; format=flowed",
    ),
    "Thunderbird, flowed, below": lambda said: plain(
        f"Le 22/11/2026 à 11:00, mailguard a écrit :\n{marked(QUOTED)}\n{said}\n",
        head="Content-Type: text/plain; charset=UTF-8; format=flowed",
    ),
    "Outlook, HTML alone": lambda said: html(OUTLOOK % said),
    "Outlook, plain": lambda said: plain(
        f"{said}\n\n-----Message d'origine-----\nDe : mailguard <postmaster@{HOST}>\n"
        f"Envoyé : dimanche 22 novembre 2026 11:00\nÀ : Anne\nObjet : Retenu : Cost cuts\n\n{QUOTED}"
    ),
    "Outlook for the telephone": lambda said: plain(
        f"{said}\n\nObtenir Outlook pour iOS<https://aka.ms/o0ukef>\n________________________________\n"
        f"De : mailguard <postmaster@{HOST}>\nEnvoyé : dimanche, novembre 22, 2026 11:00\nÀ : Anne\n"
        f"Objet : Retenu\n\n{QUOTED}"
    ),
    "Apple Mail, HTML alone": lambda said: html(APPLE % said),
    "Gmail": lambda said: both(
        f"{said}\n\nLe dim. 22 nov. 2026 à 11:00, mailguard <postmaster@{HOST}> a\nécrit :\n\n"
        f"{marked(QUOTED)}",
        GMAIL % said,
    ),
    "Gmail, HTML alone": lambda said: html(GMAIL % said),
    "iPhone": lambda said: html(PHONE % said),
    "iPhone, plain": lambda said: plain(
        f"{said}\n\nEnvoyé de mon iPhone\n\n"
        f"> Le 22 nov. 2026 à 11:00, mailguard a écrit :\n> \n{marked(QUOTED)}"
    ),
}
ORDERS = {
    "": Order(wish=Wish.CANCEL, id="k7fm2xqp9d3t"),
    "Envoyer": Order(wish=Wish.SEND, id="k7fm2xqp9d3t"),
    "Send it now, please.": Order(wish=Wish.SEND, id="k7fm2xqp9d3t"),
    "attendre 30m": Order(wish=Wish.WAIT, id="k7fm2xqp9d3t", by=timedelta(minutes=30)),
    "Wait 2 hours": Order(wish=Wish.WAIT, id="k7fm2xqp9d3t", by=timedelta(hours=2)),
    "retirer b@client.example": Order(wish=Wish.DROP, id="k7fm2xqp9d3t", recipients=("b@client.example",)),
    "Non !": Order(wish=Wish.CANCEL, id="k7fm2xqp9d3t"),
}


@pytest.mark.parametrize("said", ORDERS, ids=lambda said: said or "nothing")
@pytest.mark.parametrize("form", FORMS)
def test_a_reply_is_read_as_its_writer_meant_it(form: str, said: str) -> None:
    assert order_of(FORMS[form](said)) == ORDERS[said]


@pytest.mark.parametrize("form", FORMS)
def test_an_approvers_reply_is_read_as_well(form: str) -> None:
    to = f"approve+k7fm2xqp9d3t+{'5ea1' * 8}"
    assert order_of(FORMS[form]("Approuver"), to).wish is Wish.APPROVE
    assert order_of(FORMS[form]("Rejeter pas avant lundi"), to).reason == "pas avant lundi"
    # What is quoted says "approve", too; a reply without a word decides nothing.
    assert order_of(FORMS[form](""), to).wish is Wish.NOTHING
