"""What every part of a client shares: settings, cache, clock and, only once it is needed, the network."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.errors import EnvironmentFailure
from tumpline.host.caches import CacheUse
from tumpline.index.cache import Cache
from tumpline.index.settings import IndexSettings

if TYPE_CHECKING:
    from tumpline.index.transport import Transport

__all__ = ["Access"]


class Access:
    """Settings, cache, clock and network of one client; safe to use from several threads.

    `offline` forbids the network; `refresh` asks the index again even about what is fresh. `clock` gives seconds
    since the epoch, `backoff` is the first wait between tries in seconds. `files` is where whole files are kept, and
    `use` hears of each.
    """

    def __init__(
        self,
        settings: IndexSettings,
        folder: Path,
        *,
        offline: bool,
        refresh: bool,
        clock: Callable[[], float],
        backoff: float,
        files: Path | None = None,
        use: CacheUse | None = None,
    ) -> None:
        self.settings = settings
        self.cache = Cache(folder)
        self.files = files or folder / "files"
        self.use = use or CacheUse(folder, None, notes=False)
        self.offline = offline
        self.refresh = refresh
        self.clock = clock
        self._backoff = backoff
        self._transport: Transport | None = None
        self._lock = threading.Lock()

    @property
    def transport(self) -> Transport:
        """The connections, made on first use: importing urllib3 takes longer than a lock from a warm cache."""
        with self._lock:
            if self._transport is None:
                from tumpline.index.transport import Transport

                self._transport = Transport(self.settings, backoff=self._backoff)
            return self._transport

    def close(self) -> None:
        """Close the connections, if any were made, and say that nothing more is read or written."""
        self.use.close()
        with self._lock:
            if self._transport is not None:
                self._transport.close()
                self._transport = None

    def not_cached(self, what: str, where: str) -> EnvironmentFailure:
        """Return the error for something that is asked for offline and is not in the cache."""
        return EnvironmentFailure.of(
            "offline-not-cached",
            f"{what} is not in the cache, and --offline forbids to fetch it",
            where=where,
            hint="run the same command once without --offline where there is internet",
        )
