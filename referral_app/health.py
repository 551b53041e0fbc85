"""Health, for what watches over the service."""

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue

from .services import readiness

bp = Blueprint("health", __name__, url_prefix="/health")


@bp.get("/live")
def live() -> Response:
    """Tell that the process answers."""
    return jsonify(status="live")


@bp.get("/ready")
def ready() -> ResponseReturnValue:
    """Tell that the database answers; without it the answer is 503."""
    version = readiness.find_schema_version()
    if version is None:
        return jsonify(status="database away"), 503, {"Retry-After": "5"}
    return jsonify(status="ready", schema=version)
