"""What pip's configuration and the environment say of indexes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tumpline.errors import InputError
from tumpline.index.pipconfig import config_files, link_folders, read_pip_settings
from tumpline.index.settings import IndexSettings

Read = Callable[..., IndexSettings]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read settings on a machine that is a folder: `root`, `home`, `venv` and `work` below `tmp_path`."""

    def read(platform: str = "linux", **environ: str) -> IndexSettings:
        return read_pip_settings(
            {"HOME": str(tmp_path / "home"), **environ},
            platform=platform,
            prefix=tmp_path / "venv",
            root=tmp_path / "root",
            folder=tmp_path / "work",
        )

    return read


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def index_of(settings: IndexSettings) -> str:
    return next(location.url for location in settings.locations if location.name == "pypi")


def test_without_any_configuration_there_is_the_default_index_alone(read: Read) -> None:
    settings = read()

    assert [(location.name, location.url, location.kind) for location in settings.locations] == [("pypi", "", "simple")]
    assert (settings.timeout, settings.retries, settings.certificates, settings.netrc) == (15.0, 5, None, None)
    assert settings.locations[0].address().startswith("https://")
    assert settings.locations[0].address().endswith("/simple/")


PLACES = [
    ("linux", "root/etc/xdg/pip/pip.conf"),
    ("linux", "root/etc/pip.conf"),
    ("linux", "home/.pip/pip.conf"),
    ("linux", "home/.config/pip/pip.conf"),
    ("linux", "venv/pip.conf"),
    ("darwin", "root/Library/Application Support/pip/pip.conf"),
    ("darwin", "home/.pip/pip.conf"),
    ("darwin", "home/.config/pip/pip.conf"),
    ("darwin", "venv/pip.conf"),
    ("win32", "home/pip/pip.ini"),
    ("win32", "home/AppData/Roaming/pip/pip.ini"),
    ("win32", "venv/pip.ini"),
]


@pytest.mark.parametrize(("platform", "place"), PLACES)
def test_every_place_of_a_configuration_file_is_read(read: Read, tmp_path: Path, platform: str, place: str) -> None:
    write(tmp_path / place, "[global]\nindex-url = https://there.example/simple\n")

    assert index_of(read(platform)) == "https://there.example/simple"


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_a_later_place_wins_over_an_earlier_one(read: Read, tmp_path: Path, platform: str) -> None:
    for at, (_, place) in enumerate(item for item in PLACES if item[0] == platform):
        write(tmp_path / place, f"[global]\nindex-url = https://there.example/{at}\n")

        assert index_of(read(platform)) == f"https://there.example/{at}"

    chosen = write(tmp_path / "chosen.conf", "[global]\nindex-url = https://there.example/chosen\n")
    assert index_of(read(platform, PIP_CONFIG_FILE=str(chosen))) == "https://there.example/chosen"
    assert index_of(read(platform, PIP_CONFIG_FILE=str(chosen), PIP_INDEX_URL="https://e/s")) == "https://e/s"


def test_places_named_by_variables(tmp_path: Path) -> None:
    def places(platform: str, **environ: str) -> list[Path]:
        return list(config_files({"HOME": "/h", **environ}, platform=platform, prefix=Path("/v")))

    assert places("linux", XDG_CONFIG_DIRS="/a:/b", XDG_CONFIG_HOME="/c") == [
        Path("/a/pip/pip.conf"),
        Path("/b/pip/pip.conf"),
        Path("/etc/pip.conf"),
        Path("/h/.pip/pip.conf"),
        Path("/c/pip/pip.conf"),
        Path("/v/pip.conf"),
    ]
    assert places("win32", PROGRAMDATA="/pd", APPDATA="/ad") == [
        Path("/pd/pip/pip.ini"),
        Path("/h/pip/pip.ini"),
        Path("/ad/pip/pip.ini"),
        Path("/v/pip.ini"),
    ]


def test_macos_prefers_application_support_where_that_folder_exists(read: Read, tmp_path: Path) -> None:
    write(tmp_path / "home/.config/pip/pip.conf", "[global]\nindex-url = https://there.example/unused\n")
    write(
        tmp_path / "home/Library/Application Support/pip/pip.conf",
        "[global]\nindex-url = https://there.example/support\n",
    )

    assert index_of(read("darwin")) == "https://there.example/support"


def test_the_null_device_as_configuration_means_no_configuration_at_all(read: Read, tmp_path: Path) -> None:
    write(tmp_path / "home/.config/pip/pip.conf", "[global]\nindex-url = https://there.example/user\n")

    assert index_of(read(PIP_CONFIG_FILE=os.devnull)) == ""


