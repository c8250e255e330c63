//! Secrets that are told by the flag or the place they stand in, per program where programs differ.

use std::ops::Range;

use super::names::{self, Kind};
use super::words::{self, Command};
use super::{Span, assign};

/// How deep quoted command lines (`bash -c '… "…"'`) are followed.
const DEPTH: usize = 4;

/// Programs that run the command that follows them.
const WRAPPERS: &[&str] = &[
    "sudo",
    "doas",
    "su",
    "env",
    "nohup",
    "time",
    "nice",
    "ionice",
    "timeout",
    "xargs",
    "watch",
    "strace",
    "command",
    "exec",
    "ssh",
    "docker",
    "podman",
    "nerdctl",
    "kubectl",
    "oc",
    "docker-compose",
    "chroot",
    "setsid",
    "stdbuf",
    "parallel",
    "flock",
    "then",
    "do",
    "else",
    "if",
    "while",
    "!",
    "{",
    "winpty",
    "npx",
    "fr",
    "busybox",
    "unbuffer",
];

/// Where a flag's secret stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// `-pSECRET`.
    Attached,
    /// `-p SECRET`.
    Next,
    /// Either.
    Both,
}

/// Which part of a value is the secret.
#[derive(Clone, Copy)]
enum Part {
    Whole,
    /// `user:SECRET`.
    After(u8),
}

/// One program's flag.
struct Rule {
    programs: &'static [&'static str],
    flags: &'static [&'static str],
    place: Place,
    part: Part,
    /// A word that must stand in the command too (`login`), or empty.
    with: &'static str,
}

const fn rule(
    programs: &'static [&'static str],
    flags: &'static [&'static str],
    place: Place,
    part: Part,
    with: &'static str,
) -> Rule {
    Rule { programs, flags, place, part, with }
}

const MYSQL: &[&str] = &[
    "mysql",
    "mysqldump",
    "mysqladmin",
    "mysqlimport",
    "mysqlshow",
    "mysqlcheck",
    "mysqlpump",
    "mysqlbinlog",
    "mysqlslap",
    "mariadb",
    "mariadb-dump",
    "mariadb-admin",
    "mariadb-import",
    "mariadb-check",
    "mycli",
    "xtrabackup",
];
const REGISTRY: &[&str] = &[
    "docker", "podman", "nerdctl", "buildah", "skopeo", "helm", "oras", "crane", "az", "oc", "twine",
    "argocd", "cf", "regctl", "nuget", "ibmcloud",
];
const LDAP: &[&str] = &[
    "ldapsearch",
    "ldapmodify",
    "ldapadd",
    "ldapdelete",
    "ldapwhoami",
    "ldapmodrdn",
    "ldapcompare",
    "ldappasswd",
];

/// From the programs' manual pages.
const RULES: &[Rule] = &[
    rule(MYSQL, &["-p"], Place::Attached, Part::Whole, ""),
    rule(&["curl"], &["-u", "--user", "-U", "--proxy-user"], Place::Both, Part::After(b':'), ""),
    rule(&["http", "https", "xh"], &["-a", "--auth"], Place::Both, Part::After(b':'), ""),
    rule(REGISTRY, &["-p"], Place::Next, Part::Whole, "login"),
    rule(&["twine"], &["-p"], Place::Next, Part::Whole, ""),
    rule(&["sshpass"], &["-p"], Place::Both, Part::Whole, ""),
    rule(&["redis-cli"], &["-a"], Place::Both, Part::Whole, ""),
    rule(
        &["mongo", "mongosh", "mongodump", "mongorestore", "mongoexport", "mongoimport", "mongostat"],
        &["-p"],
        Place::Both,
        Part::Whole,
        "",
    ),
    rule(LDAP, &["-w"], Place::Both, Part::Whole, ""),
    rule(&["ldappasswd"], &["-s", "-a"], Place::Both, Part::Whole, ""),
    rule(&["smbclient", "rpcclient", "net", "smbmap"], &["-U", "--user"], Place::Both, Part::After(b'%'), ""),
    rule(&["sqlcmd", "bcp", "osql"], &["-P"], Place::Both, Part::Whole, ""),
    rule(&["zip", "unzip", "fcrackzip"], &["-P"], Place::Both, Part::Whole, ""),
    rule(&["7z", "7za", "7zz", "rar", "unrar"], &["-p", "-hp"], Place::Attached, Part::Whole, ""),
    rule(&["openssl"], &["-k", "-K"], Place::Next, Part::Whole, ""),
    rule(&["gh"], &["-b", "--body"], Place::Both, Part::Whole, "secret"),
    rule(&["useradd", "usermod"], &["-p"], Place::Next, Part::Whole, ""),
    rule(&["doctl"], &["-t"], Place::Next, Part::Whole, ""),
    rule(&["aws"], &["--value"], Place::Both, Part::Whole, "SecureString"),
    rule(
        &["influx", "vault", "rclone", "plink", "pscp", "winexe"],
        &["-pw", "-t"],
        Place::Next,
        Part::Whole,
        "",
    ),
    rule(&["ipmitool"], &["-P"], Place::Both, Part::Whole, ""),
    rule(&["cqlsh"], &["-p"], Place::Next, Part::Whole, ""),
    rule(&["keytool", "jarsigner"], &["-storepass", "-keypass", "-new"], Place::Next, Part::Whole, ""),
    rule(&["kubectl", "oc"], &["--from-literal"], Place::Both, Part::After(b'='), "secret"),
];

