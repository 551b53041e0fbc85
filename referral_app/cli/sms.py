"""Commands about SMS."""

import click
from flask.cli import AppGroup
from werkzeug.serving import WSGIRequestHandler, make_server

from ..gateways.fake import FakeGateway
from ..services import trials
from . import arguments

group = AppGroup("sms", help="Providers of SMS.")


@group.command("test")
@click.argument("phone")
def test(phone: str) -> None:
    """Send an SMS to a PHONE by each provider, now; it costs what an SMS costs."""
    number = arguments.phone(phone)
    results = trials.send_test(number)
    for result in results:
        click.echo(f"{result.provider}: {result.said}")
    if not any(result.works for result in results):
        raise SystemExit(1)


@group.command("balance")
def balance() -> None:
    """Show the money that is left at each provider, the day's cost, and what a provider refused for."""
    for result in trials.ask_balances():
        click.echo(f"{result.provider}: {result.said}")
    click.echo(f"sent today: {trials.find_day_cost()} roubles")


@group.command("fake-gateway")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8025, show_default=True)
def fake_gateway(host: str, port: int) -> None:
    """Serve a fake of SMSAero and SMSC that fails on demand, for trying things out."""
    server = make_server(host, port, FakeGateway(), threaded=True, request_handler=_Quiet)
    address = f"http://{host}:{server.server_port}"
    click.echo(
        f"The fake gateway listens. Start the site with\n"
        f"  SMS_PROVIDERS=smsaero,smsc SMSAERO_URL={address}/v2/ SMSAERO_EMAIL=me SMSAERO_API_KEY=key\n"
        f"  SMSC_URL={address}/sys/ SMSC_LOGIN=me SMSC_PASSWORD=key\n"
        f'Then  curl {address}/faults --json \'{{"provider": "smsaero", "fault": "500", "times": 3}}\'\n'
        f"and   curl {address}/messages"
    )
    server.serve_forever()


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        pass
