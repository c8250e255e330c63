//! `fr export`: what others read of the record must be what they can read, and must not be less than the record.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

mod schemas;

use crate::env::{Output, TestEnv};
use crate::json::fits;

/// What an agent may put into a command to attack whoever reads it.
const EVIL: &str = "\x1b]52;c;eA==\x07\x1b[2J\u{202e}";

/// A session that is looked at and one that is not, a gap, a containment, an alarm, an undo, a refused command.
fn night() -> TestEnv {
    let env = TestEnv::with_git();
    env.write("docs/a", "a");
    env.write("=1+1", "x");
    env.fr(&["exec", "--", "true"]).ok();
    let settings = "[runaway]\ncommands = 1\nseconds = 600\nreaction = \"alert\"\n";
    std::fs::write(env.fr_home.join("config.toml"), settings).unwrap();
    env.claude_runs("rm -rf docs");
    env.claude_runs(&format!("rm =1+1; true '{EVIL}', \"q\""));
    env.claude_runs("kubectl --kubeconfig /nowhere delete namespace shop; false");
    env.fr_with(&["hook", "claude"], b"{\"hook_event_name\":");
    env.claude_runs("export API_KEY=hunter2hunter2; ls");
    let other = json!({"session_id": "another", "hook_event_name": "PreToolUse", "tool_name": "Bash",
        "tool_input": {"command": "ls other"}, "tool_use_id": "o"});
    env.claude_hook(other);
    env.fr(&["undo", "2", "--yes"]).ok();
    env.fr(&["contain", "--reason", "enough"]).ok();
    env.claude_pre("rm README.md");
    env
}

fn exported(env: &TestEnv, format: &str, more: &[&str]) -> String {
    let args: Vec<&str> = ["export", "--format", format].into_iter().chain(more.iter().copied()).collect();
    let out = env.fr(&args).ok();
    assert_eq!(out.stderr, "", "{format}");
    assert!(!out.stdout.contains("hunter2"), "{format}: a secret: {}", out.stdout);
    out.stdout
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// The kinds of all that is on record, in order.
fn kinds(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["kind"].as_str().unwrap()).collect()
}

#[test]
fn json_lines_are_the_whole_record_oldest_first() {
    let env = night();
    let all = exported(&env, "jsonl", &[]);
    for line in all.lines() {
        let out = |name| fits(&Output { stdout: line.to_owned(), stderr: String::new(), code: 0 }, name);
        if out("timeline-line")["kind"] != "gap" {
            out("event");
        }
    }
    let items = lines(&all);
    let ids: Vec<u64> = items.iter().filter_map(|item| item["id"].as_u64()).collect();
    let mut listed: Vec<u64> = env
        .fr(&["timeline", "--json", "-n", "1000"])
        .ok()
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["id"].as_u64().unwrap())
        .collect();
    listed.reverse();
    assert_eq!(ids, listed);
    for kind in ["command", "alarm", "gap", "undo", "contain"] {
        assert!(kinds(&items).contains(&kind), "{kind}: {:?}", kinds(&items));
    }
    // The gap stands where it happened: between the commands before it and after it.
    let at = |found: &dyn Fn(&Value) -> bool| items.iter().position(found).unwrap();
    let gap = at(&|item| item["kind"] == "gap");
    let line = |text: &'static str| {
        move |item: &Value| item["command"]["line"].as_str().is_some_and(|l| l.contains(text))
    };
    assert!(at(&line("kubectl")) < gap && gap < at(&line("API_KEY")));
    let when = items.iter().map(|item| item["at_ns"].as_i64().unwrap()).collect::<Vec<_>>();
    assert!(when.is_sorted(), "{when:?}");
}

#[test]
fn what_is_narrowed_still_has_its_gaps_and_containments() {
    let env = night();
    let items = lines(&exported(&env, "jsonl", &["--session", "another"]));
    let commands: Vec<&Value> = items.iter().filter(|item| item["kind"] == "command").collect();
    assert_eq!(commands.len(), 1, "{items:#?}");
    let mut others = kinds(&items);
    others.retain(|kind| *kind != "command");
    assert!(
        others.contains(&"gap") && others.contains(&"contain") && others.contains(&"alarm"),
        "{others:?}"
    );
    assert!(!others.contains(&"undo"), "{others:?}");
    let none = lines(&exported(&env, "jsonl", &["--since", "2199-01-01"]));
    assert_eq!(none, Vec::<Value>::new());
    assert_eq!(env.fr(&["export", "--format", "nosuch"]).code, 2);
    assert_eq!(env.fr(&["export", "--json"]).code, 2);
    assert_eq!(TestEnv::new().fr(&["export"]).code, 10);
}

