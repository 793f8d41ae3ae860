//! How fast rbench itself is on a machine: ceilings that `rbench calibrate` measured, and a run held against one.
//!
//! A ceiling was measured against the embedded server, on a thread of the same process, in a closed loop. It is of one
//! [`Shape`] of load on one [`Place`], and is held against no other.

use super::document::Tool;
use super::test::TestResult;
use crate::observe::{Machine, ProcessorUse};
use crate::plan::{PipelineMode, Plan, Protocol};
use crate::recording::LoadThread;
use crate::target::Address;
use crate::units::{Nanos, Rate};
use crate::workload::{KeyDistribution, Template, Test, Ttl, ValueData, ValueSize};
use serde::{Deserialize, Serialize};
use std::time::{SystemTime, UNIX_EPOCH};

/// What of a plan and a test decides how fast rbench can be. How much is sent, and at which rate, is not in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    pub title: String,
    /// About how many bytes the requests of the test take, each command of it once.
    pub request_bytes: u64,
    pub clients: u32,
    pub pipeline: u32,
    pub pipeline_mode: PipelineMode,
    /// Load threads.
    pub threads: u32,
    pub protocol: Protocol,
    pub tracking: bool,
    pub keep_alive: bool,
    pub reconnect_every: Option<u64>,
    pub think_time_ns: Nanos,
    pub key_count: Option<u64>,
    pub key_distribution: KeyDistribution,
    pub value_size: ValueSize,
    pub value_data: ValueData,
    pub ttl: Option<Ttl>,
    pub verify: bool,
}

impl Shape {
    /// None of what the embedded server cannot stand in for: TLS, a socket in the file system, a cluster.
    pub fn of(plan: &Plan, test: &Test) -> Option<Shape> {
        let server = &plan.server;
        if server.tls.is_some() || server.cluster.is_some() || matches!(server.address, Address::Unix { .. }) {
            return None;
        }
        let bytes = |template: &Template| template.bytes_about(plan.data_bytes);
        Some(Shape {
            title: test.title.clone(),
            request_bytes: test.templates().map(bytes).fold(0, u64::saturating_add),
            clients: plan.clients,
            pipeline: plan.pipeline,
            pipeline_mode: plan.pipeline_mode,
            threads: plan.load_threads(),
            protocol: plan.protocol,
            tracking: plan.tracking,
            keep_alive: plan.keep_alive,
            reconnect_every: plan.reconnect_every,
            think_time_ns: plan.think_time,
            key_count: plan.key_count,
            key_distribution: plan.key_distribution,
            value_size: plan.value_size(),
            value_data: plan.value_data,
            ttl: plan.ttl,
            verify: plan.verify,
        })
    }
}

/// What of a machine, and of the rbench on it, decides the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub cpu_model: Option<String>,
    pub cores: usize,
    pub affinity: Option<String>,
    pub cgroup_cpu_max: Option<String>,
    pub kernel: String,
    /// Version, engine, and how it was built.
    pub rbench: String,
}

impl Place {
    pub fn of(machine: &Machine, tool: &Tool) -> Place {
        let built = if cfg!(debug_assertions) { ", unoptimized" } else { "" };
        Place {
            cpu_model: machine.cpu_model.clone(),
            cores: machine.cores,
            affinity: machine.affinity.clone(),
            cgroup_cpu_max: machine.cgroup_cpu_max.clone(),
            kernel: machine.kernel.clone(),
            rbench: format!("{} ({}{built})", tool.version, tool.engine),
        }
    }
}

/// Above this share of a core a load thread has nothing left to give.
const BUSY_MIN: f64 = 0.9;

/// Whether load threads that were busy for this share of the time were the limit of what they did.
pub fn is_limit(client_busy: Option<f64>) -> bool {
    client_busy.is_some_and(|busy| busy >= BUSY_MIN)
}

/// Above this share of the machine others are in the way.
const OTHERS_MAX: f64 = 0.1;

/// Why a ceiling is not higher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// A load thread had nothing left to give: this is what rbench can do.
    Rbench,
    /// Other programs had the processors, or other guests: rbench can do more.
    Others,
    /// The embedded server had nothing left to give: rbench can do more.
    Server,
    /// Both took turns on one processor: rbench can do more.
    Shared,
    /// Neither was busy, and each waited for the other: too few requests are in flight for more.
    RoundTrips,
}

