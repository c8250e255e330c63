//! Which names (of variables, flags, keys, headers) say that their value is a secret.

use memchr::memmem;

/// How strongly a name speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `password`, `token`, `secret`…: the value is one, unless it is a reference to one.
    Secret,
    /// `…_key`: the value may also be a path to one.
    Key,
    /// `KEY` and the like: only where the value looks random.
    Maybe,
}

/// Words that make a name secret.
const SECRET: &[&str] = &[
    "password",
    "passwd",
    "passwort",
    "pass",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "secrets",
    "token",
    "tokens",
    "apikey",
    "apitoken",
    "authtoken",
    "accesstoken",
    "secretkey",
    "accesskey",
    "privatekey",
    "authkey",
    "credential",
    "credentials",
    "creds",
    "storepass",
    "keypass",
    "pgpassword",
    "userpass",
    "bearer",
    "pat",
    "dbpass",
    "dbpassword",
    "mysqlpassword",
    "clientsecret",
    "secretaccesskey",
];

/// Last words that turn a name into one about a secret: where it is, how it is called, how long it lives.
const ABOUT: &[&str] = &[
    "file",
    "files",
    "path",
    "dir",
    "id",
    "ids",
    "name",
    "names",
    "url",
    "uri",
    "type",
    "ttl",
    "len",
    "length",
    "size",
    "count",
    "policy",
    "arn",
    "version",
    "stdin",
    "prompt",
    "expiry",
    "expires",
    "expiration",
    "region",
    "algorithm",
    "alg",
    "format",
    "max",
    "min",
    "limit",
    "timeout",
    "field",
    "header",
    "cmd",
    "command",
    "helper",
    "store",
    "manager",
    "provider",
    "kind",
    "rotation",
    "ref",
    "label",
    "selector",
    "through",
    "env",
    "endpoint",
    "scope",
    "scopes",
    "usage",
    "budget",
    "class",
    "engine",
    "mode",
    "enabled",
    "required",
    "index",
    "mount",
    "hook",
    "fd",
    "age",
    "days",
    "date",
    "email",
    "user",
    "username",
    "code",
    "column",
    "sock",
    "host",
    "port",
];

/// Words before a last `token` or `key` that make it harmless: paging, idempotency, language models, sorting.
const HARMLESS: &[&str] = &[
    "next",
    "starting",
    "page",
    "continuation",
    "client",
    "request",
    "idempotency",
    "max",
    "num",
    "min",
    "eos",
    "bos",
    "pad",
    "unk",
    "special",
    "stop",
    "public",
    "host",
    "sort",
    "primary",
    "foreign",
    "cache",
    "partition",
    "range",
    "group",
    "context",
    "row",
    "object",
    "hot",
    "map",
    "dict",
    "pub",
    "prefix",
    "no",
    "ask",
    "show",
    "prompt",
];

/// Words before a last `key` that make it secret in any spelling.
const KEY_OF: &[&str] = &[
    "api",
    "secret",
    "access",
    "private",
    "account",
    "storage",
    "shared",
    "auth",
    "encryption",
    "master",
    "signing",
    "license",
    "service",
    "admin",
    "deploy",
    "session",
    "jwt",
    "hmac",
    "webhook",
    "app",
    "application",
    "write",
    "priv",
    "root",
    "unseal",
    "recovery",
    "functions",
    "instrumentation",
    "ingest",
    "data",
];

/// Header names that carry credentials without one of the words above.
const HEADERS: &[&str] = &["authorization", "proxy-authorization", "cookie", "set-cookie", "x-authorization"];

/// A key of an assignment: `GITHUB_TOKEN`, `db.password`, `clientSecret`, `--api-key`.
pub fn variable(name: &[u8]) -> Option<Kind> {
    let words = split(name);
    let (last, before) = words.split_last()?;
    if ABOUT.contains(&last.as_str()) && words.len() > 1 {
        return None;
    }
    if last == "pwd" && before.is_empty() {
        return None;
    }
    if words.iter().any(|word| SECRET.contains(&word.as_str()) && word != "pass" && word != "pat") {
        let paged = matches!(last.as_str(), "token" | "tokens");
        let harmless = paged && before.last().is_some_and(|word| HARMLESS.contains(&word.as_str()));
        return if harmless { None } else { Some(Kind::Secret) };
    }
    match last.as_str() {
        "pass" => Some(Kind::Secret),
        "pat" if name.iter().all(|byte| !byte.is_ascii_lowercase()) => Some(Kind::Maybe),
        "key" | "keys" => key(name, before),
        "auth" if name.starts_with(b"_") || name.ends_with(b":_auth") => Some(Kind::Secret),
        _ => None,
    }
}

fn key(name: &[u8], before: &[String]) -> Option<Kind> {
    let shouted = name.iter().all(|byte| !byte.is_ascii_lowercase());
    match before.last().map(String::as_str) {
        Some(word) if HARMLESS.contains(&word) => None,
        Some(word) if KEY_OF.contains(&word) => Some(Kind::Key),
        Some(_) if shouted => Some(Kind::Key),
        None if shouted => Some(Kind::Maybe),
        _ => None,
    }
}

/// A flag whose value is the next word: only its last word counts, `--password-file` and `--ask-pass` take none.
pub fn flag(name: &[u8]) -> Option<Kind> {
    let words = split(name);
    let (last, before) = words.split_last()?;
    if before
        .iter()
        .any(|word| matches!(word.as_str(), "no" | "ask" | "prompt" | "show" | "with" | "use" | "skip"))
    {
        return None;
    }
    let speaks = SECRET.contains(&last.as_str()) || last == "key" || (last == "string" && words.len() == 2);
    let kind = if last == "string" { (before == ["secret"]).then_some(Kind::Secret) } else { variable(name) };
    kind.filter(|kind| speaks && *kind != Kind::Maybe)
}

