//! A lab in text: its members as a table or as JSON, and what can be tried on it.

use crate::lab::{Kind, Lab, MASTER_NAME, Member, Status};
use std::io::{self, Write};

/// A line for each member, and a line for each other way into a proxy.
pub fn table(members: &[Status], out: &mut dyn Write) -> io::Result<()> {
    row(["name", "role", "address", "pid"], out)?;
    for Status { name, role, address, pid, doors } in members {
        let pid = pid.map_or("-".to_owned(), |pid| pid.to_string());
        row([name, &role.to_string(), &address.to_string(), &pid], out)?;
        if let Some(doors) = doors {
            row(["", "read-only", &doors.read_only.to_string(), ""], out)?;
            row(["", "stats", &doors.stats, ""], out)?;
            row(["", "metrics", &doors.metrics, ""], out)?;
        }
    }
    Ok(())
}

fn row([name, role, address, pid]: [&str; 4], out: &mut dyn Write) -> io::Result<()> {
    let line = format!("{name:<12}{role:<11}{address:<32}{pid}");
    writeln!(out, "{}", line.trim_end())
}

/// The members as a list of objects.
pub fn json(members: &[Status], out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, members)?;
    writeln!(out)
}

/// Commands to try on a lab, which `which` tells from others that run. The password, where there is one, is for the reader
/// to fill in.
pub fn guide(lab: &Lab, which: &str, out: &mut dyn Write) -> io::Result<()> {
    let members = lab.members();
    let of = |kind| members.iter().filter(move |member| member.kind == kind);
    let (Some(proxy), Some(master)) = (of(Kind::Haproxy).next(), of(Kind::Redis).next()) else { return Ok(()) };
    let host_port = |member: &Member| format!("-h {} -p {}", member.address.ip(), member.address.port());
    let sentinels: Vec<String> = of(Kind::Sentinel).map(|sentinel| sentinel.address.to_string()).collect();
    if lab.password().is_some() {
        writeln!(out, "First: export REDISCLI_AUTH=... with the password of this lab.")?;
    }
    let sentinels = format!("--sentinel {} --master-name {MASTER_NAME}", sentinels.join(","));
    let through = host_port(proxy);
    writeln!(out, "Try, in another terminal:")?;
    writeln!(out, "  # the master, through a proxy, directly, and as the sentinels say")?;
    writeln!(out, "  rbench {through} -t set,get -q")?;
    writeln!(out, "  rbench {} -t set,get -q", host_port(master))?;
    writeln!(out, "  rbench {sentinels} -t set,get -q")?;
    writeln!(out, "  # what a proxy costs")?;
    let paths = format!("--path direct={} --path haproxy={}", master.address, proxy.address);
    writeln!(out, "  rbench compare {paths} -t set,get")?;
    if let Some(doors) = &proxy.doors {
        let (host, port) = (doors.read_only.ip(), doors.read_only.port());
        writeln!(out, "  # the replicas, through a proxy")?;
        writeln!(out, "  rbench -h {host} -p {port} -t get -q")?;
    }
    writeln!(out, "  # a load that goes on when the master dies (kill, pause, resume, start)")?;
    writeln!(out, "  rbench {through} -t set -q --duration 20s --on-error reconnect")?;
    writeln!(out, "  rbench lab kill {}{which}", master.name)?;
    writeln!(out, "  rbench lab status{which}")?;
    Ok(())
}
