//! Forges and registries: gh, twine, heroku and their like.

use crate::model::{EffectClass as C, Reversibility as R, Word};
use crate::systems::words::{Reader, Takes, Words};

const GH: Takes<'static> = Takes::One(&[
    "-R",
    "--repo",
    "-X",
    "--method",
    "-f",
    "--raw-field",
    "-F",
    "--field",
    "-H",
    "--header",
    "--input",
    "-b",
    "--body",
    "-t",
    "--title",
    "-e",
    "--env",
    "-o",
    "--org",
    "-q",
    "--jq",
    "--json",
    "-L",
    "--limit",
    "--template",
    "-s",
    "--state",
    "--label",
    "-l",
    "-B",
    "--base",
    "--visibility",
    "--hostname",
    "-a",
    "--assignee",
    "-w",
    "--workflow",
    "-n",
    "--name",
    "--notes",
    "-p",
    "--app",
    "--body-file",
    "--ref",
    "--cache",
    "--tag",
]);

/// Noun and verb, class, reversibility. Resources are `gh:<noun>:<operand>`.
const VERBS: &[(&str, &str, C, R)] = &[
    ("repo", "delete", C::Destroy, R::Compensating),
    ("repo", "archive", C::Mutate, R::Exact),
    ("repo", "unarchive", C::Mutate, R::Exact),
    ("repo", "rename", C::Mutate, R::Exact),
    ("repo", "edit", C::Mutate, R::Exact),
    ("repo", "create", C::Create, R::Compensating),
    ("repo", "fork", C::Create, R::Compensating),
    ("repo", "sync", C::Mutate, R::Exact),
    ("release", "delete", C::Destroy, R::Recreate),
    ("release", "delete-asset", C::Destroy, R::Recreate),
    ("release", "create", C::Publish, R::Compensating),
    ("release", "upload", C::Publish, R::Compensating),
    ("release", "edit", C::Mutate, R::Exact),
    ("secret", "set", C::Overwrite, R::Irreversible),
    ("secret", "delete", C::Destroy, R::Irreversible),
    ("secret", "remove", C::Destroy, R::Irreversible),
    ("variable", "set", C::Overwrite, R::Exact),
    ("variable", "delete", C::Destroy, R::Exact),
    ("issue", "close", C::Mutate, R::Exact),
    ("issue", "reopen", C::Mutate, R::Exact),
    ("issue", "delete", C::Destroy, R::Irreversible),
    ("issue", "edit", C::Mutate, R::Exact),
    ("issue", "lock", C::Mutate, R::Exact),
    ("issue", "transfer", C::Mutate, R::Compensating),
    ("issue", "create", C::Publish, R::Compensating),
    ("issue", "comment", C::Publish, R::Compensating),
    ("pr", "close", C::Mutate, R::Exact),
    ("pr", "reopen", C::Mutate, R::Exact),
    ("pr", "merge", C::Mutate, R::Compensating),
    ("pr", "edit", C::Mutate, R::Exact),
    ("pr", "ready", C::Mutate, R::Exact),
    ("pr", "review", C::Publish, R::Compensating),
    ("pr", "create", C::Publish, R::Compensating),
    ("pr", "comment", C::Publish, R::Compensating),
    ("run", "delete", C::Destroy, R::Irreversible),
    ("run", "cancel", C::Disrupt, R::Compensating),
    ("run", "rerun", C::Mutate, R::Compensating),
    ("workflow", "disable", C::Mutate, R::Exact),
    ("workflow", "enable", C::Mutate, R::Exact),
    ("workflow", "run", C::Mutate, R::Compensating),
    ("label", "delete", C::Destroy, R::Recreate),
    ("label", "create", C::Create, R::Exact),
    ("label", "edit", C::Mutate, R::Exact),
    ("gist", "delete", C::Destroy, R::Recreate),
    ("gist", "create", C::Publish, R::Compensating),
    ("gist", "edit", C::Mutate, R::Exact),
    ("cache", "delete", C::Destroy, R::Recreate),
    ("project", "delete", C::Destroy, R::Irreversible),
    ("ssh-key", "delete", C::Access, R::Recreate),
    ("ssh-key", "add", C::Access, R::Exact),
    ("gpg-key", "delete", C::Access, R::Recreate),
    ("codespace", "delete", C::Destroy, R::Irreversible),
    ("codespace", "stop", C::Disrupt, R::Exact),
    ("ruleset", "delete", C::Weaken, R::Recreate),
];

