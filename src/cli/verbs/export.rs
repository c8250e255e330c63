//! `fr export`: what is on record in the formats of others, oldest first.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::Out;
use crate::cli::args::ExportArgs;
use crate::cli::render::export::{Format, FormatName, Item, format};
use crate::cli::render::{count, safe};
use crate::cli::usage;
use crate::error::{Error, ExitCode, Result};
use crate::journal::index::{Filter, Index};
use crate::model::{EventId, Gap};

/// Events and gaps that are read at once.
const PAGE: usize = 500;

/// What was written (`schema/export.schema.json`).
#[derive(Serialize)]
struct Exported {
    format: FormatName,
    file: String,
    events: u64,
    gaps: u64,
    unreadable: u64,
}

/// Runs the verb.
pub fn run(args: &ExportArgs, out: &mut Out) -> Result<u8> {
    if out.json && args.out.is_none() {
        return Err(usage("--json tells what --out FILE wrote, and there is no --out")
            .hint("`fr export --format jsonl` prints the record itself as JSON lines"));
    }
    let filter = Filter { orders: true, ..super::narrow::filter(&args.narrow, PAGE)? };
    let (_, index) = super::opened()?;
    let mut sink = Sink::open(args.out.as_deref())?;
    let done = write(&mut *format(args.format), &filter, &index, &mut sink, out).and_then(|done| {
        sink.finish(out)?;
        Ok(done)
    });
    let (events, gaps, unreadable) = done.inspect_err(|_| sink.forget())?;
    if let Some(file) = &args.out {
        let file = file.display().to_string();
        if out.json {
            out.json(&Exported { format: args.format, file, events, gaps, unreadable })?;
        } else {
            let shown = safe(file.as_bytes());
            out.talk(format!("{} and {} are in {shown}", count(events, "event"), count(gaps, "gap")));
        }
    }
    if unreadable > 0 {
        let what = format!("{} could not be read; the export names them as gaps", count(unreadable, "event"));
        return Err(Error::new(ExitCode::Partial, what).hint("`fr store verify` shows what is damaged"));
    }
    Ok(0)
}

/// Writes everything; how many events, gaps, and events that could not be read.
fn write(
    to: &mut dyn Format,
    filter: &Filter,
    index: &Index,
    sink: &mut Sink,
    out: &mut Out,
) -> Result<(u64, u64, u64)> {
    sink.write(&to.begin()?, out)?;
    let mut gaps = Gaps::between(filter, index);
    let (mut events, mut last, mut unreadable) = (0u64, EventId(0), 0u64);
    loop {
        let mut damaged: Vec<(EventId, String)> = Vec::new();
        let page = Filter { after: Some(last.0), ..filter.clone() };
        let read = index.following(&page, |event, damage| {
            damaged.push((event, damage.what));
            Ok(())
        })?;
        let newest =
            read.last().map(|event| event.id).into_iter().chain(damaged.iter().map(|(id, _)| *id)).max();
        for event in &read {
            gaps.until(event.before.at_ns, to, sink, out)?;
            sink.write(&to.item(Item::Event(event))?, out)?;
            events += 1;
        }
        for (id, what) in damaged {
            let at_ns = read.last().map_or(0, |event| event.before.at_ns);
            let reason = format!("event {id} cannot be read: {what}");
            sink.write(&to.item(Item::Gap(&Gap { at_ns, reason, count: 1, detail: None }))?, out)?;
            unreadable += 1;
        }
        match newest {
            Some(newest) => last = newest,
            None => break,
        }
    }
    gaps.until(i64::MAX, to, sink, out)?;
    sink.write(&to.end()?, out)?;
    Ok((events, gaps.written, unreadable))
}

/// The gaps of the time that is asked for, read as they are needed.
struct Gaps<'a> {
    index: &'a Index,
    since_ns: i64,
    until_ns: i64,
    last: u64,
    waiting: std::collections::VecDeque<Gap>,
    all_read: bool,
    written: u64,
}

impl<'a> Gaps<'a> {
    fn between(filter: &Filter, index: &'a Index) -> Gaps<'a> {
        Gaps {
            index,
            since_ns: filter.since_ns.unwrap_or(i64::MIN),
            until_ns: filter.until_ns.unwrap_or(i64::MAX),
            last: 0,
            waiting: std::collections::VecDeque::new(),
            all_read: false,
            written: 0,
        }
    }

    /// Writes those that happened until then.
    fn until(&mut self, at_ns: i64, to: &mut dyn Format, sink: &mut Sink, out: &mut Out) -> Result<()> {
        loop {
            if self.waiting.is_empty() && !self.all_read {
                let read = self.index.gaps_after(self.last, PAGE)?;
                self.all_read = read.len() < PAGE;
                self.last = read.last().map_or(self.last, |(seq, _)| *seq);
                self.waiting.extend(read.into_iter().map(|(_, gap)| gap));
            }
            match self.waiting.front() {
                Some(gap) if gap.at_ns <= at_ns => {}
                _ => return Ok(()),
            }
            let Some(gap) = self.waiting.pop_front() else { return Ok(()) };
            if (self.since_ns..=self.until_ns).contains(&gap.at_ns) {
                sink.write(&to.item(Item::Gap(&gap))?, out)?;
                self.written += 1;
            }
        }
    }
}

/// Standard output, or a new file that only its owner can read.
enum Sink {
    Stdout,
    File { to: BufWriter<File>, path: PathBuf },
}

impl Sink {
    fn open(path: Option<&Path>) -> Result<Sink> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let Some(path) = path else { return Ok(Sink::Stdout) };
        let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let to = made.map_err(|e| {
            let error = Error::io("write", path, &e);
            if e.kind() == std::io::ErrorKind::AlreadyExists {
                error.hint("an export does not overwrite: name a new file")
            } else {
                error
            }
        })?;
        Ok(Sink::File { to: BufWriter::new(to), path: path.to_owned() })
    }

    fn write(&mut self, text: &str, out: &mut Out) -> Result<()> {
        match self {
            Sink::Stdout => out.raw(text.as_bytes()),
            Sink::File { to, path } => {
                to.write_all(text.as_bytes()).map_err(|e| Error::io("write", path.as_path(), &e))
            }
        }
    }

    fn finish(&mut self, out: &mut Out) -> Result<()> {
        match self {
            Sink::Stdout => out.flush(),
            Sink::File { to, path } => to.flush().map_err(|e| Error::io("write", path.as_path(), &e)),
        }
    }

    /// A half of an export is none.
    fn forget(&self) {
        if let Sink::File { path, .. } = self {
            let _ = std::fs::remove_file(path);
        }
    }
}
