//! The database server that a drill works in: one that somebody named, or one on this machine. Only what the drill makes
//! there is written to.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::rehearse::Ground;
use super::scene::{Given, search_path, tail};
use crate::error::{Error, ExitCode, Result};
use crate::platform::{random, runner};

/// The kinds of servers, by the schemes of their URLs.
const SCHEMES: &[(&str, &str)] = &[
    ("postgres", "postgres"),
    ("postgresql", "postgres"),
    ("mysql", "mysql"),
    ("mariadb", "mysql"),
    ("redis", "redis"),
    ("rediss", "redis"),
];

/// A server that somebody named: `postgres://user@host:5432`, `mysql://root@/run/mysqld/mysqld.sock`, `rediss://host`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The scenario that works in it.
    pub system: &'static str,
    /// As it was named.
    pub url: String,
    /// The user.
    pub user: Option<String>,
    /// The host; `None` where it is a socket.
    pub host: Option<String>,
    /// The port.
    pub port: Option<u16>,
    /// The socket, or the directory that it is in.
    pub socket: Option<String>,
    /// By TLS.
    pub tls: bool,
}

impl Server {
    /// Reads a URL.
    ///
    /// # Errors
    /// Where it names no server of a kind that is rehearsed, or holds a password: arguments can be read by everybody.
    pub fn parse(url: &str) -> Result<Server> {
        let wrong = |why: &str| {
            Error::new(ExitCode::Usage, format!("--server {}: {why}", url.split('@').next_back().unwrap_or("")))
                .hint("for example postgres://postgres@localhost:5432, mysql://root@/run/mysqld/mysqld.sock, redis://127.0.0.1:6379")
        };
        let (scheme, rest) = url.split_once(':').ok_or_else(|| wrong("it is no URL"))?;
        let known = SCHEMES.iter().find(|(name, _)| *name == scheme);
        let (_, system) = known.ok_or_else(|| wrong("no drill works in such a server"))?;
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (user, place) = match rest.rsplit_once('@') {
            Some((user, place)) => (Some(user).filter(|user| !user.is_empty()), place),
            None => (None, rest),
        };
        if user.is_some_and(|user| user.contains(':')) {
            let variable = match *system {
                "postgres" => "PGPASSWORD or ~/.pgpass",
                "mysql" => "MYSQL_PWD or ~/.my.cnf",
                _ => "REDISCLI_AUTH",
            };
            return Err(wrong(&format!("a password does not belong there; {variable} is read")));
        }
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:[]".contains(c));
        if !plain(place) || !user.is_none_or(plain) {
            return Err(wrong("it cannot be used in a drill's lines"));
        }
        let mut server = Server {
            system,
            url: url.to_owned(),
            user: user.map(str::to_owned),
            host: None,
            port: None,
            socket: None,
            tls: scheme == "rediss",
        };
        if place.starts_with('/') {
            server.socket = Some(place.to_owned());
            return Ok(server);
        }
        let place = place.strip_suffix('/').unwrap_or(place);
        if place.contains('/') {
            return Err(wrong("it names a database; a drill makes one of its own"));
        }
        let (host, port) = match (place.strip_prefix('['), place.rsplit_once(':')) {
            (Some(inside), _) => {
                let (host, rest) = inside.split_once(']').ok_or_else(|| wrong("its address has no end"))?;
                (host, rest.strip_prefix(':'))
            }
            (None, Some((host, port))) => (host, Some(port)),
            (None, None) => (place, None),
        };
        if host.is_empty() {
            return Err(wrong("it names no host"));
        }
        server.host = Some(host.to_owned());
        server.port =
            port.map(|port| port.parse().map_err(|_| wrong("its port is no number"))).transpose()?;
        Ok(server)
    }
}

/// The one of this kind that was named.
///
/// # Errors
/// Where several were.
pub(super) fn named<'a>(ground: &Ground<'a>, system: &str) -> Result<Option<&'a Server>> {
    let mut of = ground.servers.iter().filter(|server| server.system == system);
    let one = of.next();
    match of.next() {
        None => Ok(one),
        Some(_) => Err(Error::new(
            ExitCode::Usage,
            format!("--server names more than one for the drill of {system}"),
        )),
    }
}

