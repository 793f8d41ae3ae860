//! A TCP proxy in front of redis-servers.

use super::daemon::Daemon;
use super::place::{Network, free_port};
use super::{RedisServer, Scratch, wait_until};
use std::fs;
use std::net::TcpStream;
use std::process::Command;

/// A haproxy that hands connections to its servers in turn, and comes to them from its own address. Killed when
/// dropped.
pub struct Proxy {
    _daemon: Daemon,
    pub address: String,
    pub port: u16,
    /// Where it says how it fares, as `--haproxy-stats` takes it: its socket, and its page.
    pub stats: [String; 2],
    _scratch: Scratch,
}

impl Proxy {
    pub fn before(servers: &[&RedisServer]) -> Proxy {
        let names: Vec<String> = servers.iter().map(|server| server.name()).collect();
        Proxy::start(&Network::any().address(20), &names, &[])
    }

    /// One that every connection passes twice, so that it has twice the work.
    pub fn twice_before(server: &RedisServer) -> Proxy {
        let address = Network::any().address(20);
        let again = format!("{address}:{}", free_port(&address));
        let second = ["listen again".to_owned(), format!("  bind {again}"), format!("  server r0 {}", server.name())];
        Proxy::start(&address, &[again], &second)
    }

    fn start(address: &str, servers: &[String], second: &[String]) -> Proxy {
        let (scratch, address) = (Scratch::new(), address.to_owned());
        let port = free_port(&address);
        let stats_port = free_port(&address);
        let socket = scratch.path("stats.sock");
        let mut lines = vec![
            "global".to_owned(),
            "  maxconn 1000".to_owned(),
            format!("  stats socket {} mode 600 level operator", socket.display()),
            "defaults".to_owned(),
            "  mode tcp".to_owned(),
            "  timeout connect 4s".to_owned(),
            "  timeout client 330s".to_owned(),
            "  timeout server 330s".to_owned(),
            "frontend stats".to_owned(),
            "  mode http".to_owned(),
            "  timeout client 10s".to_owned(),
            format!("  bind {address}:{stats_port}"),
            "  stats enable".to_owned(),
            "  stats uri /stats".to_owned(),
            "  stats auth me:open-sesame".to_owned(),
            "listen redis".to_owned(),
            format!("  bind {address}:{port}"),
            "  balance roundrobin".to_owned(),
            format!("  source {address}"),
        ];
        lines.extend(servers.iter().enumerate().map(|(index, server)| format!("  server r{index} {server}")));
        lines.extend_from_slice(second);
        let file = scratch.path("haproxy.cfg");
        fs::write(&file, lines.join("\n") + "\n").expect("a directory of our own");
        let mut daemon = Daemon::start(Command::new("haproxy").arg("-db").arg("-f").arg(&file));
        wait_until("haproxy listens", || {
            assert!(daemon.is_running(), "haproxy ended");
            TcpStream::connect((address.as_str(), port)).is_ok()
        });
        {
            let page = format!("http://me:open-sesame@{address}:{stats_port}/stats");
            Proxy {
                _daemon: daemon,
                address,
                port,
                stats: [format!("unix:{}", socket.display()), page],
                _scratch: scratch,
            }
        }
    }

    /// `-h ADDRESS -p PORT`, and `line` behind it.
    pub fn arguments(&self, line: &str) -> Vec<String> {
        let line = format!("-h {} -p {} {line}", self.address, self.port);
        line.split_whitespace().map(str::to_owned).collect()
    }
}
