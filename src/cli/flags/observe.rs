//! What is looked at beside the load.

use clap::Args;

#[derive(Args, Default)]
#[command(next_help_heading = "Observers")]
pub struct ObserveFlags {
    /// Ask this server, too, once a second how it fares (INFO): HOST:PORT, a URI with a login of its own, or a socket; several
    /// times for several. For servers behind a proxy, which shows but one of them. Those that are measured are asked in any case
    #[arg(long, value_name = "ADDRESS", conflicts_with = "embedded")]
    pub observe: Vec<String>,

    /// Ask no server and no proxy while load is made, nor before and after
    #[arg(long, conflicts_with_all = ["observe", "haproxy_stats"])]
    pub no_observe: bool,
}
