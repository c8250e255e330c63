//! The orders of containment in force: `$FR_HOME/contained.json`. Every hook, shim and `fr exec` of an agent looks whether
//! that file is there, which costs one system call; only where it is, it is read.
//!
//! `respond::contain` gives and ends orders. What they forbid is decided here, before anything is captured.

use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use serde::{Deserialize, Serialize};

use super::before::new_uid;
use crate::error::{Error, Result};
use crate::intake::Request;
use crate::model::{Halted, Order, Verdict, Whose};
use crate::platform::{clock, home::Home};

/// The orders, and what each of them stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    /// Those in force, the oldest first.
    pub orders: Vec<Standing>,
}

/// An order in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The order.
    #[serde(flatten)]
    pub order: Order,
    /// The processes that it stopped, and that its release lets go on.
    #[serde(default)]
    pub stopped: Vec<Halted>,
}

impl Orders {
    /// Reads them. A file that cannot be read as such holds every agent: somebody meant to stop something.
    ///
    /// # Errors
    /// Where there is a file that cannot be read at all.
    pub fn load(home: &Home) -> Result<Orders> {
        let path = home.contained();
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Orders::default()),
            Err(e) => return Err(Error::io("read", &path, &e)),
        };
        Ok(serde_json::from_slice(&text).unwrap_or_else(|_| Orders::of_damage(&path)))
    }

    fn of_damage(path: &Path) -> Orders {
        let order = Order {
            order: new_uid(),
            since_ns: clock::now_ns(),
            whose: Whose::All,
            reason: format!("{} is damaged", path.display()),
            by: "fr".to_owned(),
        };
        Orders { orders: vec![Standing { order, stopped: Vec::new() }] }
    }

    /// The first order that holds a command.
    pub fn against(&self, request: &Request) -> Option<&Order> {
        let orders = self.orders.iter().map(|standing| &standing.order);
        orders.into_iter().find(|order| order.whose.covers(&request.actor, &request.session))
    }

    /// Changes them under a lock: two people may contain at once.
    ///
    /// # Errors
    /// Where they cannot be read or written, and what `with` says; then they are as before.
    pub fn change(home: &Home, with: impl FnOnce(&mut Orders) -> Result<()>) -> Result<()> {
        let path = home.root.join("contained.lock");
        let failed = |e: rustix::io::Errno| Error::io("lock", &path, &e.into());
        let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let lock = open(&path, flags, Mode::RUSR | Mode::WUSR).map_err(failed)?;
        flock(&lock, FlockOperation::LockExclusive).map_err(failed)?;
        let mut orders = Orders::load(home)?;
        with(&mut orders)?;
        orders.store(home)
    }

    /// Writes them, durably: they survive a reboot. None at all is no file.
    ///
    /// # Errors
    /// Where they cannot be written; then the old ones are still in force.
    fn store(&self, home: &Home) -> Result<()> {
        let path = home.contained();
        let failed = |e: std::io::Error| Error::io("write", &path, &e);
        if self.orders.is_empty() {
            return match std::fs::remove_file(&path) {
                Err(e) if e.kind() != ErrorKind::NotFound => Err(failed(e)),
                _ => sync(&home.root).map_err(failed),
            };
        }
        let text = serde_json::to_vec_pretty(self)
            .map_err(|e| Error::failure(format!("orders of containment cannot be encoded: {e}")))?;
        let new = home.root.join(format!("contained.{}.new", std::process::id()));
        let write = || -> std::io::Result<()> {
            let mut file = std::fs::OpenOptions::new();
            let mut file = file.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
            file.write_all(&text)?;
            file.sync_all()?;
            std::fs::rename(&new, &path)?;
            sync(&home.root)
        };
        write().map_err(failed)
    }
}

fn sync(dir: &Path) -> std::io::Result<()> {
    std::fs::File::open(dir)?.sync_all()
}

/// True where any order is in force.
pub fn is_any(home: &Home) -> bool {
    home.contained().symlink_metadata().is_ok()
}

/// Why a command is not to be run, where an order holds it; for the agent and for people.
pub fn held(request: &Request, home: &Home) -> Option<String> {
    if !is_any(home) {
        return None;
    }
    // A file that is there and cannot be read is an order, too.
    let orders = Orders::load(home).unwrap_or_else(|_| Orders::of_damage(&home.contained()));
    orders.against(request).map(reason)
}

/// What the agent is told.
pub(super) fn reason(order: &Order) -> String {
    let because = if order.reason.is_empty() { String::new() } else { format!(": {}", order.reason) };
    format!(
        "contained by {}{because}. No command of {} runs until a person releases it; stop working and say so",
        order.by,
        order.whose.denied()
    )
}

/// The verdict on a command that an order holds. Channels with a person at them are not answered.
pub(super) fn verdict(request: &Request, home: &Home) -> Option<Verdict> {
    let reason = held(request, home)?;
    let verdict = Verdict::Deny { reason: super::policy::in_one_line(&reason, home) }.within(request.answers);
    Some(verdict).filter(|verdict| *verdict != Verdict::Allow)
}
