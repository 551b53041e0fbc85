"""schemathesis: whatever the document allows, and what it forbids, is answered as the document says."""

import json
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, assume, settings
from sqlalchemy import update

from referral_app import clock
from referral_app.db import transaction
from referral_app.environment import Rate
from referral_app.models import Session
from tests.factories import World

DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
schema = schemathesis.openapi.from_dict(DOCUMENT)


@pytest.fixture
def token(app: Flask, world: World, change_settings: Any) -> str:
    """The access token of an admin who has given the second factor; no limit is in the way."""
    names = ("phone_sends", "address_requests", "block_sends", "wrong_invites", "second_factor")
    change_settings(
        sms_price=0, sms_per_hour=10**9, sms_per_day=10**9, **{f"limit_{name}": (Rate(10**9, 3600),) for name in names}
    )
    made = world.tokens(world.user(role="admin"))["access_token"]
    with app.app_context(), transaction() as session:
        session.execute(update(Session).values(second_factor_at=clock.now()))
    return str(made)


@schema.parametrize()
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_document_is_kept(case: Any, app: Flask, token: str) -> None:
    # What is made to be no known parameter, but stands in no address, is not sent at all.
    assume(all(value not in (None, [], {}) for value in (case.query or {}).values()))
    case.operation.schema.app = app  # some checks call again, by themselves
    case.call_and_validate(
        app=app,
        headers={"Authorization": f"Bearer {token}"},
        # Which texts are phones, codes and invite codes is more than the document can say.
        excluded_checks=[schemathesis.checks.positive_data_acceptance],
    )
