"""Files on a server: globs, identity, and an xrootd client that gives up in minutes when the server is gone."""

from __future__ import annotations

import glob
import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from calotools.errors import ConfigError, InputFileError

__all__ = ["fingerprint", "forget", "is_remote", "match_remote", "prepare_client", "transfer_errors"]

_XROOTD = ("root", "roots", "xroot", "xroots")
# Seconds, and tries. The client's own defaults keep a job waiting for ten minutes for a connection and for half an hour
# for an answer; a variable of the environment, such as XRD_REQUESTTIMEOUT, wins.
_LIMITS = {
    "ConnectionWindow": 20,
    "ConnectionRetry": 3,
    "RequestTimeout": 120,
    "StreamErrorWindow": 60,
    "StreamTimeout": 60,
    "TimeoutResolution": 1,
}


def is_remote(name: str) -> bool:
    """Whether a file's name is a URL, such as ``root://host//path``.

    Examples
    --------
    >>> is_remote("root://host//data/a.root"), is_remote("/data/a.root")
    (True, False)
    """
    return "://" in name


def prepare_client(url: str) -> None:
    """Make a URL's client wait for a limited time only.

    Parameters
    ----------
    url : str

    Raises
    ------
    ConfigError
        The client is not installed, or a limit in the environment is not a whole number.
    """
    protocol = url.partition("://")[0]
    if protocol not in _XROOTD:
        _check_protocol(url, protocol)
        return
    try:
        import fsspec_xrootd  # noqa: F401 - the protocol of fsspec
        from XRootD import client
    except ImportError:
        raise ConfigError(f"'{url}' needs the xrootd client: pip install 'calotools[xrootd]'") from None
    for name, default in _LIMITS.items():
        variable = f"XRD_{name.upper()}"
        text = os.environ.get(variable, str(default))
        if not text.isdecimal():
            raise ConfigError(
                f"environment variable {variable} = '{text}'; a whole number of seconds (or tries) is needed"
            )
        client.EnvPutInt(name, int(text))


def _check_protocol(url: str, protocol: str) -> None:
    import fsspec

    try:
        fsspec.get_filesystem_class(protocol)
    except (ImportError, ValueError) as error:
        raise ConfigError(f"'{url}': {error}; root://, http:// and https:// are known") from None


def _file_system(url: str) -> tuple[Any, str]:
    import fsspec

    prepare_client(url)
    found: tuple[Any, str] = fsspec.core.url_to_fs(url)
    return found


def forget(url: str) -> None:
    """Close what the client keeps open of a file after it failed, so that it is not closed with noise at the end.

    Parameters
    ----------
    url : str
        Nothing is done with a local file.
    """
    if url.partition("://")[0] not in _XROOTD:
        return
    system, path = _file_system(url)
    with suppress(*transfer_errors()):
        system.invalidate_cache(path)


def transfer_errors() -> tuple[type[BaseException], ...]:
    """What the clients that are loaded raise when a transfer fails."""
    aiohttp = sys.modules.get("aiohttp")
    return (OSError, aiohttp.ClientError) if aiohttp is not None else (OSError,)


def match_remote(url: str) -> list[str]:
    """The URLs that a URL with ``*`` or ``[...]`` stands for, sorted; one without is returned as it is.

    Parameters
    ----------
    url : str

    Returns
    -------
    list of str

    Raises
    ------
    InputFileError
        The server does not answer, or nothing matches.
    ConfigError
        The protocol is not known, or its client is not installed.

    Examples
    --------
    >>> match_remote("root://host//data/a.root")
    ['root://host//data/a.root']
    """
    # a question mark starts the options of http, and of root after the path: it is no glob there
    if not glob.has_magic(url.partition("?")[0]):
        return [url]
    system, path = _file_system(url)
    try:
        found = sorted(system.glob(path)) or _refuse_silence(system, path)
    except transfer_errors() as error:
        raise InputFileError(
            f"'{url}' cannot be listed: {error}; is the server up, and is the folder there?"
        ) from error
    if not found:
        raise InputFileError(f"no file matches '{url}'")
    return [str(system.unstrip_protocol(one)) for one in found]


def _refuse_silence(system: Any, path: str) -> list[str]:
    """Globs of a server that does not answer are empty: look at the folder, which raises."""
    outer = re.split(r"[*\[]", path)[0].rpartition("/")[0]
    system.info(outer or "/")
    return []


def fingerprint(path: str) -> list[str | int | float]:
    """What changes when a file does: its name, size and time of change.

    Parameters
    ----------
    path : str
        Local, or a URL.

    Returns
    -------
    list
        Of a file whose server does not tell a time, name and size.

    Raises
    ------
    InputFileError
        The file does not exist, or its server does not answer.

    Examples
    --------
    >>> fingerprint("absent.root")
    Traceback (most recent call last):
    calotools.errors.InputFileError: file 'absent.root' cannot be read: ...
    """
    try:
        if not is_remote(path):
            stat = Path(path).stat()
            return [str(Path(path).resolve()), stat.st_size, stat.st_mtime_ns]
        system, inner = _file_system(path)
        known = system.info(inner)
    except transfer_errors() as error:
        raise InputFileError(f"file '{path}' cannot be read: {error}") from error
    return [path, int(known.get("size") or 0), *([known["mtime"]] if "mtime" in known else [])]
