//! Redis: a real server, the real redis-cli, and what an agent does with them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::env::{Output, TestEnv};

/// A test's world with a server of its own.
struct Scene {
    env: TestEnv,
    server: std::process::Child,
    port: String,
}

impl Scene {
    fn new() -> Option<Scene> {
        Scene::with("").map(|(scene, _)| scene)
    }

    /// A server of this kind, and its certificate.
    fn with(kind: &str) -> Option<(Scene, String)> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/redis");
        let mut server = Command::new(script)
            .args(Some(kind).filter(|k| !k.is_empty()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut port).unwrap();
        if port.trim().is_empty() {
            let why = "no redis-server; tests/testbed/redis setup installs one";
            assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "{why}");
            eprintln!("skipped: {why}");
            server.wait().unwrap();
            return None;
        }
        let mut env = TestEnv::new();
        env.vars.push(("REDISCLI_AUTH".to_owned(), "hush-hush".to_owned()));
        let (port, certificate) = port.trim().split_once(' ').unwrap_or((port.trim(), ""));
        let certificate = certificate.to_owned();
        Some((Scene { env, server, port: port.to_owned() }, certificate))
    }

    fn line(&self, text: &str) -> String {
        text.replace("PORT", &self.port)
    }

    /// Somebody runs redis-cli, unseen by the recorder.
    fn cli(&self, args: &str) -> String {
        self.env.sh(&self.line(&format!("redis-cli -p PORT {args}"))).ok().stdout.trim().to_owned()
    }

    /// The agent runs a line, as Claude would.
    fn agent(&self, line: &str) -> Output {
        self.env.claude_runs(&self.line(line))
    }

    fn event(&self) -> Value {
        self.env.fr(&["timeline", "--json", "-n", "1"]).ok().json()[0].clone()
    }

    fn undo(&self) -> Output {
        self.env.fr(&["undo", "--yes", &self.event()["id"].to_string()])
    }

    /// All of a database, by other means than `DUMP`: values in order, and when they expire.
    fn world(&self, db: u32) -> String {
        let script = r#"
local out = {}
for _, k in ipairs(redis.call('KEYS', '*')) do
  local t, v = redis.call('TYPE', k).ok, nil
  if t == 'string' then v = {redis.call('GET', k)}
  elseif t == 'list' then v = redis.call('LRANGE', k, 0, -1)
  elseif t == 'set' then v = redis.call('SMEMBERS', k) table.sort(v)
  elseif t == 'zset' then v = redis.call('ZRANGE', k, 0, -1, 'WITHSCORES')
  elseif t == 'stream' then v = {cjson.encode(redis.call('XRANGE', k, '-', '+'))}
  else
    local f = redis.call('HGETALL', k) v = {}
    for i = 1, #f, 2 do v[#v + 1] = f[i] .. '=' .. f[i + 1] end
    table.sort(v)
  end
  out[#out + 1] = redis.sha1hex(k .. t .. redis.call('PEXPIRETIME', k) .. table.concat(v, '\0'))
end
table.sort(out)
return #out .. ' ' .. redis.sha1hex(table.concat(out))
"#;
        self.env.write("look.lua", script);
        self.cli(&format!("-n {db} --eval look.lua"))
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // The end of its input is the end of the server.
        drop(self.server.stdin.take());
        let _ = self.server.wait();
    }
}

/// Ten thousand keys of all kinds, binary ones too, half of them with a time.
const FILL: &str = r#"
for i = 1, 9990 do
  local k = 'session:' .. i
  redis.call('SET', k, string.rep('v' .. i, 3))
  if i % 2 == 0 then redis.call('PEXPIRE', k, 3600000 + i * 1000) end
end
redis.call('SET', 'bin\0\n"key"\255', 'bin\0\r\nvalue\254')
redis.call('SET', 'number', '12345')
for i = 1, 2000 do redis.call('SADD', 'big set', 'member' .. i) redis.call('HSET', 'big hash', 'f' .. i, i) end
for i = 1, 300 do redis.call('ZADD', 'scores', i / 3, 'm' .. i) redis.call('RPUSH', 'list', 'e' .. i) end
redis.call('SADD', 'ints', 1, 2, 3)
redis.call('HSET', 'small', 'a', '1', 'b', '2')
redis.call('XADD', 'stream', '1-1', 'f', 'v')
redis.call('XADD', 'stream', '2-1', 'f', 'w')
redis.call('XGROUP', 'CREATE', 'stream', 'g', '0')
redis.call('PFADD', 'visitors', 'a', 'b', 'c')
"#;