/// What the schema of OCSF 1.4 requires (base_event, process_activity, detection_finding, actor, device, process, product,
/// finding_info; schema.ocsf.io/1.4.0).
#[test]
fn ocsf_records_have_what_their_classes_require() {
    let env = night();
    let records = lines(&exported(&env, "ocsf", &[]));
    for record in &records {
        let number = |name: &str| record[name].as_u64().unwrap_or_else(|| panic!("{name}: {record:#}"));
        let (class, activity) = (number("class_uid"), number("activity_id"));
        assert_eq!(number("type_uid"), class * 100 + activity);
        assert!(record["time"].as_i64().unwrap() > 1_700_000_000_000, "milliseconds: {record:#}");
        assert!((0..=6).contains(&number("severity_id")));
        assert_eq!(record["metadata"]["version"], "1.4.0");
        let product = &record["metadata"]["product"];
        assert!(product["name"].is_string() && product["vendor_name"].is_string(), "{record:#}");
        match class {
            1007 => {
                assert_eq!((number("category_uid"), activity), (1, 1));
                assert!(record["device"]["type_id"].is_u64() && record["device"]["hostname"].is_string());
                assert!(record["process"]["uid"].is_string() && record["process"]["cmd_line"].is_string());
                let actor = &record["actor"];
                assert!(actor["app_name"].is_string() || actor["user"]["name"].is_string(), "{record:#}");
                assert!(matches!(number("action_id"), 0..=2));
            }
            2004 => {
                assert_eq!(number("category_uid"), 2);
                assert!(
                    record["finding_info"]["uid"].is_string() && record["finding_info"]["title"].is_string()
                );
            }
            0 => assert_eq!((number("category_uid"), activity), (0, 99)),
            other => panic!("class {other}"),
        }
    }
    let of = |class: u64| records.iter().filter(move |record| record["class_uid"] == class);
    assert!(of(2004).count() >= 1);
    let names: Vec<&str> = of(0).filter_map(|record| record["activity_name"].as_str()).collect();
    assert!(names.contains(&"gap") && names.contains(&"contain") && names.contains(&"undo"), "{names:?}");
    let by_line =
        |text: &str| of(1007).find(|r| r["process"]["cmd_line"].as_str().unwrap().contains(text)).unwrap();
    assert_eq!(by_line("kubectl")["severity_id"], 5, "it destroys, and nothing was kept");
    assert_eq!(by_line("rm -rf docs")["severity_id"], 4);
    assert_eq!(
        (&by_line("rm README")["action_id"], &by_line("rm README")["status_id"]),
        (&json!(2), &json!(2))
    );
}

/// OTLP/JSON: 64-bit numbers are strings, ids are hex of 16 and 8 bytes and not all zero, every value has one type.
#[test]
fn otlp_lines_are_logs_as_a_collector_takes_them() {
    let env = night();
    let mut records = Vec::new();
    for line in lines(&exported(&env, "otlp", &[])) {
        let resource = &line["resourceLogs"][0];
        assert_eq!(
            resource["resource"]["attributes"][0],
            json!({"key": "service.name", "value": {"stringValue": "fr"}})
        );
        assert!(resource["scopeLogs"][0]["scope"]["name"].is_string());
        records.extend(resource["scopeLogs"][0]["logRecords"].as_array().unwrap().clone());
    }
    let events = lines(&exported(&env, "jsonl", &[]));
    assert_eq!(records.len(), events.len());
    for record in &records {
        for name in ["timeUnixNano", "observedTimeUnixNano"] {
            assert!(record[name].as_str().unwrap().parse::<u64>().unwrap() > 1_700_000_000_000_000_000);
        }
        assert!((1..=24).contains(&record["severityNumber"].as_u64().unwrap()));
        assert!(record["body"]["stringValue"].is_string());
        for attribute in record["attributes"].as_array().unwrap() {
            let value = attribute["value"].as_object().unwrap();
            assert!(attribute["key"].is_string() && value.len() == 1, "{attribute}");
            if let Some(number) = value.get("intValue") {
                number.as_str().unwrap().parse::<i64>().unwrap();
            }
        }
        if record["eventName"] == "fr.gap" {
            continue;
        }
        for (name, digits) in [("traceId", 32), ("spanId", 16)] {
            let id = record[name].as_str().unwrap();
            let hex = id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
            assert!(id.len() == digits && hex && id.bytes().any(|b| b != b'0'), "{name} {id}");
        }
    }
    let trace = |text: &str| {
        let found = records.iter().find(|r| r["body"]["stringValue"].as_str().unwrap().contains(text));
        found.unwrap()["traceId"].clone()
    };
    assert_eq!(trace("rm -rf docs"), trace("kubectl"), "one session, one trace");
    assert_ne!(trace("rm -rf docs"), trace("ls other"));
}

/// A reader of RFC 4180, and of nothing more.
fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {
                assert_eq!(chars.next(), Some('\n'));
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    assert!(!quoted && cell.is_empty() && row.is_empty(), "it ends with a line");
    rows
}

