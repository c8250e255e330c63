//! The timeline as a picture: where things stand, as numbers; `report.html` draws them. One lane for people, one for containment,
//! one for each system, one for recovery. Places are parts of the width, so that the same picture fits a phone and a desk without
//! its text becoming small. The space between two moments grows with the logarithm of the time between them: twenty commands in
//! five seconds and the two hours after them are both to be seen.

use serde::Serialize;

use crate::model::{ActorKind, EffectClass};
use crate::respond::incident::{Entry, Kind, moment};

/// How high a lane is, its label included.
const LANE: u32 = 44;
/// Above the first lane.
const TOP: u32 = 8;
/// Below the last lane: the axis.
const AXIS: u32 = 26;
/// How many lanes systems may have; the rest share one.
const SYSTEMS: usize = 8;
/// The margins, in percent: marks are wider than their place.
const LEFT: f64 = 3.0;
const RIGHT: f64 = 97.0;
/// How far apart marks of one lane are at least, in percent: they are drawn 16 px wide, and a phone has 360.
const APART: f64 = 4.4;
/// How far apart the labels of the axis are at least, in percent.
const BETWEEN: f64 = 24.0;

/// A picture.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Picture {
    /// Its height.
    pub height: u32,
    /// The lanes, from the top.
    pub lanes: Vec<Lane>,
    /// What lasted.
    pub spans: Vec<Span>,
    /// What happened.
    pub marks: Vec<Mark>,
    /// The labels of the axis.
    pub ticks: Vec<Tick>,
    /// What the shapes in it mean, in the order of the legend.
    pub legend: Vec<Shape>,
    /// The whole in words.
    pub words: String,
}

/// One lane.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lane {
    /// What it is of.
    pub label: String,
    /// Where its line is.
    pub y: u32,
    /// Where its label stands.
    pub label_y: u32,
}

/// Something that lasted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Span {
    /// `contained` or `recovery`.
    pub kind: &'static str,
    /// In words.
    pub title: String,
    /// From where, in percent.
    pub x: String,
    /// How wide, in percent.
    pub width: String,
    /// At which height.
    pub y: u32,
}

/// Something that happened. Marks of one lane that would lie on each other are one with a number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mark {
    /// Its shape.
    pub shape: Shape,
    /// In words.
    pub title: String,
    /// Where, in percent.
    pub x: String,
    /// At which height.
    pub y: u32,
    /// How many it stands for, where that is more than one.
    pub count: Option<u64>,
    /// One of them concerned production.
    pub production: bool,
}

/// A label of the axis.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tick {
    /// The time.
    pub label: String,
    /// Where, in percent.
    pub x: String,
    /// Which side of it the label is on: `start`, `middle`, `end`.
    pub anchor: &'static str,
}

/// A shape with its colour: told apart by either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// A cross.
    Destroy,
    /// A square.
    Overwrite,
    /// A triangle that points down.
    Weaken,
    /// A question mark in a diamond.
    Opaque,
    /// A dot.
    Change,
    /// A plus.
    Create,
    /// A ring with a bar.
    Refused,
    /// A triangle with an exclamation mark.
    Alarm,
    /// A bar.
    Contain,
    /// An arrow that points back.
    Undo,
    /// A sheet.
    Note,
    /// A star.
    Decision,
    /// A flag.
    Flag,
    /// A tick.
    Step,
    /// A broken line.
    Gap,
}

fn shape(entry: &Entry) -> Shape {
    match entry.kind {
        Kind::Refused => Shape::Refused,
        Kind::Alarm => Shape::Alarm,
        Kind::Contain | Kind::Release => Shape::Contain,
        Kind::Undo | Kind::Redo | Kind::Restore => Shape::Undo,
        Kind::Note | Kind::Revised => Shape::Note,
        Kind::Decision => Shape::Decision,
        Kind::Opened | Kind::Closed => Shape::Flag,
        Kind::Playbook => Shape::Step,
        Kind::Gap => Shape::Gap,
        Kind::Command => match entry.class {
            Some(EffectClass::Destroy) => Shape::Destroy,
            Some(EffectClass::Overwrite) => Shape::Overwrite,
            Some(EffectClass::Weaken) => Shape::Weaken,
            Some(EffectClass::Opaque) | None => Shape::Opaque,
            Some(EffectClass::Create) => Shape::Create,
            _ => Shape::Change,
        },
    }
}

/// Worst first: which of several marks on one place is drawn.
fn weight(shape: Shape) -> usize {
    let order = [
        Shape::Destroy,
        Shape::Overwrite,
        Shape::Weaken,
        Shape::Alarm,
        Shape::Opaque,
        Shape::Refused,
        Shape::Change,
        Shape::Create,
        Shape::Contain,
        Shape::Undo,
        Shape::Flag,
        Shape::Decision,
        Shape::Step,
        Shape::Note,
        Shape::Gap,
    ];
    order.iter().position(|one| *one == shape).unwrap_or(order.len())
}

