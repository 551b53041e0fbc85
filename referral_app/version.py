"""The version of the product, as CHANGELOG tells it."""

__version__ = "0.1.0"
