//! The installed programs that a lab is made of.

use super::error::LabError;
use super::process::output;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// A program and what we need of it.
struct Wanted {
    name: &'static str,
    /// Where it may be beside the places that are searched for programs: Debian keeps haproxy where only root looks.
    also_in: &'static [&'static str],
    version_flag: &'static str,
    needed: Version,
    /// The package that it comes in, for apt-get, dnf and apk.
    packages: [&'static str; 3],
}

const REDIS: Wanted = Wanted {
    name: "redis-server",
    also_in: &["/usr/local/bin"],
    version_flag: "--version",
    needed: Version(6, 2, 0),
    packages: ["redis-server", "redis", "redis"],
};

const HAPROXY: Wanted = Wanted {
    name: "haproxy",
    also_in: &["/usr/sbin", "/usr/local/sbin"],
    version_flag: "-v",
    needed: Version(2, 6, 0),
    packages: ["haproxy", "haproxy", "haproxy"],
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Version(major, minor, patch) = self;
        write!(f, "{major}.{minor}.{patch}")
    }
}

/// A program that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    pub path: PathBuf,
    pub version: Version,
}

/// Both of them. The same program is server and sentinel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    pub redis: Program,
    pub haproxy: Program,
}

impl Programs {
    /// # Errors
    /// [`LabError::Missing`], which names all that are missing, or [`LabError::TooOld`].
    pub fn find() -> Result<Programs, LabError> {
        match (REDIS.find()?, HAPROXY.find()?) {
            (Some(redis), Some(haproxy)) => Ok(Programs { redis, haproxy }),
            (redis, haproxy) => {
                let found = [(&REDIS, redis.is_some()), (&HAPROXY, haproxy.is_some())];
                let missing: Vec<&Wanted> =
                    found.iter().filter(|(_, found)| !found).map(|(wanted, _)| *wanted).collect();
                Err(missing_programs(&missing))
            }
        }
    }
}

fn missing_programs(missing: &[&Wanted]) -> LabError {
    let joined = |words: Vec<&str>, between| words.join(between);
    let of = |manager: usize| joined(missing.iter().map(|wanted| wanted.packages[manager]).collect(), " ");
    LabError::Missing {
        programs: joined(missing.iter().map(|wanted| wanted.name).collect(), " and "),
        packages: format!(
            "apt-get install {} (Debian, Ubuntu), dnf install {} (Fedora), apk add {} (Alpine)",
            of(0),
            of(1),
            of(2)
        ),
    }
}

impl Wanted {
    /// None when it is nowhere.
    fn find(&self) -> Result<Option<Program>, LabError> {
        let elsewhere = self.also_in.iter().map(|directory| format!("{directory}/{}", self.name));
        for path in [self.name.to_owned()].into_iter().chain(elsewhere) {
            match output(&path, self.version_flag) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(LabError::Mute { program: path, cause: error.to_string() }),
                Ok(said) => return self.check(path, &said).map(Some),
            }
        }
        Ok(None)
    }

    fn check(&self, path: String, said: &str) -> Result<Program, LabError> {
        let Some(version) = version(said) else {
            let line = said.lines().next().unwrap_or_default().to_owned();
            return Err(LabError::Mute { program: path, cause: format!("it says '{line}'") });
        };
        if version < self.needed {
            let (found, needed) = (version.to_string(), self.needed.to_string());
            return Err(LabError::TooOld { program: path, found, needed });
        }
        Ok(Program { path: path.into(), version })
    }
}

/// The first two or three numbers with points between them.
fn version(said: &str) -> Option<Version> {
    said.lines().next()?.split(|letter: char| letter.is_whitespace() || letter == '=').find_map(|word| {
        let mut numbers = word.split(|letter: char| !letter.is_ascii_digit()).map(str::parse);
        let (major, minor) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        Some(Version(major, minor, numbers.next().and_then(Result::ok).unwrap_or(0)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_say_their_version_in_their_own_ways() {
        for (said, expected) in [
            ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=ae4d7c9", (7, 0, 15)),
            ("HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/\nStatus: x", (2, 6, 12)),
            ("HA-Proxy version 2.2.9-2+deb11u6 2023/12/14", (2, 2, 9)),
            ("HAProxy version 3.0-dev1", (3, 0, 0)),
        ] {
            let (major, minor, patch) = expected;
            assert_eq!(version(said), Some(Version(major, minor, patch)), "{said}");
        }
        assert_eq!(version("hello"), None);
    }

    #[test]
    fn what_is_missing_is_named_with_its_packages() {
        let both = missing_programs(&[&REDIS, &HAPROXY]).to_string();
        assert!(both.starts_with("cannot find redis-server and haproxy; install them: apt-get install redis-server "));
        assert!(missing_programs(&[&HAPROXY]).to_string().contains("install it: apt-get install haproxy (Debian"));
    }

    #[test]
    fn a_program_that_is_too_old_is_refused() {
        let error = HAPROXY.check("haproxy".into(), "HA-Proxy version 2.2.9").unwrap_err().to_string();
        assert_eq!(error, "haproxy is version 2.2.9; the lab needs 2.6.0 or later");
    }
}
