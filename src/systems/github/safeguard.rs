//! Whether GitHub refuses a rewritten history of a default branch (branch protection, rulesets), and whose login agents use.

use serde_json::Value;

use super::cli::Gh;
use super::query::{Access, VARIABLES};
use crate::error::Result;
use crate::model::{Bytes, Locator};
use crate::systems::{GitRemote, RemotePlace, Safeguard, SafeguardCx, Safety};

/// How many repositories are asked about.
const MOST: usize = 12;

/// Asks about every remote on GitHub, and who the agents' gh is.
pub fn safeguards(cx: &SafeguardCx<'_>) -> Vec<Safeguard> {
    let mut found = Vec::new();
    let mut asked: Vec<(String, String)> = Vec::new();
    for remote in cx.remotes {
        let RemotePlace::Host(host, slug) = remote.place() else { continue };
        if !crate::systems::is_github(&host) || asked.contains(&(host.clone(), slug.clone())) {
            continue;
        }
        asked.push((host.clone(), slug.clone()));
        if asked.len() > MOST {
            found.push(Safeguard::unknown(Safety::ForcePush, slug, "too many repositories to ask about"));
            continue;
        }
        found.push(protected(remote, &host, &slug, cx));
    }
    found.extend(identities(cx));
    found
}

/// As we reach it ourselves, in no repository: its configuration chooses nothing.
fn gh(host: &str, cx: &SafeguardCx<'_>) -> Gh {
    let host = if host == "ssh.github.com" { "github.com" } else { host };
    Gh::of(&Access { cwd: Bytes::from("/"), host: Some(host.to_owned()), env: own() }, cx.until)
}

fn own() -> std::collections::BTreeMap<String, Bytes> {
    let set = |name: &&str| {
        Some(((*name).to_owned(), Bytes::from(std::path::PathBuf::from(std::env::var_os(name)?))))
    };
    VARIABLES.iter().filter_map(set).collect()
}

fn protected(remote: &GitRemote, host: &str, slug: &str, cx: &SafeguardCx<'_>) -> Safeguard {
    let of = format!("{host}/{slug}");
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if slug.split('/').count() != 2 || !slug.chars().all(is_name) {
        return Safeguard::unknown(Safety::ForcePush, of, "it is no name of a repository");
    }
    let gh = gh(host, cx);
    match ask(&gh, slug, remote.branch.clone()) {
        Err(e) => Safeguard::unknown(Safety::ForcePush, of, e.what),
        Ok((branch, Verdict::Refuses(why))) => {
            Safeguard::found(Safety::ForcePush, of, true, format!("branch {branch}: {why}"))
        }
        Ok((branch, Verdict::Admits(why))) => {
            let next = format!(
                "gh api -X PUT repos/{slug}/branches/{branch}/protection -F required_status_checks=null \
                 -F enforce_admins=true -F required_pull_request_reviews=null -F restrictions=null"
            );
            Safeguard::found(Safety::ForcePush, of, false, format!("branch {branch}: {why}")).next(next)
        }
        Ok((branch, Verdict::Unknown(why))) => {
            Safeguard::unknown(Safety::ForcePush, of, format!("branch {branch}: {why}"))
        }
    }
}

