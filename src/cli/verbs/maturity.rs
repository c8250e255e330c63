//! `fr maturity`: how safe are we, what shows that, and what is the cheapest next step.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::cli::args::{MaturityAction, MaturityArgs, MaturityFormat};
use crate::cli::render::{Table, count, progress, safe, style, when};
use crate::cli::{Out, usage};
use crate::error::{Error, Result};
use crate::intake::attribution::actor_here;
use crate::intake::install::World;
use crate::maturity::{self, Attestation, Judged, LevelSum, Mean, Month, Report, Standing, Trend, Wanted};
use crate::model::{ActorKind, Attested};
use crate::platform::{clock, home, home::Home};
use crate::systems;

/// The time looked at where nothing is said.
const WINDOW: &str = "90d";
/// How many next steps are shown.
const STEPS: usize = 5;

/// Runs the verb.
pub fn run(args: &MaturityArgs, out: &mut Out) -> Result<u8> {
    let home = Home::at(home::state_dir()?);
    if let Some(MaturityAction::Attest { .. }) = &args.action {
        return attest(args, &home, out);
    }
    let format = if out.json { MaturityFormat::Json } else { args.format };
    if args.trend {
        return trend(args, format, out);
    }
    let report = measure(args, &home, out)?;
    match (format, &args.out) {
        (MaturityFormat::Text, None) => text(&report, out)?,
        (format, to) => {
            let page = match format {
                MaturityFormat::Md => maturity::page::markdown(&report)?,
                MaturityFormat::Html => maturity::page::html(&report)?,
                MaturityFormat::Json => json(&report)?,
                MaturityFormat::Text => {
                    return Err(usage("--out is for --format md, html or json")
                        .hint("`fr maturity > FILE` keeps the text"));
                }
            };
            match to {
                None => out.raw(page.as_bytes())?,
                Some(path) => {
                    write(path, page.as_bytes())?;
                    out.talk(format!("written: {}", safe(path.as_os_str().as_encoded_bytes())));
                }
            }
        }
    }
    Ok(0)
}

fn measure(args: &MaturityArgs, home: &Home, out: &mut Out) -> Result<Report> {
    if let Some(name) = &args.system {
        let known: Vec<String> = systems::all().iter().map(|system| system.id().to_string()).collect();
        if !known.contains(name) {
            return Err(
                usage(format!("no system is called {name}")).hint(format!("there are {}", known.join(", ")))
            );
        }
    }
    let now_ns = clock::now_ns();
    let since_ns = when::parse_moment(args.since.as_deref().unwrap_or(WINDOW), now_ns)?;
    if since_ns >= now_ns {
        return Err(usage("--since lies ahead").hint("write an age (90d) or a day that is past"));
    }
    let env = crate::intake::current_env();
    let actor = actor_here(&env);
    let person = actor.kind == ActorKind::Human;
    let world = World::here(env, home.root.clone())?;
    let wanted = Wanted { now_ns, since_ns, system: args.system.clone(), person };
    let bar = progress::named("looking");
    bar.set_message("at the record, this machine, and the systems that agents used");
    let measured = maturity::examine(home, &world, &wanted);
    bar.finish_and_clear();
    let mut report = measured?;
    if args.save {
        report.saved = maturity::keep(&report, actor, home)?.map(|event| event.0);
        if let (Some(event), true) = (report.saved, args.format != MaturityFormat::Text || out.json) {
            out.talk(format!("kept as event {event}"));
        }
    }
    Ok(report)
}

fn json(report: &impl serde::Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(report);
    Ok(text.map_err(|e| Error::failure(format!("cannot render JSON: {e}")))? + "\n")
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    // Names of accounts and people are in it.
    let mut options = std::fs::OpenOptions::new();
    let opened = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    opened.and_then(|mut file| file.write_all(bytes)).map_err(|e| Error::io("write", path, &e))
}

fn mark(standing: Standing) -> anstyle::Style {
    match standing {
        Standing::Met | Standing::Attested => style::GOOD,
        Standing::DoesNotApply => style::DIM,
        Standing::NotMet => style::ERROR,
        _ => style::WARN,
    }
}

fn text(report: &Report, out: &mut Out) -> Result<()> {
    head(report, out)?;
    for chapter in &report.chapters {
        let own: Vec<&Judged> = report.of_chapter(&chapter.id).collect();
        if own.is_empty() {
            continue;
        }
        let title = format!("{} ({} of {})", safe(chapter.title.as_bytes()), chapter.good, chapter.of);
        out.line("")?;
        out.line(out.paint(style::BOLD, title))?;
        for one in own {
            criterion(one, out)?;
        }
    }
    out.line("")?;
    let what = format!(
        "{}, {} by agents, since {}; criteria: {}",
        count(report.commands, "command"),
        report.agent_commands,
        clock::day(report.since_ns),
        safe(report.table.as_bytes())
    );
    out.line(out.paint(style::DIM, what))?;
    match report.saved {
        Some(event) => out.line(out.paint(style::DIM, format!("kept as event {event}"))),
        None => Ok(()),
    }
}

