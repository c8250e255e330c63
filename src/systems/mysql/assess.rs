//! What the programs of MySQL and MariaDB will do, from their words alone.
//! Source: the reference pages of `mysql`, `mysqladmin`, `mysqldump` and `mysqlimport` of both.

use super::NAME;
use super::connection::Connection;
use crate::model::{Effect, EffectClass as C, Invocation, Reversibility as R, Word};
use crate::shell::options::{Options, Spec, read};
use crate::sql::{Act, Dialect};
use crate::systems::AssessCx;
use crate::systems::tables::{Input, Said};

/// The base names of the programs understood here.
pub const PROGRAMS: &[&str] = &[
    "mysql",
    "mariadb",
    "mysqldump",
    "mariadb-dump",
    "mysqladmin",
    "mariadb-admin",
    "mysqlimport",
    "mariadb-import",
];

const LONG: &[&str] = &[
    "--execute",
    "--host",
    "--port",
    "--user",
    "--database",
    "--socket",
    "--protocol",
    "--result-file",
    "--init-command",
    "--default-character-set",
    "--defaults-file",
    "--defaults-extra-file",
    "--defaults-group-suffix",
    "--login-path",
    "--delimiter",
    "--tee",
    "--pager",
    "--prompt",
    "--ssl-ca",
    "--ssl-capath",
    "--ssl-cert",
    "--ssl-cipher",
    "--ssl-key",
    "--ssl-mode",
    "--plugin-dir",
    "--default-auth",
    "--connect-timeout",
    "--connect-expired-password",
    "--max-allowed-packet",
    "--sleep",
    "--count",
    "--wait",
    "--where",
    "--tab",
    "--ignore-table",
    "--fields-terminated-by",
    "--fields-enclosed-by",
    "--lines-terminated-by",
    "--ignore-lines",
    "--columns",
];
const FLAGS: &[&str] = &[
    "--batch",
    "--force",
    "--help",
    "--version",
    "--verbose",
    "--silent",
    "--skip-column-names",
    "--table",
    "--xml",
    "--html",
    "--raw",
    "--quick",
    "--password",
    "--no-defaults",
    "--single-transaction",
    "--databases",
    "--all-databases",
    "--delete",
    "--replace",
    "--ssl",
    "--skip-ssl",
];
/// `-p` has its value attached, or asks a person.
const CLIENT: Spec = Spec { short: "ehPuDS", attached: "p#", long: LONG, flags: FLAGS, posix: false };
const ADMIN: Spec = Spec { short: "hPuSciOw", attached: "p#", long: LONG, flags: FLAGS, posix: false };
const DUMP: Spec = Spec { short: "hPuSrTwc", attached: "p#", long: LONG, flags: FLAGS, posix: false };

/// What an invocation of one of [`PROGRAMS`] does.
pub fn assess(inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
    let Some(program) = inv.program() else { return Vec::new() };
    let spec = match program {
        "mysql" | "mariadb" => CLIENT,
        "mysqladmin" | "mariadb-admin" => ADMIN,
        _ => DUMP,
    };
    let options = read(&spec, inv.args());
    if options.has(&["--help", "-?", "-I", "--version", "-V", "--print-defaults"]) {
        return Vec::new();
    }
    let mut said = Said::new(inv, NAME, Dialect::MySql);
    match program {
        "mysql" | "mariadb" => client(program, &options, &mut said),
        "mysqladmin" | "mariadb-admin" => admin(program, &options, &mut said),
        "mysqlimport" | "mariadb-import" => import(&options, &mut said),
        _ => {
            said.output(options.value(&["-r", "--result-file"]), C::Create);
            said.output(options.value(&["-T", "--tab"]), C::Create);
        }
    }
    let database = match program {
        "mysql" | "mariadb" | "mysqlimport" | "mariadb-import" => options.operands.first().copied(),
        _ => None,
    };
    said.finish(|| {
        Connection::read(program, &options, database, inv, cx)
            .map(|connection| (connection.locator(), connection))
    })
}

fn client(program: &str, options: &Options<'_>, said: &mut Said<'_>) {
    let texts: Vec<&Word> = options.values(&["-e", "--execute"]).collect();
    match texts.is_empty() {
        true => said.stdin(program),
        false => texts.iter().for_each(|text| said.text(text)),
    }
    said.read_all();
    said.output(options.value(&["--tee"]), C::Create);
    if let Some(word) = options.value(&["--init-command"]) {
        said.text(word);
        said.read_all();
    }
}

/// `mysqladmin` takes several commands in a row.
fn admin(program: &str, options: &Options<'_>, said: &mut Said<'_>) {
    let mut at = 0;
    while let Some(word) = options.operands.get(at).copied() {
        let value = options.operands.get(at + 1).copied();
        at += 1;
        match word.text.lossy().as_ref() {
            "drop" => said.database(value, true),
            "create" => said.database(value, false),
            "shutdown" => said.add(C::Disrupt, "svc:mysql", R::Exact),
            "kill" => said.add(C::Disrupt, "sql:connection", R::Irreversible),
            "password" | "old-password" => said.add(C::Access, "sql:user:password", R::Irreversible),
            "start-slave" | "stop-slave" | "start-replica" | "stop-replica" | "start-all-slaves"
            | "stop-all-slaves" => {
                said.add(C::Disrupt, "sql:replication", R::Exact);
                continue;
            }
            "flush-binary-log" | "flush-engine-log" | "flush-error-log" | "flush-general-log"
            | "flush-hosts" | "flush-logs" | "flush-privileges" | "flush-slow-log" | "flush-status"
            | "flush-tables" | "flush-threads" | "reload" | "refresh" | "debug" | "status" | "ping"
            | "version" | "variables" | "processlist" | "extended-status" => continue,
            verb => {
                said.act(&Act::anything(&format!("{program} {verb}")), word.certain);
                continue;
            }
        }
        at += 1;
    }
}

/// The file's name without its ending is the table's.
fn import(options: &Options<'_>, said: &mut Said<'_>) {
    let emptied = options.has(&["-d", "--delete", "-r", "--replace"]);
    for file in options.operands.iter().skip(1) {
        let path = file.text.lossy().into_owned();
        let base = path.rsplit('/').next().unwrap_or_default();
        let table = base.split('.').next().unwrap_or_default().to_owned();
        let class = if emptied { C::Overwrite } else { C::Create };
        let act = match emptied {
            true => crate::sql::overwritten(&crate::sql::Name::plain(&table)),
            false => Act::added(&crate::sql::Name::plain(&table), None),
        };
        said.act(&Act { class, ..act }, file.certain);
        said.inputs.push(Input::Table { name: table, emptied });
    }
}
