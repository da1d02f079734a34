"""The shell of docs/guide, taken out of the jobs and pages and run: the simulators answer for the servers, stubs for what
talks to a platform.

A newcomer gets wrong: the scripts are run as they stand there. Only what names a place of the machine is replaced.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

AVATARPIPE = pathlib.Path(sys.argv[1]).resolve()
GUIDE = pathlib.Path("docs/guide").resolve()
JOBS = GUIDE / "jobs"
FILE = pathlib.Path("pipelines/smallest.yaml").resolve()

# As each platform starts its shell.
STRICT = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
PLAIN = ["bash", "--noprofile", "--norc", "-c"]

WRAPPER = f"""#!/usr/bin/env bash
command=$1
shift
case $command in
    plan | run | auth | status) exec {AVATARPIPE} "$command" --sandbox=tiny "$@" ;;
    *) exec {AVATARPIPE} "$command" "$@" ;;
esac
"""

# What is told of one call, an argument a line, then what came in.
STUB = """#!/usr/bin/env bash
{
    printf '%s\\n' "${0##*/}" "$@"
    for file in "$@"; do
        case $file in
            @- | */dev/fd/*) cat "${file#@}" 2>/dev/null || cat ;;
            *@*.md) cat "${file#*@}" ;;
            *.md) cat "$file" ;;
        esac
    done
    echo ---
} >>"$CALLS"
case "$*" in
    *appId*) echo 3b6c1d52 ;;
    *appRoles*) echo role-of-User.Read.All ;;
    *projectNumber*) echo 123456789012 ;;
esac
"""


class Folder:
    """A working copy on a runner."""

    def __init__(self, limits=""):
        self.path = pathlib.Path(tempfile.mkdtemp(dir=scratch))
        (self.path / "pipelines").mkdir()
        (self.path / "bin").mkdir()
        text = FILE.read_text().replace("pipeline: smallest", "pipeline: corporate")
        text += "rates: { default: { units: 100000, per: 1s, burst: 100000 } }\n"
        text += 'state: { path: "${STATE_DIR:-state}/corporate.db" }\n' + limits
        (self.path / "pipelines/corporate.yaml").write_text(text)
        (self.path / "pipeline.yaml").write_text(text)
        for name, script in [("avatarpipe", WRAPPER), *((name, STUB) for name in ("az", "cargo", "curl", "gcloud", "gh"))]:
            (self.path / "bin" / name).write_text(script)
            (self.path / "bin" / name).chmod(0o755)

    def run(self, shell, script, code=0, stdin="", **variables):
        """Runs a script, which must end so; what it printed and what it called."""
        calls = self.path / "calls"
        calls.write_text("")
        known = {"PATH": f"{self.path}/bin:{os.environ['PATH']}", "HOME": str(self.path), "CALLS": str(calls)}
        ended = subprocess.run(
            [*shell, script], cwd=self.path, env={**known, **variables}, input=stdin, text=True, capture_output=True
        )
        told = ended.stdout + ended.stderr
        assert ended.returncode == code, f"{script}\nended in {ended.returncode} and not in {code}:\n{told}"
        return told, calls.read_text()

    def has(self, name):
        return (self.path / name).exists()

    def take(self, source, to):
        (self.path / to).parent.mkdir(parents=True, exist_ok=True)
        (self.path / source).rename(self.path / to)


def github():
    jobs = yaml.safe_load((JOBS / "github.yml").read_text())["jobs"]
    step = lambda job, name: next(step["run"] for step in jobs[job]["steps"] if step.get("name") == name)
    return {
        "shell": STRICT,
        "check": step("check", "check"),
        "plan": step("plan", "plan"),
        "comment": step("plan", "comment"),
        "apply": step("apply", "apply"),
        "planned": "reviewed/plan",
        "variables": {"GITHUB_STEP_SUMMARY": "page.md", "GITHUB_REPOSITORY": "contoso/avatars", "PULL_REQUEST": "7"},
        "called": ["gh", "pr\ncomment\n7"],
    }


def gitlab():
    jobs = yaml.safe_load((JOBS / "gitlab.yml").read_text())

    def lines(script):
        return "\n".join(lines(line) if isinstance(line, list) else line for line in script)

    assert lines(jobs["plan by hand"]["script"]).startswith(lines(jobs[".plan"]))
    return {
        "shell": STRICT,
        "check": lines(jobs["check"]["script"]),
        "plan": lines(jobs["plan"]["script"]),
        "comment": None,
        "apply": lines(jobs["apply"]["script"]),
        "passes_8": jobs["apply"]["allow_failure"] == {"exit_codes": [8]},
        "planned": "plan",
        "variables": {
            "CI_API_V4_URL": "https://gitlab.example.com/api/v4",
            "CI_PROJECT_ID": "12",
            "CI_MERGE_REQUEST_IID": "7",
            "COMMENT_TOKEN": "t",
        },
        "called": ["curl", "https://gitlab.example.com/api/v4/projects/12/merge_requests/7/notes", "body@comment.md"],
    }


def azure():
    stages = yaml.safe_load((JOBS / "azure-devops.yml").read_text())["stages"]
    check, plan, _, apply = (stage["jobs"][0] for stage in stages)
    step = lambda steps, name: next(step["bash"] for step in steps if step.get("displayName") == name)
    return {
        "shell": PLAIN,
        "check": check["steps"][1]["bash"],
        "plan": step(plan["steps"], "plan"),
        "comment": step(plan["steps"], "comment") + step(plan["steps"], "gather"),
        "apply": step(apply["strategy"]["runOnce"]["deploy"]["steps"], "apply"),
        "planned": "planned/plan",
        "variables": {
            "STATES": "states",
            "PLANNED": "planned",
            "TOKEN": "t",
            "COLLECTION": "https://dev.azure.com/contoso/",
            "PROJECT": "p",
            "REPOSITORY": "r",
            "PULL_REQUEST": "7",
        },
        "called": ["curl", "https://dev.azure.com/contoso/p/_apis/git/repositories/r/pullRequests/7/threads", '"content": "# corp'],
    }


def jenkins():
    text = (JOBS / "Jenkinsfile").read_text()
    # A string of Groovy: a backslash at the end of a line takes the line break away.
    scripts = [script.replace("\\\n", "") for script in re.findall(r"'''(#!.*?)'''", text, re.DOTALL)]
    check, plan, comment, apply = scripts
    assert text.count("{") == text.count("}") and text.count("'''") == 8
    return {
        "shell": PLAIN,
        "check": check,
        "plan": plan,
        "comment": comment,
        "apply": apply,
        "passes_8": "code == 8" in text,
        "planned": "plan",
        "variables": {"STATES": "states", "BITBUCKET": "https://git.example.com/r", "CHANGE_ID": "7", "TOKEN": "t"},
        "called": ["curl", "https://git.example.com/r/pull-requests/7/comments", '"text": "# corp'],
    }


def play(platform):
    """A pull request, a run by hand, a night."""
    job = platform()
    shell, variables = job["shell"], {"PIPELINE": "pipelines/corporate.yaml", "ALLOW": "", **job["variables"]}

    def plan(folder, code=0):
        told, calls = folder.run(shell, job["plan"], code=code, **variables)
        if job["comment"]:
            _, calls = folder.run(shell, job["comment"], **variables)
        return told, calls

    folder = Folder()
    told, _ = folder.run(shell, job["check"], **variables)
    assert "no faults" in told or folder.has("faults.json"), told
    (folder.path / "states").mkdir()
    (folder.path / "states/corporate.db").write_text("")
    told, calls = plan(folder)
    assert "changes are pending" in told, told
    assert folder.has("plan") and folder.has("report/summary.md")
    if "STATES" in variables:
        assert folder.has("state/corporate.db"), "the copy of the state"
    assert all(part in calls for part in job["called"]) and "plan: planned" in calls, calls

    if job["planned"] != "plan":
        folder.take("plan", job["planned"])
    told, _ = folder.run(shell, job["apply"], **variables)
    assert "replaced (2)" in told and folder.has("report/summary.md"), told
    (folder.path / job["planned"]).unlink()
    told, _ = folder.run(shell, job["apply"], **variables)
    assert "nothing to do" in told, told
    if "STATES" not in variables:
        # Elsewhere the world lies beside the copy of the state, and knows nothing of the run.
        told, _ = plan(folder)
        assert "nothing to do" in told, told

    # A limit stops both, and is told; `ALLOW` passes it.
    folder = Folder("limits: { replacements: { count: 0 }, foreign: { count: 0 } }\n")
    _, calls = plan(folder, code=4)
    assert "--allow jira.replacements=2" in calls, calls
    folder.run(shell, job["apply"], code=4, **variables)
    told, _ = folder.run(shell, job["apply"], **{**variables, "ALLOW": "replacements=2 foreign=1"})
    assert "replaced (2)" in told, told

    # The time is over: no failure, or one that the platform lets pass.
    folder = Folder()
    code = 8 if job.get("passes_8") else 0
    folder.run(shell, job["apply"].replace("2h", "1ms"), code=code, **variables)

    # A file with a fault.
    folder = Folder("nonsense: 1\n")
    for step in ("check", "plan", "apply"):
        folder.run(shell, job[step], code=2, **variables)


def kubernetes():
    for document in yaml.safe_load_all((JOBS / "kubernetes-cronjob.yaml").read_text()):
        if document["kind"] == "CronJob":
            container = document["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    assert container["command"] == ["sh", "-c"]
    script = container["args"][0].replace("/etc/avatarpipe", "pipelines")
    told, _ = Folder().run(container["command"], script)
    assert "replaced (2)" in told, told
    Folder().run(container["command"], script.replace("2h", "1ms"))
    Folder("limits: { replacements: { count: 0 } }\n").run(container["command"], script, code=4)


def systemd():
    text = (JOBS / "systemd/avatarpipe.service").read_text()
    script = re.search("^ExecStart=/usr/bin/(.*)", text, re.MULTILINE)[1].replace("/etc/avatarpipe", "pipelines")
    told, _ = Folder().run(PLAIN, script)
    assert "replaced (2)" in told, told
    assert "SuccessExitStatus=8" in text


def pages():
    """Every `sh` block of the pages, in a folder where a run has been."""
    expected = {
        "az ad app create": ["--api-permissions\nrole-of-User.Read.All=Role", '"audiences": ["api://AzureADTokenExchange"]', ":avatarpipe-plan", "admin-consent"],
        "az ad app credential reset": ["@entra.crt"],
        "gcloud services enable": ["subject/repo:contoso/avatars:environment:avatarpipe-plan", "projects/123456789012/", "avatarpipe', 'repo:"],
        "avatar-writers": ['"password": "of the account"', "/rest/api/2/group/user?groupname=avatar-writers"],
        "cargo build": ["--no-default-features"],
        "admin/permissions/users": ["name=svc-avatars&permission=ADMIN"],
    }
    seen = set()
    for page in sorted(GUIDE.glob("*.md")):
        for script in re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
            folder = Folder()
            folder.run(STRICT, "avatarpipe run pipelines/corporate.yaml --report report")
            folder.run(STRICT, "mkdir -p states collector state/corporate.report && cp report/* state/corporate.report && touch states/corporate.db")
            script = script.replace("/var/lib/avatarpipe", "states").replace("/var/lib/node_exporter", "collector")
            _, calls = folder.run(["bash", "-euo", "pipefail", "-c"], script, stdin="of administrator\nof the account\n", app="3b6c1d52")
            for what in (what for what in expected if what in script):
                seen.add(what)
                assert all(part in calls for part in expected[what]), calls
    assert seen == set(expected), seen


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        for platform in (github, gitlab, azure, jenkins):
            print(f"the shell of {platform.__name__}", flush=True)
            play(platform)
        for rest in (kubernetes, systemd, pages):
            print(f"the shell of {rest.__name__}", flush=True)
            rest()