def test_a_chosen_file_that_exists_hides_the_users_own_but_not_the_machines(read: Read, tmp_path: Path) -> None:
    write(tmp_path / "root/etc/pip.conf", "[global]\nindex-url = https://there.example/machine\n")
    write(tmp_path / "home/.config/pip/pip.conf", "[global]\nindex-url = https://there.example/user\n")
    chosen = write(tmp_path / "chosen.conf", "[global]\ntimeout = 3\n")

    assert index_of(read(PIP_CONFIG_FILE=str(chosen))) == "https://there.example/machine"
    assert index_of(read(PIP_CONFIG_FILE=str(tmp_path / "absent.conf"))) == "https://there.example/user"


def test_the_section_of_install_wins_over_global_wherever_it_is_written(read: Read, tmp_path: Path) -> None:
    write(tmp_path / "root/etc/pip.conf", "[install]\nindex-url = https://there.example/install\n")
    write(tmp_path / "venv/pip.conf", "[global]\nindex-url = https://there.example/global\n")
    write(tmp_path / "home/.config/pip/pip.conf", "[download]\nindex-url = https://there.example/download\n")

    assert index_of(read()) == "https://there.example/install"


def test_keys_are_spelled_in_any_way_that_pip_takes(read: Read, tmp_path: Path) -> None:
    write(tmp_path / "venv/pip.conf", "[global]\n--Index_URL = https://there.example/x\ndefault_timeout = 7\n")

    assert index_of(read()) == "https://there.example/x"
    assert read().timeout == 7.0
    assert read(PIP_DEFAULT_TIMEOUT="8").timeout == 8.0
    assert read(PIP_TIMEOUT="9.5").timeout == 9.5


def test_an_empty_value_counts_as_absent(read: Read, tmp_path: Path) -> None:
    write(tmp_path / "venv/pip.conf", "[global]\nindex-url = https://there.example/x\n")

    assert index_of(read(PIP_INDEX_URL="")) == "https://there.example/x"


def test_values_of_several_words(read: Read, tmp_path: Path) -> None:
    write(
        tmp_path / "venv/pip.conf",
        "[global]\nextra-index-url =\n    https://a.example/s\n    https://b.example/s\nfind-links = /one two\n"
        "trusted-host = A.example b.example:8080\n",
    )
    settings = read()

    assert [(location.name, location.url, location.kind) for location in settings.locations] == [
        ("find-links-1", "file:///one", "links"),
        ("find-links-2", (tmp_path / "work/two").as_uri(), "links"),
        ("pypi", "", "simple"),
        ("extra-1", "https://a.example/s", "simple"),
        ("extra-2", "https://b.example/s", "simple"),
    ]
    assert settings.trusted_hosts == ("a.example", "b.example:8080")
    # A variable replaces what the files say, as in pip; it does not add to it.
    assert [location.url for location in read(PIP_FIND_LINKS="~/w https://c.example/l.html").locations][:2] == [
        (tmp_path / "home/w").as_uri(),
        "https://c.example/l.html",
    ]


@pytest.mark.parametrize(("value", "count"), [("1", 1), ("true", 1), ("On", 1), ("0", 3), ("no", 3)])
def test_no_index_leaves_the_links_alone(read: Read, value: str, count: int) -> None:
    settings = read(PIP_NO_INDEX=value, PIP_FIND_LINKS="/w", PIP_EXTRA_INDEX_URL="https://e.example/s")

    assert len(settings.locations) == count


def test_a_folder_may_be_an_index(read: Read, tmp_path: Path) -> None:
    folder = tmp_path / "work" / "simple"
    folder.mkdir(parents=True)

    assert index_of(read(PIP_INDEX_URL="simple")) == folder.as_uri()
    assert index_of(read(PIP_INDEX_URL="file:///x/simple")) == "file:///x/simple"


def test_credentials_leave_the_address_and_are_never_shown(read: Read) -> None:
    settings = read(PIP_INDEX_URL="https://me:s%40cret@private.example/simple", PIP_PROXY="http://u:hidden@p.example:1")

    assert index_of(settings) == "https://private.example/simple"
    (found,) = settings.credentials
    assert (found.origin, found.user, found.password) == ("https://private.example:443", "me", "s@cret")
    assert "cret" not in repr(settings)
    assert "hidden" not in repr(settings)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"PIP_CERT": "/a", "REQUESTS_CA_BUNDLE": "/b", "SSL_CERT_FILE": "/d"}, "/a"),
        ({"REQUESTS_CA_BUNDLE": "/b", "CURL_CA_BUNDLE": "/c", "SSL_CERT_FILE": "/d"}, "/b"),
        ({"CURL_CA_BUNDLE": "/c", "SSL_CERT_FILE": "/d"}, "/c"),
        ({"SSL_CERT_FILE": "/d", "SSL_CERT_DIR": "/e"}, "/d"),
        ({"SSL_CERT_DIR": "/e"}, "/e"),
    ],
)
def test_which_certificates_are_trusted(read: Read, environ: Mapping[str, str], expected: str) -> None:
    assert read(**environ).certificates == Path(expected)