/// Which lane an entry is in; a system's by its name.
fn lane_of(entry: &Entry) -> String {
    match entry.kind {
        Kind::Note | Kind::Decision | Kind::Opened | Kind::Closed | Kind::Revised => "people".to_owned(),
        Kind::Alarm | Kind::Contain | Kind::Release | Kind::Gap => "containment".to_owned(),
        Kind::Undo | Kind::Redo | Kind::Restore => "recovery".to_owned(),
        Kind::Playbook => "playbook".to_owned(),
        Kind::Command | Kind::Refused => {
            entry.systems.first().map_or_else(|| "not run".to_owned(), |system| format!("system {system}"))
        }
    }
}

/// Draws the entries.
pub fn draw(entries: &[Entry]) -> Picture {
    if entries.is_empty() {
        return Picture::default();
    }
    let scale = Scale::of(entries);
    let lanes = lanes(entries);
    let place = |name: &str| {
        let at = lanes.iter().position(|lane| lane == name);
        let at = at.or_else(|| lanes.iter().position(|lane| lane == "other systems")).unwrap_or(0);
        TOP + LANE * u32::try_from(at).unwrap_or(0) + 30
    };
    let spans = spans(entries, &scale, &place);
    let marks = marks(entries, &scale, &place);
    let mut legend: Vec<Shape> = marks.iter().map(|mark| mark.shape).collect();
    legend.sort();
    legend.dedup();
    let bottom = TOP + LANE * u32::try_from(lanes.len()).unwrap_or(0);
    Picture {
        height: bottom + AXIS,
        words: in_words(entries, &lanes),
        lanes: lanes
            .iter()
            .zip(0..)
            .map(|(label, at)| Lane {
                label: label.strip_prefix("system ").unwrap_or(label).to_owned(),
                y: TOP + LANE * at + 30,
                label_y: TOP + LANE * at + 12,
            })
            .collect(),
        spans,
        marks,
        ticks: scale.ticks(),
        legend,
    }
}

/// People, containment, the systems in the order in which they were hit, recovery; those that have anything in them.
fn lanes(entries: &[Entry]) -> Vec<String> {
    let mut systems: Vec<String> = Vec::new();
    let has = |name: &str| entries.iter().any(|entry| lane_of(entry) == name);
    let (people, containment, recovery) = (has("people"), has("containment"), has("recovery"));
    let playbook = has("playbook");
    for lane in entries.iter().map(lane_of).filter(|lane| lane.starts_with("system ") || lane == "not run") {
        if !systems.contains(&lane) {
            systems.push(lane);
        }
    }
    if systems.len() > SYSTEMS {
        systems.truncate(SYSTEMS - 1);
        systems.push("other systems".to_owned());
    }
    let named = |is: bool, name: &str| is.then(|| name.to_owned());
    let before = [named(people, "people"), named(containment, "containment")].into_iter().flatten();
    before.chain(systems).chain(named(playbook, "playbook")).chain(named(recovery, "recovery")).collect()
}

fn marks(entries: &[Entry], scale: &Scale, place: &impl Fn(&str) -> u32) -> Vec<Mark> {
    let mut marks: Vec<(u32, f64, Mark, u64)> = Vec::new();
    for entry in entries {
        let (x, y) = (scale.at(entry.at_ns), place(&lane_of(entry)));
        let event = entry.event.map(|event| format!(" event {event}")).unwrap_or_default();
        let what = entry.text.first().cloned().unwrap_or_default();
        let title = format!("{}{event}, {}: {what}", moment(entry.at_ns), entry.kind.words());
        let mark =
            Mark { shape: shape(entry), title, x: percent(x), y, count: None, production: entry.production };
        match marks.iter_mut().rfind(|(at_y, at_x, _, _)| *at_y == y && (x - at_x).abs() < APART) {
            Some((_, _, known, n)) => {
                *n += 1;
                known.production |= mark.production;
                if weight(mark.shape) < weight(known.shape) {
                    known.shape = mark.shape;
                }
                known.title = format!("{}\n{}", known.title, mark.title);
                known.count = Some(*n);
            }
            None => marks.push((y, x, mark, 1)),
        }
    }
    marks.into_iter().map(|(_, _, mark, _)| mark).collect()
}

