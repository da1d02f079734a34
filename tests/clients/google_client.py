#!/usr/bin/env python3
"""Runs Google's own client libraries, unchanged, against the sandbox's Google Workspace.

It proves that the simulator is a Directory API for somebody who never read ours. Exit code 0: everything as expected; 1: not.

    python3 -m venv /tmp/clients && /tmp/clients/bin/pip install google-api-python-client==2.202.0 google-auth requests
    cargo run -- sandbox merged --port 7100
    SANDBOX=http://127.0.0.1:7100 /tmp/clients/bin/python tests/clients/google_client.py

SANDBOX is the page of a sandbox with the world `merged`; the addresses and the key file are read from it.
"""

import base64
import json
import os
import sys
import urllib.parse
import urllib.request

from google.auth import identity_pool, jwt
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from google.oauth2 import service_account
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError
from googleapiclient.http import BatchHttpRequest

PAGE = os.environ["SANDBOX"].rstrip("/")
USERS = "https://www.googleapis.com/auth/admin.directory.user.readonly"
MEMBERS = "https://www.googleapis.com/auth/admin.directory.group.member.readonly"
CLOUD = "https://www.googleapis.com/auth/cloud-platform"
failures = []


def sandbox(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(PAGE + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def expect(what, got, wanted):
    good = got == wanted
    print(("ok    " if good else "WRONG ") + what + ("" if good else f": {got!r} instead of {wanted!r}"))
    if not good:
        failures.append(what)


ENDPOINTS = sandbox("/_sandbox/endpoints")
SECRETS = [c for c in sandbox("/_sandbox/credentials") if c["simulator"] == "token"]
KEYS = {c["user"].split("@")[0]: c["secret"]["service_account"] for c in SECRETS}
JOB = next(c["secret"]["job"] for c in sandbox("/_sandbox/credentials") if "job" in c["secret"])
KEY, SUBJECT, CUSTOMER = (KEYS["avatar-sync"][name] for name in ("key_file", "subject", "customer"))


def directory(credentials):
    """The Directory API of the bundled discovery document, at the sandbox's address."""
    options = {"api_endpoint": ENDPOINTS["directory"]}
    return build("admin", "directory_v1", credentials=credentials, client_options=options, static_discovery=True)


def delegated(scopes=(USERS, MEMBERS), subject=SUBJECT):
    return service_account.Credentials.from_service_account_info(KEY, scopes=scopes, subject=subject)


def refused(credentials):
    try:
        credentials.refresh(Request())
    except RefreshError as error:
        answer = error.args[1] if len(error.args) > 1 else {}
        return (isinstance(answer, dict) and answer.get("error")) or error.args[0]
    return None


def sign_in():
    credentials = delegated()
    credentials.refresh(Request())
    expect("a delegated token is a Google token", credentials.token.startswith("ya29."), True)
    expect("a scope beyond the delegation", refused(delegated([USERS, CLOUD])), "unauthorized_client")
    expect("a subject that nobody is", refused(delegated(subject="nobody@fabrikam.example")), "invalid_grant")
    expect("a misspelt scope", refused(delegated([USERS + "s"])), "No access token in response.")


def listing(service):
    page = service.users().list(customer="my_customer", maxResults=2, orderBy="email")
    emails, pages = [], 0
    while page is not None:
        answer = page.execute()
        emails += [user["primaryEmail"] for user in answer.get("users", [])]
        page, pages = service.users().list_next(page, answer), pages + 1
    expect("six users on three pages", (len(emails), pages), (6, 3))
    expect("they are in the order asked for", emails, sorted(emails))
    found = service.users().list(customer=CUSTOMER, query="orgUnitPath=/Engineering", fields="users(id)").execute()
    expect("an organisational unit includes those below it", len(found["users"]), 3)
    members = service.members().list(groupKey="staff@fabrikam.example", includeDerivedMembership=True).execute()
    expect("members through groups", len(members["members"]), 6)


def photo_bytes(photo):
    return base64.urlsafe_b64decode(photo["photoData"])


def photos(service):
    users = service.users().list(customer="my_customer").execute()["users"]
    with_photo = [user for user in users if "thumbnailPhotoEtag" in user]
    expect("four of them have a photo", len(with_photo), 4)
    photo = service.users().photos().get(userKey=with_photo[0]["id"]).execute()
    expect("the photo has the etag of the listing", photo["etag"], with_photo[0]["thumbnailPhotoEtag"])
    expect("its bytes are a JPEG", photo_bytes(photo)[:3], b"\xff\xd8\xff")
    try:
        service.users().photos().get(userKey="linus@fabrikam.example").execute()
        expect("no photo is an error", False, True)
    except HttpError as error:
        expect("no photo", (error.status_code, error.reason), (404, "Resource Not Found: photo"))


def batch(service, path):
    got = {}

    def keep(number, answer, error):
        got[number] = photo_bytes(answer)[:3] if error is None else error.reason

    users = service.users().list(customer="my_customer").execute()["users"]
    # `service.new_batch_http_request` takes the address from the document's root, which no option reaches.
    requests = BatchHttpRequest(callback=keep, batch_uri=ENDPOINTS["directory"] + path)
    for user in users:
        requests.add(service.users().photos().get(userKey=user["id"]), request_id=user["id"])
    requests.add(service.users().photos().get(userKey="999999999999999999999"), request_id="nobody")
    requests.execute()
    expect("a batch answers every part", len(got), len(users) + 1)
    expect("photos in a batch", sum(one == b"\xff\xd8\xff" for one in got.values()), 4)
    expect("no user in a batch", got["nobody"], "Resource Not Found: userKey")


def own_name():
    own = KEYS["avatar-own"]["key_file"]
    claims = dict(issuer=own["client_email"], subject=own["client_email"], audience="https://admin.googleapis.com/")
    service = directory(jwt.Credentials.from_service_account_info(own, **claims))
    expect("an account in its own name", len(service.users().list(customer=CUSTOMER).execute()["users"]), 6)
    try:
        service.users().list(customer="my_customer").execute()
        expect("my_customer without a subject", False, True)
    except HttpError as error:
        expect("my_customer without a subject", error.status_code, 400)


def keyless():
    """What the GitHub action writes: an external account, without any key."""
    provider = "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/ci/providers/github"
    account = KEY["client_email"]
    audience = urllib.parse.quote("https:" + provider, safe="")
    info = {
        "type": "external_account",
        "audience": provider,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": ENDPOINTS["sts"] + "/v1/token",
        "service_account_impersonation_url":
            f"{ENDPOINTS['iamcredentials']}/v1/projects/-/serviceAccounts/{account}:generateAccessToken",
        "credential_source": {
            "url": f"{JOB['request_url']}&audience={audience}",
            "headers": {"Authorization": "Bearer " + JOB["request_token"]},
            "format": {"type": "json", "subject_token_field_name": "value"},
        },
    }
    credentials = identity_pool.Credentials.from_info(info, scopes=[USERS])
    credentials.refresh(Request())
    expect("a token without a key", credentials.token.startswith("ya29."), True)
    try:
        directory(credentials).users().list(customer=CUSTOMER).execute()
        expect("an account without a role", False, True)
    except HttpError as error:
        expect("an account without a role", (error.status_code, error.reason),
               (403, "Not Authorized to access this resource/api"))


def main():
    sign_in()
    service = directory(delegated())
    listing(service)
    photos(service)
    batch(service, "/batch")
    batch(service, "/batch/admin/directory_v1")
    own_name()
    keyless()
    print(f"{len(failures)} wrong" if failures else "all as expected")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
