//! How long a process or a thread had a processor, and how long it waited for one, by the kernel's account.

use super::kernel;
use std::path::Path;
use std::time::Duration;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Schedstat {
    /// On a processor.
    pub ran: Duration,
    /// Ready to run, and others had the processor.
    pub waited: Duration,
}

/// Of the directory of a process, which tells of its main thread alone, or of one of its threads. None when there is none,
/// or the kernel does not count.
pub fn of(directory: impl AsRef<Path>) -> Option<Schedstat> {
    read(&kernel::text(directory.as_ref().join("schedstat"))?)
}

fn read(text: &str) -> Option<Schedstat> {
    let mut nanos = text.split_whitespace().map(|number| number.parse().ok().map(Duration::from_nanos));
    let read = Schedstat { ran: nanos.next()??, waited: nanos.next()?? };
    // Kernels that do not count write zeros, and whoever is read about has run.
    (read != Schedstat::default()).then_some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_line_is_read() {
        let Schedstat { ran, waited } = read("1500000000 250000000 42\n").unwrap();
        assert_eq!((ran.as_millis(), waited.as_millis()), (1500, 250));
        assert_eq!([read("0 0 0\n"), read("x"), read("")], [None; 3]);
        assert!(of("/proc/self").is_some());
    }
}
