//! What a step may do without being asked: read, or contain. Whether a command only reads is decided by the words that
//! decide what a command destroys (`record::read`): what is not known to read may not.

use crate::intake::{Action, Env};
use crate::model::{Bytes, EffectClass};
use crate::record;

/// The verbs of `fr` that change nothing but `fr`'s own caches.
const READING_VERBS: &[&str] = &[
    "timeline",
    "log",
    "show",
    "diff",
    "sessions",
    "blast-radius",
    "explain",
    "verify",
    "doctor",
    "maturity",
];
/// The verbs that only read with this word behind them.
const READING_WORDS: &[(&str, &str)] = &[
    ("undo", "--dry-run"),
    ("redo", "--dry-run"),
    ("contain", "--status"),
    ("store", "stats"),
    ("store", "verify"),
    ("playbook", "list"),
    ("playbook", "show"),
    ("playbook", "lint"),
    ("config", "check"),
    ("incident", "timeline"),
];
/// Words with which a verb that reads does more: it writes a file, or into the record.
const WRITING_WORDS: &[&str] = &["--out", "--plan-out", "--save", "attest"];
/// Programs that take text for code, or run another one. In theirs, a value could become a command.
const INTERPRETERS: &[&str] = &[
    "sh", "bash", "dash", "zsh", "ksh", "fish", "busybox", "python", "python2", "python3", "perl", "ruby",
    "node", "deno", "bun", "php", "lua", "tclsh", "awk", "gawk", "mawk", "sed", "eval", "env", "xargs",
    "sudo", "doas", "su", "ssh", "nohup", "timeout", "nice", "setsid", "find", "parallel", "watch", "script",
    "expect", "make", "jq", "yq", "emacs", "vim", "vi", "ed",
];
/// Programs that take an argument for SQL or the like.
const QUERIERS: &[&str] =
    &["psql", "mysql", "mariadb", "sqlite3", "mongosh", "mongo", "redis-cli", "clickhouse", "cqlsh", "bq"];

/// `fr` itself, as a playbook names it.
pub fn is_fr(argv: &[Bytes]) -> bool {
    argv.first().is_some_and(|program| program.as_slice() == b"fr")
}

/// Why a command may not run by itself; `None` where it only reads.
pub fn objection(argv: &[Bytes], stdin: Option<&str>, cwd: &Bytes, env: &Env) -> Option<String> {
    let program = argv.first().map(|program| program.lossy().into_owned()).unwrap_or_default();
    if program.is_empty() {
        return Some("there is no program".to_owned());
    }
    if program.contains('/') {
        return Some(format!("{program} is a path: only a program by its name is known to read"));
    }
    if is_fr(argv) {
        return (!reads_as_fr(argv)).then(|| "this verb of fr does more than read".to_owned());
    }
    let reading = record::read(&action(argv, stdin), cwd, env);
    if let Some(why) = reading.understood.opaque.first() {
        return Some(format!("not understood: {why}"));
    }
    let worst = reading.effects.iter().max_by_key(|effect| effect.class);
    worst
        .filter(|effect| effect.class != EffectClass::None)
        .map(|effect| format!("it does more than read: {} of {}", effect.class, effect.resource.lossy()))
}

/// The action that the recorder sees: a program with its standard input is a line with a here-document.
pub fn action(argv: &[Bytes], stdin: Option<&str>) -> Action {
    let Some(stdin) = stdin else { return Action::Argv(argv.to_vec()) };
    let mut end = "FR_STDIN".to_owned();
    while stdin.contains(&end) {
        end.push('_');
    }
    let mut line = record::quoted(argv);
    line.extend_from_slice(format!(" <<'{end}'\n{}\n{end}\n", stdin.trim_end_matches('\n')).as_bytes());
    Action::Shell(line)
}

fn reads_as_fr(argv: &[Bytes]) -> bool {
    let words: Vec<&str> = argv.iter().skip(1).filter_map(|word| word.as_str()).collect();
    let verb = words.iter().find(|word| !word.starts_with('-'));
    let writes = |word: &&str| WRITING_WORDS.contains(&word.split('=').next().unwrap_or_default());
    !words.iter().any(writes)
        && verb.is_some_and(|verb| {
            READING_VERBS.contains(verb)
                || READING_WORDS.iter().any(|(of, word)| of == verb && words.contains(word))
        })
}

