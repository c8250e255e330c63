//! The commands of Redis: which only read, and which of their words are keys that they write (command docs, "key specs").

use super::Asking;
use crate::model::{EffectClass as C, Reversibility as R, Word};

const READS: &[&str] = &[
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
    "HSTRLEN",
    "HRANDFIELD",
    "LRANGE",
    "LLEN",
    "LINDEX",
    "LPOS",
    "LCS",
    "SMEMBERS",
    "SISMEMBER",
    "SMISMEMBER",
    "SCARD",
    "SRANDMEMBER",
    "SDIFF",
    "SINTER",
    "SINTERCARD",
    "SUNION",
    "ZRANGE",
    "ZCARD",
    "ZSCORE",
    "ZMSCORE",
    "ZCOUNT",
    "ZRANK",
    "ZREVRANK",
    "ZRANGEBYSCORE",
    "ZREVRANGE",
    "ZREVRANGEBYSCORE",
    "ZRANGEBYLEX",
    "ZREVRANGEBYLEX",
    "ZLEXCOUNT",
    "ZRANDMEMBER",
    "ZDIFF",
    "ZINTER",
    "ZINTERCARD",
    "ZUNION",
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
    "AUTH",
    "HELLO",
    "XRANGE",
    "XREVRANGE",
    "XLEN",
    "XPENDING",
    "SSCAN",
    "HSCAN",
    "ZSCAN",
    "GETRANGE",
    "SUBSTR",
    "RANDOMKEY",
    "LATENCY",
    "COMMAND",
    "WAIT",
    "WAITAOF",
    "SUBSCRIBE",
    "PSUBSCRIBE",
    "SSUBSCRIBE",
    "UNSUBSCRIBE",
    "PUBSUB",
    "XREAD",
    "XINFO",
    "PFCOUNT",
    "BITCOUNT",
    "BITPOS",
    "BITFIELD_RO",
    "GETBIT",
    "LOLWUT",
    "SAVE",
    "BGSAVE",
    "BGREWRITEAOF",
    "TOUCH",
    "EXPIRETIME",
    "PEXPIRETIME",
    "GEOPOS",
    "GEODIST",
    "GEOHASH",
    "GEOSEARCH",
    "GEORADIUS_RO",
    "GEORADIUSBYMEMBER_RO",
    "SORT_RO",
    "EVAL_RO",
    "EVALSHA_RO",
    "FCALL_RO",
    "ASKING",
    "READONLY",
    "READWRITE",
    "QUIT",
    "MULTI",
    "EXEC",
    "DISCARD",
    "WATCH",
    "UNWATCH",
    "RESET",
    "HELP",
    "EXIT",
    "CLEAR",
    "HTTL",
    "HPTTL",
    "HEXPIRETIME",
];

