//! mongo.

use crate::model::{EffectClass as C, Reversibility as R, Stdin};
use crate::systems::words::{Reader, Takes, Words};

/// `mongosh` and the dump tools.
pub fn mongo(program: &str, out: &mut Reader<'_>) {
    let takes = Takes::One(&[
        "--eval",
        "--host",
        "--port",
        "-u",
        "-p",
        "--username",
        "--password",
        "--authenticationDatabase",
        "-d",
        "--db",
        "-c",
        "--collection",
        "--uri",
        "-o",
        "--out",
        "--file",
        "-f",
        "--query",
        "-q",
        "--archive",
    ]);
    let words = Words::split(out.inv.args(), takes);
    match program {
        "mongodump" | "mongoexport" => {
            let file = words.value(&["-o", "--out", "--archive"]).cloned();
            file.iter().for_each(|f| out.word(C::Create, "path:", f, R::Exact));
            if file.is_none() && program == "mongodump" {
                out.add(C::Create, "path:dump", R::Exact);
            }
            return;
        }
        "mongorestore" | "mongoimport" => {
            let class = if words.has(&["--drop"]) { C::Destroy } else { C::Mutate };
            out.add(class, "dyn:collections of the dump", R::Exact);
            return;
        }
        _ => {}
    }
    let text = words.text(&["--eval"]).or_else(|| match &out.inv.stdin {
        Stdin::Text(word) => Some(word.text.lossy().into_owned()),
        _ => None,
    });
    let Some(code) = text else {
        out.opaque(program);
        return;
    };
    let database = words.operand(0).rsplit('/').next().unwrap_or_default().to_owned();
    script(&database, &code, out);
}

/// Calls of a mongo script: the last part of `db.collection.call(` tells.
fn script(database: &str, code: &str, out: &mut Reader<'_>) {
    const READS: &[&str] = &[
        "find",
        "findOne",
        "countDocuments",
        "estimatedDocumentCount",
        "aggregate",
        "distinct",
        "count",
        "stats",
        "getIndexes",
        "getCollectionNames",
        "explain",
        "serverStatus",
        "version",
        "status",
        "hello",
        "toArray",
        "limit",
        "sort",
        "pretty",
        "getUsers",
        "hostInfo",
        "isMaster",
        "getName",
        "printjson",
        "show",
        "print",
    ];
    let mut any = false;
    for (at, _) in code.match_indices("db.") {
        let chain: String = code
            .get(at + 3..)
            .unwrap_or_default()
            .chars()
            .take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '_'))
            .collect();
        let (collection, call) = chain.rsplit_once('.').unwrap_or(("", chain.as_str()));
        let class = match call {
            "dropDatabase" => {
                any = true;
                out.add(C::Destroy, format!("mongo:database:{database}"), R::Exact);
                continue;
            }
            "drop" | "remove" | "deleteMany" | "deleteOne" | "findOneAndDelete" | "findAndModify" => {
                C::Destroy
            }
            "updateMany" | "updateOne" | "update" | "replaceOne" | "save" | "findOneAndUpdate"
            | "bulkWrite" | "renameCollection" => C::Overwrite,
            "insertOne" | "insertMany" | "insert" | "createIndex" | "createCollection" => C::Create,
            "dropIndex" | "dropIndexes" => C::Destroy,
            "createUser"
            | "dropUser"
            | "updateUser"
            | "grantRolesToUser"
            | "revokeRolesFromUser"
            | "changeUserPassword" => C::Access,
            "shutdownServer" | "killOp" => C::Disrupt,
            read if READS.contains(&read) => {
                any = true;
                continue;
            }
            _ => C::Opaque,
        };
        any = true;
        let name = if collection.is_empty() {
            database.to_owned()
        } else {
            format!("{database}.{collection}").trim_start_matches('.').to_owned()
        };
        out.add(class, format!("mongo:{name}"), R::Exact);
    }
    if !any && code.contains('(') {
        out.opaque("mongo script");
    }
}