#[test]
fn a_flushall_of_ten_thousand_keys_in_two_databases_comes_back_with_their_times() {
    let Some(scene) = Scene::new() else { return };
    scene.env.write("fill.lua", FILL);
    scene.cli("--eval fill.lua");
    scene.cli("-n 5 --eval fill.lua");
    scene.cli("-n 5 SET only-in-five yes");
    let before = (scene.world(0), scene.world(5));
    assert!(before.0.starts_with("10000 ") && before.1.starts_with("10001 "), "{before:?}");
    scene.agent("redis-cli -p PORT FLUSHALL").ok();
    assert_eq!(scene.cli("DBSIZE"), "0");
    let event = scene.event();
    assert_eq!(event["class"], "destroy");
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    assert_eq!((scene.world(0), scene.world(5)), before);
    scene.env.fr(&["redo", "--yes"]).ok();
    assert_eq!((scene.cli("DBSIZE"), scene.cli("-n 5 DBSIZE")), ("0".to_owned(), "0".to_owned()));
}

/// Keys are asked for many at once, by a script that reads: not the large ones, and not where the user may run no script.
#[test]
fn large_values_and_a_user_that_may_run_no_script_lose_nothing() {
    let Some(mut scene) = Scene::new() else { return };
    scene.env.write("fill.lua", FILL);
    scene.cli("--eval fill.lua");
    let large = "for i = 1, 5 do redis.call('SET', 'large:' .. i, string.rep('x' .. i, 50000)) end \
                 for i = 1, 700 do redis.call('SET', 'middle:' .. i, string.rep(tostring(i * 7919), 700)) end";
    scene.env.write("large.lua", large);
    scene.cli("--eval large.lua");
    scene.cli("SET gone-soon yes");
    scene.cli("ACL SETUSER narrow on '>narrow-word' '~*' '&*' +@all -@scripting");
    let before = scene.world(0);
    for user in ["", "--user narrow "] {
        if !user.is_empty() {
            scene.env.vars.push(("REDISCLI_AUTH".to_owned(), "narrow-word".to_owned()));
        }
        scene.agent(&format!("redis-cli {user}-p PORT FLUSHALL")).ok();
        let out = scene.undo();
        assert_eq!(out.code, 0, "{user}: {out:?}");
        scene.env.vars.retain(|(name, value)| name != "REDISCLI_AUTH" || value == "hush-hush");
        assert_eq!(scene.world(0), before, "{user}: {out:?}");
    }
    scene.agent("redis-cli -p PORT DEL gone-soon no-such-key large:1").ok();
    scene.undo().ok();
    assert_eq!(scene.world(0), before);
}

#[test]
fn each_way_to_lose_a_value_is_taken_back() {
    let Some(scene) = Scene::new() else { return };
    scene.cli("MSET a 1 b 2 c 3");
    scene.cli("RPUSH l x y z");
    scene.cli("-n 2 SET t 9");
    scene.cli("PEXPIRE b 3600000");
    for line in [
        "redis-cli -p PORT DEL a l",
        "redis-cli -p PORT unlink b",
        "redis-cli -p PORT SET a other",
        "redis-cli -p PORT MSET a 7 c 8 new 9",
        "redis-cli -p PORT EXPIRE a 1000",
        "redis-cli -p PORT PERSIST b",
        "redis-cli -p PORT RENAME a c",
        "redis-cli -p PORT LPOP l",
        "redis-cli -p PORT INCR a",
        "redis-cli -p PORT MOVE a 2",
        "redis-cli -p PORT -n 2 FLUSHDB",
        "redis-cli -u redis://127.0.0.1:PORT/2 DEL t",
        "redis-cli -p PORT <<'X'\nDEL a\nSELECT 2\nDEL t\nX",
        "echo FLUSHALL | redis-cli -p PORT",
        "redis-cli -p PORT COPY a c REPLACE",
        "redis-cli -p PORT SUNIONSTORE c nothing",
    ] {
        let before = (scene.world(0), scene.world(2));
        scene.agent(line).ok();
        assert_ne!((scene.world(0), scene.world(2)), before, "{line}");
        let out = scene.undo();
        assert_eq!(out.code, 0, "{line}: {out:?}");
        assert_eq!((scene.world(0), scene.world(2)), before, "{line}");
    }
    scene.agent("redis-cli -p PORT SET a again").ok();
    scene.agent("redis-cli -p PORT DEL a").ok();
    let out = scene.env.fr(&["undo", "--yes", "--last", "2"]);
    assert_eq!((out.code, scene.cli("GET a")), (0, "1".to_owned()), "{out:?}");
    scene.agent("redis-cli -p PORT CONFIG SET maxmemory 100mb").ok();
    assert_eq!(scene.undo().code, 0);
    assert_eq!(scene.cli("CONFIG GET maxmemory"), "maxmemory\n0");
}

