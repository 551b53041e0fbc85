"""Names of devices, read from what they say of themselves. Pure."""

# The first that is found counts: most browsers name their ancestors too.
_BROWSERS = (
    ("YaBrowser/", "Yandex Browser"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("OPR/", "Opera"),
    ("Edg", "Edge"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
MAX_LENGTH = 40


def name(user_agent: str) -> str:
    """Return `Firefox, Android` for a browser, the product's name for a program, or an empty text for neither."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if browser:
        return ", ".join(part for part in (browser, system) if part)
    words = user_agent.split()
    return "".join(letter for letter in words[0] if letter.isprintable())[:MAX_LENGTH] if words else ""
