"""The real index that pip is configured with."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tumpline.errors import EnvironmentFailure
from tumpline.index.client import IndexClient
from tumpline.index.pipconfig import read_pip_settings
from tumpline.values import normalise

pytestmark = pytest.mark.network

UNREACHABLE = {"index-unreachable", "index-timeout", "certificate-not-trusted", "index-refuses"}


def test_real_pages_metadata_and_files(tmp_path: Path) -> None:
    settings = replace(read_pip_settings(os.environ), timeout=10.0, retries=1)
    with IndexClient(settings, tmp_path) as client:
        names = [normalise(name) for name in ("six", "numpy")]
        client.prefetch(names)
        try:
            six, numpy = (client.page(name) for name in names)
        except EnvironmentFailure as failure:
            if failure.code in UNREACHABLE:
                pytest.skip(str(failure))
            raise
        assert six is not None
        assert numpy is not None
        versions = [release.version for release in six.releases]
        file = six.files(versions.index("1.16.0"))[0]
        assert client.metadata(file).name == "six"
        found = client.with_hash(file)
        assert client.locate(names[0], found.file, found.sha256).sha256 in ("", found.sha256)
        assert client.download(found).stat().st_size == found.size
        assert any(release.tags and numpy.tags for release in numpy.releases)
        assert client.page(normalise("no-such-project-of-tumpline")) is None
