"""The fake of the providers, asked in process: what hangs or breaks is raised at once, as httpx does in time."""

from typing import NoReturn

import httpx

from referral_app.gateways.fake import FakeGateway


def hang() -> NoReturn:
    raise httpx.ReadTimeout("no answer in time")


def cut() -> NoReturn:
    raise httpx.RemoteProtocolError("the answer ended before it was whole")


def in_process() -> FakeGateway:
    """Return a fake whose connections hang and break without a wait."""
    return FakeGateway(hang=hang, cut=cut)


SETTINGS = {
    "sms_providers": ("smsaero", "smsc"),
    "smsaero_urls": ("http://fake/v2/",),
    "smsaero_email": "tests@example.org",
    "smsaero_api_key": "a key",
    "smsc_url": "http://fake/sys/",
    "smsc_login": "tests",
    "smsc_password": "a password",
}