fn head(report: &Report, out: &mut Out) -> Result<()> {
    match (&report.level, &report.system) {
        (Some(level), _) => {
            let name = format!("level {}, {}", level.level, safe(level.name.as_bytes()));
            let good = if level.level == 0 { style::ERROR } else { style::GOOD };
            out.line(format!("{}: {}", out.paint(good, name), safe(level.means.as_bytes())))?;
        }
        (None, system) => {
            let system = safe(system.as_deref().unwrap_or_default().as_bytes());
            out.line(format!("only {system}: there is no level of one system"))?;
        }
    }
    let sums: Vec<String> = report.levels.iter().filter(|level| level.of > 0).map(of_level).collect();
    out.line(out.paint(style::DIM, sums.join("   ")))?;
    let Some(next) = &report.next_level else {
        return steps(
            report,
            &report.next.iter().map(|step| step.criterion.clone()).collect::<Vec<_>>(),
            out,
        );
    };
    let what = format!("what keeps level {} ({}) away", next.level, safe(next.name.as_bytes()));
    out.line("")?;
    let criteria = match report.holding_back.len() {
        1 => "1 criterion".to_owned(),
        n => format!("{n} criteria"),
    };
    out.line(format!("{}: {criteria}", out.paint(style::BOLD, what)))?;
    steps(report, &report.holding_back, out)
}

fn of_level(level: &LevelSum) -> String {
    format!("{} {} {}/{}", level.level, safe(level.name.as_bytes()), level.good, level.of)
}

fn steps(report: &Report, ids: &[String], out: &mut Out) -> Result<()> {
    for id in ids.iter().take(STEPS) {
        let Some(one) = report.criteria.iter().find(|one| one.id == *id) else { continue };
        let title = safe(one.title.as_bytes());
        out.line(format!(
            "  {} {title}",
            out.paint(mark(one.standing), format!("{:<9}", one.standing.words()))
        ))?;
        if let Some(next) = &one.next {
            out.line(format!("            next: {}", safe(next.as_bytes())))?;
        }
    }
    match ids.len().saturating_sub(STEPS) {
        0 => Ok(()),
        more => out.line(out.paint(style::DIM, format!("  and {more} more, below"))),
    }
}

fn criterion(one: &Judged, out: &mut Out) -> Result<()> {
    let word = out.paint(mark(one.standing), format!("{:<15}", one.standing.words()));
    let id = out.paint(style::BOLD, safe(one.id.as_bytes()));
    let (title, value) = (safe(one.title.as_bytes()), safe(one.value.as_bytes()));
    out.line(format!("  {word} {} {id}: {title}", one.level))?;
    let wanted = match (&one.threshold, one.standing) {
        (Some(threshold), Standing::NotMet) => format!(", wanted: {threshold}"),
        _ => String::new(),
    };
    let mut indented = |text: String| out.line(format!("{:20}{text}", ""));
    // What is good is told in a line; what shows it is in every other format.
    let short = one.evidence.first().filter(|_| one.value == "yes");
    match (one.standing, short) {
        (Standing::NotAttested, _) => {}
        (Standing::Met, Some(evidence)) => indented(safe(evidence.as_bytes()))?,
        _ => indented(format!("{value}{wanted}"))?,
    }
    if !one.standing.is_good() {
        for evidence in &one.evidence {
            indented(safe(evidence.as_bytes()))?;
        }
    }
    match &one.next {
        Some(next) => indented(format!("next: {}", safe(next.as_bytes()))),
        None => Ok(()),
    }
}

fn attest(args: &MaturityArgs, home: &Home, out: &mut Out) -> Result<u8> {
    let Some(MaturityAction::Attest { id, owner, until, for_, note, withdraw }) = &args.action else {
        return Ok(0);
    };
    let now = clock::now_ns();
    let longest = now.saturating_add(maturity::LONGEST_NS);
    let until_ns = match (until, for_) {
        _ if *withdraw => now,
        (Some(day), _) => when::parse_moment(day, now)?,
        (None, Some(age)) => now.saturating_add(when::parse_age(age)?),
        (None, None) => longest,
    };
    if until_ns <= now && !withdraw {
        return Err(usage("it would lapse at once")
            .hint("`--for 90d` or `--until 2027-01-31`; `--withdraw` takes it back"));
    }
    let table = maturity::Table::load(home)?;
    let actor = actor_here(&crate::intake::current_env());
    let attested = Attested { criterion: id.clone(), owner: owner.clone(), until_ns, note: note.clone() };
    let done = maturity::attest(attested, &table, actor, now, home)?;
    if out.json {
        out.json(&done)?;
        return Ok(0);
    }
    let Attestation { attested, event, .. } = &done;
    let (id, owner) = (safe(attested.criterion.as_bytes()), safe(attested.owner.as_bytes()));
    let told = match withdraw {
        true => format!("nobody vouches for {id} any more"),
        false => format!("{owner} vouches for {id} until {}", clock::day(attested.until_ns)),
    };
    out.line(out.paint(style::GOOD, told))?;
    out.line(out.paint(style::DIM, format!("recorded as event {event}")))?;
    Ok(0)
}