/// Why the values in these arguments could become code; `None` where each stays data.
pub fn becomes_code(argv: &[String]) -> Option<String> {
    let is_template = |word: &&String| word.contains("${{");
    let program = argv.first()?;
    if is_template(&program) {
        return Some("the program itself is a variable".to_owned());
    }
    let name = program.rsplit('/').next().unwrap_or(program);
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let has_values = argv.iter().any(|word| is_template(&word));
    if has_values && (INTERPRETERS.contains(&name) || INTERPRETERS.contains(&bare)) {
        return Some(format!("{name} takes its arguments for code or for a command"));
    }
    if QUERIERS.contains(&name) {
        let takes_code =
            |word: &str| matches!(word, "-c" | "-e" | "--command" | "--execute" | "--eval" | "-f" | "-x");
        for pair in argv.windows(2) {
            if let [before, word] = pair
                && word.contains("${{")
                && (takes_code(before) || word.split("${{").next().is_some_and(|text| text.contains(' ')))
            {
                return Some(format!("{name} takes this argument for its query"));
            }
        }
        let glued = argv.iter().any(|word| {
            word.contains("${{")
                && ["--command=", "--execute=", "--eval=", "-c", "-e"].iter().any(|f| word.starts_with(f))
        });
        if glued
            || (name != "psql" && argv.last().is_some_and(|last| last.contains("${{") && name != "mysql"))
        {
            return Some(format!("{name} takes this argument for its query"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(argv: &[&str]) -> bool {
        let argv: Vec<Bytes> = argv.iter().map(|word| Bytes::from(*word)).collect();
        objection(&argv, None, &Bytes::from("/"), &Env::new()).is_some()
    }

    #[test]
    fn only_what_is_known_to_read_may_run_by_itself() {
        for reads in [
            &["git", "ls-remote", "origin"][..],
            &["aws", "sts", "get-caller-identity"],
            &["kubectl", "get", "ns"],
            &["fr", "timeline", "--limit", "5"],
            &["fr", "undo", "5", "--dry-run"],
            &["fr", "maturity", "--json"],
            &["terraform", "plan", "-detailed-exitcode"],
        ] {
            assert!(!objects(reads), "{reads:?}");
        }
        for writes in [
            &["git", "push", "-f"][..],
            &["rm", "x"],
            &["fr", "undo", "5", "--yes"],
            &["fr", "release"],
            &["fr", "undo", "5", "--dry-run", "--plan-out=/etc/x"],
            &["fr", "maturity", "attest", "budget"],
            &["fr", "maturity", "--save"],
            &["fr", "maturity", "--out", "x"],
            &["fr", "exec", "--", "ls"],
            &["./cat", "x"],
            &["/tmp/cat", "x"],
            &["no-such-program"],
            &["bash", "-c", "rm x"],
            &["kubectl", "delete", "ns", "x"],
            &["aws", "iam", "update-access-key", "--access-key-id", "x", "--status", "Inactive"],
            &["find", ".", "-delete"],
            &["psql", "-c", "drop table x"],
            &[],
        ] {
            assert!(objects(writes), "{writes:?}");
        }
    }

    #[test]
    fn standard_input_counts() {
        let psql = [Bytes::from("psql"), Bytes::from("-v"), Bytes::from("role=x y")];
        let of = |stdin| objection(&psql, Some(stdin), &Bytes::from("/"), &Env::new());
        assert_eq!(of("SELECT 1;"), None);
        assert!(of("ALTER ROLE :\"role\" NOLOGIN;").is_some());
        assert!(of("SELECT 'FR_STDIN'\n;DROP TABLE x;").is_some());
    }

    #[test]
    fn values_do_not_become_code() {
        let code =
            |argv: &[&str]| becomes_code(&argv.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>()).is_some();
        for bad in [
            &["bash", "-c", "echo ${{ vars.x }}"][..],
            &["/bin/sh", "-c", "x", "${{ vars.x }}"],
            &["python3.11", "-c", "${{ vars.x }}"],
            &["${{ vars.x }}", "y"],
            &["env", "${{ vars.x }}"],
            &["xargs", "${{ vars.x }}"],
            &["psql", "-c", "ALTER ROLE ${{ vars.x }}"],
            &["psql", "--command=ALTER ROLE ${{ vars.x }}"],
            &["mysql", "-e", "${{ vars.x }}"],
            &["sqlite3", "a.db", "select ${{ vars.x }}"],
        ] {
            assert!(code(bad), "{bad:?}");
        }
        for good in [
            &["bash", "-c", "echo x"][..],
            &["psql", "-v", "role=${{ vars.x }}", "-d", "${{ vars.y }}"],
            &["git", "-C", "${{ vars.x }}", "log"],
        ] {
            assert!(!code(good), "{good:?}");
        }
    }
}
