//! The life of a run: lock, settle, survey, collect, fetch, render, decide, guard, apply, confirm, report
//! (docs/architecture.md, "The life of a run").
//!
//! `job` is the whole of it, phase by phase.
//!
//! Owns: the order of the phases and everything that happens at the same time; no other room begins anything beside it, but the writer's thread of `state`.
//! Leaves to others: every rule (`plan`), every wire (`extract`, `load`), durability (`state`), words (`report`).
//! A newcomer gets wrong: `plan` and `run` are one function up to the guard, so a plan cannot promise what a run would
//! not do.

mod account_facts;
mod apply;
#[cfg(feature = "bucket")]
mod ask_reports;
mod asked;
mod audit;
mod auth;
mod auth_report;
#[cfg(feature = "bucket")]
mod bucket_commands;
mod clients;
mod close;
mod comes_to;
mod confirm;
mod context;
mod credentials;
mod decide;
mod decided;
mod fetch;
mod fetch_stood;
mod finished_target;
mod folders;
mod follow_people;
mod identify;
mod images;
mod job;
mod journal;
mod keep;
mod kept;
mod limits;
mod listing;
mod look;
mod map_rows;
mod match_all;
mod misplaced;
mod mixed_up;
mod named;
mod naming;
mod notify;
mod only;
mod pages;
mod people;
mod planner;
mod private;
#[cfg(feature = "bucket")]
mod put_report;
mod recall;
mod recheck;
mod record;
mod recorded;
mod refused;
mod rehearsal;
#[cfg(feature = "bucket")]
mod remote;
mod renderer;
mod reviewed;
mod run_report;
mod run_row;
mod saved;
mod scheduler;
mod selection;
mod settle;
mod shared;
mod slips;
mod small_copy;
mod source_run;
mod spans;
mod spool;
mod stood;
mod stop;
mod survey;
mod take_back;
mod target_plan;
mod target_planner;
mod target_run;
mod threads;
mod thumbnails;
mod twins;
mod undo;
mod undo_planner;
mod write;

pub use asked::Asked;
pub(crate) use auth::auth;
pub(crate) use auth_report::{AuthReport, ElementReport, Uploads};
#[cfg(feature = "bucket")]
pub(crate) use bucket_commands::{break_lease, lease, pull, pull_to, push, take_out};
pub use context::Mode;
pub(crate) use context::{cache_path, facts_path};
pub(crate) use folders::apart_in;
pub(crate) use job::Outcome;
pub use job::{Options, execute};
pub(crate) use kept::{copy as copy_kept, count as count_kept, forget as forget_kept, purge as purge_kept};
pub(crate) use notify::{Ending, notify};
pub(crate) use pages::{PAGE, each_page};
pub(crate) use private::{make_folder, remove_folder, try_private, write_private};
#[cfg(feature = "bucket")]
pub(crate) use put_report::{put_report, report_not_put};
pub(crate) use recorded::{RecordedReport, recorded};
pub(crate) use rehearsal::rehearse;
pub(crate) use run_report::limit_line;
pub(crate) use saved::{read_plan, write_plan};
pub use selection::Selection;
pub(crate) use selection::{Only, SavedPlan};
pub use stop::Stop;
pub(crate) use threads::runtime;
pub(crate) use undo::{CommandWords, UndoOptions, undo};
