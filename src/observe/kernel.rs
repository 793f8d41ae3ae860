//! Files that the kernel writes as they are read.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Most of them fit into this, and are read at once.
const USUAL_BYTES: usize = 8192;

/// The text of such a file. None when there is none, or we may not read it.
pub fn text(path: impl AsRef<Path>) -> Option<String> {
    let mut text = String::with_capacity(USUAL_BYTES);
    // Their length is not known before: a `File` would ask for it, and then begin with a few bytes.
    File::open(path).ok()?.take(u64::MAX).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_writes_is_read_whole() {
        assert_eq!(text("/proc/self/comm").map(|name| name.ends_with('\n')), Some(true));
        assert_eq!(text("/proc/self/there-is-no-such-file"), None);
        let long = text("/proc/kallsyms").expect("it is there");
        assert!(long.len() > 2 * USUAL_BYTES && long.ends_with('\n'), "{}", long.len());
    }
}
