//! From readings to standings, from standings to a level. Never an average: a level has all of its criteria or is not reached.

use std::collections::BTreeMap;

use super::attest::{self, Attestation};
use super::criteria::{Criterion, Table};
use super::measures::{self, Measure, Measured, Reading, Yields};
use super::report::{ChapterSum, Judged, LevelSum, Report, Standing, Step};
use super::scene::{Scene, Wanted};
use crate::error::Result;
use crate::intake::install::World;
use crate::journal::Durability;
use crate::model::{Actor, EventId, EventKind, Stood};
use crate::platform::clock::day;
use crate::platform::home::Home;
use crate::record::own::{self, Own};

/// Looks at everything and judges it.
///
/// # Errors
/// Where the table of criteria does not hold together, or the attestations cannot be read.
pub fn examine(home: &Home, world: &World, wanted: &Wanted) -> Result<Report> {
    let table = Table::load(home)?;
    let attestations = attest::on_record(home)?;
    let scene = Scene::look(home, world, &table, wanted);
    let wants = |criterion: &&Criterion| match (&wanted.system, measure_of(criterion)) {
        (None, _) => true,
        (Some(_), measure) => measure.is_some_and(|measure| measure.by_system),
    };
    let criteria = table.criteria.iter().filter(wants);
    let criteria: Vec<Judged> =
        criteria.map(|criterion| judge(criterion, &scene, &attestations, wanted)).collect();
    Ok(sum(criteria, &table, &scene, wanted))
}

/// Keeps a report on record.
///
/// # Errors
/// Where the journal cannot be written.
pub fn keep(report: &Report, actor: Actor, home: &Home) -> Result<Option<EventId>> {
    let Some(level) = &report.level else { return Ok(None) };
    let measured = || report.criteria.iter().filter(|one| one.measured);
    let stood = Stood {
        level: level.level,
        name: level.name.clone(),
        met: measured().filter(|one| one.standing.is_good()).count() as u64,
        of: measured().count() as u64,
        standings: report.criteria.iter().map(|o| (o.id.clone(), o.standing.as_str().to_owned())).collect(),
        figures: report
            .criteria
            .iter()
            .filter_map(|o| Some((o.id.clone(), thousandths(o.figure?))))
            .collect(),
        table: report.table_hash.clone(),
    };
    let kind = EventKind::Maturity { stood };
    let own = Own { began_ns: report.measured_ns, ..Own::now(kind, "fr maturity --save", actor) };
    own::write(own, Durability::Durable, home).map(Some)
}

fn thousandths(figure: f64) -> i64 {
    (figure * 1000.0).round() as i64
}

fn measure_of(criterion: &Criterion) -> Option<&'static Measure> {
    measures::find(criterion.measure.as_deref()?)
}

fn judge(
    criterion: &Criterion,
    scene: &Scene<'_>,
    attestations: &BTreeMap<String, Attestation>,
    wanted: &Wanted,
) -> Judged {
    let Criterion { id, title, chapter, level, effort, why, .. } = criterion.clone();
    let mut judged = Judged {
        id,
        title,
        chapter,
        level,
        measured: criterion.measure.is_some(),
        standing: Standing::Unknown,
        value: String::new(),
        figure: None,
        threshold: criterion.threshold(),
        evidence: Vec::new(),
        how: None,
        why,
        next: None,
        effort,
        attestation: None,
    };
    match measure_of(criterion) {
        Some(measure) => measured(&mut judged, criterion, measure, seen(measure, scene)),
        None => vouched(&mut judged, attestations.get(&criterion.id), wanted),
    }
    if judged.standing.is_good() {
        judged.next = None;
    }
    judged
}

/// That agents use nothing of a kind follows from their commands: without any it is not known.
fn seen(measure: &Measure, scene: &Scene<'_>) -> Measured {
    let seen = (measure.take)(scene);
    match seen.reading {
        Reading::Nothing(_) if !scene.has_agents() => Measured {
            reading: Reading::Unknown(format!("no agent is on record {}", scene.wanted.time())),
            ..seen
        },
        _ => seen,
    }
}

