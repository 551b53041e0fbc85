"""Every text that is sent by SMS, and how many parts it makes."""

from flask_babel import force_locale, gettext

from . import phone

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


def code(purpose: str, language: str, site_name: str, site_host: str, digits: str) -> str:
    """Return the SMS with a one-time code; its last line lets a phone fill it in on that site alone.

    The form of that line: WICG, "Origin-bound one-time codes delivered via SMS".
    """
    facts = {"code": digits, "site": site_name}
    with force_locale(language):
        if purpose == "phone_change":
            text = gettext("%(code)s makes this your number at %(site)s. Tell it to nobody.", **facts)
        else:
            text = gettext("%(code)s is your code for %(site)s. Tell it to nobody.", **facts)
    return f"{text}\n\n@{site_host} #{digits}"


def phone_changed(language: str, site_name: str, new_phone: str) -> str:
    """Return the SMS that tells the old number of a new one, of which it shows the ends."""
    shown = phone.mask(new_phone).replace("•", "*")  # a bullet would make the SMS dearer
    with force_locale(language):
        text = gettext(
            "%(site)s: your number is now %(phone)s. If that was not you, tell the organiser.",
            site=site_name,
            phone=shown,
        )
    return str(text)