def test_proxies_of_pip_and_of_the_environment(read: Read) -> None:
    environ = {
        "HTTP_PROXY": "http://upper.example:1",
        "http_proxy": "http://lower.example:2",
        "ALL_PROXY": "http://all.example:3",
        "no_proxy": "localhost, .example.org",
    }
    settings = read(**environ)

    assert settings.proxies == (("http", "http://lower.example:2"), ("https", "http://all.example:3"))
    assert settings.no_proxy == ("localhost", ".example.org")
    assert read(PIP_PROXY="p.example:3128", **environ).proxy == "p.example:3128"
    assert read(PIP_NO_PROXY_ENV="1", **environ).proxies == ()


def test_netrc_by_variable_or_in_the_home_folder(read: Read, tmp_path: Path) -> None:
    home = write(tmp_path / "home/.netrc", "machine x login a password b\n")
    other = write(tmp_path / "home/other", "machine x login a password b\n")

    assert read().netrc == home
    assert read(NETRC="~/other").netrc == other
    assert read(NETRC="/absent").netrc is None


@pytest.mark.parametrize(
    ("environ", "code", "words"),
    [
        ({"PIP_TIMEOUT": "soon"}, "pip-config-value", "timeout"),
        ({"PIP_RETRIES": "-1"}, "pip-config-value", "retries"),
        ({"PIP_TIMEOUT": "nan"}, "pip-config-value", "timeout"),
        ({"PIP_NO_INDEX": "maybe"}, "pip-config-value", "no-index"),
        ({"PIP_INDEX_URL": "gopher"}, "index-address-unusable", "gopher"),
        ({"PIP_INDEX_URL": "https://me:cret@[bad/simple"}, "index-address-unusable", "malformed"),
        ({"PIP_INDEX_URL": "ftp://me:cret@there.example/simple"}, "index-address-unusable", "there.example"),
        ({"PIP_INDEX_URL": "https://me:cret@there.example:port/simple"}, "index-address-unusable", "there.example"),
    ],
)
def test_values_that_make_no_sense_are_named(read: Read, environ: dict[str, str], code: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read(**environ)

    assert caught.value.code == code
    assert words in str(caught.value)
    assert "cret" not in str(caught.value.problems)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("index-url = https://me:cret@there.example\n", ":1"),
        ("[global]\nhttps//me.cret.there.example\n", ":2"),
        ("[global]\nindex-url = https://me:cret@x\nindex-url = https://me:cret@y\n", ":3"),
    ],
)
def test_a_broken_file_is_named_with_its_line_and_without_its_text(
    read: Read, tmp_path: Path, text: str, line: str
) -> None:
    path = write(tmp_path / "venv/pip.conf", text)

    with pytest.raises(InputError) as caught:
        read()

    assert caught.value.code == "pip-config-unreadable"
    assert caught.value.problems[0].where == f"{path}{line}"
    assert "cret" not in str(caught.value.problems)


def test_a_file_of_bytes_is_unreadable(read: Read, tmp_path: Path) -> None:
    path = write(tmp_path / "venv/pip.conf", "")
    path.write_bytes(b"[global]\n\xff\xfe\n")

    with pytest.raises(InputError) as caught:
        read()

    assert caught.value.code == "pip-config-unreadable"


def test_a_wheelhouse_in_find_links_can_be_left_out(read: Read, tmp_path: Path) -> None:
    house = tmp_path / "wheelhouse"
    settings = read(PIP_FIND_LINKS=f"{house}/gentoo/v3 {house} /elsewhere https://c.example/l.html")

    kept = settings.without_folders([house])

    assert [location.name for location in kept.locations] == ["find-links-3", "find-links-4", "pypi"]


def test_the_folders_that_find_links_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on the Alliance's clusters, where the same list stands under the three commands."""
    path = write(
        tmp_path / "pip.conf",
        """
[global]
find-links = /last
[wheel]
find-links = /house/v4 /house/v3
    file:///house/with%20space
[install]
find_links = /house/v3 ~/own relative https://me:secret@wheels.example.org/w?token=1
only-binary = numpy
[download]
find-links = /house/v4
[list]
find-links = /not/this
""",
    )
    monkeypatch.chdir(tmp_path)

    folders, others = link_folders(path, {"HOME": "/home/me"})

    assert folders == (
        Path("/house/v4"),
        Path("/house/v3"),
        Path("/house/with space"),
        Path("/home/me/own"),
        tmp_path / "relative",
        Path("/last"),
    )
    assert others == ("https://wheels.example.org/w",)


def test_a_configuration_of_folders_that_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        link_folders(tmp_path / "pip.conf", {})

    assert caught.value.code == "pip-config-unreadable"
