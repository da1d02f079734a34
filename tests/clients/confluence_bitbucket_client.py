#!/usr/bin/env python3
"""Runs public client libraries, unchanged, against a Confluence and a Bitbucket (the sandbox's or test instances).

It proves that the simulators are those products for somebody who never read ours. Exit code 0: everything as expected.

    python3 -m venv /tmp/clients && /tmp/clients/bin/pip install atlassian-python-api==5.0.5
    cargo run -- sandbox merged     # prints the base URLs and the credentials
    CONFLUENCE_URL=http://127.0.0.1:PORT/wiki BITBUCKET_URL=http://127.0.0.1:PORT/git \\
    ATLASSIAN_USER=svc-avatars ATLASSIAN_PASSWORD=... ATLASSIAN_TOKEN=... ATLASSIAN_TARGET=ada \\
        /tmp/clients/bin/python tests/clients/confluence_bitbucket_client.py

ATLASSIAN_USER administers; ATLASSIAN_TARGET is an account without a picture in both, which it is again at the end. Either
URL may be left out. Python's own xmlrpc.client writes; atlassian-python-api reads.
"""

import base64
import os
import struct
import sys
import urllib.request
import xmlrpc.client
import zlib

from atlassian import Bitbucket, Confluence

CONFLUENCE = os.environ.get("CONFLUENCE_URL")
BITBUCKET = os.environ.get("BITBUCKET_URL")
USER = os.environ["ATLASSIAN_USER"]
PASSWORD = os.environ["ATLASSIAN_PASSWORD"]
TOKEN = os.environ.get("ATLASSIAN_TOKEN")
TARGET = os.environ["ATLASSIAN_TARGET"]

PREFERENCE = "confluence.user.profile.picture"


def png(side):
    """A red square."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = zlib.compress((b"\0" + b"\xff\0\0" * side) * side)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def faults(act, text):
    try:
        act()
    except xmlrpc.client.Fault as fault:
        assert text in fault.faultString, fault
        return
    raise AssertionError(f"expected a fault with {text}, but it was accepted")


def confluence():
    rest = Confluence(url=CONFLUENCE, username=USER, password=PASSWORD, cloud=False)
    picture = lambda: rest.get_user_details_by_username(TARGET)["profilePicture"]
    assert rest.get_user_details_by_username(TARGET)["username"] == TARGET
    default = picture()
    assert default["isDefault"], default
    members = rest.get_group_members("confluence-users", start=0, limit=200)["results"]
    assert TARGET in {member["username"] for member in members}, members
    if TOKEN:
        by_token = Confluence(url=CONFLUENCE, token=TOKEN, cloud=False)
        assert by_token.get("rest/api/user/current")["username"] == USER

    login = {"Authorization": "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}
    server = xmlrpc.client.ServerProxy(f"{CONFLUENCE}/rpc/xmlrpc?os_authType=basic", headers=list(login.items()))
    rpc = server.confluence2
    assert rpc.getServerInfo("")["majorVersion"].isdigit()
    user = rpc.getUser("", TARGET)
    assert user["name"] == TARGET and "@" in user["email"], user
    assert rpc.getUserByKey("", user["key"])["name"] == TARGET
    assert TARGET in rpc.getActiveUsers("", True)

    assert rpc.addProfilePicture("", TARGET, "avatarpipe-test.png", "image/png", xmlrpc.client.Binary(png(64))) is True
    path = picture()["path"]
    assert path.endswith("/avatarpipe-test.png"), path
    content = path.split("/")[-2]
    origin = CONFLUENCE.split("/", 3)
    request = urllib.request.Request("/".join(origin[:3]) + path, headers=login)
    with urllib.request.urlopen(request) as answer:
        assert answer.read() == png(64)
    assert rpc.getUserPreferenceString("", TARGET, PREFERENCE) == "avatarpipe-test.png"

    faults(lambda: rpc.addProfilePicture("", "no-such-user", "a.png", "image/png", xmlrpc.client.Binary(b"x")), "not exist")
    faults(lambda: rpc.addProfilePicture("", TARGET, "a.png", "text/html", xmlrpc.client.Binary(b"x")), "RemoteException")
    plain = default["path"][default["path"].index("/images/"):]
    assert rpc.setUserPreferenceString("", TARGET, PREFERENCE, plain) is True
    assert rpc.removeAttachment("", content, "avatarpipe-test.png") is True
    faults(lambda: rpc.removeAttachment("", content, "avatarpipe-test.png"), "not exist")
    assert picture() == default

    token = xmlrpc.client.ServerProxy(f"{CONFLUENCE}/rpc/xmlrpc").confluence2.login(USER, PASSWORD)
    nobody = xmlrpc.client.ServerProxy(f"{CONFLUENCE}/rpc/xmlrpc").confluence2
    assert nobody.getUser(token, TARGET)["name"] == TARGET
    assert nobody.logout(token) is True
    faults(lambda: nobody.getUser(token, TARGET), "InvalidSessionException")
    faults(lambda: nobody.getUser("", TARGET), "NotPermittedException")


def bitbucket():
    client = Bitbucket(url=BITBUCKET, username=USER, password=PASSWORD, cloud=False)
    found = {user["name"] for user in client.get_users_info(limit=3)}
    page = client.get("rest/api/latest/users", params={"limit": 2, "avatarSize": 64})
    names = [user["name"] for user in page["values"]]
    while not page["isLastPage"]:
        params = {"limit": 2, "avatarSize": 64, "start": page["nextPageStart"]}
        page = client.get("rest/api/latest/users", params=params)
        names += [user["name"] for user in page["values"]]
    assert TARGET in names and len(names) == len(set(names)), names
    assert found == set(names), found

    show = lambda: client.get(f"rest/api/latest/users/{TARGET}", params={"avatarSize": 64})["avatarUrl"]
    before = show()
    assert "v=" not in before, before
    path = f"rest/api/latest/users/{TARGET}/avatar.png"
    headers = {"X-Atlassian-Token": "no-check"}
    done = client.request("POST", path, files={"avatar": ("avatar.png", png(64), "image/png")}, headers=headers)
    assert done.status_code == 201, done.text
    assert "v=" in show()
    for _ in range(2):
        assert client.request("DELETE", path, headers=headers).status_code == 200
    assert show() == before


def main():
    ways = [way for way, url in ((confluence, CONFLUENCE), (bitbucket, BITBUCKET)) if url]
    if not ways:
        print("set CONFLUENCE_URL or BITBUCKET_URL", file=sys.stderr)
        return 1
    for way in ways:
        way()
        print(f"{way.__name__}: fine")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (AssertionError, xmlrpc.client.Error) as fault:
        print(f"{type(fault).__name__}: {fault}", file=sys.stderr)
        raise SystemExit(1) from fault
