//! Playbooks: response procedures as data, and what carries them out. A playbook is YAML ([`mod@format`]); what it may do by
//! itself is decided in [`allowed`], by the same words that decide what a command destroys. Every step is on record
//! before and after ([`run`]), so that a run can be gone on with by anybody, a day later.

mod allowed;
mod cacao;
mod duration;
pub mod format;
mod library;
mod lint;
mod markdown;
mod parse;
mod run;
mod scope;
mod shipped;
mod suggest;
mod template;
mod uuid;
mod webhook;

pub use cacao::cacao;
pub use format::Playbook;
pub use library::{Found, Origin, all, find, from_file};
pub use lint::{Finding, lint};
pub use markdown::markdown;
pub use parse::parse;
pub use run::{
    Answer, Begin, Ended, Given, Line, Person, Planned, Prompt, Resume, RunState, Tally, Told, begin,
    dry_run, find_run, resume, run_of, runs, short,
};
pub use suggest::{Subject, latest_damage, subject, subject_of, suits};
