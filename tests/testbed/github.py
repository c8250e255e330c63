"""A double of the part of GitHub's API that the tests drive with the real gh: REST and what gh asks of GraphQL, over a Unix
socket. Repositories are real bare git repositories. Written from docs.github.com/rest; answers have its fields and its
refusals (404, 409, 422), new things have new ids, secrets have no value."""

import base64
import http.server
import io
import json
import os
import re
import shutil
import socketserver
import subprocess
import sys
import threading
import zipfile
from urllib.parse import parse_qs, quote, unquote, urlsplit

TOP = sys.argv[1]
LOCK = threading.RLock()
STATE = {"next": 1000}
REPOS, GISTS, KEYS, BLOBS = {}, {}, {}, {}
SETTINGS = dict(description=None, homepage=None, private=True, visibility="private", archived=False, default_branch="main",
                has_issues=True, has_projects=True, has_wiki=True, has_discussions=False, is_template=False,
                allow_squash_merge=True, allow_merge_commit=True, allow_rebase_merge=True, allow_auto_merge=False,
                delete_branch_on_merge=False, allow_update_branch=False, allow_forking=True,
                web_commit_signoff_required=False, topics=[])


class Refused(Exception):
    def __init__(self, status, message="Not Found"):
        super().__init__(message)
        self.status, self.message = status, message


def new_id():
    STATE["next"] += 1
    return STATE["next"]


def now():
    return f"2026-01-01T00:00:00.{new_id():06d}Z"