/// What rbench reached against its own server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ceiling {
    pub shape: Shape,
    pub place: Place,
    pub requests_per_second: Rate,
    /// Processor time of the load threads per request.
    pub client_cpu_ns_per_request: f64,
    /// The busiest load thread's share of a core.
    pub client_busy: Option<f64>,
    /// What else the process did, most of it in the thread of the server: its share of a core.
    pub server_busy: Option<f64>,
    /// The share of the machine's processors that others had meanwhile, other guests of its hypervisor among them, 0 to 1.
    pub others: Option<f64>,
    /// Whether the server had a processor to itself.
    pub is_apart: bool,
    pub elapsed_ns: Nanos,
    pub measured_unix_ns: u64,
}

impl Ceiling {
    /// What `result` reached, just now. None when it has no rate to go by.
    pub fn of(
        plan: &Plan,
        test: &Test,
        place: &Place,
        result: &TestResult,
        processors: Option<ProcessorUse>,
        is_apart: bool,
    ) -> Option<Ceiling> {
        let summary = &result.summary;
        let share = |thread: &LoadThread| thread.cpu_ns.0 as f64 / thread.elapsed_ns.0.max(1) as f64;
        let load: f64 = result.load_threads.iter().map(share).sum();
        Some(Ceiling {
            shape: Shape::of(plan, test)?,
            place: place.clone(),
            requests_per_second: summary.requests_per_second,
            client_cpu_ns_per_request: summary.client_cpu_ns_per_request?,
            client_busy: summary.client_busy,
            server_busy: processors.map(|it| (it.own - load).max(0.0)),
            others: processors.map(|it| it.others + it.steal),
            is_apart,
            elapsed_ns: result.elapsed_ns,
            measured_unix_ns: now_unix_ns(),
        })
    }

    pub fn limit(&self) -> Limit {
        let is_above = |share: Option<f64>, bound| share.is_some_and(|share| share >= bound);
        match () {
            () if is_limit(self.client_busy) => Limit::Rbench,
            () if is_above(self.others, OTHERS_MAX) => Limit::Others,
            () if !self.is_apart => Limit::Shared,
            () if is_above(self.server_busy, BUSY_MIN) => Limit::Server,
            () => Limit::RoundTrips,
        }
    }

    /// A run that reached `rate`, beside this.
    pub fn beside(&self, rate: Rate) -> Option<Calibration> {
        let ceiling = self.requests_per_second;
        (ceiling.0 > 0.0).then(|| Calibration {
            ceiling_requests_per_second: ceiling,
            measured_unix_ns: self.measured_unix_ns,
            headroom: 1.0 - rate.0 / ceiling.0,
        })
    }
}

/// Nanoseconds since 1970.
pub fn now_unix_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// How far a run was from what rbench itself can do.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    pub ceiling_requests_per_second: Rate,
    pub measured_unix_ns: u64,
    /// 1 - achieved / ceiling: below 0 when more was reached than when the ceiling was measured.
    pub headroom: f64,
}

/// What a file of ceilings says of itself.
pub const FORMAT: &str = "rbench-calibration-1";

/// All ceilings that are remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibrations {
    pub format: String,
    pub ceilings: Vec<Ceiling>,
}

impl Default for Calibrations {
    fn default() -> Calibrations {
        Calibrations { format: FORMAT.to_owned(), ceilings: Vec::new() }
    }
}

impl Calibrations {
    /// The ceiling of this shape at this place.
    pub fn find(&self, shape: &Shape, place: &Place) -> Option<&Ceiling> {
        self.ceilings.iter().find(|ceiling| ceiling.shape == *shape && ceiling.place == *place)
    }