/// Whether a host is this machine.
pub(super) fn is_here(host: &str) -> bool {
    let address = |host: &str| host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    host.is_empty() || host.starts_with('/') || host == "localhost" || address(host)
}

/// What is said where the environment leads to another machine.
pub(super) fn elsewhere(system: &str, what: &str) -> Error {
    let what = format!("{what} leads to a server that is not on this machine");
    Error::new(ExitCode::Usage, what).hint(format!(
        "--server {system}://HOST names the one in which the drill of {system} may make a database"
    ))
}

/// The variables of the user whose names begin so.
pub(super) fn variables(fronts: &[&str]) -> Vec<(OsString, OsString)> {
    let is = |name: &OsString| {
        name.to_str().is_some_and(|name| fronts.iter().any(|front| name.starts_with(front)))
    };
    std::env::vars_os().filter(|(name, _)| is(name)).collect()
}

/// A file of the user's HOME, where it is there.
pub(super) fn own_file(name: &str) -> Option<PathBuf> {
    let path = Path::new(&std::env::var_os("HOME")?).join(name);
    path.is_file().then_some(path)
}

/// A name that nobody has.
pub(super) fn new_name() -> String {
    let mut noise = [0; 6];
    random::fill(&mut noise);
    noise.iter().fold("fr_drill_".to_owned(), |name, byte| format!("{name}{byte:02x}"))
}

/// Asks a server; what it said. Where it does not answer a server that was named is an error, else the drill is left out.
pub(super) fn ask(
    argv: &[&str],
    given: &mut Given,
    server: Option<&Server>,
    ground: &Ground<'_>,
) -> Result<String> {
    let argv: Vec<OsString> = argv.iter().map(OsString::from).collect();
    let mut env = vec![
        ("PATH".into(), search_path()),
        ("HOME".into(), ground.scratch.into()),
        ("LC_ALL".into(), "C.UTF-8".into()),
        ("PGCONNECT_TIMEOUT".into(), "5".into()),
    ];
    env.extend(given.env.clone());
    let said = runner::output(&argv, b"", &env, ground.scratch)?;
    // redis-cli ends with 0 where it could not do what it was told.
    let refused = String::from_utf8_lossy(&said.stdout).trim_start().starts_with("NOAUTH");
    if said.code == 0 && !refused {
        return Ok(String::from_utf8_lossy(&said.stdout).trim().to_owned());
    }
    let why = if refused { tail(&said.stdout) } else { tail(&said.stderr) };
    match server {
        Some(server) => Err(Error::failure(format!("{} cannot be used: {why}", server.url))),
        None => {
            given.absent =
                Some(format!("no server on this machine lets it in ({why}); --server URL names one"));
            Ok(String::new())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Server, is_here};

    #[test]
    fn a_server_is_named_by_a_url_without_a_password() {
        let one = Server::parse("postgresql://app@db.internal:5433").unwrap();
        assert_eq!(
            (one.system, one.host.as_deref(), one.port),
            ("postgres", Some("db.internal"), Some(5433))
        );
        let one = Server::parse("mysql://root@/run/mysqld/mysqld.sock").unwrap();
        assert_eq!(
            (one.user.as_deref(), one.socket.as_deref()),
            (Some("root"), Some("/run/mysqld/mysqld.sock"))
        );
        let one = Server::parse("rediss://[::1]:6380/").unwrap();
        assert_eq!((one.host.as_deref(), one.port, one.tls), (Some("::1"), Some(6380), true));
        for wrong in [
            "db.internal",
            "mongodb://h",
            "postgres://a:secret@h",
            "redis://h/3",
            "redis://h;rm",
            "postgres://",
            "redis://h:x",
        ] {
            let said = Server::parse(wrong).unwrap_err();
            assert!(!said.to_string().contains("secret"), "{said}");
        }
    }

    #[test]
    fn only_sockets_and_loopback_are_this_machine() {
        assert!(["", "/run/postgresql", "localhost", "127.0.0.1", "::1"].iter().all(|host| is_here(host)));
        assert!(
            ["db", "10.0.0.1", "127.0.0.1.example.org", "localhost.example.org"].iter().all(|h| !is_here(h))
        );
    }
}
