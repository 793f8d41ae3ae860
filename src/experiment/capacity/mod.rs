//! The highest rate that keeps a promise: a search that is told what each of its steps went through, and decides.
//!
//! ```text
//! let mut search = Search::new(settings);
//! loop {
//!     match search.next() {
//!         Action::Peak(span) => search.tell_peak(what a closed loop reached),
//!         Action::Step(planned) => {
//!             let mut judge = search.judge(&planned);
//!             // Load at `planned.rate`, for `planned.most` at most.
//!             while judge.tell(&batch) == Flow::Continue {}
//!             search.tell(judge.finish());
//!         }
//!         Action::Done => break,
//!     }
//! }
//! let capacity = search.capacity(seed);
//! ```
//!
//! Pure: whoever runs the load has the clock and the sockets.

mod batch;
mod judge;
mod reading;
mod search;
mod step;
mod turns;

pub use batch::{Batch, Guard, Guards};
pub use judge::{Flow, Judge};
pub use search::{Action, Capacity, Ending, Search, Settings};
pub use step::{Figures, Planned, Stage, Step, Verdict, Why};
pub use turns::Turns;
