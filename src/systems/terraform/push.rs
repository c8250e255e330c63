//! Pushing an old state back. A push is accepted where its serial is the present one's plus one: that is the
//! compare-and-swap, and terraform checks it under the lock (`statemgr.Import`; testbed.md, section 2). So the push itself
//! never waits for a lock: whoever holds it may write, and the serial must be read again after them.

use std::ffi::OsStr;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::beside::write;
use super::bound::Bound;
use super::cli::{Cli, WRITE, refused, said};
use super::place::{self, Backend, Place};
use super::snapshot::Snapshot;
use super::state::RootState;
use super::what::{self, What};
use crate::error::{Error, Result};
use crate::model::{Locator, ObjectId, ObjectSource, StepOutcome};
use crate::platform::scratch::ScratchDir;

/// How long between two tries.
const NAP: Duration = Duration::from_secs(1);
/// The most bytes of a state.
const MOST: u64 = 256 << 20;

/// What is pushed over what.
pub struct Push<'a> {
    /// The state before the command.
    pub before: &'a RootState,
    /// What the present state must say.
    pub expect: Option<ObjectId>,
    /// Its serial when the plan was made.
    pub serial: Option<u64>,
    /// Over another lineage, too.
    pub force: bool,
    /// How long a lock that somebody holds is waited for.
    pub patience: Duration,
}

/// How one try ended.
enum Tried {
    Ended(StepOutcome),
    Locked(String),
    Moved,
}

impl Push<'_> {
    /// Pushes.
    ///
    /// # Errors
    /// Where terraform cannot be asked.
    pub fn apply(&self, locator: &Locator, source: &dyn ObjectSource) -> Result<StepOutcome> {
        let place = Place::find(locator)?;
        let mut way = Way::of(&place, self.before, locator, source)?;
        let end = Instant::now() + self.patience;
        loop {
            let tried = self.once(&mut way, source)?;
            let left = Instant::now() < end;
            match tried {
                Tried::Ended(outcome) => return Ok(outcome),
                Tried::Moved if left => {}
                Tried::Locked(_) if left => std::thread::sleep(NAP),
                Tried::Moved => {
                    return Ok(StepOutcome::Conflict { reason: "the state is being written".to_owned() });
                }
                Tried::Locked(who) => {
                    let reason = format!(
                        "somebody holds the lock on the state ({who}); nothing was written. Undo again when they are done"
                    );
                    return Ok(StepOutcome::Conflict { reason });
                }
            }
        }
    }

    fn once(&self, way: &mut Way, source: &dyn ObjectSource) -> Result<Tried> {
        let now = way.read()?;
        let present = Snapshot::read(now.as_deref().unwrap_or_default())?;
        if present.content == self.before.content() {
            return Ok(Tried::Ended(StepOutcome::Done));
        }
        if present.content != self.expect {
            let planned =
                self.serial.map_or_else(|| "no state".to_owned(), |serial| format!("serial {serial}"));
            let reason = format!("the state is at {} now, the plan was made over {planned}", present.shown());
            return Ok(Tried::Ended(StepOutcome::Conflict { reason }));
        }
        let old = match &self.before.state {
            Some(kept) => source.get(&kept.object)?,
            None => Vec::new(),
        };
        let serial = if now.is_some() { present.serial + 1 } else { Snapshot::read(&old)?.serial.max(1) };
        way.write(&renumbered(&old, serial, &present)?, self.force)
    }
}

/// How the state is reached.
enum Way {
    /// A file: read as such, written by terraform, which honours its lock. `state push` knows no `-state`, so for a file that
    /// is not the root module's own there is a root module of ours whose backend it is.
    Local(
        std::path::PathBuf,
        Cli,
        #[expect(dead_code, reason = "keeps the directory that the terraform works in")] Option<Bound>,
    ),
    /// Everything else.
    Asked(
        Cli,
        #[expect(dead_code, reason = "keeps the directory that the terraform works in")] Option<Bound>,
    ),
}

impl Way {
    fn of(place: &Place, before: &RootState, locator: &Locator, source: &dyn ObjectSource) -> Result<Way> {
        let what = What::of(locator);
        let cli = Cli { root: place.root.clone(), ..before.cli() };
        if what.has(what::MOVED) {
            return Way::to_old_backend(before, cli, source);
        }
        Ok(match &place.backend {
            Backend::Local { state, .. } if locator.opts.contains_key(super::STATE_FILE) => {
                Way::to_file(state, &cli)?
            }
            Backend::Local { state, .. } => Way::Local(state.clone(), cli, None),
            _ => Way::Asked(cli, None),
        })
    }

    /// The backend that was in use before `init` left it.
    fn to_old_backend(before: &RootState, cli: Cli, source: &dyn ObjectSource) -> Result<Way> {
        if let Some(file) = &before.file {
            return Way::to_file(file.as_path(), &cli);
        }
        let bound = Bound::of(before, &cli, source)?;
        Ok(Way::Asked(bound.cli().clone(), Some(bound)))
    }

