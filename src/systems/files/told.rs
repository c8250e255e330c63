//! A file of which only another's word tells what it held: an agent's report of an edit that nobody saw coming.
//!
//! What can still be seen is taken from the file as it is now; mode, owner and times are those, and may have been others.

use super::capture::{capture, state_of};
use super::content::{Keep, holds, of_bytes};
use super::entry::{Entry, Kind, Meta};
use super::tree::decode_state;
use crate::error::{Error, Result};
use crate::model::{Capture, Effect, StateRef};
use crate::platform::fs::own_ids;
use crate::systems::CaptureCx;

/// The mode that is assumed for a file that is gone again.
const PLAIN: u32 = 0o644;

/// The contents that are told.
pub struct Told<'a> {
    /// Before the edit; `None` where the file was made.
    pub before: Option<&'a [u8]>,
    /// After it, where that is told too.
    pub after: Option<&'a [u8]>,
}

/// The capture of the file as it is told to have been, and the state that the edit left. Where the file is not what it is
/// told to be, that state is the told one: undo then finds a conflict, as with every other change since.
pub fn told(effect: &Effect, told: &Told<'_>, cx: &CaptureCx<'_>) -> Result<(Capture, StateRef)> {
    // Where the path is a link, the file that it leads to comes first.
    let seen = capture(effect, cx)?.into_iter().next();
    let mut captured = seen.ok_or_else(|| Error::failure("the words do not tell which file it is"))?;
    let present = captured.state;
    let object = present.object.ok_or_else(|| Error::corrupt("a capture without its state"))?;
    let mut state = decode_state(&cx.source.get(&object)?)?;
    let keep = Keep::Store(cx.sink);
    let form = told.after.and_then(|text| Form::of(text, state.entry.as_ref()));
    let entry = |text: &[u8], now: Option<&Entry>| -> Result<Entry> {
        let content = of_bytes(&form.unwrap_or(Form::AsTold).apply(text), keep)?;
        let (meta, links) = now.map_or_else(|| (plain(), None), |now| (now.meta.clone(), now.links));
        Ok(Entry { kind: Kind::File { content }, meta, links })
    };
    let now = state.entry.take();
    let after = match told.after {
        Some(text) if form.is_none() => {
            state.entry = Some(entry(text, now.as_ref())?);
            state_of(&state, keep)?
        }
        _ => present,
    };
    state.entry = told.before.map(|text| entry(text, now.as_ref())).transpose()?;
    captured.state = state_of(&state, keep)?;
    captured.missing.clear();
    captured.items = u64::from(state.entry.is_some());
    captured.bytes = told.before.map_or(0, |text| text.len() as u64);
    Ok((captured, after))
}

fn plain() -> Meta {
    let (uid, gid) = own_ids();
    Meta { mode: PLAIN, uid, gid, mtime_ns: crate::platform::clock::now_ns(), xattrs: Vec::new() }
}

/// Agents read a file as text, with line feeds and without a byte order mark, and write it as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    AsTold,
    Crlf,
    Marked,
    MarkedCrlf,
}

const MARK: &[u8] = b"\xef\xbb\xbf";

impl Form {
    /// The form in which a told text is exactly what the file holds.
    fn of(text: &[u8], now: Option<&Entry>) -> Option<Form> {
        let now = now?;
        let same = |form: &Form| holds(now, &form.apply(text));
        [Form::AsTold, Form::Crlf, Form::Marked, Form::MarkedCrlf].into_iter().find(same)
    }

    fn apply(self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len() + MARK.len());
        if matches!(self, Form::Marked | Form::MarkedCrlf) {
            out.extend_from_slice(MARK);
        }
        let mut last = 0;
        for &byte in text {
            if byte == b'\n' && last != b'\r' && matches!(self, Form::Crlf | Form::MarkedCrlf) {
                out.push(b'\r');
            }
            out.push(byte);
            last = byte;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_in_the_form_that_the_file_has() {
        let of = |on_disk: &[u8]| {
            let content = of_bytes(on_disk, Keep::Identity).unwrap();
            Form::of(
                b"a\nb\n",
                Some(&Entry { kind: Kind::File { content }, meta: Meta::default(), links: None }),
            )
        };
        assert_eq!(of(b"a\nb\n"), Some(Form::AsTold));
        assert_eq!(of(b"a\r\nb\r\n"), Some(Form::Crlf));
        assert_eq!(of(b"\xef\xbb\xbfa\nb\n"), Some(Form::Marked));
        assert_eq!(of(b"\xef\xbb\xbfa\r\nb\r\n"), Some(Form::MarkedCrlf));
        assert_eq!(of(b"a\r\nb\n"), None, "somebody else's");
        assert_eq!(Form::of(b"", None), None);
    }
}