#[test]
fn a_key_that_others_wrote_since_is_a_conflict_and_the_rest_comes_back_by_skip() {
    let Some(scene) = Scene::new() else { return };
    scene.cli("MSET a 1 b 2 c 3");
    scene.agent("redis-cli -p PORT FLUSHALL").ok();
    scene.cli("SET b theirs");
    let out = scene.undo();
    assert_eq!(out.code, 4, "{out:?}");
    assert_eq!(scene.cli("DBSIZE"), "1", "nothing was written");
    let id = scene.event()["id"].to_string();
    let out = scene.env.fr(&["undo", "--yes", "--on-conflict", "skip", &id]);
    assert_eq!(out.code, 3, "{out:?}");
    assert_eq!(scene.cli("MGET a b c"), "1\ntheirs\n3");
}

#[test]
fn passwords_and_values_are_in_no_record_and_a_script_says_what_it_may_touch() {
    let Some(mut scene) = Scene::new() else { return };
    scene.env.vars.retain(|(name, _)| name != "REDISCLI_AUTH");
    let with = |scene: &Scene, args: &str| {
        scene.env.sh(&scene.line(&format!("REDISCLI_AUTH=hush-hush redis-cli -p PORT {args}"))).ok();
    };
    with(&scene, "SET token in-the-value");
    scene.agent("redis-cli -p PORT -a hush-hush --no-auth-warning DEL token").ok();
    let id = scene.event()["id"].to_string();
    for args in
        [vec!["show", &id], vec!["show", &id, "--json"], vec!["diff", &id], vec!["undo", &id, "--dry-run"]]
    {
        let out = format!("{:?}", scene.env.fr(&args));
        assert!(!out.contains("hush-hush") && !out.contains("in-the-value"), "{args:?} {out}");
    }
    let journal = scene.env.sh("cat $FR_HOME/journal/* $FR_HOME/open.log | strings").stdout;
    assert!(!journal.contains("hush-hush") && !journal.contains("in-the-value"));
    assert_ne!(scene.undo().code, 0, "the password was not kept");
    scene.env.vars.push(("REDISCLI_AUTH".to_owned(), "hush-hush".to_owned()));
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    assert_eq!(scene.cli("GET token"), "in-the-value");
    scene.agent("redis-cli -p PORT EVAL \"return redis.call('DEL', KEYS[1])\" 1 token").ok();
    let out = scene.undo();
    assert_eq!(out.code, 3, "a script may touch more than it names: {out:?}");
    assert_eq!(scene.cli("GET token"), "in-the-value");
}

