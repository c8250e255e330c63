//! How the command reaches its server, as variables of libpq: a password never stands among arguments.
//! Source: PostgreSQL's manual, 34.1 (connection strings) and 34.15 (environment variables).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::{Bytes, Context, ContextKind, Invocation, Locator, contexts};
use crate::shell::options::Options;
use crate::systems::AssessCx;

/// Parameters of a connection string, and the variables that mean the same.
const PARAMETERS: &[(&str, &str)] = &[
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("port", "PGPORT"),
    ("dbname", "PGDATABASE"),
    ("user", "PGUSER"),
    ("password", "PGPASSWORD"),
    ("passfile", "PGPASSFILE"),
    ("channel_binding", "PGCHANNELBINDING"),
    ("service", "PGSERVICE"),
    ("options", "PGOPTIONS"),
    ("application_name", "PGAPPNAME"),
    ("sslmode", "PGSSLMODE"),
    ("requiressl", "PGREQUIRESSL"),
    ("sslcompression", "PGSSLCOMPRESSION"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcrl", "PGSSLCRL"),
    ("sslcrldir", "PGSSLCRLDIR"),
    ("sslsni", "PGSSLSNI"),
    ("requirepeer", "PGREQUIREPEER"),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"),
    ("gssencmode", "PGGSSENCMODE"),
    ("krbsrvname", "PGKRBSRVNAME"),
    ("gsslib", "PGGSSLIB"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("client_encoding", "PGCLIENTENCODING"),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS"),
];

/// More variables that choose a server or how names are read.
const VARIABLES: &[&str] = &["HOME", "PGSERVICEFILE", "PGSYSCONFDIR", "PGTZ", "PGDATESTYLE"];

/// A way to a database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Variables of libpq.
    pub env: BTreeMap<String, String>,
    /// Where relative paths start.
    pub cwd: Bytes,
}

impl Connection {
    /// As the words and the environment say. `named`: the database and the user that stand as operands.
    ///
    /// # Errors
    /// Where we could not reach the same one: the reason, for people.
    pub fn read(
        options: &Options<'_>,
        named: (Option<&str>, Option<&str>),
        inv: &Invocation,
        cx: &AssessCx<'_>,
    ) -> Result<Connection, String> {
        let mut connection = Connection {
            cwd: inv.cwd.clone().ok_or("the directory that it runs in is not known")?,
            ..Connection::default()
        };
        let known = || PARAMETERS.iter().map(|(_, variable)| *variable).chain(VARIABLES.iter().copied());
        for name in known() {
            let own = inv.env.iter().rev().find(|(n, _)| n == name);
            match own {
                Some((_, None)) => return Err(format!("the value of {name} is not known before it runs")),
                Some((_, Some(value))) => connection.set(name, &value.lossy()),
                None => cx.env.get(name).into_iter().for_each(|value| connection.set(name, &value.lossy())),
            }
        }
        let other_user =
            |w: &String| matches!(w.as_str(), "sudo" | "doas" | "su" | "runuser" | "pkexec" | "setpriv");
        if inv.wrappers.iter().any(other_user) {
            return Err("it runs as another user, whose connection is not ours to use".to_owned());
        }
        for (names, variable) in
            [(["-h", "--host"], "PGHOST"), (["-p", "--port"], "PGPORT"), (["-U", "--username"], "PGUSER")]
        {
            if let Some(word) = options.value(&names) {
                let value = word
                    .as_str()
                    .ok_or_else(|| format!("the value of {} is not known before it runs", names[1]))?;
                connection.set(variable, value);
            }
        }
        let given = options
            .value(&["-d", "--dbname"])
            .map(|word| word.as_str().ok_or("the database is not known before it runs"));
        for name in [given.transpose()?, named.0].into_iter().flatten() {
            connection.database(name)?;
        }
        if let Some(user) = named.1 {
            connection.set("PGUSER", user);
        }
        Ok(connection)
    }

    fn set(&mut self, name: &str, value: &str) {
        self.env.insert(name.to_owned(), value.to_owned());
    }

    /// A database's name, a URL, or `key=value` pairs.
    fn database(&mut self, text: &str) -> Result<(), String> {
        if let Some(rest) = text.strip_prefix("postgresql://").or_else(|| text.strip_prefix("postgres://")) {
            return self.url(rest);
        }
        if !text.contains('=') {
            self.set("PGDATABASE", text);
            return Ok(());
        }
        for (name, value) in pairs(text).ok_or("its connection string is not understood")? {
            self.parameter(&name, &value)?;
        }
        Ok(())
    }

    fn parameter(&mut self, name: &str, value: &str) -> Result<(), String> {
        let known = PARAMETERS.iter().find(|(parameter, _)| *parameter == name);
        let (_, variable) =
            known.ok_or_else(|| format!("its connection string has {name}, which has no variable"))?;
        self.set(variable, value);
        Ok(())
    }

    /// `user:password@host:port,host:port/database?name=value`.
    fn url(&mut self, rest: &str) -> Result<(), String> {
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (place, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (who, hosts) = place.rsplit_once('@').unwrap_or(("", place));
        let (user, password) = who.split_once(':').unwrap_or((who, ""));
        for (variable, value) in [("PGUSER", user), ("PGPASSWORD", password), ("PGDATABASE", database)] {
            if !value.is_empty() {
                self.set(variable, &decoded(value));
            }
        }
        let (mut names, mut ports) = (Vec::new(), Vec::new());
        for host in hosts.split(',').filter(|host| !host.is_empty()) {
            let (name, port) = match host.strip_prefix('[').and_then(|h| h.split_once(']')) {
                Some((name, port)) => (name, port.trim_start_matches(':')),
                None => host.rsplit_once(':').unwrap_or((host, "")),
            };
            names.push(decoded(name));
            ports.push(port.to_owned());
        }
        if !names.is_empty() {
            self.set("PGHOST", &names.join(","));
            if ports.iter().any(|port| !port.is_empty()) {
                self.set("PGPORT", &ports.join(","));
            }
        }
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            self.parameter(&decoded(name), &decoded(value))?;
        }
        Ok(())
    }

    /// The same server, another database.
    pub fn to_database(&self, name: &str) -> Connection {
        let mut other = self.clone();
        other.set("PGDATABASE", name);
        other
    }

    /// The environment of `psql` and `pg_dump`: ours, with nothing of libpq's but what was recorded.
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        let dropped = |name: &OsString| {
            let name = name.to_string_lossy();
            name.starts_with("PG") || name.starts_with("PSQL") || name == "PAGER"
        };
        let mut env: Vec<(OsString, OsString)> =
            std::env::vars_os().filter(|(name, _)| !dropped(name)).collect();
        env.push(("FR_SHIM".into(), "off".into()));
        env.push(("PSQL_HISTORY".into(), "/dev/null".into()));
        if !self.env.contains_key("PGCONNECT_TIMEOUT") {
            env.push(("PGCONNECT_TIMEOUT".into(), "5".into()));
        }
        env.extend(self.env.iter().map(|(name, value)| (name.into(), value.into())));
        env.push(("PGAPPNAME".into(), "fr".into()));
        env
    }

    /// Where it runs.
    pub fn directory(&self) -> PathBuf {
        Some(self.cwd.as_path()).filter(|dir| dir.is_dir()).map_or("/".into(), PathBuf::from)
    }

    /// What may be shown and written down of it.
    pub fn locator(&self) -> Locator {
        let mut locator = Locator { at: self.cwd.clone(), ..Locator::default() };
        for (name, variable) in [
            ("host", "PGHOST"),
            ("port", "PGPORT"),
            ("user", "PGUSER"),
            ("database", "PGDATABASE"),
            ("service", "PGSERVICE"),
        ] {
            if let Some(value) = self.env.get(variable) {
                locator.opts.insert(name.to_owned(), value.as_str().into());
            }
        }
        locator
    }
}

