//! Pages in a real browser: `tests/testbed/chromium` opens the file at the width of a phone and of a desk, light and dark, and
//! says what it saw. [`sound`] is what every page of `fr` has to stand.

#![allow(dead_code, reason = "each page looks at a part of it")]

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

/// What one look saw.
#[derive(Clone, Debug, Deserialize)]
pub struct Look {
    /// The window's width.
    pub width: u32,
    /// `light` or `dark`.
    pub scheme: String,
    /// What the console said: errors, refusals by the content security policy, messages.
    pub console: Vec<String>,
    /// What was asked for beside the page itself.
    pub requests: Vec<String>,
    /// The page's title.
    pub title: String,
    scroll_width: u32,
    client_width: u32,
    body_scroll_width: u32,
    body_client_width: u32,
    /// What does not fit into its own box.
    pub cut: Vec<String>,
    /// What sticks out of the window.
    pub outside: Vec<String>,
    /// Text below 10 px.
    pub small: Vec<String>,
    /// The pictures.
    pub svgs: Vec<Svg>,
    /// The colour of text, and behind it.
    pub colour: String,
    /// The colour behind it.
    pub background: String,
    /// `script` elements.
    pub scripts: u32,
    /// All text, as it is shown.
    pub text: String,
}

/// A picture in a page.
#[derive(Clone, Debug, Deserialize)]
pub struct Svg {
    /// Its width on the screen.
    pub width: f64,
    /// Its height on the screen.
    pub height: f64,
    /// What it is called, for those who do not see it.
    pub title: String,
    /// What it shows, in words.
    pub desc: String,
    /// How many shapes are in it.
    pub marks: u32,
}

fn driver() -> Command {
    Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/testbed/chromium"))
}

/// Where no browser is here: says so once, and true. Never where `CI=true`.
pub fn is_missing() -> bool {
    let missing = driver().arg("here").status().unwrap().code() == Some(3);
    assert!(!missing || std::env::var_os("CI").is_none(), "CI has no browser: tests/run installs chromium");
    if missing {
        eprintln!("skipped: no chromium on PATH");
    }
    missing
}

/// Opens a file eight times: a phone, a desk and two kinds of paper, light and dark. Pictures of it go into `$FR_SHOTS`, where that is set: for people who want to see it.
#[track_caller]
pub fn look(page: &Path) -> Vec<Look> {
    let mut command = driver();
    command.arg("look").arg(page);
    if let Some(dir) = std::env::var_os("FR_SHOTS") {
        std::fs::create_dir_all(&dir).unwrap();
        command.arg(dir);
    }
    let out = command.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

/// What is wrong with it as a page.
pub fn faults(look: &Look) -> Vec<String> {
    let mut faults = Vec::new();
    let mut say =
        |what: &str, which: &[String]| faults.extend(which.iter().map(|one| format!("{what}: {one}")));
    say("console", &look.console);
    say("request", &look.requests);
    say("cut off", &look.cut);
    say("sticks out", &look.outside);
    say("too small to read", &look.small);
    if look.scroll_width > look.client_width || look.body_scroll_width > look.body_client_width {
        faults.push(format!("scrolls sideways: {} of {}", look.scroll_width, look.client_width));
    }
    if look.scripts > 0 {
        faults.push(format!("{} scripts", look.scripts));
    }
    faults
}

/// Checks all that every page has to stand, at both widths, light and dark; what was seen.
#[track_caller]
pub fn sound(page: &Path) -> Vec<Look> {
    let looks = look(page);
    for look in &looks {
        assert_eq!(faults(look), Vec::<String>::new(), "{} px, {}", look.width, look.scheme);
        assert!(!look.title.is_empty(), "it has no title");
    }
    let of = |scheme: &str| looks.iter().filter(|look| look.scheme == scheme).collect::<Vec<&Look>>();
    let (dark, light) = (of("dark"), of("light"));
    assert_eq!((dark.len(), light.len(), looks.len()), (2, 2, 8));
    assert!(
        dark.iter().zip(&light).all(|(d, l)| d.background != l.background && d.colour != l.colour),
        "one scheme only"
    );
    for paper in looks.iter().filter(|look| look.scheme.starts_with("print")) {
        assert_eq!(
            (paper.background.as_str(), paper.colour.as_str()),
            ("rgb(255, 255, 255)", "rgb(0, 0, 0)")
        );
    }
    looks
}

const TEMPLATE: &str = "{% extends 'page.html' %}{% block title %}{{ name }}{% endblock %}
{% block header %}<h1>{{ name }}</h1>{% endblock %}
{% block main %}<table><thead><tr><th>Name</th><th>Said</th></tr></thead><tbody>{% for _ in range(3) %}<tr>
<td data-label=\"Name\">{{ name }}</td><td data-label=\"Said\">{{ name | code }}</td></tr>{% endfor %}</tbody></table>
<pre>{{ name }}</pre>{% endblock %}";

#[test]
fn a_page_stands_names_that_were_made_to_break_it() {
    if is_missing() {
        return;
    }
    let long = "/srv/".to_owned() + &"a-very-long-name-without-any-blank".repeat(12);
    let name = format!(
        "{long}<img src=http://127.0.0.1:9/x onerror=alert(1)></td></table><script>fetch('http://127.0.0.1:9')</script>\
         \u{202e}gnp.exe{}",
        "\u{2066}W".repeat(80)
    );
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("hostile.html");
    std::fs::write(&page, fr::respond::page::html(TEMPLATE, &serde_json::json!({ "name": name })).unwrap())
        .unwrap();
    for look in sound(&page) {
        assert!(
            look.text.contains("<script>fetch(") && look.text.contains("\\u{202e}gnp.exe"),
            "{}",
            look.text
        );
    }
}

#[test]
fn a_page_that_is_not_sound_is_found_out() {
    if is_missing() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("bad.html");
    let bad = "<!doctype html><title>bad</title><meta name=viewport content='width=device-width'><body>\
               <img src=http://127.0.0.1:9/x><script>console.log('said')</script>\
               <p style='font-size:6px'>tiny</p><table><td style='white-space:nowrap'>\
               <div style='width:80px;overflow:hidden'>a cell whose text is cut at its right edge</div></table>\
               <div style='width:3000px'>wide</div><pre>".to_owned() + &"x".repeat(900);
    std::fs::write(&page, bad).unwrap();
    for look in look(&page) {
        let faults = faults(&look);
        for wanted in [
            "console: said",
            "request: http://127.0.0.1:9/x",
            "cut off: div",
            "sticks out: div: wide",
            "too small",
            "scrolls sideways",
            "1 scripts",
        ] {
            assert!(faults.iter().any(|fault| fault.starts_with(wanted)), "{wanted} is not in {faults:#?}");
        }
    }
}