/// `gh`
pub fn gh(out: &mut Reader<'_>) {
    let mut words = Words::split(out.inv.args(), GH);
    let (noun, verb) = (words.operand(0).to_owned(), words.operand(1).to_owned());
    match noun.as_str() {
        "api" => return api(&words, out),
        "auth" if matches!(verb.as_str(), "status" | "token") => return,
        "auth" => return out.add(C::Access, "path:~/.config/gh/hosts.yml", R::Compensating),
        "" | "browse" | "status" | "search" | "completion" | "version" | "attestation" => return,
        "config" if matches!(verb.as_str(), "get" | "list") => return,
        "config" | "alias" | "extension" if matches!(verb.as_str(), "list" | "search") => return,
        "config" | "alias" => return out.add(C::Mutate, "path:~/.config/gh/config.yml", R::Exact),
        _ => {}
    }
    if matches!(
        verb.as_str(),
        "list"
            | "view"
            | "status"
            | "diff"
            | "checks"
            | "watch"
            | "ls"
            | "verify"
            | "check"
            | "field-list"
            | "item-list"
            | ""
    ) {
        return;
    }
    match (noun.as_str(), verb.as_str()) {
        ("pr", "checkout") => return out.add(C::Create, "dyn:a checkout", R::Exact),
        ("repo", "clone") => {
            let name = words.operand(2).trim_end_matches('/').trim_end_matches(".git");
            let name = name.rsplit(['/', ':']).next().unwrap_or_default();
            let dir = words.operands.get(3).map_or_else(|| name.to_owned(), |w| w.text.lossy().into_owned());
            return out.add(C::Create, format!("path:{dir}"), R::Exact);
        }
        (_, "download") => return out.add(C::Create, "dyn:files that are downloaded", R::Exact),
        _ => {}
    }
    let Some((_, _, class, back)) = VERBS.iter().find(|(n, v, ..)| *n == noun && *v == verb) else {
        return out.opaque(&format!("gh {noun} {verb}"));
    };
    let (mut class, back) = (*class, *back);
    if noun == "repo" && verb == "edit" && words.has(&["--visibility"]) {
        class = C::Access;
    }
    if noun == "repo" && verb == "sync" && words.has(&["--force"]) {
        class = C::Overwrite;
    }
    words.operands.drain(..2);
    let first: Vec<&Word> = words.operands.iter().take(1).copied().collect();
    if first.is_empty() {
        out.add(class, format!("dyn:gh {noun} {verb}"), back);
    } else {
        out.each(class, &format!("gh:{noun}:"), &first, back);
    }
    let deletes = noun == "pr" && words.has(&["-d", "--delete-branch"]);
    if deletes {
        out.add(C::Mutate, "git:origin head branch", R::Exact);
    }
}

/// `gh api`: a read unless a method or a field says otherwise.
fn api(words: &Words<'_>, out: &mut Reader<'_>) {
    let fields = words.has(&["-f", "-F", "--field", "--raw-field", "--input"]);
    let method = words.text(&["-X", "--method"]).map(|m| m.to_ascii_uppercase());
    let method = method.unwrap_or_else(|| if fields { "POST".to_owned() } else { "GET".to_owned() });
    if matches!(method.as_str(), "GET" | "HEAD") {
        return;
    }
    let path = words.operand(1).trim_start_matches('/').to_owned();
    let parts: Vec<&str> = path.split('/').collect();
    if path == "graphql" {
        let mutates = words
            .values(&["-f", "-F", "--field", "--raw-field"])
            .any(|f| f.text.lossy().contains("mutation"));
        if mutates || words.has(&["--input"]) {
            out.opaque("graphql mutation");
        }
        return;
    }
    let class = match method.as_str() {
        "DELETE" => C::Destroy,
        "PATCH" => C::Mutate,
        "PUT" => C::Overwrite,
        _ => C::Create,
    };
    match parts.as_slice() {
        ["repos", owner, repo, "branches", branch, "protection", ..] => {
            let class = if method == "DELETE" { C::Weaken } else { C::Access };
            out.add(class, format!("gh:branch-protection:{owner}/{repo}:{branch}"), R::Exact);
        }
        ["repos", owner, repo, "git", "refs", rest @ ..] if !rest.is_empty() => {
            let class = if method == "PATCH" { C::Overwrite } else { class };
            out.add(class, format!("git:{owner}/{repo}/refs/{}", rest.join("/")), R::Exact);
        }
        ["repos", owner, repo] => out.add(class, format!("gh:repo:{owner}/{repo}"), R::Compensating),
        ["repos", owner, repo, noun, name, ..] => out.add(
            class,
            format!("gh:{}:{owner}/{repo}:{name}", noun.trim_end_matches('s')),
            R::Compensating,
        ),
        _ => out.add(class, format!("gh:api:{path}"), R::Compensating),
    }
}