/// One command.
pub fn read(words: &[&Word], out: &mut Asking<'_>) {
    let Some((verb, rest)) = words.split_first() else { return };
    let word = |at: usize| rest.get(at).and_then(|w| w.as_str()).unwrap_or_default().to_ascii_uppercase();
    let name = verb.text.lossy().to_ascii_uppercase();
    let first: Vec<&Word> = rest.iter().take(1).copied().collect();
    match name.as_str() {
        "SELECT" => match word(0).parse() {
            Ok(db) => out.db = db,
            Err(_) => out.not_kept("which database it means is not known before it runs"),
        },
        "DEL" | "UNLINK" => out.keys(C::Destroy, rest),
        "GETDEL" | "LPOP" | "RPOP" | "SPOP" | "LTRIM" | "HDEL" | "SREM" | "ZREM" | "LREM" | "XDEL"
        | "XTRIM" | "ZPOPMIN" | "ZPOPMAX" | "ZREMRANGEBYSCORE" | "ZREMRANGEBYRANK" | "ZREMRANGEBYLEX"
        | "HGETDEL" => out.keys(C::Destroy, &first),
        "BLPOP" | "BRPOP" | "BZPOPMIN" | "BZPOPMAX" => {
            out.keys(C::Destroy, rest.get(..rest.len().saturating_sub(1)).unwrap_or_default())
        }
        "LMPOP" | "ZMPOP" => counted(C::Destroy, rest, 0, out),
        "BLMPOP" | "BZMPOP" => counted(C::Destroy, rest, 1, out),
        "FLUSHALL" => {
            out.out.add(C::Destroy, "dyn:all keys of all databases", R::Exact);
            out.any = true;
            out.ask.all = true;
        }
        "FLUSHDB" => {
            out.out.add(C::Destroy, "dyn:all keys of the database", R::Exact);
            out.any = true;
            out.ask.whole.push(out.db);
        }
        "SWAPDB" => {
            out.out.add(C::Overwrite, "dyn:all keys of two databases", R::Exact);
            out.any = true;
            let dbs = [word(0), word(1)];
            out.ask.whole.extend(dbs.iter().filter_map(|db| db.parse::<u32>().ok()));
        }
        "SET" | "GETSET" | "SETEX" | "PSETEX" | "RESTORE" | "HSET" | "HMSET" | "LSET" | "SETRANGE"
        | "HSETEX" => out.keys(C::Overwrite, &first),
        "MSET" | "MSETNX" => {
            let keys: Vec<&Word> = rest.iter().step_by(2).copied().collect();
            // The first one names the effect; all are kept.
            out.keys(C::Overwrite, &first);
            out.want(out.db, keys.get(1..).unwrap_or_default());
        }
        "RENAME" | "RENAMENX" => out.keys(C::Overwrite, rest),
        "COPY" => {
            out.out.each(C::Overwrite, "redis:", rest.get(..2).unwrap_or_default(), R::Exact);
            let at = (0..rest.len()).find(|at| word(*at) == "DB").map(|at| word(at + 1));
            let db = at.and_then(|db| db.parse().ok()).unwrap_or(out.db);
            out.want(db, rest.get(1..2).unwrap_or_default());
        }
        "MOVE" => {
            out.out.each(C::Overwrite, "redis:", rest, R::Exact);
            out.want(out.db, &first);
            match word(1).parse() {
                Ok(db) => out.want(db, &first),
                Err(_) => out.not_kept("which database it means is not known before it runs"),
            }
        }
        "EXPIRE" | "PEXPIRE" | "EXPIREAT" | "PEXPIREAT" | "PERSIST" | "GETEX" | "INCR" | "DECR"
        | "INCRBY" | "DECRBY" | "INCRBYFLOAT" | "APPEND" | "LPUSH" | "RPUSH" | "LPUSHX" | "RPUSHX"
        | "LINSERT" | "SADD" | "ZADD" | "ZINCRBY" | "XADD" | "XACK" | "XCLAIM" | "XAUTOCLAIM" | "XSETID"
        | "SETNX" | "HINCRBY" | "HINCRBYFLOAT" | "HSETNX" | "SETBIT" | "BITFIELD" | "PFADD" | "GEOADD"
        | "HEXPIRE" | "HPEXPIRE" | "HPERSIST" | "HGETEX" => out.keys(C::Mutate, &first),
        "XGROUP" => {
            let key: Vec<&Word> = rest.iter().skip(1).take(1).copied().collect();
            out.keys(C::Mutate, &key);
        }
        "RPOPLPUSH" | "BRPOPLPUSH" | "LMOVE" | "BLMOVE" | "SMOVE" => {
            out.keys(C::Mutate, rest.get(..2).unwrap_or_default())
        }
        "SINTERSTORE" | "SUNIONSTORE" | "SDIFFSTORE" | "ZINTERSTORE" | "ZUNIONSTORE" | "ZDIFFSTORE"
        | "ZRANGESTORE" | "GEOSEARCHSTORE" | "PFMERGE" => out.keys(C::Overwrite, &first),
        "BITOP" => out.keys(C::Overwrite, rest.get(1..2).unwrap_or_default()),
        "SORT" | "GEORADIUS" | "GEORADIUSBYMEMBER" => {
            let at = (0..rest.len()).find(|at| matches!(word(*at).as_str(), "STORE" | "STOREDIST"));
            let to: Vec<&Word> = at.and_then(|at| rest.get(at + 1)).copied().into_iter().collect();
            out.keys(C::Overwrite, &to);
        }
        "EVAL" | "EVALSHA" | "FCALL" => {
            out.out.opaque(&format!("redis {name}"));
            let count = word(1).parse::<usize>().unwrap_or(0);
            let keys = rest.get(2..(2 + count).min(rest.len())).unwrap_or_default();
            out.want(out.db, keys);
            out.ask.besides = Some("keys that the script writes by other names".to_owned());
        }
        "SHUTDOWN" => {
            let loses = word(0) == "NOSAVE";
            out.out.add(if loses { C::Destroy } else { C::Disrupt }, "svc:redis", R::Exact);
            if loses {
                out.any = true;
                out.ask.all = true;
            }
        }
        "PUBLISH" | "SPUBLISH" => out.out.add(C::Publish, "dyn:redis channel", R::Irreversible),
        "CONFIG" if matches!(word(0).as_str(), "GET" | "HELP") => {}
        "CONFIG" if word(0) == "SET" => {
            let names: Vec<&Word> = rest.iter().skip(1).step_by(2).copied().collect();
            let name = names.first().map(|w| w.text.lossy().into_owned()).unwrap_or_default();
            out.out.add(C::Mutate, format!("redis:config {name}"), R::Exact);
            out.any = true;
            match names.iter().all(|w| w.certain) {
                true => out.ask.config.extend(names.iter().map(|w| w.text.lossy().into_owned())),
                false => out.not_kept("its parameters are not known before it runs"),
            }
        }
        "CONFIG" => {
            let what = rest.get(1).map(|w| w.text.lossy().into_owned()).unwrap_or_default();
            out.out.add(C::Mutate, format!("redis:config {what}"), R::Exact);
        }
        "CLIENT" | "CLUSTER" | "ACL" | "SCRIPT" | "FUNCTION"
            if matches!(
                word(0).as_str(),
                "LIST"
                    | "INFO"
                    | "NODES"
                    | "SLOTS"
                    | "SHARDS"
                    | "WHOAMI"
                    | "GETUSER"
                    | "GETNAME"
                    | "SETNAME"
                    | "EXISTS"
                    | "ID"
                    | "DUMP"
                    | "USERS"
                    | "CAT"
                    | "LOG"
                    | "HELP"
                    | "STATS"
                    | "KEYSLOT"
                    | "MYID"
                    | "COUNTKEYSINSLOT"
                    | "TRACKINGINFO"
                    | "NO-EVICT"
                    | "NO-TOUCH"
                    | "SETINFO"
                    | "DRYRUN"
                    | "GENPASS"
                    | "LOAD"
                    | "SHOW"
            ) => {}
        "ACL" => lost(C::Access, "redis:acl", "users and their rights are not captured", out),
        "SCRIPT" => lost(C::Mutate, "redis:scripts", "the cache of scripts is not captured", out),
        "FUNCTION" => lost(C::Destroy, "redis:functions", "functions are not captured", out),
        "CLIENT" | "CLUSTER" | "REPLICAOF" | "SLAVEOF" | "FAILOVER" | "DEBUG" => {
            out.out.add(C::Disrupt, "svc:redis", R::Compensating)
        }
        read if READS.contains(&read) => {}
        other => out.out.opaque(&format!("redis {other}")),
    }
}

/// `numkeys key key …`
fn counted(class: C, rest: &[&Word], at: usize, out: &mut Asking<'_>) {
    let count = rest.get(at).and_then(|w| w.as_str()).and_then(|n| n.parse::<usize>().ok()).unwrap_or(0);
    let keys = rest.get(at + 1..(at + 1 + count).min(rest.len())).unwrap_or_default();
    out.keys(class, keys);
}

fn lost(class: C, what: &str, why: &str, out: &mut Asking<'_>) {
    out.out.add(class, what, R::Irreversible);
    out.not_kept(why);
}
