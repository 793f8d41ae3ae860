//! What a comparison adds to a document: which ways were compared, how, and what came of it.

use crate::stats::{Comparison, Disturbance, Metric, ShiftPoint};
use crate::units::Nanos;
use serde::{Deserialize, Serialize};

/// A comparison of several ways.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compare {
    /// In the order of the command line.
    pub paths: Vec<ComparedPath>,
    /// The place of the one that the others are held against.
    pub reference: usize,
    /// The metric that the comparison is for, named before it began.
    pub primary: Metric,
    /// A difference of no more than this share is none.
    pub margin: f64,
    /// Whether the paths took turns. False of documents of runs one after the other.
    pub is_interleaved: bool,
    /// What is measured of each path in a round, and left out before it. None of documents.
    pub slice_ns: Option<Nanos>,
    pub settle_ns: Option<Nanos>,
    /// Slices that were measured again because something disturbed them.
    pub repeated: u64,
    /// What disturbed those that were taken as they are.
    pub borne: Vec<Disturbance>,
    /// In what the loads of documents differ, each with the values of all. Always empty of paths that took turns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differing: Vec<String>,
    /// For each test every path but the reference.
    pub comparisons: Vec<Compared>,
}

/// A way to a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparedPath {
    pub name: String,
    /// The places of its servers in the `targets` of the document.
    pub targets: Vec<usize>,
    /// The median round trip of a PING on one connection without other load.
    pub round_trip_ns: Option<Nanos>,
    /// Where it ended after the last turn. None of documents, and where nobody had said where it began.
    #[serde(default)]
    pub afterwards: Option<Afterwards>,
}

/// Where a path ended after the last turn, beside where it ended before the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Afterwards {
    /// At the same servers in the same roles.
    Same,
    /// At others, or at the same in other roles: of how much of the comparison that is so, nobody knows. Both in words.
    Moved { from: String, to: String },
    /// Nobody would say, for this reason.
    Unknown(String),
}

/// A path held against the reference, in one test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    pub test: String,
    /// The place of the path.
    pub path: usize,
    /// Rounds that are complete.
    pub rounds: u64,
    /// Those that every round has enough samples for.
    pub metrics: Vec<ComparedMetric>,
    /// How much later than the reference's the reply at each quantile is.
    pub shift: Vec<ShiftPoint>,
}

/// One metric of a path and of the reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparedMetric {
    pub metric: Metric,
    /// Medians over the rounds: nanoseconds, or requests per second.
    pub reference: f64,
    pub other: f64,
    pub comparison: Comparison,
}

impl Compare {
    /// Whether there was another server at the end of a path before all turns were over. Figures of such a comparison
    /// are of who knows what.
    pub fn is_void(&self) -> bool {
        self.paths.iter().any(|path| matches!(path.afterwards, Some(Afterwards::Moved { .. })))
    }

    /// The name of the path at `place`.
    pub fn name(&self, place: usize) -> &str {
        self.paths.get(place).map_or("?", |path| &path.name)
    }
}
