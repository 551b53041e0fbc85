"""The API as a Postman Collection (v2.1.0), made from its OpenAPI document. Pure."""

import json
import re
from typing import Any

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
HOW_TO = """\
Put your phone into the variable `phone` and send the requests from top to bottom: their scripts carry the code and the
tokens on. Where the site does not show codes, put the one from the SMS into the variable `code`.
"""
VARIABLES = {
    "phone": "+79990000001",
    "new_phone": "+79990000002",
    "invite_code": "ZZZZZZ",
    "password": "a password for trying out",
    "code": "",
    "challenge_id": "",
    "access_token": "",
    "refresh_token": "",
    "session_id": "unknown",
    "user_id": "1",
}
# The order in which the requests follow from each other; what ends the session comes last.
ORDER = (
    "requestCode",
    "getChallenge",
    "exchangeCode",
    "refreshTokens",
    "getOwnProfile",
    "editOwnProfile",
    "replaceOwnProfile",
    "getProfile",
    "editProfile",
    "replaceProfile",
    "listInvitees",
    "setInviter",
    "replaceAvatar",
    "removeAvatar",
    "exportOwnData",
    "requestPhoneChange",
    "confirmPhoneChange",
    "giveSecondFactor",
    "listProfiles",
    "listSessions",
    "endSession",
    "endOtherSessions",
    "logOut",
    # Behind the end of the session, so that a run through all requests deletes nothing.
    "deleteOwnProfile",
    "deleteProfile",
)
TAKES = {
    "requestCode": {"phone": "{{phone}}"},
    "exchangeCode": {"phone": "{{phone}}", "code": "{{code}}", "challenge_id": "{{challenge_id}}"},
    "editOwnProfile": {"first_name": "Анна"},
    "replaceOwnProfile": {"first_name": "Анна", "last_name": "Образцова", "email": "anna@example.org"},
    "editProfile": {"first_name": "Аня"},
    "replaceProfile": {"first_name": "Анна", "last_name": "Образцова", "email": "anna@example.org"},
    "requestPhoneChange": {"phone": "{{new_phone}}"},
    "confirmPhoneChange": {"phone": "{{new_phone}}", "code": "{{code}}", "challenge_id": "{{challenge_id}}"},
    "setInviter": {"invite_code": "{{invite_code}}"},
    "giveSecondFactor": {"password": "{{password}}"},
}
CARRIES = {
    "requestCode": ("challenge_id", "code"),
    "requestPhoneChange": ("challenge_id", "code"),
    "exchangeCode": ("access_token", "refresh_token"),
    "refreshTokens": ("access_token", "refresh_token"),
    "getOwnProfile": ("id",),
}
# What a variable is called where it is not as its field.
NAMED = {"id": "user_id"}


def collection(document: dict[str, Any]) -> dict[str, Any]:
    """Return the collection of an OpenAPI document; each request checks that its answer is one of the documented."""
    operations = {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    }
    known = [name for name in ORDER if name in operations] + [name for name in operations if name not in ORDER]
    return {
        "info": {
            "name": document["info"]["title"],
            "description": HOW_TO,
            "version": document["info"]["version"],
            "schema": SCHEMA,
        },
        "variable": [
            {"key": key, "value": value}
            for key, value in {"base_url": document["servers"][0]["url"], **VARIABLES}.items()
        ],
        "auth": _bearer("access_token"),
        "item": [_item(name, *operations[name]) for name in known],
    }


def _item(name: str, method: str, path: str, operation: dict[str, Any]) -> dict[str, Any]:
    address = "{{base_url}}" + re.sub(r"{(\w+)}", r"{{\1}}", path)
    request: dict[str, Any] = {"method": method, "header": [], "url": address}
    request["description"] = operation.get("description", operation["summary"])
    if "security" in operation:
        security = operation["security"]
        request["auth"] = _bearer("refresh_token") if security else {"type": "noauth"}
    if "requestBody" in operation:
        if "multipart/form-data" in operation["requestBody"]["content"]:
            request["body"] = {"mode": "formdata", "formdata": [{"key": "file", "type": "file", "src": []}]}
        else:
            request["header"].append({"key": "Content-Type", "value": "application/json"})
            request["body"] = {"mode": "raw", "raw": json.dumps(TAKES.get(name, {}), indent=2)}
    return {"name": operation["summary"].rstrip("."), "request": request, "event": [_test(name, operation)]}


def _test(name: str, operation: dict[str, Any]) -> dict[str, Any]:
    statuses = sorted(int(status) for status in operation["responses"] if status.isdigit())
    lines = [
        f"pm.test('answers as documented', () => pm.expect(pm.response.code).to.be.oneOf({statuses}));",
        *(
            f"if (pm.response.code < 300 && pm.response.json().{field}) "
            f"pm.collectionVariables.set('{NAMED.get(field, field)}', pm.response.json().{field});"
            for field in CARRIES.get(name, ())
        ),
    ]
    return {"listen": "test", "script": {"type": "text/javascript", "exec": lines}}


def _bearer(variable: str) -> dict[str, Any]:
    return {"type": "bearer", "bearer": [{"key": "token", "value": "{{" + variable + "}}", "type": "string"}]}