#[test]
fn a_wrong_password_a_budget_and_keys_by_a_pattern() {
    let Some(scene) = Scene::new() else { return };
    let shown = |scene: &Scene| scene.env.fr(&["show", &scene.event()["id"].to_string()]).ok().stdout;
    scene.cli("MSET tmp:1 a tmp:2 b keep c");
    scene.env.claude_pre(&scene.line("redis-cli -p PORT -a wrong-word DEL keep"));
    let event = shown(&scene);
    assert!(event.contains("not captured") && !event.contains("wrong-word"), "{event}");
    // Each key is named by a program when it runs: the line says so, the shim would see it.
    scene
        .env
        .claude_pre(&scene.line("redis-cli -p PORT --scan --pattern 'tmp:*' | xargs redis-cli -p PORT del"));
    let event = shown(&scene);
    assert!(event.contains("not known before it runs") || event.contains("not captured"), "{event}");
    scene.agent("redis-cli -u redis://127.0.0.1:PORT/0 UNLINK tmp:1 tmp:2").ok();
    assert_eq!(scene.undo().code, 0);
    assert_eq!(scene.cli("MGET tmp:1 tmp:2 keep"), "a\nb\nc");
    scene.cli("SET large 0123456789012345678901234567890123456789");
    std::fs::write(scene.env.fr_home.join("config.toml"), "[caps]\nredis_bytes = 20\n").unwrap();
    scene.agent("redis-cli -p PORT DEL large").ok();
    let event = shown(&scene);
    assert!(event.contains("large"), "{event}");
    assert_ne!(scene.undo().code, 0, "what was not kept is not undone");
}

#[test]
fn a_drill_takes_an_empty_database_and_leaves_the_others_alone() {
    let Some(scene) = Scene::new() else { return };
    scene.cli("SET mine 1");
    // The last one is somebody's.
    scene.cli("-n 15 SET theirs 1");
    let before = (scene.world(0), scene.world(15));
    let url = scene.line("redis://127.0.0.1:PORT");
    let report = scene.env.fr(&["drill", "--system", "redis", "--server", &url, "--json"]).ok().json();
    assert_eq!(report["passed"], serde_json::json!(true), "{report:#}");
    let rounds = report["scenarios"][0]["rounds"].as_array().unwrap();
    assert!(rounds.len() == 5 && rounds.iter().all(|r| r["undo_exit_code"] == 0), "{report:#}");
    assert!(rounds[4]["command"].as_str().unwrap().contains("-n 14 FLUSHDB"), "{report:#}");
    assert_eq!((scene.world(0), scene.world(15)), before);
    let keyspace = scene.cli("INFO keyspace");
    assert!(!keyspace.contains("db14"), "{keyspace}");
    let url = scene.line("redis://127.0.0.1:PORT/3");
    let out = scene.env.fr(&["drill", "--server", &url]);
    assert!(out.code == 2 && out.stderr.contains("it names a database"), "{out:?}");
}

#[test]
fn keys_behind_tls_come_back() {
    let Some((scene, certificate)) = Scene::with("tls") else { return };
    let by = format!("--tls --cacert {certificate}");
    let get = || scene.cli(&format!("{by} MGET a b"));
    scene.cli(&format!("{by} MSET a 1 b 2"));
    for line in [
        format!("redis-cli {by} -p PORT DEL a"),
        format!("redis-cli -u rediss://127.0.0.1:PORT/0 --cacert {certificate} FLUSHALL"),
        "redis-cli --tls --insecure -p PORT SET b other".to_owned(),
    ] {
        scene.agent(&line).ok();
        assert_ne!(get(), "1\n2", "{line}");
        let out = scene.undo();
        assert_eq!((out.code, get()), (0, "1\n2".to_owned()), "{line}: {out:?}");
    }
    // Without the certificate nothing is reached, and that is on record.
    scene.env.claude_pre(&scene.line("redis-cli --tls -p PORT DEL a"));
    let warning = scene.event()["warnings"].to_string();
    assert!(warning.contains("was not captured"), "{warning}");
}

#[test]
fn keys_of_a_node_of_a_cluster_come_back() {
    let Some((scene, _)) = Scene::with("cluster") else { return };
    // It takes a node a while to believe that it is all of the cluster.
    crate::pty::until("the cluster is up", || scene.cli("CLUSTER INFO").contains("cluster_state:ok"));
    scene.cli("MSET {x}1 a {x}2 b");
    for line in ["redis-cli -c -p PORT DEL {x}1", "redis-cli -p PORT FLUSHALL"] {
        scene.agent(line).ok();
        let out = scene.undo();
        assert_eq!((out.code, scene.cli("MGET {x}1 {x}2")), (0, "a\nb".to_owned()), "{line}: {out:?}");
    }
}
