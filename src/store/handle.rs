//! The store as a whole: opening it, and what its readers and batches share.

use std::sync::{Arc, Mutex};

use super::batch::Batch;
use super::catalog::Catalog;
use super::format;
use super::reader::{BlockCache, Reader};
use crate::error::{ExitCode, Result};
use crate::platform::home::Home;

/// The objects of a state directory. Opening it reads the format file and nothing else.
pub struct Store(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub home: Home,
    pub catalog: Mutex<Catalog>,
    pub blocks: Mutex<BlockCache>,
}

impl Store {
    /// Opens what is there. Exit code 10 where nothing is, 13 where a newer `fr` made it.
    pub fn open(home: &Home) -> Result<Store> {
        format::check(home)?;
        let catalog = Mutex::new(Catalog::new(home.packs()));
        Ok(Store(Arc::new(Inner { home: home.clone(), catalog, blocks: Mutex::default() })))
    }

    /// Opens what is there, or makes it.
    pub fn open_or_create(home: &Home) -> Result<Store> {
        match Store::open(home) {
            Err(e) if e.code == ExitCode::NoStore => {
                format::create(home)?;
                Store::open(home)
            }
            other => other,
        }
    }

    /// Where it is.
    pub fn home(&self) -> &Home {
        &self.0.home
    }

    /// A set of objects that become durable together. Takes a pack at the first write.
    pub fn batch(&self) -> Batch<'_> {
        Batch::new(self)
    }

    /// Reads committed objects.
    pub fn reader(&self) -> Reader {
        Reader(Arc::clone(&self.0))
    }
}
