//! How the command reaches its server. Its option files are read by us and only what leads to a server is taken from them;
//! the client is started with `--no-defaults`, so that nothing else in them counts (`init-command`, `plugin-dir`, `pager`,
//! `tee`). A password never stands among arguments: it goes into `MYSQL_PWD`.
//! Source: MySQL's manual 4.2.2 (option files) and 4.9 (environment), MariaDB's pages on option files and variables.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::config;
use crate::model::{Bytes, Context, ContextKind, Invocation, Locator, Word, contexts};
use crate::shell::options::Options;
use crate::systems::AssessCx;

/// Options that lead to a server, and may be taken from an option file. None of them runs anything.
pub const TAKEN: &[&str] = &[
    "host",
    "port",
    "user",
    "password",
    "socket",
    "protocol",
    "database",
    "default-character-set",
    "ssl",
    "skip-ssl",
    "ssl-ca",
    "ssl-capath",
    "ssl-cert",
    "ssl-cipher",
    "ssl-key",
    "ssl-mode",
    "ssl-verify-server-cert",
    "tls-version",
    "connect-timeout",
    "compress",
];

/// Variables that choose a server, or where option files are found.
const VARIABLES: &[&str] = &[
    "HOME",
    "USER",
    "LOGNAME",
    "MYSQL_PWD",
    "MYSQL_HOST",
    "MYSQL_TCP_PORT",
    "MYSQL_UNIX_PORT",
    "MYSQL_HOME",
    "MYSQL_GROUP_SUFFIX",
    "MYSQL_TEST_LOGIN_FILE",
    "MARIADB_HOME",
    "MARIADB_GROUP_SUFFIX",
    "LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN",
];

/// A way to a server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// `program`; `env NAME`; `--option` of the command line; `no-defaults`, `defaults-file`, `defaults-extra-file`, `suffix`,
    /// `login-path`.
    pub words: BTreeMap<String, String>,
    /// Where relative paths start.
    pub cwd: Bytes,
}

impl Connection {
    /// As the words and the environment say.
    ///
    /// # Errors
    /// Where we could not reach the same one: the reason, for people.
    pub fn read(
        program: &str,
        options: &Options<'_>,
        database: Option<&Word>,
        inv: &Invocation,
        cx: &AssessCx<'_>,
    ) -> Result<Connection, String> {
        let cwd = inv.cwd.clone().ok_or("the directory that it runs in is not known")?;
        let mut connection = Connection { cwd, ..Connection::default() };
        for name in VARIABLES {
            match inv.env.iter().rev().find(|(n, _)| n == name) {
                Some((_, None)) => return Err(format!("the value of {name} is not known before it runs")),
                Some((_, Some(value))) => connection.set(&format!("env {name}"), &value.lossy()),
                None => {
                    let value = cx.env.get(*name);
                    value.into_iter().for_each(|v| connection.set(&format!("env {name}"), &v.lossy()));
                }
            }
        }
        let other_user =
            |w: &String| matches!(w.as_str(), "sudo" | "doas" | "su" | "runuser" | "pkexec" | "setpriv");
        if inv.wrappers.iter().any(other_user) {
            return Err("it runs as another user, whose connection is not ours to use".to_owned());
        }
        for (name, value) in &options.options {
            connection.option(name, value.as_ref())?;
        }
        if let Some(word) = database {
            let name = word.as_str().ok_or("the database is not known before it runs")?;
            connection.set("--database", name);
        }
        connection.set("program", if program.starts_with("mariadb") { "mariadb" } else { "mysql" });
        Ok(connection)
    }

    fn option(&mut self, name: &str, value: Option<&Word>) -> Result<(), String> {
        let full = match name {
            "-h" => "--host",
            "-P" => "--port",
            "-u" => "--user",
            "-D" => "--database",
            "-S" => "--socket",
            "-p" => "--password",
            "-C" => "--compress",
            other => other,
        };
        let plain = full.trim_start_matches("--").replace('_', "-");
        let is_file = matches!(plain.as_str(), "defaults-file" | "defaults-extra-file" | "login-path");
        if plain == "no-defaults" {
            self.set("no-defaults", "");
        } else if is_file || plain == "defaults-group-suffix" || TAKEN.contains(&plain.as_str()) {
            let unknown = || format!("the value of {full} is not known before it runs");
            let text = match value {
                None if plain == "password" => return Err("its password is typed by a person".to_owned()),
                None => "",
                Some(word) => word.as_str().ok_or_else(unknown)?,
            };
            match is_file || plain == "defaults-group-suffix" {
                true => self.set(&plain, text),
                false => self.set(&format!("--{plain}"), text),
            }
        }
        Ok(())
    }

    /// It begins in a database.
    pub fn has_database(&self) -> bool {
        self.resolved().get("database").is_some_and(|name| !name.is_empty())
    }

    /// The same server, and no database to begin in.
    pub fn without_database(&self) -> Connection {
        let mut other = self.clone();
        other.set("--database", "");
        other
    }

