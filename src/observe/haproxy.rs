//! What HAProxy says of itself: on its stats socket, or on its stats page.

mod address;
mod process;

pub use address::StatsAddress;

use crate::units::Nanos;
use process::Process;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

/// More than any stats page; one that never ends must not fill memory.
const BYTES_MAX: u64 = 16 << 20;

/// One look at a proxy.
#[derive(Debug, Clone)]
pub struct ProxyLook {
    at: Instant,
    version: Option<String>,
    threads: Option<u64>,
    /// Processor time of its process, and how long its threads waited for a processor, where that is on this machine.
    cpu: Option<Duration>,
    waited: Option<Duration>,
    rows: Vec<Row>,
}

/// A line of a server or a backend: values by the names of their columns.
#[derive(Debug, Clone)]
struct Row(HashMap<String, String>);

impl Row {
    fn text(&self, column: &str) -> String {
        self.0.get(column).cloned().unwrap_or_default()
    }

    fn number(&self, column: &str) -> Option<u64> {
        self.0.get(column)?.parse().ok()
    }

    fn is_backend(&self) -> bool {
        self.number("type") == Some(1)
    }

    fn is_of(&self, other: &Row) -> bool {
        ["pxname", "svname"].iter().all(|column| self.0.get(*column) == other.0.get(*column))
    }
}

/// What a proxy did between two looks, and how it stood at the second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProxyUse {
    /// Where it says so.
    pub address: String,
    pub version: Option<String>,
    pub threads: Option<u64>,
    /// The share of what its threads can do. None where its process is elsewhere, or not known.
    pub busy: Option<f64>,
    /// The share of the time for which its threads could have run, and others had the processor: the mean over all of them.
    /// None where its process is elsewhere, or not known.
    #[serde(default)]
    pub run_queue_wait: Option<f64>,
    /// Servers with connections, and backends with what no server was given, named `BACKEND`.
    pub servers: Vec<ProxyServerUse>,
}

/// A server as the proxy sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxyServerUse {
    pub backend: String,
    pub name: String,
    pub address: Option<String>,
    /// `UP`, `DOWN`, or in between.
    pub status: String,
    /// Connections at the second look, and those made between the looks.
    pub sessions: u64,
    pub sessions_made: u64,
    /// Connections that wait for a place, and the most that ever did.
    pub queue: u64,
    pub queue_max: u64,
    /// Means over its last 1024 connections, in milliseconds: in the queue, connecting, until the first byte of the
    /// server, and all in all. None where the proxy does not count them.
    pub queue_time_ms: Option<u64>,
    pub connect_time_ms: Option<u64>,
    pub response_time_ms: Option<u64>,
    pub total_time_ms: Option<u64>,
    /// Between the looks.
    pub connect_errors: u64,
    pub response_errors: u64,
}

impl ProxyLook {
    /// Looks at the proxy at `address`, within `patience`.
    ///
    /// # Errors
    /// What was wrong with which address, and the way out.
    pub async fn at(address: &StatsAddress, patience: Duration) -> Result<ProxyLook, String> {
        let looked = timeout(patience, look(address)).await;
        let told = |reason: String| format!("--haproxy-stats {address}: {reason}");
        looked.map_err(|_| told(format!("no answer within {patience:?}")))?.map_err(told)
    }

    /// The time between the looks.
    pub(super) fn elapsed_since(&self, before: &ProxyLook) -> Nanos {
        self.at.duration_since(before.at).into()
    }

    /// What happened since `before`.
    pub fn since(&self, before: &ProxyLook, address: &StatsAddress) -> ProxyUse {
        let elapsed = self.at.duration_since(before.at).as_secs_f64();
        let threads = self.threads.unwrap_or(1).max(1) as f64;
        // Of the time of all threads.
        let share = |of: fn(&ProxyLook) -> Option<Duration>| {
            let (now, before) = of(self).zip(of(before)).filter(|_| elapsed > 0.0)?;
            Some(now.saturating_sub(before).as_secs_f64() / elapsed / threads)
        };
        let server = |row: &Row| {
            let earlier = before.rows.iter().find(|it| it.is_of(row));
            let since = |column| {
                let was = earlier.and_then(|row| row.number(column)).unwrap_or(0);
                row.number(column).unwrap_or(0).saturating_sub(was)
            };
            ProxyServerUse {
                backend: row.text("pxname"),
                name: row.text("svname"),
                address: Some(row.text("addr")).filter(|address| !address.is_empty()),
                status: row.text("status"),
                sessions: row.number("scur").unwrap_or(0),
                sessions_made: since("stot"),
                queue: row.number("qcur").unwrap_or(0),
                queue_max: row.number("qmax").unwrap_or(0),
                queue_time_ms: row.number("qtime"),
                connect_time_ms: row.number("ctime"),
                response_time_ms: row.number("rtime"),
                total_time_ms: row.number("ttime"),
                connect_errors: since("econ"),
                response_errors: since("eresp"),
            }
        };
        let (backends, servers): (Vec<_>, Vec<_>) = self.rows.iter().partition(|row| row.is_backend());
        let used = servers.into_iter().map(server).filter(|it| it.sessions > 0 || it.sessions_made > 0);
        let unassigned = backends.into_iter().filter_map(|row| self.unassigned(server(row), before));
        ProxyUse {
            address: address.to_string(),
            version: self.version.clone(),
            threads: self.threads,
            busy: share(|look| look.cpu),
            run_queue_wait: share(|look| look.waited),
            servers: used.chain(unassigned).collect(),
        }
    }

