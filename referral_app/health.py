"""Health, for what watches over the service."""

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue

from . import proxies
from .services import readiness

bp = Blueprint("health", __name__, url_prefix="/health")


@bp.get("/live")
def live() -> Response:
    """Tell that the process answers."""
    return jsonify(status="live")


@bp.get("/ready")
def ready() -> ResponseReturnValue:
    """Tell that the database answers; without it the answer is 503. `warnings` are sentences for whoever runs it."""
    version = readiness.find_schema_version()
    if version is None:
        return jsonify(status="database away"), 503, {"Retry-After": "5"}
    warnings = [proxies.FORGOTTEN] if proxies.is_forgotten() else []
    return jsonify(status="ready", schema=version, warnings=warnings)
