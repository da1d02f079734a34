"""What a state in a bucket costs: requests and bytes of a first run, a quiet one, one with ten new photos, and a quiet one after it.

From a folder to a folder, three quarters of the people with a photo, each run as on a new machine. Usage:
bucket.py AVATARPIPE PEOPLE AZURITE, the last as `http://127.0.0.1:10000/devstoreaccount1` with a container `avatars`.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

from PIL import Image

program, people, store = os.path.abspath(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
random.seed(7)

# Azurite's own account, which everybody knows.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

PIPELINE = f"""version: 1
pipeline: big
state:
  bucket: az://avatars/big-{os.getpid()}
  account: devstoreaccount1
  endpoint: "{store}"
  credential: {{ account_key: "${{KEY}}" }}
extract: [{{ folder: {{ path: people }} }}]
transform: {{ resize: {{ size: 64 }} }}
load: [{{ folder: {{ path: out }} }}]
limits: {{ replacements: {{ count: 1000000 }}, same_picture: {{ count: 1000000 }} }}
"""


def photo(number):
    picture = Image.frombytes("RGB", (16, 16), random.randbytes(768)).resize((64, 64))
    picture.save(f"people/p{number:06}.jpg", quality=80)


def run(name):
    shutil.rmtree("state/bucket", ignore_errors=True)
    subprocess.run([program, "run", "p.yaml", "--report", "report"], check=True, capture_output=True, env={"KEY": KEY})
    took = json.load(open("report/run.json"))["store"]
    print(f"| {name} | {people:,} | {took['requests']:,} | {took['bytes_sent']:,} | {took['bytes_received']:,} |", flush=True)


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    os.mkdir("people")
    open("p.yaml", "w").write(PIPELINE)
    with open("people/people.csv", "w") as table:
        table.write("id,name,email,photo\n")
        for number in range(people):
            has = number % 4 != 3
            table.write(f"p{number:06},Person {number},p{number:06}@example.com,{f'p{number:06}.jpg' if has else ''}\n")
            if has:
                photo(number)
    run("first")
    run("quiet")
    for number in range(10):
        photo(4 * number)
    run("10 new photos")
    run("quiet after it")
