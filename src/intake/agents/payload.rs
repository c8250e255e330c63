//! Reading a hook's JSON: bounded, and tolerant where the tolerance costs nothing.
//!
//! JSON text must be UTF-8, file names need not be. Bytes that are not UTF-8 are carried through the parser as the
//! escapes `\udc80`…`\udcff` (the scheme of Python's `surrogateescape`, PEP 383) and come out as the same bytes.
//! A lone surrogate in a payload that was UTF-8 becomes U+FFFD, which is what Node, and so the agent's own spawn,
//! makes of it: the recorder sees the name that the command will use.

use std::borrow::Cow;
use std::io::Read;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::intake::{Happening, Malformed};
use crate::model::{Actor, ActorKind, Bytes, Confidence};

/// The most bytes of one payload that are read into memory.
pub const LIMIT: u64 = 16 << 20;

/// The most bytes of an error text that go on to the record.
const NOTE_LIMIT: usize = 4096;

/// What is read and thrown away of a payload over the limit, so that the agent does not get EPIPE while it writes.
const DRAIN: u64 = 1 << 30;

/// Reads a whole payload, or says why not.
pub fn read(mut from: impl Read) -> Result<Vec<u8>, Malformed> {
    let mut bytes = Vec::new();
    let limited = from.by_ref().take(LIMIT + 1).read_to_end(&mut bytes);
    if let Err(cause) = limited {
        return Err(Malformed::new(
            format!("cannot read the hook payload: {cause}"),
            "the agent must send its JSON on standard input",
            &bytes,
        ));
    }
    if u64::try_from(bytes.len()).is_ok_and(|len| len <= LIMIT) {
        return Ok(bytes);
    }
    let _ = std::io::copy(&mut from.take(DRAIN), &mut std::io::sink());
    Err(Malformed::new(
        "hook payload over 16 MiB",
        "run the command in smaller parts if it must be recorded",
        &bytes,
    ))
}

/// A payload made fit for a JSON parser.
pub struct Text<'a> {
    json: Cow<'a, str>,
    escaped: bool,
}

impl<'a> Text<'a> {
    /// Escapes what is not UTF-8.
    pub fn new(payload: &'a [u8]) -> Text<'a> {
        match std::str::from_utf8(payload) {
            Ok(json) => Text { json: Cow::Borrowed(json), escaped: false },
            Err(_) => Text { json: Cow::Owned(escape(payload)), escaped: true },
        }
    }

    /// Parses it as `T`, which may borrow raw parts.
    pub fn parse<'t, T: Deserialize<'t>>(&'t self) -> serde_json::Result<T> {
        serde_json::from_str(&self.json)
    }

    /// Parses a raw part. `None` where it is absent or not of that shape.
    pub fn part<T: DeserializeOwned>(&self, raw: Option<&RawValue>) -> Option<T> {
        serde_json::from_str(raw?.get()).ok()
    }

    /// The bytes that a string stands for.
    pub fn bytes(&self, string: WireString) -> Vec<u8> {
        unescape(string.0, self.escaped)
    }

    /// The text that a string stands for; what is not UTF-8 becomes U+FFFD. For ids and names, never for paths.
    pub fn text(&self, string: WireString) -> String {
        String::from_utf8_lossy(&self.bytes(string)).into_owned()
    }

    /// The bytes of a raw part, as they came.
    pub fn raw(&self, raw: Option<&RawValue>) -> Vec<u8> {
        let Some(raw) = raw else { return Vec::new() };
        if self.escaped { restore(raw.get().as_bytes()) } else { raw.get().as_bytes().to_vec() }
    }
}

/// A JSON string as bytes: surrogates that stand alone arrive in the three-byte form of WTF-8.
pub struct WireString(Vec<u8>);

impl<'de> Deserialize<'de> for WireString {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = WireString;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string")
            }
            fn visit_bytes<E>(self, v: &[u8]) -> Result<WireString, E> {
                Ok(WireString(v.to_vec()))
            }
            fn visit_str<E>(self, v: &str) -> Result<WireString, E> {
                Ok(WireString(v.as_bytes().to_vec()))
            }
        }
        // serde_json allows lone surrogates in byte buffers only.
        d.deserialize_byte_buf(Visit)
    }
}