/// Programs whose `config` commands set a named value: `aws configure set aws_secret_access_key X`.
const CONFIG: &[&str] = &[
    "aws", "npm", "yarn", "pnpm", "git", "pulumi", "pip", "gem", "bundle", "composer", "poetry", "gcloud",
    "helm",
];

/// Programs whose `--secret` names a secret instead of holding it.
const SECRET_IS_A_NAME: &[&str] =
    &["docker", "podman", "buildah", "nerdctl", "gcloud", "kubectl", "oc", "helm", "aws"];

/// Commands that take a secret as a plain word: program, the words before it, and how many more words stand between.
const POSITIONAL: &[(&str, &[&str], usize)] = &[
    ("vault", &["login"], 0),
    ("vault", &["operator", "unseal"], 0),
    ("cargo", &["login"], 0),
    ("snyk", &["auth"], 0),
    ("wandb", &["login"], 0),
    ("ngrok", &["authtoken"], 0),
    ("ngrok", &["config", "add-authtoken"], 0),
    ("infracost", &["configure", "set", "api_key"], 0),
    ("rabbitmqctl", &["add_user"], 1),
    ("rabbitmqctl", &["change_password"], 1),
    ("mkpasswd", &[], 0),
];

/// Adds the secrets of all commands in the text.
pub fn find(text: &[u8], spans: &mut Vec<Span>) {
    // All of these forms need a dash or one of the words; a plain line is left alone after one look.
    find_in(text, 0..text.len(), 0, spans);
}

fn find_in(text: &[u8], range: Range<usize>, depth: usize, spans: &mut Vec<Span>) {
    for command in words::commands(text, range.clone()) {
        Look { text, words: &command, spans }.all();
        for word in &command {
            let inner = nested(text, word);
            if depth < DEPTH && inner != range && !inner.is_empty() {
                find_in(text, inner, depth + 1, spans);
            }
        }
    }
}

/// The part of a word that may be a command line of its own: from its first quote to its last, if a blank is inside.
fn nested(text: &[u8], word: &Range<usize>) -> Range<usize> {
    let body = text.get(word.clone()).unwrap_or_default();
    let first = memchr::memchr2(b'\'', b'"', body);
    let last = memchr::memrchr2(b'\'', b'"', body);
    match (first, last) {
        (Some(first), Some(last))
            if first < last && memchr::memchr2(b' ', b'\n', &body[first..last]).is_some() =>
        {
            word.start + first + 1..word.start + last
        }
        _ => 0..0,
    }
}

struct Look<'a> {
    text: &'a [u8],
    words: &'a Command,
    spans: &'a mut Vec<Span>,
}

