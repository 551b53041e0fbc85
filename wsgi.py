"""What a server and the command line load: the app with the settings of the environment."""

import logging.config
import os
import sys

from referral_app import create_app, logs
from referral_app.environment import BadSetting

# Databases, queue and SMS files are for the owner of the process alone.
os.umask(0o077)
logging.config.dictConfig(logs.CONFIG)
try:
    app = create_app()
except BadSetting as bad:
    sys.exit(f"The settings stop the start. {bad}")
