"""Every text that is sent by SMS, and how many parts it makes."""

from flask_babel import force_locale, gettext

# 3GPP TS 23.038: the basic character set, and those of its extension, which take two places.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")


def parts(text: str) -> int:
    """Return how many SMS a text is paid as: 160 places or parts of 153, with other letters 70 or parts of 67."""
    if set(text) <= _BASIC | _EXTENDED:
        size, single, each = len(text) + sum(letter in _EXTENDED for letter in text), 160, 153
    else:
        size, single, each = len(text.encode("utf-16-le")) // 2, 70, 67
    return 1 if size <= single else -(-size // each)


def code(language: str, site_name: str, site_host: str, digits: str) -> str:
    """Return the SMS with a one-time code; its last line lets a phone fill it in on that site alone.

    The form of that line: WICG, "Origin-bound one-time codes delivered via SMS".
    """
    with force_locale(language):
        text = gettext("%(code)s is your code for %(site)s. Tell it to nobody.", code=digits, site=site_name)
    return f"{text}\n\n@{site_host} #{digits}"
