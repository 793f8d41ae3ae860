//! `--realtime`: whether load runs before everything else.

use super::error::Error;
use crate::embedded::Behaviours;
use crate::engine::realtime;
use clap::ValueEnum;
use std::num::NonZero;
use std::thread::available_parallelism;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Realtime {
    Auto,
    Yes,
    No,
}

impl Realtime {
    /// Whether `load_threads` are to have real-time priority, which `spin` or not, beside the `embedded` server if there is one.
    ///
    /// # Errors
    /// [`Error`] when they must and cannot.
    pub fn decide(self, load_threads: u32, spin: bool, embedded: Option<&Option<Behaviours>>) -> Result<bool, Error> {
        let cores = available_parallelism().map_or(1, NonZero::get);
        // Whoever is measured has to run, too.
        let has_room = cores > load_threads as usize;
        match self {
            Realtime::No => Ok(false),
            Realtime::Auto => {
                let is_known = embedded.and_then(Option::as_ref).is_some_and(|it| it.service.is_some());
                Ok(is_known && has_room && !spin && realtime::is_left_alone() && realtime::is_granted())
            }
            Realtime::Yes if spin => Err(Error::usage(
                "--realtime yes does not go with --spin: threads that never sleep are stopped by the kernel for 50 ms of each \
                 second, for the sake of others",
            )),
            Realtime::Yes if !has_room => Err(Error::usage(format!(
                "--realtime yes leaves no core to the server: there are {cores}; have no more than {} with --threads",
                cores.max(2) - 1
            ))),
            Realtime::Yes if !realtime::is_granted() => Err(Error::failed(
                "--realtime yes is refused by the system: run as root, or give the program the right to it: \
                 setcap cap_sys_nice+ep rbench",
            )),
            Realtime::Yes => Ok(true),
        }
    }
}
