//! The options of `redis-cli` (its `--help`, 5.0 to 7.2): which server, which database, and what else it does.

use crate::model::{Bytes, Invocation, Word};
use crate::systems::AssessCx;
use crate::systems::redis::query::Access;

/// Options with a value.
const VALUED: &[&str] = &[
    "-h",
    "-p",
    "-t",
    "-s",
    "-a",
    "-u",
    "-r",
    "-i",
    "-n",
    "-d",
    "-D",
    "-X",
    "--user",
    "--pass",
    "--sni",
    "--cacert",
    "--cacertdir",
    "--cert",
    "--key",
    "--tls-ciphers",
    "--tls-ciphersuites",
    "--intrinsic-latency",
    "--lru-test",
    "--pattern",
    "--quoted-pattern",
    "--count",
    "--pipe-timeout",
    "--memkeys-samples",
    "--show-pushes",
    "--eval",
    "--rdb",
    "--functions-rdb",
    "--keystats-samples",
    "--cursor",
    "--top",
];

/// Options that choose the server and are passed on.
const CHOOSE: &[&str] = &[
    "-h",
    "-p",
    "-s",
    "--user",
    "--sni",
    "--cacert",
    "--cacertdir",
    "--cert",
    "--key",
    "--tls",
    "--insecure",
    "-c",
];

/// Modes that only look.
const LOOKS: &[&str] = &[
    "--scan",
    "--stat",
    "--bigkeys",
    "--memkeys",
    "--hotkeys",
    "--latency",
    "--latency-history",
    "--latency-dist",
    "--intrinsic-latency",
    "--replica",
    "--slave",
    "--keystats",
    "-v",
    "--lru-test",
];

/// What the options say.
pub struct Flags {
    /// How the server is reached, or why that is not known.
    pub access: Result<Access, String>,
    /// The database.
    pub db: u32,
    /// Where the command begins.
    pub at: usize,
    /// It changes nothing.
    pub only_looks: bool,
    /// It writes a file.
    pub rdb: Option<Word>,
    /// It runs a script from a file.
    pub eval: Option<Word>,
    /// `-x`: the last word comes from standard input.
    pub feeds_last: bool,
    /// `--pipe`: the protocol itself comes from standard input.
    pub pipes: bool,
}

/// Reads the options.
pub fn read(inv: &Invocation, cx: &AssessCx<'_>) -> Flags {
    let args = inv.args();
    let program = inv.program().unwrap_or("redis-cli").to_owned();
    let mut access = Access { program, ..Access::default() };
    let mut trouble = None;
    let mut flags = Flags {
        access: Err(String::new()),
        db: 0,
        at: 0,
        only_looks: false,
        rdb: None,
        eval: None,
        feeds_last: false,
        pipes: false,
    };
    while let Some(word) = args.get(flags.at).filter(|w| w.text.as_slice().starts_with(b"-")) {
        let name = word.text.lossy().into_owned();
        let value = args.get(flags.at + 1).filter(|_| VALUED.contains(&name.as_str()));
        flags.at += 1 + usize::from(value.is_some());
        let text = value.map(|value| value.text.lossy().into_owned()).unwrap_or_default();
        if value.is_some_and(|v| !v.certain)
            && (CHOOSE.contains(&name.as_str()) || name == "-n" || name == "-u")
        {
            trouble = Some(format!("the value of {name} is not known before it runs"));
        }
        match name.as_str() {
            "-n" => flags.db = text.parse().unwrap_or(0),
            "-a" | "--pass" => access.password = value.filter(|v| v.certain).map(|v| v.text.clone()),
            "-u" => from_url(&text, &mut access, &mut flags.db),
            "-x" | "-X" => flags.feeds_last = true,
            "--pipe" => flags.pipes = true,
            "--rdb" | "--functions-rdb" => flags.rdb = value.cloned(),
            "--eval" => flags.eval = value.cloned(),
            _ if LOOKS.contains(&name.as_str()) => flags.only_looks = true,
            _ if CHOOSE.contains(&name.as_str()) => {
                access.flags.push(name.clone());
                access.flags.extend(value.map(|_| text));
            }
            _ => {}
        }
    }
    if access.password.is_none() {
        let own = inv.env.iter().rev().find(|(name, _)| name == "REDISCLI_AUTH");
        access.password = match own {
            Some((_, value)) => value.clone(),
            None => cx.env.get("REDISCLI_AUTH").cloned(),
        };
    }
    flags.access = match (trouble, &inv.cwd) {
        (Some(why), _) => Err(why),
        (None, None) => Err("the directory that it runs in is not known".to_owned()),
        (None, Some(cwd)) => Ok(Access { cwd: cwd.clone(), ..access }),
    };
    flags
}

/// `redis://user:password@host:port/db`.
fn from_url(url: &str, access: &mut Access, db: &mut u32) {
    let Some((scheme, rest)) = url.split_once("://") else { return };
    if matches!(scheme, "rediss" | "valkeys") {
        access.flags.push("--tls".to_owned());
    }
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (who, place) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = who.split_once(':').unwrap_or(("", who));
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            access.flags.extend([name.to_owned(), value.to_owned()]);
        }
    };
    add("--user", user);
    let (host, port) = place.rsplit_once(':').unwrap_or((place, ""));
    add("-h", host);
    add("-p", port);
    if !password.is_empty() {
        access.password = Some(Bytes::from(decoded(password)));
    }
    *db = path.parse().unwrap_or(*db);
}

/// `%40` is `@`.
fn decoded(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after
            .get(..2)
            .and_then(|h| std::str::from_utf8(h).ok())
            .and_then(|h| u8::from_str_radix(h, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}