/// A header whose whole value is a credential.
pub fn header(name: &[u8]) -> bool {
    HEADERS.iter().any(|header| name.eq_ignore_ascii_case(header.as_bytes()))
}

/// The value is a secret rather than a reference to one, a placeholder or a plain number.
pub fn is_secret_value(kind: Kind, value: &[u8]) -> bool {
    if is_reference(value) || is_placeholder(value) {
        return false;
    }
    match kind {
        Kind::Secret | Kind::Key => !is_path(value),
        Kind::Maybe => !is_path(value) && looks_random(value),
    }
}

/// Long, mixed, not a plain word: what a generated secret looks like.
pub fn looks_random(value: &[u8]) -> bool {
    let digit = value.iter().any(u8::is_ascii_digit);
    let letter = value.iter().any(u8::is_ascii_alphabetic);
    let mut seen = [false; 256];
    let distinct =
        value.iter().filter(|byte| !std::mem::replace(&mut seen[usize::from(**byte)], true)).count();
    value.len() >= 12 && digit && letter && distinct >= 8 && !is_path(value)
}

/// `$NAME`, `${NAME}`, `$(…)`, a template: the secret itself is elsewhere.
fn is_reference(value: &[u8]) -> bool {
    let name = |text: &[u8]| !text.is_empty() && text.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
    match value {
        [b'$', b'{', middle @ .., b'}'] => name(middle) || middle.starts_with(b"{"),
        [b'$', b'(', ..] | [b'`', ..] | [b'{', b'{', ..] => true,
        [b'$', rest @ ..] => name(rest),
        [b'<', .., b'>'] => true,
        // openssl-passphrase-options(1)
        [b'e', b'n', b'v', b':', ..] | [b'f', b'd', b':', ..] => true,
        _ => false,
    }
}

fn is_placeholder(value: &[u8]) -> bool {
    const WORDS: &[&[u8]] = &[b"true", b"false", b"null", b"none", b"nil", b"yes", b"no", b"on", b"off"];
    value.iter().all(|byte| matches!(byte, b'*' | b'.' | b'x' | b'X' | b'-'))
        || value == "…".as_bytes()
        || (value.len() == 1 && value[0].is_ascii_digit())
        || WORDS.iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// A path, told by how it begins: base64 may begin with `/`, but not with `/etc/`.
fn is_path(value: &[u8]) -> bool {
    const ROOTS: &[&[u8]] = &[
        b"/etc/",
        b"/home/",
        b"/root/",
        b"/var/",
        b"/usr/",
        b"/tmp/",
        b"/opt/",
        b"/srv/",
        b"/run/",
        b"/mnt/",
        b"/proc/",
        b"/dev/",
        b"/Users/",
        b"/private/",
        b"~/",
        b"./",
        b"../",
        b"file://",
    ];
    let begins = ROOTS.iter().any(|root| value.starts_with(root));
    let ends =
        [&b".pem"[..], b".key", b".json", b".txt", b".crt", b".pub"].iter().any(|end| value.ends_with(end));
    begins || (ends && memmem::find(value, b"PRIVATE").is_none())
}

/// The words of a name, in lower case: split at punctuation, at a change to upper case, and before trailing digits.
fn split(name: &[u8]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut lower = false;
    for &byte in name {
        if !byte.is_ascii_alphabetic() || (byte.is_ascii_uppercase() && lower) {
            words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
        }
        if byte.is_ascii_alphabetic() {
            word.push(char::from(byte.to_ascii_lowercase()));
        }
        lower = byte.is_ascii_lowercase();
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_speak_of_secrets() {
        for name in [
            "PGPASSWORD",
            "DB_PASS",
            "GITHUB_TOKEN",
            "token",
            "clientSecret",
            "db.password",
            "MYSQL_PWD",
            "PASSWORD_PROD",
            "TOKEN2",
            "aws_secret_access_key",
            "AWS_SESSION_TOKEN",
            "_authToken",
            "//r.io/:_auth",
        ] {
            assert_eq!(variable(name.as_bytes()), Some(Kind::Secret), "{name}");
        }
        for name in ["OPENAI_API_KEY", "apiKey", "account-key", "STRIPE_KEY"] {
            assert_eq!(variable(name.as_bytes()), Some(Kind::Key), "{name}");
        }
        for name in [
            "PWD",
            "OLDPWD",
            "TOKEN_TTL",
            "SECRET_NAME",
            "PUBLIC_KEY",
            "key",
            "keys",
            "max_tokens",
            "SSH_AUTH_SOCK",
            "monkey",
            "compass",
            "client-token",
            "AWS_ACCESS_KEY_ID",
            "password-stdin",
            "tokenizer",
            "path",
            "PATH",
            "author",
            "passthrough",
            "SSLKEYLOGFILE",
        ] {
            assert_eq!(variable(name.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn flags_that_take_a_secret() {
        for name in
            ["password", "pass", "token", "api-key", "client-secret", "secret-string", "master-user-password"]
        {
            assert!(flag(name.as_bytes()).is_some(), "{name}");
        }
        for name in
            ["password-file", "ask-pass", "no-password", "password-stdin", "key", "token-ttl", "string"]
        {
            assert!(flag(name.as_bytes()).is_none(), "{name}");
        }
    }
}