/// `a=b c = 'd e'`.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let mut out = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        if chars.peek().is_none() {
            return Some(out);
        }
        let mut name = String::new();
        while let Some(c) = chars.next_if(|c| *c != '=') {
            name.push(c);
        }
        chars.next()?;
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        let quoted = chars.next_if(|c| *c == '\'').is_some();
        let mut value = String::new();
        loop {
            match chars.next() {
                Some('\\') => value.push(chars.next()?),
                Some('\'') if quoted => break,
                Some(c) if quoted || !c.is_whitespace() => value.push(c),
                None if quoted => return None,
                _ => break,
            }
        }
        out.push((name.trim().to_owned(), value));
    }
}

fn decoded(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        if b != b'%' {
            out.push(b);
            continue;
        }
        let digits = [bytes.next(), bytes.next()];
        let value =
            digits.iter().try_fold(0u8, |all, d| Some(all * 16 + char::from((*d)?).to_digit(16)? as u8));
        out.push(value.unwrap_or(b'?'));
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The names of a database: its own, its server's, and both.
pub fn contexts_of(locator: &Locator) -> Vec<Context> {
    let opt = |name: &str| locator.opts.get(name).map(|value| value.lossy().into_owned());
    let (host, database) = (opt("host"), opt("database"));
    let both = host.as_ref().zip(database.as_ref()).map(|(host, database)| format!("{host}/{database}"));
    contexts(ContextKind::Database, [host, database, both, opt("service")].into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::Connection;

    fn of(text: &str) -> Vec<(String, String)> {
        let mut connection = Connection::default();
        connection.database(text).unwrap();
        connection.env.into_iter().collect()
    }

    fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn urls_pairs_and_names_lead_to_the_same_place() {
        let place = [
            ("PGDATABASE", "shop"),
            ("PGHOST", "db"),
            ("PGPASSWORD", "p@ss"),
            ("PGPORT", "5433"),
            ("PGUSER", "app"),
        ];
        assert_eq!(of("postgres://app:p%40ss@db:5433/shop"), pairs(&place));
        assert_eq!(of("host=db port=5433 user=app password='p@ss' dbname=shop"), pairs(&place));
        assert_eq!(of("postgresql://app:p%40ss@/shop?host=db&port=5433"), pairs(&place));
        assert_eq!(of("shop"), pairs(&[("PGDATABASE", "shop")]));
        assert_eq!(
            of("postgresql://[::1]:5433/shop"),
            pairs(&[("PGDATABASE", "shop"), ("PGHOST", "::1"), ("PGPORT", "5433")])
        );
        assert!(Connection::default().database("host=x frobs=1").is_err());
    }
}