    fn to_file(file: &Path, cli: &Cli) -> Result<Way> {
        let path = file.to_str().ok_or_else(|| Error::failure(format!("{} is no UTF-8", file.display())))?;
        let config = [("path".to_owned(), path.into())].into_iter().collect();
        let plain = Cli { workspace: "default".to_owned(), ..cli.clone() };
        let bound = Bound::to("local", &config, &plain)?;
        Ok(Way::Local(file.to_path_buf(), bound.cli().clone(), Some(bound)))
    }

    fn read(&self) -> Result<Option<Vec<u8>>> {
        match self {
            Way::Local(file, ..) => place::bytes(file, MOST),
            Way::Asked(cli, _) => cli.pull(),
        }
    }

    fn write(&mut self, state: &[u8], force: bool) -> Result<Tried> {
        let (Way::Local(_, cli, _) | Way::Asked(cli, _)) = self;
        let dir = ScratchDir::new("state")?;
        let file = dir.path().join("state.json");
        write(&file, state)?;
        let mut args: Vec<&OsStr> =
            ["state", "push", "-no-color", "-lock-timeout=0s"].map(OsStr::new).to_vec();
        if force {
            args.push(OsStr::new("-force"));
        }
        args.push(file.as_os_str());
        let done = cli.run(&args, WRITE)?;
        if done.code == 0 {
            return Ok(Tried::Ended(StepOutcome::Done));
        }
        let text = said(&done);
        if text.contains("acquiring the state lock") {
            return Ok(Tried::Locked(holder(&text)));
        }
        if text.contains("cannot import state with serial")
            || text.contains("cannot overwrite existing state")
        {
            return Ok(Tried::Moved);
        }
        Ok(Tried::Ended(StepOutcome::Failed { reason: refused(&cli.program, &done).to_string() }))
    }
}

/// The state with another serial. Its text is kept as it is: numbers in it may have more digits than we could hold.
fn renumbered(old: &[u8], serial: u64, present: &Snapshot) -> Result<Vec<u8>> {
    if old.trim_ascii().is_empty() {
        let empty = json!({
            "version": 4, "terraform_version": "1.0.0", "serial": serial, "lineage": present.lineage,
            "outputs": {}, "resources": [],
        });
        return Ok(empty.to_string().into_bytes());
    }
    let text = String::from_utf8_lossy(old);
    // terraform writes it as the third field, before anything that a resource could hold.
    let odd = || Error::failure("the old state has no serial where terraform writes it");
    let at = text.find("\"serial\"").ok_or_else(odd)? + "\"serial\"".len();
    let (front, rest) = text.split_at(at);
    let start = rest.find(|c: char| c.is_ascii_digit()).ok_or_else(odd)?;
    let end = rest.get(start..).and_then(|r| r.find(|c: char| !c.is_ascii_digit())).ok_or_else(odd)? + start;
    let new = format!(
        "{front}{}{serial}{}",
        rest.get(..start).unwrap_or_default(),
        rest.get(end..).unwrap_or_default()
    );
    let (a, b) = (Snapshot::read(old)?, Snapshot::read(new.as_bytes())?);
    if a.content == b.content && b.serial == serial { Ok(new.into_bytes()) } else { Err(odd()) }
}

/// Who holds a lock, as terraform tells it.
fn holder(text: &str) -> String {
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(name));
        line.map(|value| format!("{} {}", name.trim_end_matches(':').to_lowercase(), value.trim()))
    };
    // `http` and `pg` tell, as "Lock Info", what we asked for ourselves (1.11.4); what they know of the holder stands above.
    if field("Operation:").is_some_and(|operation| operation.ends_with("state-push")) {
        let id = text.lines().find_map(|line| line.trim().strip_prefix("ID="));
        let message = text.lines().find_map(|line| line.trim().strip_prefix("Error message:"));
        return id
            .map(|id| format!("id {id}"))
            .or_else(|| message.map(|m| m.trim().to_owned()))
            .unwrap_or_default();
    }
    let told: Vec<String> =
        ["Who:", "Operation:", "Created:", "ID:"].iter().filter_map(|n| field(n)).collect();
    if told.is_empty() { "it does not say who".to_owned() } else { told.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_serial_changes() {
        let old = "{\n  \"version\": 4,\n  \"serial\": 7,\n  \"lineage\": \"l\",\n  \"outputs\": {\"serial\": {\"value\": \
                   123456789012345678901234567890, \"type\": \"number\"}},\n  \"resources\": []\n}\n";
        let new = renumbered(old.as_bytes(), 12, &Snapshot::default()).unwrap();
        assert_eq!(String::from_utf8(new).unwrap(), old.replace("\"serial\": 7", "\"serial\": 12"));
    }

    #[test]
    fn a_lock_is_told_with_its_holder() {
        let said = "Error: Error acquiring the state lock\n\nLock Info:\n  ID:        1-2\n  Who:       eve@laptop\n  \
                    Operation: OperationTypeApply\n";
        assert_eq!(holder(said), "who eve@laptop, operation OperationTypeApply, id 1-2");
        let http = "Error message: HTTP remote state already locked:\nID=7-8\nLock Info:\n  ID:        1-2\n  Operation: state-push\n";
        assert_eq!(holder(http), "id 7-8");
    }
}