impl Look<'_> {
    fn all(&mut self) {
        let plain: Vec<Vec<u8>> = self
            .words
            .iter()
            .map(|word| words::unquoted(self.text.get(word.clone()).unwrap_or_default()))
            .collect();
        let programs = programs(&plain);
        let runs = |name: &str| programs.iter().any(|(_, program)| program == name);
        let has = |word: &str| plain.iter().any(|plain| plain.as_slice() == word.as_bytes());
        for (at, word) in plain.iter().enumerate() {
            if word.starts_with(b"-") {
                self.generic(at, word, SECRET_IS_A_NAME.iter().any(|name| runs(name)));
                for rule in RULES {
                    if rule.programs.iter().any(|name| runs(name)) && (rule.with.is_empty() || has(rule.with))
                    {
                        self.by_rule(at, word, rule);
                    }
                }
            } else if CONFIG.iter().any(|name| runs(name))
                && (has("config") || has("configure"))
                && names::variable(word).is_some_and(|kind| kind != Kind::Maybe)
            {
                self.value(at + 1, 0, "config", Part::Whole);
            }
        }
        for (start, program) in &programs {
            self.positional(*start, program, &plain);
        }
    }

    /// `--password X`, `--api-key X`, `-token X`. The forms with `=` are assignments.
    fn generic(&mut self, at: usize, word: &[u8], secret_is_a_name: bool) {
        let name = word.strip_prefix(b"--").or_else(|| word.strip_prefix(b"-").filter(|name| name.len() > 3));
        let Some(name) = name.filter(|name| !name.contains(&b'=') && !name.contains(&b':')) else { return };
        let named = secret_is_a_name && name == b"secret";
        if let Some(kind) = names::flag(name).filter(|_| !named) {
            let Some(next) = self.words.get(at + 1) else { return };
            let inner = words::inside(self.text, next.clone());
            let value = self.text.get(inner).unwrap_or_default();
            let flag = value.starts_with(b"-") && !names::looks_random(value);
            if !flag && names::is_secret_value(kind, value) {
                self.value(at + 1, 0, "flag", Part::Whole);
            }
        }
    }

    fn by_rule(&mut self, at: usize, word: &[u8], rule: &Rule) {
        for flag in rule.flags {
            let Some(rest) = word.strip_prefix(flag.as_bytes()) else { continue };
            let long = flag.starts_with("--");
            if rest.is_empty() && rule.place != Place::Attached {
                self.value(at + 1, 0, "flag", rule.part);
            } else if !rest.is_empty() && rule.place != Place::Next && (!long || rest.starts_with(b"=")) {
                self.value(at, flag.len() + usize::from(rest.starts_with(b"=")), "flag", rule.part);
            }
        }
    }

    /// Marks the value in a word, from an offset on.
    fn value(&mut self, at: usize, offset: usize, rule: &'static str, part: Part) {
        let Some(word) = self.words.get(at) else { return };
        let mut range = words::inside(self.text, word.start + offset..word.end);
        if let Part::After(separator) = part {
            let body = self.text.get(range.clone()).unwrap_or_default();
            match memchr::memchr(separator, body) {
                Some(found) => range = words::inside(self.text, range.start + found + 1..range.end),
                None => return,
            }
        }
        let value = self.text.get(range.clone()).unwrap_or_default();
        if names::is_secret_value(Kind::Secret, value) {
            self.spans.push(Span { start: range.start, end: range.end, rule });
        }
    }

    fn positional(&mut self, start: usize, program: &str, plain: &[Vec<u8>]) {
        let args: Vec<usize> = (start + 1..plain.len())
            .filter(|at| plain.get(*at).is_some_and(|word| !word.starts_with(b"-")))
            .collect();
        let word = |position: usize| args.get(position).and_then(|at| plain.get(*at)).map(Vec::as_slice);
        for (_, before, skip) in POSITIONAL.iter().filter(|(name, ..)| *name == program) {
            if before
                .iter()
                .enumerate()
                .all(|(position, expected)| word(position) == Some(expected.as_bytes()))
                && let Some(at) = args.get(before.len() + skip)
            {
                self.value(*at, 0, "positional", Part::Whole);
            }
        }
        if program == "vault" && word(0) == Some(b"kv") && matches!(word(1), Some(b"put" | b"patch")) {
            self.assignments(args.get(3..).unwrap_or_default());
        }
        if matches!(program, "fly" | "flyctl" | "doppler" | "eas") && word(0) == Some(b"secrets") {
            self.assignments(args.get(2..).unwrap_or_default());
        }
        if program == "pulumi"
            && word(0) == Some(b"config")
            && plain.iter().any(|word| word == b"--secret")
            && let Some(at) = args.get(3)
        {
            self.value(*at, 0, "positional", Part::Whole);
        }
        if program == "htpasswd"
            && plain.iter().any(|word| word.starts_with(b"-") && word.contains(&b'b'))
            && let Some(at) = args.last()
        {
            self.value(*at, 0, "positional", Part::Whole);
        }
        if matches!(program, "echo" | "printf") && memchr::memmem::find(self.text, b"chpasswd").is_some() {
            for at in args {
                self.value(at, 0, "positional", Part::After(b':'));
            }
        }
    }

    /// `name=SECRET` whatever the name is.
    fn assignments(&mut self, args: &[usize]) {
        for at in args {
            self.value(*at, 0, "assign", Part::After(b'='));
        }
    }
}

/// The programs that a command runs, with their positions: the first word, and behind wrappers every word that could
/// be one.
fn programs(plain: &[Vec<u8>]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, word) in plain.iter().enumerate() {
        if word.starts_with(b"-") || assign::is_assignment(word) {
            continue;
        }
        let base = word.rsplit(|byte| *byte == b'/').next().unwrap_or(word);
        let name = String::from_utf8_lossy(base).into_owned();
        let wraps = WRAPPERS.contains(&name.as_str());
        found.push((at, name));
        if !wraps && !found.iter().any(|(_, name)| WRAPPERS.contains(&name.as_str())) {
            break;
        }
    }
    found
}