fn trend(args: &MaturityArgs, format: MaturityFormat, out: &mut Out) -> Result<u8> {
    if !matches!(format, MaturityFormat::Text | MaturityFormat::Json) || args.out.is_some() {
        return Err(usage("--trend is printed as text or JSON, on standard output"));
    }
    let (home, index) = super::opened()?;
    let now = clock::now_ns();
    let since = args.since.as_ref().map(|text| when::parse_moment(text, now)).transpose()?;
    let trend = maturity::trend(&index, &home, since)?;
    if format == MaturityFormat::Json {
        out.raw(json(&trend)?.as_bytes())?;
        return Ok(0);
    }
    trend_text(&trend, out)?;
    Ok(0)
}

fn trend_text(trend: &Trend, out: &mut Out) -> Result<()> {
    if trend.points.is_empty() {
        out.line("no measurement was kept yet; `fr maturity --save` keeps one")?;
    }
    let mut last: Option<&str> = None;
    for point in &trend.points {
        let bar = "#".repeat(usize::from(point.level));
        let line = format!(
            "{}  level {} {bar:<4} {:<12} {} of {} criteria  event {}",
            clock::day(point.at_ns),
            point.level,
            safe(point.name.as_bytes()),
            point.met,
            point.of,
            point.event
        );
        if last.is_some_and(|table| table != point.table) {
            out.line(out.paint(style::WARN, "other criteria from here on"))?;
        }
        last = Some(&point.table);
        out.line(line)?;
    }
    out.line("")?;
    let heads = [
        "MONTH",
        "COMMANDS",
        "AGENTS'",
        "KNOWN",
        "DESTRUCTIVE",
        "KEPT",
        "LOST",
        "UNDOS",
        "WHOLE",
        "P95",
        "DRILLS",
        "ALARMS",
    ];
    let mut table = Table::new(&heads, out.color, out.width);
    for month in &trend.months {
        table.row(cells(month).into_iter().map(|cell| (cell, None)).collect());
    }
    for line in table.lines() {
        out.line(line)?;
    }
    responses(trend, out)
}

/// How long people took, where there were incidents.
fn responses(trend: &Trend, out: &mut Out) -> Result<()> {
    let with: Vec<&Month> = trend.months.iter().filter(|month| month.incidents > 0).collect();
    if with.is_empty() {
        return Ok(());
    }
    out.line("")?;
    let heads = ["MONTH", "INCIDENTS", "TO DETECT", "TO CONTAIN", "TO RECOVER"];
    let mut table = Table::new(&heads, out.color, out.width);
    for month in &with {
        let mean = |mean: Mean| match mean.mean_ms {
            None => "unknown".to_owned(),
            Some(ms) if mean.known == month.incidents => when::duration(ms),
            Some(ms) => format!("{} ({} of {})", when::duration(ms), mean.known, month.incidents),
        };
        let cells = [
            month.month.clone(),
            month.incidents.to_string(),
            mean(month.detect),
            mean(month.contain),
            mean(month.recover),
        ];
        table.row(cells.into_iter().map(|cell| (cell, None)).collect());
    }
    for line in table.lines() {
        out.line(line)?;
    }
    out.line(out.paint(
        style::DIM,
        "means of the incidents opened in that month; each with its moments in `fr incident report`",
    ))
}

fn cells(month: &Month) -> Vec<String> {
    let share = |part: u64, of: u64| match of {
        0 => "-".to_owned(),
        of => format!("{} %", part * 100 / of),
    };
    let number = |n: u64| n.to_string();
    vec![
        month.month.clone(),
        number(month.commands),
        number(month.agent_commands),
        share(month.attributed, month.commands),
        number(month.destructive),
        share(month.kept, month.destructive),
        number(month.lost),
        number(month.undos),
        share(month.whole_undos, month.undos),
        month.undo_p95_ms.map_or("-".to_owned(), when::duration),
        format!("{}/{}", month.drills_passed, month.drills_passed + month.drills_failed),
        number(month.alarms),
    ]
}
