//! redis and mongo.

use crate::model::{EffectClass as C, Reversibility as R, Stdin, Word};
use crate::systems::words::{Reader, Takes, Words};

const REDIS_READS: &[&str] = &[
    "GET",
    "MGET",
    "KEYS",
    "SCAN",
    "EXISTS",
    "TTL",
    "PTTL",
    "TYPE",
    "STRLEN",
    "HGET",
    "HGETALL",
    "HKEYS",
    "HVALS",
    "HLEN",
    "HEXISTS",
    "HMGET",
    "LRANGE",
    "LLEN",
    "LINDEX",
    "SMEMBERS",
    "SISMEMBER",
    "SCARD",
    "ZRANGE",
    "ZCARD",
    "ZSCORE",
    "ZCOUNT",
    "INFO",
    "PING",
    "DBSIZE",
    "TIME",
    "MONITOR",
    "DUMP",
    "OBJECT",
    "MEMORY",
    "SLOWLOG",
    "LASTSAVE",
    "ROLE",
    "ECHO",
    "SELECT",
    "AUTH",
    "HELLO",
    "XRANGE",
    "XLEN",
    "SSCAN",
    "HSCAN",
    "ZSCAN",
    "GETRANGE",
    "RANDOMKEY",
    "LATENCY",
    "COMMAND",
    "WAIT",
    "SUBSCRIBE",
    "PSUBSCRIBE",
    "XREAD",
    "XINFO",
    "PFCOUNT",
    "BITCOUNT",
    "LOLWUT",
    "SAVE",
    "BGSAVE",
    "TOUCH",
];

/// `redis-cli`
pub fn redis(out: &mut Reader<'_>) {
    let args = out.inv.args();
    let mut at = 0;
    while let Some(word) = args.get(at).filter(|w| w.text.as_slice().starts_with(b"-")) {
        let text = word.text.as_str().unwrap_or_default();
        if text == "--rdb" {
            let file = args.get(at + 1).cloned();
            file.iter().for_each(|f| out.word(C::Overwrite, "path:", f, R::Exact));
            return;
        }
        if matches!(
            text,
            "--scan"
                | "--stat"
                | "--bigkeys"
                | "--memkeys"
                | "--hotkeys"
                | "--latency"
                | "-v"
                | "--intrinsic-latency"
        ) {
            return;
        }
        at += if matches!(
            text,
            "-h" | "-p" | "-a" | "-n" | "-u" | "-s" | "-i" | "-r" | "--user" | "--pass" | "-t" | "-D" | "-d"
        ) {
            2
        } else {
            1
        };
    }
    let words: Vec<&Word> = args.get(at..).unwrap_or_default().iter().collect();
    let Some((verb, rest)) = words.split_first() else { return out.opaque("redis-cli") };
    let sub = rest.first().and_then(|w| w.as_str()).unwrap_or_default().to_ascii_uppercase();
    let verb = verb.text.lossy().to_ascii_uppercase();
    let first: Vec<&Word> = rest.iter().take(1).copied().collect();
    match verb.as_str() {
        "DEL" | "UNLINK" => out.each(C::Destroy, "redis:", rest, R::Exact),
        "GETDEL" | "LPOP" | "RPOP" | "SPOP" | "LTRIM" | "HDEL" | "SREM" | "ZREM" | "LREM" | "XDEL"
        | "XTRIM" => out.each(C::Destroy, "redis:", &first, R::Exact),
        "FLUSHALL" => out.add(C::Destroy, "dyn:all keys of all databases", R::Exact),
        "FLUSHDB" => out.add(C::Destroy, "dyn:all keys of the database", R::Exact),
        "SET" | "MSET" | "GETSET" | "SETEX" | "RESTORE" | "HSET" | "HMSET" | "LSET" => {
            out.each(C::Overwrite, "redis:", &first, R::Exact)
        }
        "RENAME" | "COPY" | "MOVE" => out.each(C::Overwrite, "redis:", rest, R::Exact),
        "EXPIRE" | "PEXPIRE" | "PERSIST" | "INCR" | "DECR" | "INCRBY" | "APPEND" | "LPUSH" | "RPUSH"
        | "SADD" | "ZADD" | "XADD" | "SETNX" | "EXPIREAT" | "HINCRBY" => {
            out.each(C::Mutate, "redis:", &first, R::Exact);
        }
        "SHUTDOWN" => out.add(C::Disrupt, "svc:redis", R::Exact),
        "PUBLISH" => out.add(C::Publish, "dyn:redis channel", R::Irreversible),
        "CONFIG" if matches!(sub.as_str(), "GET") => {}
        "CONFIG" => out.add(
            C::Mutate,
            format!("redis:config {}", rest.get(1).map(|w| w.text.lossy()).unwrap_or_default()),
            R::Exact,
        ),
        "CLIENT" | "CLUSTER" | "ACL" | "SCRIPT" | "FUNCTION"
            if matches!(
                sub.as_str(),
                "LIST"
                    | "INFO"
                    | "NODES"
                    | "SLOTS"
                    | "WHOAMI"
                    | "GETUSER"
                    | "GETNAME"
                    | "EXISTS"
                    | "ID"
                    | "DUMP"
            ) => {}
        "ACL" => out.add(C::Access, "redis:acl", R::Exact),
        "CLIENT" | "CLUSTER" | "REPLICAOF" | "SLAVEOF" | "FAILOVER" | "DEBUG" => {
            out.add(C::Disrupt, "svc:redis", R::Compensating)
        }
        read if REDIS_READS.contains(&read) => {}
        other => out.opaque(&format!("redis {other}")),
    }
}

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