    /// What of a backend is no server's: connections that wait for any of them, and those that found none. None where there
    /// was nothing of it.
    fn unassigned(&self, backend: ProxyServerUse, before: &ProxyLook) -> Option<ProxyServerUse> {
        let of_servers = |look: &ProxyLook, column| -> u64 {
            let rows = look.rows.iter().filter(|row| !row.is_backend() && row.text("pxname") == backend.backend);
            rows.filter_map(|row| row.number(column)).sum()
        };
        let rest =
            |all: u64, column| all.saturating_sub(of_servers(self, column).saturating_sub(of_servers(before, column)));
        let (connect_errors, response_errors) =
            (rest(backend.connect_errors, "econ"), rest(backend.response_errors, "eresp"));
        let is_any = backend.queue > 0 || connect_errors > 0 || response_errors > 0;
        // Its sessions and times are those of its servers.
        is_any.then_some(ProxyServerUse {
            sessions: 0,
            sessions_made: 0,
            queue_time_ms: None,
            connect_time_ms: None,
            response_time_ms: None,
            total_time_ms: None,
            connect_errors,
            response_errors,
            ..backend
        })
    }
}

async fn look(address: &StatsAddress) -> Result<ProxyLook, String> {
    let at = Instant::now();
    let (table, process) = match address {
        StatsAddress::Socket(path) => {
            let connect = || async {
                UnixStream::connect(path)
                    .await
                    .map_err(|error| format!("{error}; is this the path of a 'stats socket' that this user may open?"))
            };
            let info = ask(connect().await?, b"show info\n").await?;
            (ask(connect().await?, b"show stat\n").await?, Process::of_socket(&info))
        }
        StatsAddress::Page { host, port, path, authorization } => {
            let login = authorization.as_ref().map_or(String::new(), |login| format!("Authorization: {login}\r\n"));
            let get = async |path: &str| {
                let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(|error| error.to_string())?;
                let request = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n{login}\r\n");
                page(&ask(stream, request.as_bytes()).await?)
            };
            // The table says nothing of the process, and the page for people does.
            (
                get(path).await?,
                get(path.trim_end_matches(";csv")).await.map_or_else(|_| Process::default(), Process::of_page),
            )
        }
    };
    let (cpu, waited) = process.times();
    Ok(ProxyLook { at, cpu, waited, version: process.version, threads: process.threads, rows: rows(&table)? })
}

async fn ask(mut stream: impl AsyncRead + AsyncWriteExt + Unpin, question: &[u8]) -> Result<String, String> {
    stream.write_all(question).await.map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    stream.take(BYTES_MAX).read_to_end(&mut bytes).await.map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The body of a reply.
fn page(reply: &str) -> Result<String, String> {
    let (head, body) = reply.split_once("\r\n\r\n").ok_or("this is no web server")?;
    let status = head.lines().next().unwrap_or_default();
    match status.split_whitespace().nth(1) {
        // Chunks also in answer to HTTP/1.0, which knows none.
        Some("200") if head.to_lowercase().contains("transfer-encoding: chunked") => {
            unchunked(body).ok_or_else(|| "the page breaks off".to_owned())
        }
        Some("200") => Ok(body.to_owned()),
        Some("401") => Err("the page wants a login: http://user:password@host:port/stats".to_owned()),
        _ => Err(format!("'{status}'; is this the 'stats uri' of a frontend?")),
    }
}

/// The body in its chunks, by RFC 9112, section 7.1. None when one is missing.
fn unchunked(mut body: &str) -> Option<String> {
    let mut whole = String::new();
    loop {
        let (size, rest) = body.split_once("\r\n")?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(whole);
        }
        whole.push_str(rest.get(..size)?);
        body = rest.get(size..)?.strip_prefix("\r\n")?;
    }
}

