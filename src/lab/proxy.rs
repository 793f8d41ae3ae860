//! What a proxy says of its servers, on the admin socket in its directory.

use super::config::STATS_SOCKET;
use std::io;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// Whom a proxy holds for able to serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Servers(Vec<(String, String)>);

impl Servers {
    /// How many servers of a backend are up.
    pub fn up_in(&self, backend: &str) -> usize {
        self.0.iter().filter(|(name, _)| name == backend).count()
    }

    /// Reads the table of `show stat`, whose columns are named in its first line and differ between versions.
    fn read(table: &str) -> Option<Servers> {
        let mut lines = table.lines();
        let names: Vec<&str> = lines.next()?.strip_prefix("# ")?.split(',').collect();
        let at = |wanted| names.iter().position(|name| *name == wanted);
        let (backend, server, status) = (at("pxname")?, at("svname")?, at("status")?);
        let rows = lines.map(|line| line.split(',').collect::<Vec<_>>()).filter(|row| row.len() > status);
        // `UP 1/2` is up and about to be down; `no check` and the rows of whole backends are none of ours.
        let up = rows.filter(|row| row[status].starts_with("UP") && !["FRONTEND", "BACKEND"].contains(&row[server]));
        Some(Servers(up.map(|row| (row[backend].to_owned(), row[server].to_owned())).collect()))
    }
}

/// Asks the proxy that runs in `directory`.
///
/// # Errors
/// When it does not answer within `patience`, or not as proxies do.
pub async fn servers(directory: &Path, patience: Duration) -> io::Result<Servers> {
    let asked = timeout(patience, async {
        let mut stream = UnixStream::connect(directory.join(STATS_SOCKET)).await?;
        stream.write_all(b"show stat\n").await?;
        let mut table = String::new();
        stream.read_to_string(&mut table).await?;
        io::Result::Ok(table)
    });
    let table = asked.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    Servers::read(&table).ok_or_else(|| io::Error::other("its statistics are in no form that we know"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_are_up_are_counted_by_backend() {
        let table = "# pxname,svname,qcur,status,weight\n\
                     bk,R0,0,UP,1\nbk,R1,0,DOWN,1\nbk,R2,0,UP 1/3,1\nbk,BACKEND,0,UP,2\nother,R0,0,no check,1\n\n";
        let servers = Servers::read(table).unwrap();
        assert_eq!((servers.up_in("bk"), servers.up_in("other"), servers.up_in("none")), (2, 0, 0));
        assert_eq!(Servers::read("Unknown command."), None);
    }
}
