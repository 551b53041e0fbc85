"""schemathesis: whatever the document allows, and what it forbids, is answered as the document says."""

import json
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings

from referral_app.environment import Rate
from tests.factories import World

DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
schema = schemathesis.openapi.from_dict(DOCUMENT)


@pytest.fixture
def token(app: Flask, world: World, change_settings: Any) -> str:
    change_settings(limit_address_requests=(Rate(10**9, 3600),), limit_phone_sends=(Rate(10**9, 3600),))
    return str(world.tokens(world.user())["access_token"])


@schema.parametrize()
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_document_is_kept(case: Any, app: Flask, token: str) -> None:
    case.operation.schema.app = app  # some checks call again, by themselves
    case.call_and_validate(
        app=app,
        headers={"Authorization": f"Bearer {token}"},
        # Which texts are phones, codes and invite codes is more than the document can say.
        excluded_checks=[schemathesis.checks.positive_data_acceptance],
    )
