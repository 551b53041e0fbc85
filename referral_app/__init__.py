"""referral_app: referral programmes and prize draws by phone."""

from flask import Flask

from . import (
    cli,
    db,
    errors,
    formats,
    health,
    identity,
    invitation,
    logs,
    openapi,
    preferences,
    proxies,
    schema,
    web,
)
from .auth import api as auth_api
from .auth import pages as auth_pages
from .config import Settings, load_settings
from .profile import account_api, account_pages, phone_pages
from .profile import api as profile_api
from .profile import pages as profile_pages

__all__ = ["create_app"]


def create_app(settings: Settings | None = None) -> Flask:
    """Return the app; without settings those of the environment count."""
    chosen = settings or load_settings()
    app = Flask(__name__, instance_path=str(chosen.instance_path))
    app.extensions["settings"] = chosen

    logs.init_app(app)
    web.init_app(app)
    proxies.init_app(app)
    formats.init_app(app)
    errors.init_app(app)
    db.init_app(app, chosen.database_url)
    schema.init_app(app)
    preferences.init_app(app)
    invitation.init_app(app)

    api = openapi.init_app(app)
    api.register_blueprint(auth_api.blp)
    api.register_blueprint(profile_api.blp)
    api.register_blueprint(account_api.blp)
    for pages in (auth_pages, profile_pages, account_pages, phone_pages, preferences, openapi, health):
        app.register_blueprint(pages.bp)
    app.jinja_env.globals["reader"] = identity.find_page_reader
    cli.init_app(app)
    return app
