use std::sync::Barrier;

use super::*;

fn home(dir: &tempfile::TempDir) -> Home {
    Home::at(dir.path())
}

fn report(call: &Call, channel: &str) -> Report {
    Report {
        session: "s".to_owned(),
        call: call.to_string(),
        key: "k".to_owned(),
        agent: "claude".to_owned(),
        channel: channel.to_owned(),
        ..Report::default()
    }
}

fn open(report: Report, event: u64) -> OpenEvent {
    OpenEvent { report, event: EventId(event), captures: Vec::new(), nest: None }
}

fn named(id: &str) -> Call {
    Call::Id(id.to_owned())
}

fn by(by: &str) -> Call {
    Call::Args { key: "k".to_owned(), by: by.to_owned() }
}

/// Claims, and puts on record.
fn begin(home: &Home, call: &Call, channel: &str, event: u64) -> bool {
    let report = report(call, channel);
    match claim(home, call, &report).unwrap() {
        Claim::Twin => false,
        Claim::Mine(slot) => {
            slot.fill(home, &open(report, event)).unwrap();
            true
        }
    }
}

fn taken(home: &Home, call: &Call) -> Option<u64> {
    match take(home, "s", call) {
        Taken::Open(open) => Some(open.event.0),
        Taken::Nothing | Taken::Told => None,
    }
}

fn size(home: &Home) -> u64 {
    std::fs::metadata(home.open_events()).map_or(0, |meta| meta.len())
}

#[test]
fn of_reports_at_one_moment_one_is_the_first() {
    for round in 0..50 {
        let dir = tempfile::tempdir().unwrap();
        let home = home(&dir);
        let channels = if round % 2 == 0 { ["id", "id", "shell", "shell"] } else { ["a", "b", "c", "d"] };
        let barrier = Barrier::new(channels.len());
        let first = std::thread::scope(|scope| {
            let hooks = channels.map(|channel| {
                let (home, barrier) = (&home, &barrier);
                scope.spawn(move || {
                    let call = if round % 2 == 0 { named("1") } else { by(channel) };
                    barrier.wait();
                    begin(home, &call, channel, 7)
                })
            });
            hooks.into_iter().map(|hook| hook.join().unwrap()).filter(|mine| *mine).count()
        });
        assert_eq!(first, 1, "round {round}");
        let call = if round % 2 == 0 { named("1") } else { by("a") };
        let ends = [by("b"), by("c"), by("d")];
        let others = ends.iter().filter(|_| round % 2 == 1);
        let told = std::iter::once(&call).chain(others).filter_map(|call| taken(&home, call));
        assert_eq!(told.collect::<Vec<_>>(), [7], "it ends once");
        assert_eq!(size(&home), 1, "nothing is left waiting");
    }
}

#[test]
fn an_id_that_is_given_again_is_another_call() {
    let dir = tempfile::tempdir().unwrap();
    let home = home(&dir);
    let first = report(&named("call_0"), "id");
    let Claim::Mine(slot) = claim(&home, &named("call_0"), &first).unwrap() else { panic!("the first") };
    slot.fill(&home, &open(first, 1)).unwrap();
    let other = Report { key: "other".to_owned(), ..report(&named("call_0"), "id") };
    let Claim::Mine(slot) = claim(&home, &named("call_0"), &other).unwrap() else { panic!("another line") };
    slot.fill(&home, &open(other, 2)).unwrap();
    assert_eq!((taken(&home, &named("call_0")), taken(&home, &named("call_0"))), (Some(2), None));
}

#[test]
fn an_agent_that_ends_nothing_makes_the_log_no_larger_than_its_bound() {
    let dir = tempfile::tempdir().unwrap();
    let home = home(&dir);
    for event in 0..3000 {
        assert!(begin(&home, &named(&event.to_string()), "id", event));
    }
    assert!(size(&home) < 2 << 20, "{} bytes", size(&home));
    assert_eq!(taken(&home, &named("2999")), Some(2999), "the latest is found");
    assert_eq!(taken(&home, &named("0")), None, "the oldest is forgotten");
}

#[test]
fn a_killed_recorder_and_rubbish_stand_in_nobodys_way() {
    let dir = tempfile::tempdir().unwrap();
    let home = home(&dir);
    let Claim::Mine(_killed) = claim(&home, &named("1"), &report(&named("1"), "id")).unwrap() else {
        panic!("the first")
    };
    let mut log = std::fs::read(home.open_events()).unwrap();
    let torn = log.len() - 20;
    log.truncate(torn);
    log.extend(b"\0\0\xff\n\nc 12");
    std::fs::write(home.open_events(), log).unwrap();
    assert!(begin(&home, &named("2"), "id", 2));
    assert_eq!((taken(&home, &named("1")), taken(&home, &named("2"))), (None, Some(2)));
}

#[test]
fn a_session_that_ends_gives_its_places_up() {
    let dir = tempfile::tempdir().unwrap();
    let home = home(&dir);
    for event in 1..=3 {
        begin(&home, &named(&event.to_string()), "id", event);
    }
    let left = |end| close_session(&home, "s", end).iter().map(|open| open.event.0).collect::<Vec<_>>();
    assert_eq!(taken(&home, &named("2")), Some(2));
    assert_eq!((left(false), left(false)), (vec![1, 3], vec![]), "said once");
    assert_eq!(taken(&home, &named("3")), Some(3), "a sub-agent goes on after its parent's turn");
    assert_eq!(left(true), Vec::<u64>::new());
    assert_eq!((taken(&home, &named("1")), size(&home)), (None, 1));
}