/// Containment until its release, or until the end; recovery from the first undo to the end of the last.
fn spans(entries: &[Entry], scale: &Scale, place: &impl Fn(&str) -> u32) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut span = |kind, title: String, from: i64, until: i64| {
        let (from, until) = (scale.at(from), scale.at(until));
        let name = if kind == "contained" { "containment" } else { "recovery" };
        let width = (until - from).max(1.0);
        spans.push(Span { kind, title, x: percent(from), width: percent(width), y: place(name) });
    };
    if let Some(from) = entries.iter().find(|entry| entry.kind == Kind::Contain) {
        let release = entries.iter().rfind(|entry| entry.kind == Kind::Release);
        let until = release.map_or(scale.last(), |release| release.at_ns);
        let open = if release.is_none() { ", still in force at the end" } else { "" };
        span(
            "contained",
            format!("contained from {} to {}{open}", moment(from.at_ns), moment(until)),
            from.at_ns,
            until,
        );
    }
    let undos = || entries.iter().filter(|entry| entry.kind == Kind::Undo);
    if let (Some(first), Some(until)) = (undos().next(), undos().map(end_of).max()) {
        span(
            "recovery",
            format!("recovery from {} to {}", moment(first.at_ns), moment(until)),
            first.at_ns,
            until,
        );
    }
    spans
}

fn end_of(entry: &Entry) -> i64 {
    entry.until_ns.unwrap_or(entry.at_ns)
}

fn in_words(entries: &[Entry], lanes: &[String]) -> String {
    let agents =
        entries.iter().filter(|entry| entry.kind == Kind::Command && entry.actor == ActorKind::Agent).count();
    let commands = entries.iter().filter(|entry| entry.kind == Kind::Command).count();
    let undos = entries.iter().filter(|entry| entry.kind == Kind::Undo).count();
    let names: Vec<&str> = lanes.iter().map(|lane| lane.strip_prefix("system ").unwrap_or(lane)).collect();
    let (first, last) =
        (entries.first().map_or(0, |e| e.at_ns), entries.iter().map(end_of).max().unwrap_or(0));
    format!(
        "Lanes: {}. {commands} commands that changed something, {agents} of them by agents, and {undos} undos, from {} to {} \
         UTC. The same as a table follows.",
        names.join(", "),
        moment(first),
        moment(last),
    )
}

/// Where moments stand.
struct Scale {
    /// The moments, each once, with their places in percent.
    stops: Vec<(i64, f64)>,
}

impl Scale {
    fn of(entries: &[Entry]) -> Scale {
        let undos = entries.iter().filter(|entry| entry.kind == Kind::Undo).map(end_of);
        let mut moments: Vec<i64> = entries.iter().map(|entry| entry.at_ns).chain(undos).collect();
        moments.sort_unstable();
        moments.dedup();
        let pairs = moments.iter().zip(moments.iter().skip(1));
        let gaps: Vec<f64> = pairs.map(|(a, b)| (1.0 + (b - a) as f64 / 1e9).ln() + 0.4).collect();
        let all: f64 = gaps.iter().sum();
        let mut x = LEFT;
        let mut stops = vec![(moments.first().copied().unwrap_or(0), if all > 0.0 { LEFT } else { 50.0 })];
        for (moment, gap) in moments.iter().skip(1).zip(&gaps) {
            x += gap / all * (RIGHT - LEFT);
            stops.push((*moment, x));
        }
        Scale { stops }
    }

    fn at(&self, at_ns: i64) -> f64 {
        let at = self.stops.partition_point(|(moment, _)| *moment < at_ns);
        self.stops.get(at).or_else(|| self.stops.last()).map_or(LEFT, |(_, x)| *x)
    }

    fn last(&self) -> i64 {
        self.stops.last().map_or(0, |(moment, _)| *moment)
    }

    /// The first and the last moment, and between them those that leave enough room.
    fn ticks(&self) -> Vec<Tick> {
        let (Some(first), Some(last)) = (self.stops.first(), self.stops.last()) else { return Vec::new() };
        let day = |at_ns: i64| moment(at_ns).split(' ').next().unwrap_or_default().to_owned();
        let many_days = day(first.0) != day(last.0);
        let label = |at_ns: i64| {
            let whole = moment(at_ns);
            match many_days {
                true => whole.get(5..16).unwrap_or_default().to_owned(),
                false => whole.get(11..).unwrap_or_default().to_owned(),
            }
        };
        let tick = |stop: &(i64, f64), anchor| Tick { label: label(stop.0), x: percent(stop.1), anchor };
        if self.stops.len() == 1 {
            return vec![tick(first, "middle")];
        }
        let mut ticks = vec![tick(first, "start")];
        let mut latest = first.1 + BETWEEN / 3.0;
        for stop in &self.stops {
            if stop.1 - latest >= BETWEEN && last.1 - BETWEEN / 3.0 - stop.1 >= BETWEEN {
                ticks.push(tick(stop, "middle"));
                latest = stop.1;
            }
        }
        ticks.push(tick(last, "end"));
        ticks
    }
}

fn percent(x: f64) -> String {
    format!("{x:.2}%")
}
