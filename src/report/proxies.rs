//! What proxies on the way said of themselves.

use crate::observe::{ProxyServerUse, ProxyUse};
use std::io::{self, Write};

/// A line for each proxy, and one for each server behind it that had connections.
pub fn write(proxies: &[ProxyUse], out: &mut dyn Write) -> io::Result<()> {
    for proxy in proxies {
        write!(out, "  haproxy {}", proxy.address)?;
        if let Some(version) = &proxy.version {
            write!(out, ", {version}")?;
        }
        match (proxy.busy, proxy.threads) {
            (Some(busy), Some(threads)) => {
                let s = if threads == 1 { "" } else { "s" };
                writeln!(out, ": {:.0} % of {threads} thread{s} busy", busy * 100.0)?;
            }
            _ => writeln!(out)?,
        }
        proxy.servers.iter().try_for_each(|server| write_server(server, out))?;
    }
    Ok(())
}

fn write_server(server: &ProxyServerUse, out: &mut dyn Write) -> io::Result<()> {
    let ProxyServerUse { backend, name, status, sessions, sessions_made, queue, queue_max, .. } = server;
    let address = server.address.as_ref().map_or(String::new(), |address| format!(" {address}"));
    write!(out, "    {backend}/{name}{address} {status}: {sessions} sessions, {sessions_made} of them new")?;
    write!(out, ", queue {queue} (most {queue_max})")?;
    for (what, time) in
        [("qtime", server.queue_time_ms), ("ctime", server.connect_time_ms), ("rtime", server.response_time_ms)]
    {
        if let Some(ms) = time {
            write!(out, ", {what} {ms} ms")?;
        }
    }
    let failed = server.connect_errors + server.response_errors;
    if failed > 0 {
        write!(out, ", {failed} errors")?;
    }
    writeln!(out)
}
