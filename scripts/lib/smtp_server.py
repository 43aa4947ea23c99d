"""A mail server for tests: aiosmtpd behind three doors. What it takes becomes a file of a Maildir.

How a recipient is treated follows from what stands before the @ of the address. The dots are for tests to tell themselves
apart:
  refused          550, for good
  later            451, every time
  once-later-...   451, the first time
  lost-...         the mail is taken, and the connection ends without an answer, the first time
  unwanted         554 to the content
Whoever comes through a door with TLS must sign in.
"""

import argparse
import mailbox
import ssl
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

USER, PASSWORD = b"postman", b"TestPassword"


class Handler:
    def __init__(self, mails):
        self.mails = mailbox.Maildir(mails)
        self.seen = set()

    def is_first(self, what):
        if what in self.seen:
            return False
        self.seen.add(what)
        return True

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name == "refused":
            return "550 5.1.1 nobody of that name here"
        if name == "later" or name.startswith("once-later-") and self.is_first(address):
            return "451 4.3.0 not now"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        names = [address.split("@")[0] for address in envelope.rcpt_tos]
        if "unwanted" in names:
            return "554 5.7.1 not such content"
        recipients = ", ".join(envelope.rcpt_tos).encode()
        self.mails.add(b"X-RcptTo: " + recipients + b"\r\n" + envelope.content)
        if any(name.startswith("lost-") and self.is_first(name) for name in names):
            server.transport.abort()
        return "250 2.0.0 OK"


def authenticate(server, session, envelope, mechanism, data):
    # What is not handled here, aiosmtpd answers: 235 or 535.
    return AuthResult(success=(data.login, data.password) == (USER, PASSWORD), handled=False)


def main():
    parser = argparse.ArgumentParser()
    for name in ("plain", "starttls", "tls"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--certificates", required=True)
    parser.add_argument("--mails", required=True)
    arguments = parser.parse_args()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(f"{arguments.certificates}/server.pem", f"{arguments.certificates}/server.key")
    handler = Handler(arguments.mails)
    account = {"auth_required": True, "authenticator": authenticate}
    doors = [
        Controller(handler, hostname="127.0.0.1", port=arguments.plain),
        Controller(
            handler,
            hostname="127.0.0.1",
            port=arguments.starttls,
            tls_context=context,
            require_starttls=True,
            **account,
        ),
        # For aiosmtpd only STARTTLS counts as TLS, so here it would let nobody sign in.
        Controller(
            handler,
            hostname="127.0.0.1",
            port=arguments.tls,
            ssl_context=context,
            auth_require_tls=False,
            **account,
        ),
    ]
    for door in doors:
        door.start()
    print("ready", flush=True)
    threading.Event().wait()


main()
