"""What an administrator writes in an afternoon: photos from Entra ID to Jira, with `requests`, threads, Pillow and SQLite.

It promises nothing: no plan, no limits, no look at what is overwritten, no journal. `benches/run` measures it beside
avatarpipe on the same servers. Usage: script.py ADDRESSES STATE
"""

import io
import json
import sqlite3
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import requests
from PIL import Image, ImageOps

WORKERS = 8
SIDE = 256
SELECT = "id,userPrincipalName,mail,displayName,accountEnabled"

to = json.load(open(sys.argv[1]))
local = threading.local()


def session():
    """One a thread: a session of Jira holds the temporary avatar of one person."""
    if not hasattr(local, "session"):
        local.session = requests.Session()
    return local.session


def token():
    app = to["app"]
    answer = session().post(f"{to['login']}/{app['tenant']}/oauth2/v2.0/token", data={
        "client_id": app["id"], "client_secret": app["secret"], "grant_type": "client_credentials",
        "scope": "https://graph.microsoft.com/.default"})
    answer.raise_for_status()
    return {"Authorization": "Bearer " + answer.json()["access_token"]}


def people(bearer):
    url = f"{to['graph']}/v1.0/users?$select={SELECT}&$top=999"
    while url:
        page = session().get(url, headers=bearer)
        page.raise_for_status()
        page = page.json()
        yield from page["value"]
        url = page.get("@odata.nextLink")


def batch(bearer, ids, path):
    """The parts that are there, by person."""
    parts = [{"id": id, "method": "GET", "url": f"/users/{id}/{path}"} for id in ids]
    answer = session().post(f"{to['graph']}/v1.0/$batch", headers=bearer, json={"requests": parts})
    answer.raise_for_status()
    return {part["id"]: part["body"] for part in answer.json()["responses"] if part["status"] == 200}


def accounts():
    found, start = {}, 0
    while True:
        page = session().get(f"{to['jira']}/rest/api/2/user/search", auth=login(), params={
            "username": ".", "startAt": start, "maxResults": 1000, "includeInactive": "true"})
        page.raise_for_status()
        page = page.json()
        found.update((user["emailAddress"].lower(), user["name"]) for user in page if user.get("emailAddress"))
        start += len(page)
        if len(page) < 1000:
            return found


def login():
    return to["account"]["name"], to["account"]["password"]


def render(photo):
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(photo))).convert("RGB")
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    picture = picture.crop((left, top, left + side, top + side))
    if side > SIDE:
        picture = picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue(), picture.width


def upload(name, png, side):
    url, headers = f"{to['jira']}/rest/api/2/user/avatar", {"X-Atlassian-Token": "no-check"}
    answer = session().post(f"{url}/temporary", auth=login(), data=png, headers={**headers, "Content-Type": "image/png"},
                            params={"username": name, "filename": "avatar.png", "size": len(png)})
    answer.raise_for_status()
    if "id" not in answer.json():
        answer = session().post(url, auth=login(), headers=headers, params={"username": name}, json={
            "cropperWidth": min(side, 500), "cropperOffsetX": 0, "cropperOffsetY": 0, "needsCropping": False})
        answer.raise_for_status()
    session().put(url, auth=login(), headers=headers, params={"username": name},
                  json={"id": answer.json()["id"]}).raise_for_status()


def replace(bearer, chunk):
    import base64
    for id, photo in batch(bearer, [id for id, *_ in chunk], "photo/$value").items():
        name = next(name for other, name, _ in chunk if other == id)
        upload(name, *render(base64.b64decode(photo)))
    return chunk


def main():
    state = sqlite3.connect(sys.argv[2])
    state.execute("CREATE TABLE IF NOT EXISTS photo (person TEXT PRIMARY KEY, etag TEXT)")
    known = dict(state.execute("SELECT person, etag FROM photo"))
    bearer = token()
    with ThreadPoolExecutor(WORKERS) as pool:
        listing = pool.submit(accounts)
        everybody = list(people(bearer))
        chunks = [everybody[at:at + 20] for at in range(0, len(everybody), 20)]
        etags = {}
        for found in pool.map(lambda chunk: batch(bearer, [one["id"] for one in chunk], "photo"), chunks):
            etags.update((id, body.get("@odata.mediaEtag")) for id, body in found.items())
        names = listing.result()
        changed = [(one["id"], names[one["mail"].lower()], etags[one["id"]]) for one in everybody
                   if one["id"] in etags and one["mail"].lower() in names and known.get(one["id"]) != etags[one["id"]]]
        work = [changed[at:at + 20] for at in range(0, len(changed), 20)]
        for done in pool.map(lambda chunk: replace(bearer, chunk), work):
            state.executemany("INSERT OR REPLACE INTO photo VALUES (?, ?)", [(id, etag) for id, _, etag in done])
            state.commit()
    print(f"{len(everybody)} people, {len(etags)} photos, {len(changed)} replaced")


main()
