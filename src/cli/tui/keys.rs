//! The keys, each named once: the footer and the help are written from here.

use super::app::Where;

/// A key, what it does in a word, and in a sentence.
pub struct Key(pub &'static str, pub &'static str, pub &'static str);

/// The keys of a place, the most needed first: a narrow screen cuts the footer.
pub fn of(place: Where) -> &'static [Key] {
    match place {
        Where::List => LIST,
        Where::Typing => TYPING,
        Where::Event => EVENT,
        Where::Plan => PLAN,
        Where::Text => TEXT,
    }
}

const LIST: &[Key] = &[
    Key("?", "help", "all keys"),
    Key("Enter", "open", "read the event: record, what it changed, how it is now"),
    Key("u", "undo", "what an undo of it would do; nothing is written before you say y"),
    Key("/", "filter", "narrow the list as you type"),
    Key("q", "quit", "leave; the terminal is as it was"),
    Key("s", "session", "only the session of this event; again: all"),
    Key("d", "changes", "only what changed something; again: all"),
    Key("c", "clear", "no filter"),
    Key("Up Down", "move", "the event before, the event after (also k j)"),
    Key("PgUp PgDn", "page", "a screen up or down"),
    Key("Home End", "ends", "the newest, the oldest that is loaded; older ones load as you go (also g G)"),
];

const TYPING: &[Key] = &[
    Key("Enter", "keep", "keep the filter"),
    Key("Esc", "drop", "back to the filter that was"),
    Key("Ctrl-U", "empty", "take all of it away"),
    Key(
        "words",
        "actor:claude effect:destroy since:2h failed changes text",
        "since: until: session: actor: system: effect: path: as in fr timeline; failed; changes; the rest is looked for in commands",
    ),
];

const EVENT: &[Key] = &[
    Key("?", "help", "all keys"),
    Key(
        "Tab",
        "next view",
        "record, what it changed (before and after), what is different now (before and now)",
    ),
    Key(
        "1 2 3",
        "record, change, now",
        "straight to one of them; now looks at the world, which may take a while",
    ),
    Key("u", "undo", "see what an undo of it would do"),
    Key("Up Down", "scroll", "also k j, PgUp PgDn, Home End"),
    Key("Left Right", "neighbour", "the event before it in the list, the one after it (also p n)"),
    Key("Esc", "back", "to the list (also q)"),
];

const PLAN: &[Key] = &[
    Key("y", "apply", "do what the plan says; the present is captured first, so it can be undone"),
    Key("Esc", "leave", "write nothing (also n, q)"),
    Key("Up Down", "scroll", "also k j, PgUp PgDn, Home End"),
    Key("?", "help", "all keys"),
];

const TEXT: &[Key] =
    &[Key("Esc", "back", "also q"), Key("Up Down", "scroll", "also k j, PgUp PgDn, Home End")];

/// The help.
pub fn help() -> String {
    let mut text = String::new();
    for (title, place) in [
        ("List", Where::List),
        ("Filter", Where::Typing),
        ("Event", Where::Event),
        ("Plan of an undo", Where::Plan),
        ("Anywhere", Where::Text),
    ] {
        text.push_str(&format!("{title}\n"));
        for Key(key, word, sentence) in of(place) {
            let told = if *word == *sentence { (*word).to_owned() } else { format!("{word}: {sentence}") };
            let told = if *key == "words" { (*sentence).to_owned() } else { told };
            text.push_str(&format!("  {key:<11} {told}\n"));
        }
        if matches!(place, Where::Text) {
            text.push_str("  Ctrl-C      leave at once; an undo that writes is ended first\n");
        }
        text.push('\n');
    }
    text.push_str("Columns: docs/timeline.md. Nothing is written anywhere but by y on a plan.\n");
    text
}
