//! What goes to stderr before and after a run: never a result, always whole lines.

use std::fmt::Display;

/// Something that the user should know although the run goes on.
pub fn warning(text: impl Display) {
    eprintln!("rbench: {text}");
}

/// A counter that is written over again and again.
pub fn counter(text: impl Display) {
    eprint!("{text}\r");
}