/// A flag as models write it: `true`, `"true"`, `1`. Anything else is false.
#[derive(Clone, Copy, Default)]
pub struct Flag(pub bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Flag;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a flag")
            }
            fn visit_bool<E>(self, v: bool) -> Result<Flag, E> {
                Ok(Flag(v))
            }
            fn visit_str<E>(self, v: &str) -> Result<Flag, E> {
                Ok(Flag(v.eq_ignore_ascii_case("true")))
            }
            fn visit_u64<E>(self, v: u64) -> Result<Flag, E> {
                Ok(Flag(v == 1))
            }
            fn visit_i64<E>(self, _: i64) -> Result<Flag, E> {
                Ok(Flag(false))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Flag, E> {
                Ok(Flag(false))
            }
            fn visit_unit<E>(self) -> Result<Flag, E> {
                Ok(Flag(false))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Flag, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Flag(false))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Flag, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Flag(false))
            }
        }
        d.deserialize_any(Visit)
    }
}

/// A path that a tool names, made absolute against the tool's directory.
pub fn absolute(path: Vec<u8>, cwd: &Bytes) -> Bytes {
    if path.starts_with(b"/") || cwd.is_empty() { Bytes(path) } else { cwd.join(&path) }
}

/// A directory that a payload names. A relative one says nothing: relative to what?
pub fn directory(path: Vec<u8>) -> Option<Bytes> {
    path.starts_with(b"/").then_some(Bytes(path))
}

/// A number of milliseconds: a float is cut off, a negative one (a clock set back) is 0.
pub fn milliseconds(number: &serde_json::Number) -> Option<u64> {
    // A float-to-integer `as` saturates.
    number.as_u64().or_else(|| number.as_f64().map(|ms| ms as u64))
}

/// The beginning of an error text, as much of it as goes on to the record.
pub fn bounded(mut note: Vec<u8>) -> Vec<u8> {
    note.truncate(NOTE_LIMIT);
    note
}

/// A sub-agent's name from its kind and id, as far as the agent tells them.
pub fn subagent(kind: Option<String>, id: Option<String>) -> Option<String> {
    let told = |part: Option<String>| part.filter(|part| !part.is_empty());
    match (told(kind), told(id)) {
        (Some(kind), Some(id)) => Some(format!("{kind} {id}")),
        (kind, id) => kind.or(id),
    }
}

/// The agent whose own hook spoke.
pub fn own_hook(name: &str, version: Option<String>, subagent: Option<String>) -> Actor {
    Actor {
        kind: ActorKind::Agent,
        name: name.to_string(),
        version,
        subagent,
        evidence: "its own hook".to_string(),
        confidence: Confidence::High,
    }
}

/// A payload that was not understood. The command runs all the same.
pub fn malformed(what: &str, agent: &str, payload: &[u8]) -> Happening {
    let hint =
        format!("compare the agent's version with `docs/agents/{agent}.md`; the command was not held up");
    Happening::Malformed(Malformed::new(format!("malformed hook payload: {what}"), hint, payload))
}

/// A plain search. Vector searches ask the processor what it can at their first use, which on a virtual machine costs more
/// than all the rest of a harmless command (docs/speed.md): every hook of every agent comes by here.
pub fn contains(text: &[u8], wanted: &[u8]) -> bool {
    let Some((first, rest)) = wanted.split_first() else { return true };
    let starts = text.iter().enumerate().filter(|(_, byte)| *byte == first);
    starts.into_iter().any(|(at, _)| text.get(at + 1..).is_some_and(|tail| tail.starts_with(rest)))
}

/// True where the payload is an object with this key at its top. `quoted` is the key with its quotes and colon
/// (`"key":`): the bytes are looked for first, so that a payload without them costs no parse. A key inside a string
/// is written `\"key\":` and does not match.
pub fn has_key(payload: &[u8], quoted: &str) -> bool {
    if !contains(payload, quoted.as_bytes()) {
        return false;
    }
    let key = quoted.trim_matches([':', '"']);
    let text = Text::new(payload);
    text.parse::<Keys>().is_ok_and(|keys| keys.0.iter().any(|name| name == key))
}

/// The keys of an object.
struct Keys(Vec<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Keys;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = map.next_entry()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        d.deserialize_map(Visit)
    }
}

/// UTF-8 with every byte that is none as a `\udcXX` escape.
fn escape(payload: &[u8]) -> String {
    let mut out = String::with_capacity(payload.len() + 64);
    for chunk in payload.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            out.push_str(&format!("\\udc{byte:02x}"));
        }
    }
    out
}