fn measured(judged: &mut Judged, criterion: &Criterion, measure: &Measure, seen: Measured) {
    let verdict = |figure: f64| if criterion.admits(figure) { Standing::Met } else { Standing::NotMet };
    (judged.standing, judged.figure, judged.value) = match seen.reading {
        Reading::Share { good, of } => {
            // Rounded down: 99.96 per cent are not all.
            let percent = (good as f64 * 1000.0 / of.max(1) as f64).floor() / 10.0;
            (verdict(percent), Some(percent), format!("{percent} % ({good} of {of})"))
        }
        Reading::Number(number) => {
            let space = if measure.unit.is_empty() { "" } else { " " };
            (verdict(number), Some(number), format!("{number}{space}{}", measure.unit))
        }
        Reading::Truth(is_so) => {
            let standing = if is_so { Standing::Met } else { Standing::NotMet };
            (standing, None, if is_so { "yes" } else { "no" }.to_owned())
        }
        Reading::Nothing(why) => (Standing::DoesNotApply, None, why),
        Reading::Unknown(why) => (Standing::Unknown, None, why),
    };
    debug_assert!(measure.yields != Yields::Truth || judged.figure.is_none());
    judged.evidence = seen.evidence;
    judged.how = Some(measure.how.to_owned());
    judged.next = seen.next.or_else(|| criterion.next.clone());
}

fn vouched(judged: &mut Judged, found: Option<&Attestation>, wanted: &Wanted) {
    let id = &judged.id;
    judged.next = Some(format!("fr maturity attest {id} --owner NAME"));
    let Some(found) = found else {
        (judged.standing, judged.value) = (Standing::NotAttested, "nobody vouches for it".to_owned());
        return;
    };
    let Attestation { attested, since_ns, event, by } = found;
    let is_taken_back = attested.until_ns <= *since_ns;
    judged.standing = match () {
        () if attested.until_ns > wanted.now_ns => Standing::Attested,
        () if is_taken_back => Standing::NotAttested,
        () => Standing::Lapsed,
    };
    judged.value = match judged.standing {
        Standing::Attested => format!("{} vouches until {}", attested.owner, day(attested.until_ns)),
        Standing::Lapsed => format!("{} vouched until {}", attested.owner, day(attested.until_ns)),
        _ => format!("{} took it back on {}", attested.owner, day(*since_ns)),
    };
    judged.evidence.push(format!("event {event}, written by {by} on {}", day(*since_ns)));
    if !attested.note.is_empty() {
        judged.evidence.push(attested.note.clone());
    }
    judged.attestation = Some(found.clone());
}

fn sum(criteria: Vec<Judged>, table: &Table, scene: &Scene<'_>, wanted: &Wanted) -> Report {
    let of = |belongs: &dyn Fn(&Judged) -> bool| {
        let own: Vec<&Judged> = criteria.iter().filter(|one| one.measured && belongs(one)).collect();
        (own.iter().filter(|one| one.standing.is_good()).count() as u64, own.len() as u64)
    };
    let mut reached = true;
    let mut levels: Vec<LevelSum> = Vec::new();
    for level in &table.levels {
        let (good, all) = of(&|one| one.level == level.level);
        reached &= good == all;
        let (name, means) = (level.name.clone(), level.means.clone());
        levels.push(LevelSum { level: level.level, name, means, good, of: all, reached });
    }
    let is_whole = wanted.system.is_none();
    let level = levels.iter().rfind(|level| level.reached).filter(|_| is_whole).cloned();
    let next_level = levels.iter().find(|level| !level.reached).filter(|_| is_whole).cloned();
    let mut lacking: Vec<&Judged> =
        criteria.iter().filter(|one| one.measured && !one.standing.is_good()).collect();
    lacking.sort_by_key(|one| (one.level, one.effort));
    let is_next = |one: &&&Judged| next_level.as_ref().is_some_and(|next| one.level <= next.level);
    let holding_back = lacking.iter().filter(is_next).map(|one| one.id.clone()).collect();
    let step =
        |one: &&Judged| Some(Step { criterion: one.id.clone(), next: one.next.clone()?, effort: one.effort });
    let next = lacking.iter().filter_map(step).collect();
    let chapters = table.chapters.iter().map(|chapter| {
        let (good, all) = of(&|one| one.chapter == chapter.id);
        let (id, title, about) = (chapter.id.clone(), chapter.title.clone(), chapter.about.clone());
        ChapterSum { id, title, about, good, of: all }
    });
    Report {
        measured_ns: wanted.now_ns,
        since_ns: wanted.since_ns,
        system: wanted.system.clone(),
        level,
        next_level,
        holding_back,
        next,
        chapters: chapters.collect(),
        levels,
        commands: scene.commands().count() as u64,
        agent_commands: scene.by_agents().count() as u64,
        table: table.from.clone(),
        table_hash: table.hash.clone(),
        criteria,
        saved: None,
    }
}
