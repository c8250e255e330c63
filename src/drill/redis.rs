//! Redis: keys of the drill's own, in a numbered database that was empty, on the server that was named, or on this machine.
//! Redis makes no databases, so the last empty one is taken; what empties it is only run while it holds just the drill's keys.

use std::ffi::OsString;

use super::look::Look;
use super::rehearse::Ground;
use super::scenario::{Incident, Scenario};
use super::scene::{Given, Scene, tail};
use super::server::{ask, named, new_name, variables};
use crate::error::{Error, Result};

pub(super) const SCENARIO: Scenario = Scenario {
    system: "redis",
    title: "keys of all kinds in a numbered database that was empty",
    needs: &["bash", "redis-cli"],
    optional: true,
    asked: true,
    in_cluster: false,
    given: Some(given),
    build,
    incidents: &[
        Incident {
            why: "keys are deleted",
            line: "redis-cli $DRILL_FLAGS DEL $DRILL_NAME:text $DRILL_NAME:list $DRILL_NAME:stream",
        },
        Incident { why: "a value is overwritten", line: "redis-cli $DRILL_FLAGS SET $DRILL_NAME:hash lost" },
        Incident { why: "a time to live is lost", line: "redis-cli $DRILL_FLAGS PERSIST $DRILL_NAME:text" },
        Incident {
            why: "a name is taken over",
            line: "redis-cli $DRILL_FLAGS RENAME $DRILL_NAME:set $DRILL_NAME:zset",
        },
        Incident {
            why: "the database is emptied",
            line: "[ \"$(redis-cli $DRILL_FLAGS DBSIZE)\" = 6 ] && redis-cli $DRILL_FLAGS FLUSHDB",
        },
    ],
    anew: &[],
    look,
    clear: Some(clear),
};

/// Which server and which of its databases, as options of the client; and what the keys begin with.
fn given(ground: &Ground<'_>) -> Result<Given> {
    let server = named(ground, "redis")?;
    let place = match server {
        Some(server) => match (&server.socket, &server.host) {
            (Some(socket), _) => format!("-s {socket}"),
            (None, host) => {
                let host = host.as_deref().unwrap_or("127.0.0.1");
                format!(
                    "-h {host} -p {}{}",
                    server.port.unwrap_or(6379),
                    if server.tls { " --tls" } else { "" }
                )
            }
        },
        None => "-h 127.0.0.1 -p 6379".to_owned(),
    };
    let place = match server.and_then(|server| server.user.as_ref()) {
        Some(user) => format!("{place} --user {user}"),
        None => place,
    };
    let env = variables(&["REDISCLI_AUTH", "SSL_CERT_"]);
    let mut given = Given { env, ..Given::default() };
    let asks = |words: &[&'static str]| -> Vec<String> {
        place.split(' ').map(str::to_owned).chain(words.iter().map(|w| (*w).to_owned())).collect()
    };
    let mut number = None;
    let argv = asks(&["INFO", "keyspace"]);
    let said = ask(
        &std::iter::once("redis-cli").chain(argv.iter().map(String::as_str)).collect::<Vec<_>>(),
        &mut given,
        server,
        ground,
    )?;
    if given.absent.is_none() {
        let taken: Vec<u32> =
            said.lines().filter_map(|l| l.strip_prefix("db")?.split(':').next()?.parse().ok()).collect();
        // Database 0 is where programs look first, and a server may have fewer than the usual sixteen.
        for free in (1..16).rev().filter(|n| !taken.contains(n)) {
            let number_text = free.to_string();
            let mut argv = vec!["redis-cli"];
            argv.extend(place.split(' '));
            argv.extend(["-n", &number_text, "DBSIZE"]);
            if ask(&argv, &mut given, None, ground)? == "0" {
                number = Some(free);
                break;
            }
        }
        given.absent = number.is_none().then(|| "none of its numbered databases 1 to 15 is empty".to_owned());
    }
    let flags = format!("{place} -n {}", number.unwrap_or(15));
    let name = new_name();
    given.words = vec![("DRILL_FLAGS", flags.clone()), ("DRILL_NAME", name.clone())];
    given.env.extend([("DRILL_FLAGS".into(), flags.into()), ("DRILL_NAME".into(), name.into())]);
    Ok(given)
}

const KEYS: &str = r#"
r() { said=$(redis-cli $DRILL_FLAGS "$@" 2>&1); case "$said" in *ERR*|*NOAUTH*|*NOPERM*|*"Could not"*) echo "$said" >&2; exit 1;; esac; }
[ "$(redis-cli $DRILL_FLAGS DBSIZE)" = 0 ] || { echo 'the database is not empty any more' >&2; exit 1; }
touch ours
r SET "$DRILL_NAME:text" 'tw o
lines' EX 86400
r HSET "$DRILL_NAME:hash" a 1 b ''
r RPUSH "$DRILL_NAME:list" x y x
r SADD "$DRILL_NAME:set" 1 2 three
r ZADD "$DRILL_NAME:zset" 1.5 one 2 two
r XADD "$DRILL_NAME:stream" 1-1 field value
"#;

fn build(scene: &Scene) -> Result<()> {
    scene.script(KEYS)
}

/// What redis-cli says of each.
fn look(scene: &Scene) -> Result<Look> {
    scene.look(&[
        "redis-cli $DRILL_FLAGS DBSIZE",
        "redis-cli $DRILL_FLAGS GET $DRILL_NAME:text",
        "redis-cli $DRILL_FLAGS PEXPIRETIME $DRILL_NAME:text",
        "redis-cli $DRILL_FLAGS HGETALL $DRILL_NAME:hash",
        "redis-cli $DRILL_FLAGS LRANGE $DRILL_NAME:list 0 -1",
        "redis-cli $DRILL_FLAGS SMEMBERS $DRILL_NAME:set | sort",
        "redis-cli $DRILL_FLAGS ZRANGE $DRILL_NAME:zset 0 -1 WITHSCORES",
        "redis-cli $DRILL_FLAGS XRANGE $DRILL_NAME:stream - +",
    ])
}

/// Deletes its keys, and nothing else.
fn clear(scene: &Scene) -> Result<()> {
    const CLEAR: &str = "[ -f ours ] || exit 0; redis-cli $DRILL_FLAGS DEL \
        $DRILL_NAME:text $DRILL_NAME:hash $DRILL_NAME:list $DRILL_NAME:set $DRILL_NAME:zset $DRILL_NAME:stream";
    let done = scene.run(&["bash", "--norc", "-c", CLEAR].map(OsString::from), b"")?;
    if done.code == 0 {
        Ok(())
    } else {
        Err(Error::failure(scene.line(&format!("keys $DRILL_NAME:* are left: {}", tail(&done.stderr)))))
    }
}
