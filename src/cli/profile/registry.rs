//! The profiles that come with the program: a file in `profiles/`, and a line here.

/// Name and text of each.
pub const PROFILES: &[(&str, &str)] = &[
    ("blog-benchmark", include_str!("../../../profiles/blog-benchmark.toml")),
    ("session-store", include_str!("../../../profiles/session-store.toml")),
    ("cache-aside", include_str!("../../../profiles/cache-aside.toml")),
    ("counter", include_str!("../../../profiles/counter.toml")),
    ("queue", include_str!("../../../profiles/queue.toml")),
    ("leaderboard", include_str!("../../../profiles/leaderboard.toml")),
    ("ycsb-a", include_str!("../../../profiles/ycsb-a.toml")),
    ("ycsb-b", include_str!("../../../profiles/ycsb-b.toml")),
    ("ycsb-c", include_str!("../../../profiles/ycsb-c.toml")),
    ("ycsb-d", include_str!("../../../profiles/ycsb-d.toml")),
    ("ycsb-e", include_str!("../../../profiles/ycsb-e.toml")),
    ("ycsb-f", include_str!("../../../profiles/ycsb-f.toml")),
    ("write-heavy-mset", include_str!("../../../profiles/write-heavy-mset.toml")),
    ("large-values", include_str!("../../../profiles/large-values.toml")),
    ("connection-storm", include_str!("../../../profiles/connection-storm.toml")),
    ("idle-keepalive", include_str!("../../../profiles/idle-keepalive.toml")),
];

/// The text of the profile with this name.
pub fn text_of(name: &str) -> Option<&'static str> {
    PROFILES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The names of all of them, in one line.
pub fn known() -> String {
    PROFILES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_file_is_a_profile_that_is_listed() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/profiles");
        let files: BTreeSet<String> = std::fs::read_dir(directory)
            .expect("profiles/ is there")
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let listed = PROFILES.iter().map(|(name, _)| format!("{name}.toml")).collect();
        assert_eq!(files, listed);
    }
}