#[test]
fn csv_can_be_opened_by_people_and_spreadsheets() {
    let env = night();
    env.fr(&["release"]).ok();
    env.claude_runs("=cmd() || true");
    let text = exported(&env, "csv", &[]);
    let bad: Vec<char> = text.chars().filter(|c| c.is_control() && !"\r\n".contains(*c)).collect();
    assert!(bad.is_empty() && !text.contains('\u{202e}'), "{bad:?}");
    let rows = rows(&text);
    let (head, rows) = rows.split_first().unwrap();
    let column = |name: &str| head.iter().position(|h| h == name).unwrap();
    assert!(rows.iter().all(|row| row.len() == head.len()), "{rows:?}");
    let formula = |cell: &&String| cell.starts_with(['=', '+', '-', '@', '\t']);
    assert_eq!(rows.iter().flatten().find(formula), None);
    let lines: Vec<&String> = rows.iter().map(|row| &row[column("command")]).collect();
    assert!(lines.iter().any(|line| *line == "'=cmd() || true"), "{lines:?}");
    assert!(
        lines.iter().any(|line| line.contains("\\x1b]52;c;eA==\\x07") && line.ends_with("', \"q\"")),
        "{lines:?}"
    );
    let undone = rows.iter().find(|row| row[column("command")] == "rm -rf docs").unwrap();
    assert_eq!(
        (undone[column("kept")].as_str(), undone[column("undone_in_part")].as_str()),
        ("all", "false")
    );
    assert!(rows.iter().any(|row| row[0] == "gap") && rows.iter().any(|row| row[0] == "contain"));
}

#[test]
fn an_asciicast_plays_and_nothing_in_it_acts_on_the_terminal() {
    let env = night();
    let text = exported(&env, "asciicast", &[]);
    let (header, frames) = text.split_once('\n').unwrap();
    let header: Value = serde_json::from_str(header).unwrap();
    assert_eq!(header["version"], 2);
    assert!(header["width"].as_u64().unwrap() > 0 && header["height"].as_u64().unwrap() > 0);
    let frames = lines(frames);
    let mut last = 0.0;
    let mut shown = String::new();
    for frame in &frames {
        let [time, code, data] = frame.as_array().unwrap().as_slice() else { panic!("{frame}") };
        assert!(time.as_f64().unwrap() >= last, "its clock goes back: {frame}");
        last = time.as_f64().unwrap();
        match code.as_str().unwrap() {
            "o" => shown.push_str(data.as_str().unwrap()),
            "m" => assert!(!data.as_str().unwrap().contains('\x1b'), "{data}"),
            other => panic!("{other}"),
        }
    }
    // All that acts is colour.
    for part in shown.split('\x1b').skip(1) {
        let end = part.find(|c: char| !(c.is_ascii_digit() || c == ';' || c == '[')).unwrap();
        assert!(part[end..].starts_with('m'), "{part:?}");
    }
    assert!(!shown.contains('\x07') && !shown.contains('\u{202e}') && shown.contains("\\x1b]52"), "{shown}");
    for text in ["$", "rm -rf docs", "gap: malformed", "contained every agent", "undo of", "ALARM"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let empty = exported(&env, "asciicast", &["--until", "2001-01-01"]);
    assert_eq!(lines(&empty).len(), 1, "a header alone is a recording of nothing");
}

#[test]
fn a_file_is_new_and_private_and_whole() {
    let env = night();
    let to = env.root().join("out.json");
    let args = ["export", "--format", "ocsf", "--out", to.to_str().unwrap(), "--json"];
    let told = fits(&env.fr(&args).ok(), "export");
    assert_eq!(std::fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
    let written = std::fs::read_to_string(&to).unwrap();
    assert_eq!(written, exported(&env, "ocsf", &[]));
    let items = told["events"].as_u64().unwrap() + told["gaps"].as_u64().unwrap();
    assert_eq!(items, written.lines().count() as u64);
    let again = env.fr(&args);
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("an export does not overwrite"), "{again:?}");
    assert_eq!(std::fs::read_to_string(&to).unwrap(), written);
}

/// What cannot be read any more must not be missing without a word.
#[test]
fn a_damaged_event_is_a_gap_of_the_export() {
    let env = TestEnv::new();
    for n in 0..3 {
        env.claude_runs(&format!("echo event-{n}"));
    }
    env.fr(&["timeline"]).ok();
    let path = env.fr_home.join("journal/00000001.frj");
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(7).position(|w| w == b"event-1").unwrap();
    bytes[at] = b'X';
    std::fs::write(&path, bytes).unwrap();
    let out = env.fr(&["export"]);
    assert_eq!(out.code, 3, "{out:?}");
    let items = lines(&out.stdout);
    assert_eq!(kinds(&items).iter().filter(|kind| **kind == "command").count(), 2);
    let gap = items.iter().find(|item| item["kind"] == "gap").unwrap();
    assert!(gap["reason"].as_str().unwrap().starts_with("event 2 cannot be read"), "{gap}");
}