/// Lines of servers and of their backends, from the table whose columns are named in its first line and differ between
/// versions.
fn rows(table: &str) -> Result<Vec<Row>, String> {
    let mut lines = table.lines();
    let columns: Vec<&str> = lines
        .next()
        .and_then(|line| line.strip_prefix("# "))
        .ok_or("no table of statistics; is this HAProxy?")?
        .split(',')
        .collect();
    let row =
        |line: &str| Row(columns.iter().map(|it| (*it).to_owned()).zip(line.split(',').map(str::to_owned)).collect());
    // Servers have type 2, backends 1, and frontends another.
    Ok(lines.map(row).filter(|row| matches!(row.number("type"), Some(1 | 2))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "# pxname,svname,qcur,qmax,scur,stot,status,econ,eresp,type,qtime,ctime,rtime,ttime,addr,\n\
        redis,FRONTEND,,,50,60,OPEN,,,0,,,,,,\n\
        to_master,redis-0,0,3,50,60,UP,1,0,2,0,1,2,300,127.0.0.1:6379,\n\
        to_master,redis-1,0,0,0,0,DOWN,0,0,2,0,0,0,0,127.0.0.2:6379,\n\
        to_master,BACKEND,0,0,50,60,UP,0,0,1,0,0,0,0,,\n";

    #[test]
    fn what_happened_is_the_difference_of_two_looks() {
        let at = Instant::now();
        let look = |seconds: u64, cpu_ms: u64, table: &str| ProxyLook {
            at: at + Duration::from_secs(seconds),
            version: None,
            threads: Some(2),
            cpu: Some(Duration::from_millis(cpu_ms)),
            waited: Some(Duration::from_millis(cpu_ms / 2)),
            rows: rows(table).unwrap(),
        };
        let before = look(0, 100, &TABLE.replace("50,60,UP,1", "20,25,UP,1"));
        let seen = look(2, 1100, TABLE).since(&before, &StatsAddress::Socket("/s".into()));
        assert_eq!(seen.busy, Some(0.25), "a second of processor time, of two threads in two seconds");
        assert_eq!(seen.run_queue_wait, Some(0.125));
        let sample = look(2, 1100, TABLE).sample(&before, &StatsAddress::Socket("/s".into()));
        assert_eq!((sample.sessions, sample.rate, sample.errors), (50, crate::units::Rate(17.5), 0));
        assert_eq!((sample.busy, sample.run_queue_wait, sample.response_time_ms), (Some(0.25), Some(0.125), Some(2)));
        let [server] = &seen.servers[..] else { panic!("{seen:?}") };
        assert_eq!((server.name.as_str(), server.sessions, server.sessions_made), ("redis-0", 50, 35));
        assert_eq!((server.queue_max, server.connect_time_ms, server.connect_errors), (3, Some(1), 0));
        assert_eq!(server.address.as_deref(), Some("127.0.0.1:6379"));
    }

    /// Requests that wait for any server are in no server's queue, and those that found none among no server's errors.
    #[test]
    fn what_no_server_was_given_is_the_backends() {
        let look = |table: &str| ProxyLook {
            at: Instant::now(),
            version: None,
            threads: None,
            cpu: None,
            waited: None,
            rows: rows(table).unwrap(),
        };
        let (idle, here) = (look(TABLE), StatsAddress::Socket("/s".into()));
        let full = TABLE.replace("BACKEND,0,0,50,60,UP,0", "BACKEND,12,20,50,60,UP,7").replace("UP,1,0,2", "UP,3,0,2");
        let seen = look(&full).since(&idle, &here);
        let backend = seen.servers.iter().find(|it| it.name == "BACKEND").expect("it is told of");
        assert_eq!(
            (backend.queue, backend.connect_errors, backend.sessions),
            (12, 5, 0),
            "two of seven were redis-0's"
        );
        let sample = look(&full).sample(&idle, &here);
        assert_eq!((sample.queue, sample.errors, sample.sessions), (12, 7, 50));
        assert!(idle.since(&idle, &here).servers.iter().all(|it| it.name != "BACKEND"), "nothing waits");
    }

    #[test]
    fn what_is_no_table_is_told() {
        assert!(rows("<html>").unwrap_err().contains("HAProxy"));
        assert!(page("HTTP/1.0 401 Unauthorized\r\n\r\n").unwrap_err().contains("login"));
        assert!(page("HTTP/1.0 404 Not found\r\n\r\n").unwrap_err().contains("404"));
        assert!(page("SSH-2.0").is_err());
        assert_eq!(page("HTTP/1.0 200 OK\r\nX: y\r\n\r\n# a").unwrap(), "# a");
        let chunked =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n# a\r\nA;x=y\r\n,b\n1234567\r\n0\r\n\r\n";
        assert_eq!(page(chunked).unwrap(), "# a,b\n1234567");
        assert!(page(&chunked[..chunked.len() - 12]).unwrap_err().contains("breaks off"));
    }
}
