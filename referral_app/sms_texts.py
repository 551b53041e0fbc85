"""Every text that is sent by SMS."""

from flask_babel import force_locale, gettext


def code(language: str, site_name: str, site_host: str, digits: str) -> str:
    """Return the SMS with a one-time code; its last line lets a phone fill it in on that site alone.

    The form of that line: WICG, "Origin-bound one-time codes delivered via SMS".
    """
    with force_locale(language):
        text = gettext("%(code)s is your code for %(site)s. Tell it to nobody.", code=digits, site=site_name)
    return f"{text}\n\n@{site_host} #{digits}"
