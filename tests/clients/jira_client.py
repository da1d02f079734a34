#!/usr/bin/env python3
"""Runs two public Jira client libraries, unchanged, against a Jira (the sandbox's or a test instance).

It proves that the simulator is a Jira for somebody who never read ours. Exit code 0: everything as expected; 1: not.

    python3 -m venv /tmp/clients && /tmp/clients/bin/pip install jira==3.10.5 atlassian-python-api==5.0.5
    cargo run -- sandbox            # prints the base URL and the credentials
    JIRA_URL=http://127.0.0.1:PORT/jira JIRA_USER=svc JIRA_PASSWORD=... JIRA_TOKEN=... JIRA_TARGET=ada \\
        /tmp/clients/bin/python tests/clients/jira_client.py

JIRA_USER administers; JIRA_TARGET is the account whose avatars are added, selected and deleted again. At the end it shows
what it showed before. JIRA_PASSWORD or JIRA_TOKEN may be left out (basic logins are off in Jira 11), not both.
"""

import os
import struct
import sys
import tempfile
import zlib

from atlassian import Jira
from jira import JIRA, JIRAError

URL = os.environ["JIRA_URL"]
USER = os.environ["JIRA_USER"]
PASSWORD = os.environ.get("JIRA_PASSWORD")
TOKEN = os.environ.get("JIRA_TOKEN")
TARGET = os.environ["JIRA_TARGET"]


def png(side):
    """A square PNG whose upper left quarter is red and the rest blue."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    def row(y):
        return b"\0" + b"".join(b"\xff\0\0" if 2 * x < side and 2 * y < side else b"\0\0\xff" for x in range(side))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = zlib.compress(b"".join(row(y) for y in range(side)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def upload(client, side, **options):
    """Step 1 of the library; it takes the length from the file on disk."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "avatar.png")
        with open(path, "wb") as file:
            file.write(png(side))
        with open(path, "rb") as file:
            return client.create_temp_user_avatar(
                TARGET, path, os.path.getsize(path), file.read(), contentType="image/png", **options
            )


def custom_ids(client):
    return {avatar["id"] for avatar in client.user_avatars(TARGET)["custom"]}


def selected_id(client):
    avatars = client.user_avatars(TARGET)
    (selected,) = [a["id"] for a in avatars["system"] + avatars["custom"] if a.get("isSelected", a.get("selected"))]
    return selected


def refused(act, status):
    try:
        act()
    except JIRAError as error:
        assert error.status_code == status, f"expected {status}, found {error.status_code}: {error.text}"
        return error
    raise AssertionError(f"expected {status}, but it was accepted")


def with_password():
    client = JIRA(URL, basic_auth=(USER, PASSWORD), max_retries=0)
    info = client.server_info()
    assert info["deploymentType"] == "Server" and info["versionNumbers"], info
    assert client.myself()["name"] == USER
    assert client.session().name == USER
    assert client.user(TARGET).name == TARGET
    found = {user.name for user in client.search_users(user=".", includeInactive=True, maxResults=100)}
    assert TARGET in found and USER in found, found
    assert [user.name for user in client.search_users(user=TARGET, maxResults=2)][:1] == [TARGET]
    refused(lambda: client.user("nobody-of-this-name"), 404)

    before, shown = custom_ids(client), selected_id(client)

    crop = upload(client, 256)
    assert crop["needsCropping"] is True, crop
    suggested = (crop["cropperOffsetX"], crop["cropperOffsetY"], crop["cropperWidth"])
    assert suggested == (41, 41, 117), suggested
    whole = {"cropperOffsetX": 0, "cropperOffsetY": 0, "cropperWidth": 256, "needsCropping": False}
    made = client.confirm_user_avatar(TARGET, whole)["id"]
    assert custom_ids(client) - before == {made}
    assert client.set_user_avatar(TARGET, made).ok
    assert selected_id(client) == made
    assert f"avatarId={made}" in client.user(TARGET).raw["avatarUrls"]["48x48"]

    echoed = upload(client, 128, auto_confirm=True)["id"]
    assert custom_ids(client) - before == {made, echoed}

    # A small square is finished after the first call, so the library's second call finds nothing and leaves an orphan.
    refused(lambda: upload(client, 48, auto_confirm=True), 500)
    (orphan,) = custom_ids(client) - before - {made, echoed}

    assert client.set_user_avatar(TARGET, shown).ok
    for avatar in (made, echoed, orphan):
        assert client.delete_user_avatar(TARGET, avatar).status_code == 204
        refused(lambda avatar=avatar: client.delete_user_avatar(TARGET, avatar), 404)
    assert (custom_ids(client), selected_id(client)) == (before, shown)

    other = Jira(url=URL, username=USER, password=PASSWORD, cloud=False)
    assert other.myself()["name"] == USER
    assert other.user(username=TARGET)["name"] == TARGET


def with_token():
    # The library keeps cookies, and a token's session is over after its request: only a fresh client is let in.
    fresh = lambda: JIRA(URL, token_auth=TOKEN, get_server_info=False, max_retries=0)
    stale = fresh()
    assert stale.myself()["name"] == USER
    error = refused(stale.myself, 401)
    assert "invalid cookie was sent" in error.text, error.text

    before, shown = custom_ids(fresh()), selected_id(fresh())
    made = upload(fresh(), 48)["id"]
    assert fresh().set_user_avatar(TARGET, made).ok
    assert selected_id(fresh()) == made
    upload(fresh(), 256)
    whole = {"cropperOffsetX": 0, "cropperOffsetY": 0, "cropperWidth": 256, "needsCropping": False}
    refused(lambda: fresh().confirm_user_avatar(TARGET, whole), 500)
    assert fresh().set_user_avatar(TARGET, shown).ok
    assert fresh().delete_user_avatar(TARGET, made).status_code == 204
    assert (custom_ids(fresh()), selected_id(fresh())) == (before, shown)


def main():
    ways = [way for way, secret in ((with_password, PASSWORD), (with_token, TOKEN)) if secret]
    if not ways:
        print("set JIRA_PASSWORD or JIRA_TOKEN", file=sys.stderr)
        return 1
    for way in ways:
        way()
        print(f"{way.__name__}: fine")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (AssertionError, JIRAError) as fault:
        print(f"{type(fault).__name__}: {fault}", file=sys.stderr)
        raise SystemExit(1) from fault