enum Verdict {
    Refuses(&'static str),
    Admits(&'static str),
    Unknown(String),
}

/// docs.github.com/rest/branches/branch-protection, docs.github.com/rest/repos/rules.
fn ask(gh: &Gh, slug: &str, known: Option<String>) -> Result<(String, Verdict)> {
    let repository = gh.api("GET", &format!("repos/{slug}"), None)?.good()?;
    let branch = repository.get("default_branch").and_then(Value::as_str).map(str::to_owned);
    let branch = branch.or(known).unwrap_or_else(|| "main".to_owned());
    let at = branch.replace('%', "%25").replace('/', "%2F").replace('#', "%23").replace('?', "%3F");
    let rules = gh.list(&format!("repos/{slug}/rules/branches/{at}"));
    let refuses = |rule: &Value| rule.get("type").and_then(Value::as_str) == Some("non_fast_forward");
    if rules.as_ref().is_ok_and(|rules| rules.iter().any(refuses)) {
        return Ok((branch, Verdict::Refuses("a rule refuses forced pushes")));
    }
    let answer = gh.api("GET", &format!("repos/{slug}/branches/{at}/protection"), None)?;
    let verdict = match answer.status {
        200 => {
            let on = answer.body.pointer("/allow_force_pushes/enabled").and_then(Value::as_bool);
            match on {
                Some(false) => Verdict::Refuses("protected, forced pushes are not allowed"),
                Some(true) => Verdict::Admits("protected, but forced pushes are allowed"),
                None => Verdict::Unknown(
                    "its protection does not say whether forced pushes are allowed".to_owned(),
                ),
            }
        }
        // Those who do not administer a repository are told 404 with other words.
        404 if answer.body.get("message").and_then(Value::as_str) == Some("Branch not protected") => {
            match rules {
                Ok(_) => Verdict::Admits("neither protection nor a rule"),
                Err(e) => Verdict::Unknown(e.what),
            }
        }
        403 | 404 => Verdict::Unknown("only its administrators may see whether it is protected".to_owned()),
        status => Verdict::Unknown(format!("GitHub answers {status}")),
    };
    Ok((branch, verdict))
}

/// Variables that hold a token: gh takes them before any login in its files.
const TOKENS: &[&str] = &["GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"];

/// How many configurations of gh are asked.
const LOGINS: usize = 4;

/// Who agents' gh is, where it can be told, for each configuration that they used. A token in an agent's environment is not on
/// record.
fn identities(cx: &SafeguardCx<'_>) -> Vec<Safeguard> {
    let names_gh = |way: &&Locator| way.opts.keys().any(|name| name == "ask" || name.starts_with("env."));
    let mut used: Vec<Access> = Vec::new();
    for way in cx.ways.iter().filter(names_gh) {
        let access = Access { cwd: Bytes::from("/"), ..Access::of(way) };
        if !used.iter().any(|known| known.env == access.env && known.host == access.host) {
            used.push(access);
        }
    }
    used.iter().take(LOGINS).map(|agents| identity(agents, cx)).collect()
}

fn identity(agents: &Access, cx: &SafeguardCx<'_>) -> Safeguard {
    let (safety, of) = (Safety::SeparateIdentity, "GitHub");
    if !cx.person {
        return Safeguard::unknown(safety, of, "no person asks: whose login is a person's is not known");
    }
    let mine = Access { env: own(), ..agents.clone() };
    let next = "start agents with a GH_CONFIG_DIR that has a login of their own";
    let same_files = |name: &str| agents.env.get(name).or_else(|| mine.env.get(name)) == mine.env.get(name);
    if VARIABLES.iter().all(|name| same_files(name)) {
        let why = "agents read the same configuration of gh as you; a GH_TOKEN of their own is not on record";
        return Safeguard::unknown(safety, of, why).next(next);
    }
    // Theirs may be yours, whatever their files say.
    if let Some(name) =
        TOKENS.iter().find(|name| std::env::var_os(name).is_some_and(|token| !token.is_empty()))
    {
        let why = format!("you have a {name}, and whether agents were started with it is not on record");
        return Safeguard::unknown(safety, of, why)
            .next("log in with `gh auth login` and leave the variable out, in your shell and in theirs");
    }
    let login = |access: &Access| Gh::of(access, cx.until).ask(&["api", "user", "--jq", ".login"]);
    match (login(agents), login(&mine)) {
        (Ok(theirs), Ok(own)) => {
            let evidence = format!("agents are {theirs}, you are {own}");
            Safeguard::found(safety, of, theirs != own, evidence).next(next)
        }
        (Err(e), _) => Safeguard::unknown(safety, of, format!("whose the agents' login is: {}", e.what)),
        (_, Err(e)) => Safeguard::unknown(safety, of, format!("whose your login is: {}", e.what)),
    }
}
