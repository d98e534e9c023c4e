"""Settings: config.json, environment and keyring into one frozen ``Config``.

============ ====================================================================
`loading`    the settings in force, found, read and checked
`file`       a settings file parsed, with the line of each of its keys
`template`   a new config.json
`token`      the Plex token, also in the system keyring
`settings`   every setting, declared once
============ ====================================================================
"""

from plexsheet.config.loading import (
    checked_address,
    is_configured,
    load_config,
    user_folder,
)
from plexsheet.config.settings import (
    WITHOUT_EFFECT,
    Config,
    Setting,
    document,
    groups,
)
from plexsheet.config.template import template_text, write_config
from plexsheet.config.token import keep_in_keyring, plex_token

__all__ = [
    "WITHOUT_EFFECT",
    "Config",
    "Setting",
    "checked_address",
    "document",
    "groups",
    "is_configured",
    "keep_in_keyring",
    "load_config",
    "plex_token",
    "template_text",
    "user_folder",
    "write_config",
]