    fn set(&mut self, name: &str, value: &str) {
        self.words.insert(name.to_owned(), value.to_owned());
    }

    fn env(&self, name: &str) -> Option<&str> {
        self.words.get(&format!("env {name}")).map(String::as_str)
    }

    /// Option files, then the command line.
    fn resolved(&self) -> BTreeMap<String, String> {
        let word = |name: &str| self.words.get(name).map(|path| self.cwd.join(path.as_bytes()));
        let place = config::Place {
            home: self.env("HOME").map(PathBuf::from),
            own: [self.env("MYSQL_HOME"), self.env("MARIADB_HOME")]
                .into_iter()
                .flatten()
                .map(PathBuf::from)
                .collect(),
            only: word("defaults-file").map(|path| path.as_path().to_owned()),
            extra: word("defaults-extra-file").map(|path| path.as_path().to_owned()),
            none: self.words.contains_key("no-defaults"),
            suffix: self
                .words
                .get("defaults-group-suffix")
                .map(String::as_str)
                .or(self.env("MYSQL_GROUP_SUFFIX"))
                .unwrap_or_default()
                .to_owned(),
        };
        let mut all = config::read(&place);
        for (name, value) in &self.words {
            if let Some(name) = name.strip_prefix("--") {
                all.insert(name.to_owned(), value.clone());
            }
        }
        all
    }

    /// The client and its options.
    pub fn argv(&self, forgiving: bool) -> Vec<OsString> {
        let mut argv: Vec<OsString> =
            vec![self.words.get("program").map_or("mysql", String::as_str).into(), "--no-defaults".into()];
        argv.extend(self.words.get("login-path").map(|path| format!("--login-path={path}").into()));
        let is_given = |(name, value): &(&String, &String)| {
            *name != "password" && (*name != "database" || !value.is_empty())
        };
        for (name, value) in self.resolved().iter().filter(is_given) {
            let switch = matches!(name.as_str(), "ssl" | "skip-ssl" | "compress" | "ssl-verify-server-cert");
            argv.push(match switch && value.is_empty() {
                true => format!("--{name}").into(),
                false => format!("--{name}={value}").into(),
            });
        }
        if !self.words.contains_key("--connect-timeout") {
            argv.push("--connect-timeout=5".into());
        }
        // No commands of the client in what it is given, nothing but rows in what it says, no second connection by itself.
        let fixed = [
            "--default-character-set=utf8mb4",
            "--batch",
            "--skip-column-names",
            "--unbuffered",
            "--quick",
            "--binary-mode",
            "--comments",
            "--skip-reconnect",
            "--skip-auto-rehash",
            "--max-allowed-packet=1G",
            "--loose-skip-print-query-on-error",
        ];
        argv.extend(fixed.map(OsString::from));
        argv.extend(forgiving.then(|| OsString::from("--force")));
        argv
    }

    /// The environment of the client: ours, with nothing of MySQL's but what was recorded.
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        let dropped = |name: &OsString| {
            let name = name.to_string_lossy();
            name.starts_with("MYSQL")
                || name.starts_with("MARIADB")
                || name == "PAGER"
                || name == "LD_PRELOAD"
        };
        let mut env: Vec<(OsString, OsString)> =
            std::env::vars_os().filter(|(name, _)| !dropped(name)).collect();
        env.push(("FR_SHIM".into(), "off".into()));
        env.push(("MYSQL_HISTFILE".into(), "/dev/null".into()));
        for (name, value) in &self.words {
            if let Some(name) = name.strip_prefix("env ") {
                env.push((name.into(), value.into()));
            }
        }
        if let Some(password) = self.resolved().get("password") {
            env.push(("MYSQL_PWD".into(), password.into()));
        }
        env
    }

    /// Where it runs.
    pub fn directory(&self) -> PathBuf {
        Some(self.cwd.as_path()).filter(|dir| dir.is_dir()).map_or("/".into(), PathBuf::from)
    }

    /// What may be shown and written down of it.
    pub fn locator(&self) -> Locator {
        let mut locator = Locator { at: self.cwd.clone(), ..Locator::default() };
        for name in ["host", "port", "user", "database", "socket"] {
            if let Some(value) = self.words.get(&format!("--{name}")) {
                locator.opts.insert(name.to_owned(), value.as_str().into());
            }
        }
        for (name, variable) in
            [("host", "MYSQL_HOST"), ("port", "MYSQL_TCP_PORT"), ("socket", "MYSQL_UNIX_PORT")]
        {
            if let Some(value) = self.env(variable) {
                locator.opts.entry(name.to_owned()).or_insert_with(|| value.into());
            }
        }
        locator
    }
}

/// Where a command's server is, by the names that people know it by.
pub fn contexts_of(locator: &Locator) -> Vec<Context> {
    let text = |name: &str| locator.opts.get(name).map(|value| value.lossy().into_owned());
    let (host, database) = (text("host"), text("database"));
    let both = host.as_ref().zip(database.as_ref()).map(|(host, database)| format!("{host}/{database}"));
    contexts(ContextKind::Database, [host, database, both].into_iter().flatten())
}
