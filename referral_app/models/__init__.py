"""The facts that are kept."""

from .attempt import Attempt
from .avatar import Avatar
from .challenge import Challenge
from .counter import Counter, Lock
from .guess import Guess
from .message import Message
from .session import Session
from .user import User

__all__ = ["Attempt", "Avatar", "Challenge", "Counter", "Guess", "Lock", "Message", "Session", "User"]