/// The inverse of [`escape`] on raw JSON text. Escapes that were in the payload itself and look the same are turned
/// into bytes as well; they name no character, so no text is lost.
fn restore(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    let mut rest = json;
    while let Some((&first, tail)) = rest.split_first() {
        if let Some(byte) = rest.strip_prefix(b"\\udc").and_then(high_byte) {
            out.push(byte);
            rest = rest.get(6..).unwrap_or_default();
        } else if first == b'\\' && !tail.is_empty() {
            // An escape is two bytes at least: `\\udc80` is a backslash and text.
            out.extend_from_slice(&rest[..2]);
            rest = &rest[2..];
        } else {
            out.push(first);
            rest = tail;
        }
    }
    out
}

fn high_byte(digits: &[u8]) -> Option<u8> {
    let pair = std::str::from_utf8(digits.get(..2)?).ok()?;
    u8::from_str_radix(pair, 16).ok().filter(|byte| *byte >= 0x80)
}

/// Turns WTF-8 into the bytes that were meant.
fn unescape(wtf8: Vec<u8>, escaped: bool) -> Vec<u8> {
    if std::str::from_utf8(&wtf8).is_ok() {
        return wtf8;
    }
    let mut out = Vec::with_capacity(wtf8.len());
    let mut rest = wtf8.as_slice();
    while let Some((&first, tail)) = rest.split_first() {
        // A lone surrogate U+D800..=U+DFFF is ED A0..BF 80..BF; U+DC80..=U+DCFF is ED B2..B3 80..BF.
        if let [0xED, second @ 0xA0..=0xBF, third @ 0x80..=0xBF, ..] = rest {
            match (escaped, second) {
                (true, 0xB2) => out.push(*third),
                (true, 0xB3) => out.push(third + 0x40),
                _ => out.extend_from_slice("\u{FFFD}".as_bytes()),
            }
            rest = &rest[3..];
        } else {
            out.push(first);
            rest = tail;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(payload: &[u8]) -> Vec<u8> {
        let text = Text::new(payload);
        let parsed: WireString = text.parse().unwrap();
        text.bytes(parsed)
    }

    #[test]
    fn every_byte_survives_the_parser() {
        for byte in 0x80..=0xFFu8 {
            assert_eq!(string(&[b'"', b'a', byte, b'b', b'"']), [b'a', byte, b'b']);
        }
        assert_eq!(string("\"é\u{1F600}\"".as_bytes()), "é\u{1F600}".as_bytes());
        assert_eq!(string(br#""a\u0000b""#), b"a\0b");
    }

    #[test]
    fn a_lone_surrogate_is_what_node_makes_of_it() {
        assert_eq!(string(br#""x\ud83dy""#), "x\u{FFFD}y".as_bytes());
        assert_eq!(string(br#""x\udc80y""#), "x\u{FFFD}y".as_bytes());
        assert_eq!(string(br#""\ud83d\ude00""#), "\u{1F600}".as_bytes());
    }

    #[test]
    fn raw_parts_come_back_as_they_were() {
        for payload in [&b"{\"a\":\"\xff\\\\udc80\"}"[..], b"{\"a\":\"\xc3\xa9 \xe9\"}", b"[1, 2]"] {
            let text = Text::new(payload);
            let raw: &RawValue = text.parse().unwrap();
            assert_eq!(text.raw(Some(raw)), payload);
        }
    }

    #[test]
    fn a_key_is_found_at_the_top_only() {
        let key = "\"cursor_version\":";
        assert!(has_key(br#"{"a":1,"cursor_version": "2.4"}"#, key));
        assert!(!has_key(br#"{"a":{"cursor_version":"2.4"}}"#, key), "an argument of some tool");
        assert!(!has_key(br#"{"command":"echo '{\"cursor_version\":1}'"}"#, key), "a line about it");
        assert!(!has_key(br#"["cursor_version":1"#, key));
    }

    #[test]
    fn over_the_limit_is_refused_and_drained() {
        let mut big = std::io::repeat(b'x').take(LIMIT + 100);
        assert!(read(&mut big).unwrap_err().reason.contains("16 MiB"));
        assert_eq!(big.limit(), 0);
        assert!(read(std::io::repeat(b'x').take(LIMIT)).is_ok());
    }
}