/// Publishing tools and platforms.
pub fn registry(program: &str, out: &mut Reader<'_>) {
    let words = Words::split(
        out.inv.args(),
        Takes::One(&[
            "-a",
            "--app",
            "--confirm",
            "-r",
            "--repository",
            "--remote",
            "-u",
            "-p",
            "--repository-url",
            "-s",
        ]),
    );
    let verb = words.operand(0).to_owned();
    let app = words.text(&["-a", "--app", "--confirm"]).unwrap_or_else(|| "app".to_owned());
    match program {
        "twine" => {
            if verb == "upload" {
                out.add(C::Publish, "dyn:files to upload", R::Compensating);
            }
        }
        "heroku" => {
            let name = words.operand(1).to_owned();
            match verb.as_str() {
                "pg:reset" => out.add(
                    C::Destroy,
                    format!("heroku:{app}:{}", if name.is_empty() { "DATABASE" } else { &name }),
                    R::Recreate,
                ),
                "apps:destroy" | "apps:delete" => {
                    out.add(C::Destroy, format!("heroku:{app}"), R::Irreversible)
                }
                "addons:destroy" => out.add(C::Destroy, format!("heroku:{app}:{name}"), R::Recreate),
                "config:set" | "config:unset" => out.add(C::Mutate, format!("heroku:{app}:config"), R::Exact),
                "ps:scale" | "ps:stop" | "restart" | "maintenance:on" | "ps:restart" => {
                    out.add(C::Disrupt, format!("heroku:{app}"), R::Exact)
                }
                "rollback" | "releases:rollback" => out.add(C::Overwrite, format!("heroku:{app}"), R::Exact),
                "logs" | "ps" | "config" | "apps" | "addons" | "releases" | "pg:info" | "status" | "info"
                | "apps:info" | "config:get" | "pg:backups" | "auth:whoami" | "" => {}
                other => out.opaque(&format!("heroku {other}")),
            }
        }
        // Without a verb vercel deploys the directory.
        "vercel" if verb.is_empty() => out.add(C::Publish, "dyn:vercel deploy", R::Compensating),
        _ => match deed(&words) {
            "destroy" | "rm" | "remove" | "delete" | "apps:destroy" => out.add(
                C::Destroy,
                format!("{program}:{}", words.operands.last().map(|w| w.text.lossy()).unwrap_or_default()),
                R::Irreversible,
            ),
            "deploy" | "publish" | "--prod" => {
                out.add(C::Publish, format!("dyn:{program} deploy"), R::Compensating)
            }
            "status" | "logs" | "list" | "ls" | "info" | "whoami" | "inspect" | "" => {}
            other => out.opaque(&format!("{program} {other}")),
        },
    }
}

/// The word that says what is done: `fly apps destroy x` names the kind of thing first.
fn deed<'w>(words: &'w Words<'_>) -> &'w str {
    match words.operand(0) {
        "apps" | "app" | "sites" | "volumes" | "volume" | "machine" | "machines" | "postgres"
        | "projects" | "project" | "domains" | "env" | "secrets" | "certs" | "ips" => words.operand(1),
        verb => verb,
    }
}