def git(repo, *words, stdin=None, check=True):
    done = subprocess.run(["git", "-C", repo["dir"], *words], input=stdin, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise Refused(422, done.stderr.strip())
    return done.stdout.strip() if done.returncode == 0 else None


def make_repo(full, **settings):
    owner, name = full.split("/")
    where = os.path.join(TOP, "git", owner, name + ".git")
    os.makedirs(where)
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", where], check=True)
    REPOS[full.lower()] = repo = dict(SETTINGS, id=new_id(), dir=where, name=name, owner=owner, labels={}, variables={},
                                      secrets={}, releases={}, issues={}, workflows={}, runs={}, keys={}, hooks={},
                                      autolinks={}, rulesets={}, protection={}, envs={})
    repo.update(settings)
    return repo


def find_repo(full):
    if full.lower() not in REPOS:
        raise Refused(404)
    return REPOS[full.lower()]


def show_repo(repo):
    full = f"{repo['owner']}/{repo['name']}"
    out = {key: repo[key] for key in SETTINGS}
    out.update(id=repo["id"], node_id=f"R_{repo['id']}", name=repo["name"], full_name=full, size=12,
               owner={"login": repo["owner"], "type": "User"}, clone_url=f"file://{repo['dir']}",
               url=f"https://api.github.com/repos/{full}", html_url=f"https://github.com/{full}",
               permissions={"admin": True, "push": True, "pull": True})
    return out


def show_release(repo, release):
    full = f"{repo['owner']}/{repo['name']}"
    url = f"https://api.github.com/repos/{full}/releases/{release['id']}"
    assets = [dict({k: v for k, v in a.items() if k != "bytes"}, url=f"https://api.github.com/repos/{full}/releases/assets/{a['id']}",
                   browser_download_url=f"https://github.com/{full}/releases/download/{release['tag_name']}/{a['name']}",
                   state="uploaded") for a in release["assets"].values()]
    return dict(release, url=url, assets=assets, html_url=f"https://github.com/{full}/releases/tag/{release['tag_name']}",
                upload_url=f"https://uploads.github.com/repos/{full}/releases/{release['id']}/assets{{?name,label}}")


def show_issue(repo, issue):
    full = f"{repo['owner']}/{repo['name']}"
    out = dict(issue, repository_url=f"https://api.github.com/repos/{full}", html_url=f"https://github.com/{full}/issues/{issue['number']}")
    out["labels"] = [repo["labels"][name] for name in issue["labels"] if name in repo["labels"]]
    out.pop("comments_", None)
    out["comments"] = len(issue.get("comments_", []))
    return out


def show_pull(repo, pull):
    full = f"{repo['owner']}/{repo['name']}"
    side = lambda ref: {"ref": ref, "repo": {"full_name": full}, "sha": git(repo, "rev-parse", "refs/heads/" + ref, check=False)}
    return dict(pull, head=side(pull["head"]), base=side(pull["base"]), html_url=f"https://github.com/{full}/pull/{pull['number']}")


def rest(method, path, query, body, raw, headers):
    parts = [unquote(p) for p in path.strip("/").split("/")]
    if parts == [""]:
        return 200, {}
    if parts == ["user"]:
        # A login of its own for each token: `token tok-NAME-…`; all others are of `me`.
        named = re.search(r"tok-of-([a-z]+)", headers.get("authorization", ""))
        return 200, {"login": named.group(1) if named else "me", "id": 1}
    if parts == ["user", "repos"] and method == "POST":
        return 201, show_repo(make_repo("me/" + body["name"], **{k: v for k, v in body.items() if k in SETTINGS}))
    if parts[0] == "orgs" and parts[2:] == ["repos"] and method == "POST":
        return 201, show_repo(make_repo(parts[1] + "/" + body["name"], **{k: v for k, v in body.items() if k in SETTINGS}))
    if parts[0] == "gists":
        return gists(method, parts[1:], body)
    if parts[:2] == ["user", "keys"]:
        return plain(KEYS, method, parts[2:], body, ["title", "key"], unique="key")
    if parts[0] == "repositories":
        repo = next(r for r in REPOS.values() if str(r["id"]) == parts[1])
        return of_repo(method, repo, parts[2:], query, body, raw, headers)
    if parts[0] == "repos" and len(parts) >= 3:
        return of_repo(method, find_repo("/".join(parts[1:3])), parts[3:], query, body, raw, headers)
    raise Refused(404)


def plain(all_, method, rest_, body, fields, unique=None, patch=False):
    """A list of things with ids of their own."""
    if not rest_:
        if method == "GET":
            return 200, list(all_.values())
        if unique and any(one[unique] == body[unique] for one in all_.values()):
            raise Refused(422, f"{unique} is already in use")
        one = {"id": new_id(), **{k: body.get(k) for k in fields}}
        all_[str(one["id"])] = one
        return 201, one
    if rest_[0] not in all_:
        raise Refused(404)
    if method == "DELETE":
        del all_[rest_[0]]
        return 204, None
    if method in ("PATCH", "PUT") and patch:
        all_[rest_[0]].update({k: v for k, v in body.items() if k in fields})
    return 200, all_[rest_[0]]


def hooks(all_, method, rest_, body):
    """Nobody is shown a hook's secret. A configuration that is written as a whole and names none takes it away; part by part
    (`/config`) it stays (docs.github.com/rest/repos/webhooks)."""
    masked = lambda config: {k: "********" if k == "secret" else v for k, v in (config or {}).items()}
    if len(rest_) == 2 and rest_[1] == "config":
        if rest_[0] not in all_:
            raise Refused(404)
        config = all_[rest_[0]]["config"]
        if method == "PATCH":
            config.update(body)
        return 200, masked(config)
    code, answer = plain(all_, method, rest_, body, ["name", "active", "events", "config"], None, True)
    shown = lambda hook: dict(hook, config=masked(hook["config"]))
    if isinstance(answer, list):
        return code, [shown(hook) for hook in answer]
    return code, shown(answer) if answer else answer


def gists(method, rest_, body):
    def show(gist):
        files = {n: {"filename": n, "content": c, "truncated": False, "size": len(c)} for n, c in gist["files"].items()}
        return dict(gist, files=files, owner={"login": "me"}, html_url=f"https://gist.github.com/me/{gist['id']}")
    if not rest_:
        if method == "GET":
            return 200, [show(g) for g in GISTS.values()]
        gist = {"id": f"{new_id():032x}", "description": body.get("description"), "public": bool(body.get("public"))}
        gist["files"] = {n: f["content"] for n, f in body["files"].items()}
        GISTS[gist["id"]] = gist
        return 201, show(gist)
    gist = GISTS.get(rest_[0])
    if gist is None:
        raise Refused(404)
    if method == "DELETE":
        del GISTS[rest_[0]]
        return 204, None
    if method == "PATCH":
        gist["description"] = body.get("description", gist["description"])
        for name, file in (body.get("files") or {}).items():
            if file is None:
                gist["files"].pop(name, None)
            else:
                gist["files"].pop(name, None) if file.get("filename") else None
                gist["files"][file.get("filename") or name] = file["content"]
    return 200, show(gist)


def of_repo(method, repo, parts, query, body, raw, headers):
    full = f"{repo['owner']}/{repo['name']}"
    if not parts:
        if method == "DELETE":
            del REPOS[full.lower()]
            shutil.rmtree(repo["dir"])
            return 204, None
        if method == "PATCH":
            if repo["archived"] and "archived" not in body:
                raise Refused(403, "Repository was archived so is read-only.")
            if body.get("name", repo["name"]) != repo["name"]:
                del REPOS[full.lower()]
                repo["name"] = body["name"]
                REPOS[f"{repo['owner']}/{repo['name']}".lower()] = repo
            repo.update({k: v for k, v in body.items() if k in SETTINGS})
            if "visibility" in body:
                repo["private"] = body["visibility"] != "public"
        return 200, show_repo(repo)
    if repo["archived"] and method not in ("GET", "HEAD"):
        raise Refused(403, "Repository was archived so is read-only.")
    noun, rest_ = parts[0], parts[1:]
    if noun == "topics":
        if method == "PUT":
            repo["topics"] = sorted(body["names"])
        return 200, {"names": repo["topics"]}
    if noun == "labels":
        return labels(method, repo, rest_, body)
    if noun == "git":
        return refs(method, repo, rest_, body)
    if noun == "issues":
        return issues(method, repo, rest_, query, body)
    if noun == "pulls":
        return pulls(method, repo, rest_, body)
    if noun == "releases":
        return releases(method, repo, rest_, query, body, raw, headers)
    if noun == "branches" and rest_[1] == "protection":
        return protection(method, repo, rest_[0], rest_[2:], body)
    if noun == "rules" and rest_[0] == "branches":
        return 200, rules_of(repo, rest_[1])
    if noun == "environments":
        env = repo["envs"].setdefault(rest_[0], {"variables": {}, "secrets": {}})
        return settings(method, env, rest_[1:], body)
    if noun == "actions" and rest_[0] in ("variables", "secrets"):
        return settings(method, repo, rest_, body)
    if noun == "actions" and rest_[0] == "workflows":
        if len(rest_) == 1:
            return 200, {"total_count": len(repo["workflows"]), "workflows": list(repo["workflows"].values())}
        for flow in repo["workflows"].values():
            if rest_[1] in (str(flow["id"]), flow["path"].rsplit("/", 1)[1]):
                if method == "PUT":
                    flow["state"] = "active" if rest_[2] == "enable" else "disabled_manually"
                    return 204, None
                return 200, flow
        raise Refused(404)
    if noun == "actions" and rest_[0] == "runs":
        run = repo["runs"].get(rest_[1]) if len(rest_) > 1 else None
        if run is None:
            raise Refused(404)
        if rest_[2:] == ["logs"]:
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w") as archive:
                archive.writestr("0_build.txt", "built\n")
            return 200, out.getvalue()
        if rest_[2:] in (["cancel"], ["rerun"]):
            run["status"] = "completed" if rest_[2] == "cancel" else "queued"
            return 202, {}
        if method == "DELETE":
            del repo["runs"][rest_[1]]
            return 204, None
        return 200, run
    tables = {"keys": (["title", "key", "read_only"], "key", False), "autolinks": (["key_prefix", "url_template", "is_alphanumeric"], None, False),
              "hooks": (["name", "active", "events", "config"], None, True),
              "rulesets": (["name", "target", "enforcement", "bypass_actors", "conditions", "rules"], None, True)}
    if noun == "hooks":
        return hooks(repo["hooks"], method, rest_, body)
    if noun in tables:
        fields, unique, patch = tables[noun]
        return plain(repo[noun], method, rest_, body, fields, unique, patch)
    raise Refused(404)


def labels(method, repo, rest_, body):
    all_ = repo["labels"]
    if not rest_:
        if method == "GET":
            return 200, list(all_.values())
        if body["name"] in all_:
            raise Refused(422, "Validation Failed: already_exists")
        all_[body["name"]] = one = {"id": new_id(), "name": body["name"], "color": body.get("color", "ededed"), "description": body.get("description")}
        return 201, one
    if rest_[0] not in all_:
        raise Refused(404)
    if method == "DELETE":
        del all_[rest_[0]]
        for issue in repo["issues"].values():
            issue["labels"] = [name for name in issue["labels"] if name != rest_[0]]
        return 204, None
    one = all_[rest_[0]]
    if method == "PATCH":
        new = body.get("new_name", one["name"])
        for issue in repo["issues"].values():
            issue["labels"] = [new if name == one["name"] else name for name in issue["labels"]]
        del all_[one["name"]]
        one.update({k: v for k, v in body.items() if k in ("color", "description")}, name=new)
        all_[new] = one
    return 200, one


def refs(method, repo, rest_, body):
    show = lambda ref: {"ref": ref, "object": {"sha": git(repo, "rev-parse", ref), "type": "commit"}}
    if rest_ == ["refs"] and method == "POST":
        if git(repo, "rev-parse", "-q", "--verify", body["ref"], check=False):
            raise Refused(422, "Reference already exists")
        git(repo, "update-ref", body["ref"], body["sha"])
        return 201, show(body["ref"])
    ref = "refs/" + "/".join(rest_[1:])
    if not git(repo, "rev-parse", "-q", "--verify", ref, check=False):
        raise Refused(404 if method == "GET" else 422, "Not Found" if method == "GET" else "Reference does not exist")
    if method == "DELETE":
        git(repo, "update-ref", "-d", ref)
        return 204, None
    if method == "PATCH":
        if not body.get("force") and git(repo, "merge-base", "--is-ancestor", ref, body["sha"], check=False) is None:
            raise Refused(422, "Update is not a fast forward")
        git(repo, "update-ref", ref, body["sha"])
    return 200, show(ref)


def issues(method, repo, rest_, query, body):
    if not rest_:
        if method == "POST":
            number = 1 + max([i["number"] for i in repo["issues"].values()] or [0])
            repo["issues"][str(number)] = one = {"id": new_id(), "number": number, "title": body["title"], "body": body.get("body"),
                                                 "state": "open", "state_reason": None, "labels": body.get("labels", []),
                                                 "assignees": [], "milestone": None, "locked": False, "comments_": []}
            return 201, show_issue(repo, one)
        wanted = query.get("labels", [None])[0]
        return 200, [show_issue(repo, i) for i in repo["issues"].values() if wanted is None or wanted in i["labels"]]
    issue = repo["issues"].get(rest_[0])
    if issue is None:
        raise Refused(410 if rest_[0] in repo.get("deleted", []) else 404)
    if rest_[1:] == ["labels"]:
        issue["labels"] = sorted(set(issue["labels"]) | set(body["labels"]))
    elif rest_[1:] == ["lock"]:
        issue["locked"] = method == "PUT"
        return 204, None
    elif rest_[1:] == ["comments"]:
        if method == "POST":
            issue["comments_"].append({"id": new_id(), "body": body["body"]})
        return 200, issue["comments_"]
    elif method == "PATCH":
        issue.update({k: v for k, v in body.items() if k in ("title", "body", "state", "state_reason", "labels")})
    return 200, show_issue(repo, issue)


def pulls(method, repo, rest_, body):
    table = repo.setdefault("pulls", {})
    if not rest_ and method == "POST":
        number = 100 + len(table) + 1
        table[str(number)] = {"id": new_id(), "number": number, "title": body["title"], "body": body.get("body"), "state": "open",
                              "draft": bool(body.get("draft")), "merged": False, "head": body["head"], "base": body["base"]}
        return 201, show_pull(repo, table[str(number)])
    pull = table.get(rest_[0])
    if pull is None:
        raise Refused(404)
    if rest_[1:] == ["merge"]:
        merge(repo, pull)
        return 200, {"merged": True}
    if method == "PATCH":
        if body.get("state") == "open" and not git(repo, "rev-parse", "-q", "--verify", "refs/heads/" + pull["head"], check=False):
            raise Refused(422, "The branch was deleted")
        pull.update({k: v for k, v in body.items() if k in ("title", "body", "state", "base")})
    return 200, show_pull(repo, pull)


def merge(repo, pull):
    git(repo, "update-ref", "refs/heads/" + pull["base"], "refs/heads/" + pull["head"])
    pull.update(state="closed", merged=True)


def releases(method, repo, rest_, query, body, raw, headers):
    all_ = repo["releases"]
    fields = ("tag_name", "target_commitish", "name", "body", "draft", "prerelease")
    if not rest_:
        if method == "GET":
            return 200, [show_release(repo, r) for r in all_.values()]
        if any(r["tag_name"] == body["tag_name"] for r in all_.values()):
            raise Refused(422, "Validation Failed: already_exists")
        release = {"id": new_id(), "target_commitish": "main", "name": None, "body": None, "draft": False, "prerelease": False, "assets": {}}
        release.update({k: v for k, v in body.items() if k in fields})
        all_[str(release["id"])] = release
        tag = "refs/tags/" + release["tag_name"]
        if not release["draft"] and not git(repo, "rev-parse", "-q", "--verify", tag, check=False):
            git(repo, "update-ref", tag, "refs/heads/main")
        return 201, show_release(repo, release)
    if rest_[0] == "tags":
        found = [r for r in all_.values() if r["tag_name"] == rest_[1] and not r["draft"]]
        if not found:
            raise Refused(404)
        return 200, show_release(repo, found[0])
    if rest_[0] == "assets":
        for release in all_.values():
            asset = release["assets"].get(rest_[1])
            if asset and method == "DELETE":
                del release["assets"][rest_[1]]
                return 204, None
            if asset:
                stream = "octet-stream" in headers.get("accept", "")
                return 200, asset["bytes"] if stream else {k: v for k, v in asset.items() if k != "bytes"}
        raise Refused(404)
    release = all_.get(rest_[0])
    if release is None:
        raise Refused(404)
    if rest_[1:] == ["assets"] and method == "POST":
        import hashlib
        name = query["name"][0]
        if any(a["name"] == name for a in release["assets"].values()):
            raise Refused(422, "Validation Failed: already_exists")
        asset = {"id": new_id(), "name": name, "label": query.get("label", [""])[0], "content_type": headers.get("content-type"),
                 "size": len(raw), "digest": "sha256:" + hashlib.sha256(raw).hexdigest(), "bytes": raw}
        release["assets"][str(asset["id"])] = asset
        return 201, {k: v for k, v in asset.items() if k != "bytes"}
    if method == "DELETE":
        del all_[rest_[0]]
        return 204, None
    if method == "PATCH":
        release.update({k: v for k, v in body.items() if k in fields})
    return 200, show_release(repo, release)


def protection(method, repo, branch, rest_, body):
    if rest_ == ["required_signatures"]:
        if branch not in repo["protection"]:
            raise Refused(404)
        repo["protection"][branch]["required_signatures"] = {"enabled": method == "POST"}
        return (204, None) if method == "DELETE" else (200, {"enabled": True})
    if method == "PUT":
        on = {k: {"enabled": bool(body.get(k))} for k in ("enforce_admins", "required_linear_history", "allow_force_pushes", "allow_deletions",
              "block_creations", "required_conversation_resolution", "lock_branch", "allow_fork_syncing")}
        checks, reviews, limits = body["required_status_checks"], body["required_pull_request_reviews"], body["restrictions"]
        if checks is not None:
            names = [c["context"] for c in checks.get("checks") or []] or checks.get("contexts", [])
            on["required_status_checks"] = {"strict": checks["strict"], "contexts": names, "checks": [{"context": n, "app_id": None} for n in names]}
        if reviews is not None:
            on["required_pull_request_reviews"] = dict({"require_code_owner_reviews": False, "require_last_push_approval": False}, **reviews)
        if limits is not None:
            on["restrictions"] = {"users": [{"login": u} for u in limits["users"]], "teams": [{"slug": t} for t in limits["teams"]], "apps": []}
        on["required_signatures"] = {"enabled": False}
        repo["protection"][branch] = on
    if branch not in repo["protection"]:
        raise Refused(404, "Branch not protected")
    if method == "DELETE":
        del repo["protection"][branch]
        return 204, None
    return 200, repo["protection"][branch]


def rules_of(repo, branch):
    """The rules of the active rulesets that cover a branch."""
    names = {"~ALL", "refs/heads/" + branch} | ({"~DEFAULT_BRANCH"} if branch == repo["default_branch"] else set())
    covers = lambda r: names & set(((r.get("conditions") or {}).get("ref_name") or {}).get("include", []))
    active = [r for r in repo["rulesets"].values() if r.get("enforcement") == "active" and r.get("target", "branch") == "branch"]
    return [rule for r in active if covers(r) for rule in r.get("rules") or []]


def settings(method, of, rest_, body):
    kind, all_ = rest_[0], of[rest_[0]]
    if rest_[1:] == ["public-key"]:
        return 200, {"key_id": "1", "key": base64.b64encode(bytes(range(32))).decode()}
    if len(rest_) == 1:
        if method == "POST":
            if body["name"] in all_:
                raise Refused(409, "Already exists - Variable already exists")
            all_[body["name"]] = {"name": body["name"], "value": body["value"], "updated_at": now()}
            return 201, {}
        return 200, {"total_count": len(all_), kind: list(all_.values())}
    if method == "PUT":
        all_[rest_[1]] = {"name": rest_[1], "updated_at": now()}
        return 201, {}
    if rest_[1] not in all_:
        raise Refused(404)
    if method == "DELETE":
        del all_[rest_[1]]
        return 204, None
    if method == "PATCH":
        all_[rest_[1]].update(value=body.get("value", all_[rest_[1]].get("value")), updated_at=now())
        return 204, None
    return 200, all_[rest_[1]]


def graphql(body):
    query, given = body["query"], body.get("variables") or {}
    data = answer(query, given, given.get("input") or given)
    tokens = re.findall(r"\.\.\.|[{}():,]|[$\w]+|\"[^\"]*\"|[\[\]!=]", query)
    return 200, {"data": select(tokens[tokens.index("{"):], data) if "__type(" not in query else data}


def select(tokens, value):
    """What a selection asks of a value, under its aliases; gh refuses an answer with more in it."""
    def fields(at, value):
        out = {}
        at += 1
        while tokens[at] != "}":
            if tokens[at] == ",":
                at += 1
                continue
            if tokens[at] == "...":
                inner, at = fields(at + 3, value)
                out.update({k: v for k, v in inner.items() if v is not None or k not in out})
                continue
            alias = name = tokens[at]
            at += 1
            if tokens[at] == ":":
                name, at = tokens[at + 1], at + 2
            if tokens[at] == "(":
                while tokens[at] != ")":
                    at += 1
                at += 1
            inner = value.get(name) if isinstance(value, dict) else None
            if tokens[at] == "{":
                if isinstance(inner, list):
                    end = fields(at, None)[1]
                    inner, at = [fields(at, one)[0] for one in inner], end
                else:
                    picked, at = fields(at, inner)
                    inner = picked if inner is not None else None
            out[alias] = inner
        return out, at + 1
    return fields(0, value)[0]


def by_node(node):
    kind, full, number = node.split(":")
    repo = find_repo(full) if kind != "R" else None
    return repo, (repo["issues"] if kind == "I" else repo.setdefault("pulls", {})).get(number)


def repo_by_node(node):
    return next(r for r in REPOS.values() if f"R_{r['id']}" == node)


def answer(query, given, fields):
    if "__type(" in query or "__schema" in query:
        names = re.findall(r"(\w+):\s*__type", query)
        return {name: {"fields": [{"name": "stateReason"}]} for name in names}
    mutation = re.search(r"\b(archiveRepository|unarchiveRepository|closeIssue|reopenIssue|deleteIssue|transferIssue|closePullRequest|"
                         r"reopenPullRequest|mergePullRequest|markPullRequestReadyForReview|convertPullRequestToDraft|lockLockable|"
                         r"unlockLockable)\b", query)
    if mutation and "mutation" in query:
        verb = mutation.group(1)
        if verb.endswith("archiveRepository"):
            repo_by_node(fields["repositoryId"])["archived"] = verb == "archiveRepository"
            return {verb: {"repository": {"id": "x"}}}
        node = next(v for k, v in fields.items() if k in ("issueId", "pullRequestId", "lockableId"))
        repo, one = by_node(node)
        if verb in ("closeIssue", "closePullRequest"):
            one["state"] = "closed"
            if verb == "closeIssue":
                one["state_reason"] = (fields.get("stateReason") or "COMPLETED").lower()
        elif verb in ("reopenIssue", "reopenPullRequest"):
            one["state"] = "open"
        elif verb == "deleteIssue":
            repo.setdefault("deleted", []).append(str(one["number"]))
            del repo["issues"][str(one["number"])]
        elif verb == "mergePullRequest":
            merge(repo, one)
        elif verb in ("markPullRequestReadyForReview", "convertPullRequestToDraft"):
            one["draft"] = verb == "convertPullRequestToDraft"
        elif verb in ("lockLockable", "unlockLockable"):
            one["locked"] = verb == "lockLockable"
        return {verb: {"issue": {"id": node, "number": 1}, "pullRequest": {"id": node}, "repository": {"id": "x"}, "lockedRecord": {"locked": True}, "unlockedRecord": {"locked": False}, "clientMutationId": "1"}}
    if "MapRepositoryNames" in query:
        asked = re.findall(r'(\w+): repository\(owner: "([^"]*)", name: "([^"]*)"', query)
        # The selection below is by name, and all of them are called `repository`.
        return {"repository": {"databaseId": find_repo("/".join(asked[0][1:]))["id"]}}
    owner, name = given.get("owner"), given.get("name") or given.get("repo")
    if owner is None:
        return {"viewer": {"login": "me"}}
    full = f"{owner}/{name}"
    repo = find_repo(full)
    shown = {"id": f"R_{repo['id']}", "databaseId": repo["id"], "name": repo["name"], "owner": {"login": repo["owner"], "id": "o"}, "isArchived": repo["archived"],
             "hasIssuesEnabled": True, "nameWithOwner": full, "viewerPermission": "ADMIN", "defaultBranchRef": {"name": "main"},
             "mergeCommitAllowed": True, "squashMergeAllowed": True, "rebaseMergeAllowed": True, "isPrivate": repo["private"], "visibility": "PRIVATE" if repo["private"] else "PUBLIC", "parent": None}
    number = str(given.get("number") or given.get("pr_number") or given.get("issue_number") or "")
    if "tagName" in given:
        found = [r for r in repo["releases"].values() if r["tag_name"] == given["tagName"]]
        shown["release"] = {"databaseId": found[0]["id"], "isDraft": found[0]["draft"]} if found else None
    if number in repo["issues"]:
        issue = repo["issues"][number]
        shown["issue"] = shown["issueOrPullRequest"] = {
            "__typename": "Issue", "id": f"I:{full}:{number}", "number": issue["number"], "title": issue["title"], "state": issue["state"].upper(),
            "url": f"https://github.com/{full}/issues/{number}", "locked": issue["locked"], "activeLockReason": ""}
    elif number in repo.get("pulls", {}):
        pull = repo["pulls"][number]
        state = "MERGED" if pull["merged"] else pull["state"].upper()
        shown["pullRequest"] = shown["issueOrPullRequest"] = {
            "__typename": "PullRequest", "id": f"P:{full}:{number}", "number": pull["number"], "title": pull["title"], "state": state,
            "url": f"https://github.com/{full}/pull/{number}", "isDraft": pull["draft"], "headRefName": pull["head"], "baseRefName": pull["base"],
            "isCrossRepository": False, "headRepositoryOwner": {"id": "o", "login": owner}, "headRepository": {"id": "r", "name": name},
            "mergeStateStatus": "CLEAN", "headRefOid": git(repo, "rev-parse", "refs/heads/" + pull["head"], check=False) or "",
            "isInMergeQueue": False, "isMergeQueueEnabled": False, "commits": {"nodes": [], "totalCount": 1}, "locked": False}
    elif number:
        raise Refused(200, f"Could not resolve to an issue or pull request with the number of {number}.")
    return {"repository": shown}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def act(self):
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        if "chunked" in self.headers.get("transfer-encoding", ""):
            raw = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                raw += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        url = urlsplit(self.path)
        query = parse_qs(url.query, keep_blank_values=True)
        body = {}
        if raw[:1] in b"{[" and "octet" not in self.headers.get("content-type", ""):
            try:
                body = json.loads(raw)
            except ValueError:
                pass
        try:
            with LOCK:
                if "tok" not in self.headers.get("authorization", ""):
                    raise Refused(401, "Bad credentials")
                status, out = graphql(body) if url.path == "/graphql" else rest(
                    self.command, url.path, query, body, raw, {k.lower(): v for k, v in self.headers.items()})
        except Refused as refused:
            status, out = refused.status, {"message": refused.message, "errors": [{"message": refused.message}]}
        except Exception as cause:  # what it does not know is a bug of the double: said aloud
            import traceback
            traceback.print_exc()
            status, out = 500, {"message": f"the double: {cause!r}"}
        print(self.command, self.path, raw[:200] if url.path != "/graphql" else raw[:600], status, file=sys.stderr, flush=True)
        page = int(query.get("page", ["1"])[0])
        if isinstance(out, list) and page > 1:
            out = []
        data = out if isinstance(out, bytes) else b"" if out is None else json.dumps(out).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream" if isinstance(out, bytes) else "application/json; charset=utf-8")
        self.send_header("X-OAuth-Scopes", "repo, gist, admin:public_key, delete_repo")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = act

    def address_string(self):
        return "socket"

    def log_message(self, *_):
        pass


def fresh(full):
    """What each test begins with: a repository with two branches, a tag and some of everything."""
    repo = make_repo(full, description="An app", topics=["cli"], delete_branch_on_merge=True)
    tree = git(repo, "mktree", stdin="")
    first = git(repo, "-c", "user.name=t", "-c", "user.email=t@t", "commit-tree", "-m", "first", tree)
    second = git(repo, "-c", "user.name=t", "-c", "user.email=t@t", "commit-tree", "-m", "second", "-p", first, tree)
    git(repo, "update-ref", "refs/heads/main", first)
    git(repo, "update-ref", "refs/heads/feature", second)
    git(repo, "update-ref", "refs/tags/v1.0", first)
    repo["workflows"]["ci"] = {"id": new_id(), "name": "CI", "path": ".github/workflows/ci.yml", "state": "active"}
    repo["runs"]["77"] = {"id": 77, "status": "completed", "conclusion": "success", "head_sha": first, "workflow_id": repo["workflows"]["ci"]["id"],
                          "name": "CI", "event": "push", "head_branch": "main", "created_at": "2026-01-01T00:00:00Z"}
    return repo


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


def rest_of_tests(method, path, *rest_):
    if path.startswith("/testbed/fresh/"):
        return 201, show_repo(fresh(path[len("/testbed/fresh/"):]))
    if path.startswith("/testbed/hooks/"):
        # With their secrets.
        return 200, list(find_repo(path[len("/testbed/hooks/"):])["hooks"].values())
    return REST(method, path, *rest_)


REST, rest = rest, rest_of_tests
Server(os.path.join(TOP, "api.sock"), Handler).serve_forever()
