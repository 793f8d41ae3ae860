//! The flags of a run, as they are typed: a group in each file. The doc comment of each is what `--help` says of it.

pub mod connections;
pub mod errors;
pub mod finding;
pub mod load;
pub mod observe;
pub mod out_of_place;
pub mod output;
pub mod server;
pub mod workload;

use clap::Args;
use std::ffi::OsString;

#[derive(Args)]
pub struct RunFlags {
    #[command(flatten)]
    pub plan: PlanFlags,
    #[command(flatten)]
    pub output: output::OutputFlags,
}

/// What a plan is made of: verbs that make load have these beside their own.
#[derive(Args)]
pub struct PlanFlags {
    #[command(flatten)]
    pub server: server::ServerFlags,
    #[command(flatten)]
    pub load: load::LoadFlags,
    #[command(flatten)]
    pub workload: workload::WorkloadFlags,
    #[command(flatten)]
    pub connections: connections::ConnectionFlags,
    #[command(flatten)]
    pub errors: errors::ErrorFlags,
    #[command(flatten)]
    pub observe: observe::ObserveFlags,

    /// A command of your own instead of the tests
    #[arg(value_name = "COMMAND", trailing_var_arg = true)]
    pub command: Vec<OsString>,
}