    /// Adds `ceiling`, in the stead of an older one of the same shape and place.
    pub fn keep(&mut self, ceiling: Ceiling) {
        self.ceilings.retain(|old| old.shape != ceiling.shape || old.place != ceiling.place);
        self.ceilings.push(ceiling);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Stop;
    use crate::target::Server;
    use crate::workload::suite;

    fn plan() -> Plan {
        let server = Server::at(Address::Tcp { host: "h".to_owned(), port: 1 });
        let test = Test::of_suite(suite::named("get").unwrap(), 3, &suite::Spelling::default());
        Plan::of(server, vec![test])
    }

    fn shape(plan: &Plan) -> Option<Shape> {
        Shape::of(plan, &plan.tests[0])
    }

    fn place(cores: usize) -> Place {
        let (cpu_model, affinity, cgroup_cpu_max) = (None, None, None);
        Place { cpu_model, cores, affinity, cgroup_cpu_max, kernel: "6.1".to_owned(), rbench: "1".to_owned() }
    }

    fn ceiling(plan: &Plan, place: Place, rate: f64) -> Ceiling {
        Ceiling {
            shape: shape(plan).unwrap(),
            place,
            requests_per_second: Rate(rate),
            client_cpu_ns_per_request: 1.0,
            client_busy: Some(1.0),
            server_busy: Some(0.7),
            others: Some(0.0),
            is_apart: true,
            elapsed_ns: Nanos(1),
            measured_unix_ns: 7,
        }
    }

    #[test]
    fn a_ceiling_is_of_one_shape_and_one_place() {
        let mut calibrations = Calibrations::default();
        calibrations.keep(ceiling(&plan(), place(2), 5.0));
        let found = |plan: &Plan, cores| calibrations.find(&shape(plan).unwrap(), &place(cores)).is_some();
        assert!(found(&plan(), 2) && !found(&plan(), 4));
        for other in [
            Plan { clients: 51, ..plan() },
            Plan { pipeline: 2, ..plan() },
            Plan { pipeline_mode: PipelineMode::Window, ..plan() },
            Plan { threads: Some(2), ..plan() },
            Plan { keep_alive: false, ..plan() },
            Plan { data_bytes: 4, ..plan() },
            Plan { key_count: Some(9), ..plan() },
        ] {
            assert!(!found(&other, 2), "{other:?}");
        }
    }

    /// How much is sent is no matter of how fast.
    #[test]
    fn the_length_of_a_run_is_not_in_its_shape() {
        let plan = plan();
        assert_eq!(
            shape(&Plan { stop: Stop::AfterDuration(Nanos(9)), threads: Some(1), ..plan.clone() }),
            shape(&plan)
        );
    }

    #[test]
    fn the_embedded_server_stands_in_for_tcp_alone() {
        let mut plan = plan();
        plan.server.address = Address::Unix { path: "/s".into() };
        assert_eq!(shape(&plan), None);
    }

    #[test]
    fn a_newer_ceiling_takes_the_place_of_the_older() {
        let mut calibrations = Calibrations::default();
        for (cores, rate) in [(2, 5.0), (4, 6.0), (2, 7.0)] {
            calibrations.keep(ceiling(&plan(), place(cores), rate));
        }
        let rates: Vec<f64> = calibrations.ceilings.iter().map(|ceiling| ceiling.requests_per_second.0).collect();
        assert_eq!(rates, [6.0, 7.0]);
    }

    /// A ceiling that was not rbench's own must not pass for one.
    #[test]
    fn the_limit_is_who_was_busy() {
        let ceiling = ceiling(&plan(), place(2), 1.0);
        let with = |client, server, others, is_apart| {
            let (client_busy, server_busy, others) = (Some(client), Some(server), Some(others));
            Ceiling { client_busy, server_busy, others, is_apart, ..ceiling.clone() }.limit()
        };
        assert_eq!(with(0.97, 0.95, 0.0, true), Limit::Rbench);
        assert_eq!(with(0.6, 0.97, 0.0, true), Limit::Server);
        assert_eq!(with(0.6, 0.97, 0.3, true), Limit::Others);
        assert_eq!(with(0.5, 0.5, 0.0, false), Limit::Shared);
        assert_eq!(with(0.5, 0.5, 0.0, true), Limit::RoundTrips);
    }

    #[test]
    fn headroom_is_what_is_left_of_the_ceiling() {
        let ceiling = ceiling(&plan(), place(2), 200.0);
        assert_eq!(ceiling.beside(Rate(150.0)).unwrap().headroom, 0.25);
        assert_eq!(ceiling.beside(Rate(210.0)).unwrap().headroom, 1.0 - 1.05);
        assert_eq!(Ceiling { requests_per_second: Rate(0.0), ..ceiling }.beside(Rate(1.0)), None);
    }
}
