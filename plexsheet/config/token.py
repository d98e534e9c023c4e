"""The Plex token: from the settings, else from the system keyring."""

from __future__ import annotations

from plexsheet.config.settings import Config
from plexsheet.errors import ConfigError

KEYRING_SERVICE = "plexsheet"


def plex_token(config: Config) -> str:
    """The Plex token of these settings.

    Raises:
        ConfigError: there is none, or the address is missing.
    """
    found = config.plex_token.reveal() or _keyring_token(config.plex_url)
    where = str(config.path) if config.path is not None else "the environment"
    missing = "PLEX_URL" if not config.plex_url else "" if found else "PLEX_TOKEN"
    if missing:
        raise ConfigError(
            f"{missing} is not set in {where}. Nothing was done. Set it there, or run "
            "“plexsheet init”."
        )
    return found


def _keyring_token(user: str) -> str:
    """The token the system keyring keeps for an address; "" where it has none."""
    try:
        import keyring

        return keyring.get_password(KEYRING_SERVICE, user) or ""
    except Exception:  # noqa: BLE001 - keyrings fail in many ways, none of them the person's
        return ""


def keep_in_keyring(user: str, token: str) -> bool:
    """Give the token to the system keyring; false where there is none that works.

    Args:
        user: the address, as PLEX_URL has it.
        token: the Plex token.
    """
    try:
        import keyring

        keyring.set_password(KEYRING_SERVICE, user, token)
        return bool(keyring.get_password(KEYRING_SERVICE, user) == token)
    except Exception:  # noqa: BLE001 - as above
        return False
