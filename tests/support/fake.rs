//! Servers that are none: nobody there, nobody who answers, and one that plays a part.

use socket2::{Domain, Socket, Type};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

/// A port that refuses connections and cannot be taken by anybody else: bound, and not listened on.
pub fn dead_port() -> (Socket, u16) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    (socket, port)
}

/// A server that takes connections and does `with` each of them, on a thread that ends with the test program.
pub fn fake_server(with: impl Fn(TcpStream) + Copy + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || with(stream));
        }
    });
    port
}

/// Reads until the other side has had enough.
pub fn stay_mute(mut stream: TcpStream) {
    while stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {}
}

/// A server that is sound to whoever asks about it, and does `with` each connection from its first GET or SET on: those
/// are the load of a test. What had come of the request by then is read.
pub fn play(with: impl Fn(TcpStream) + Copy + Send + 'static) -> u16 {
    fake_server(move |mut stream| {
        let mut requests = Requests::default();
        while let Some(name) = requests.next(&mut stream) {
            let reply = match name.as_str() {
                "get" | "set" => return with(stream),
                "info" => bulk("redis_version:7.0.15\r\nrole:master\r\nrun_id:0123456789\r\nredis_mode:standalone\r\n"),
                "ping" => "+PONG\r\n".to_owned(),
                "select" | "auth" => "+OK\r\n".to_owned(),
                "dbsize" => ":0\r\n".to_owned(),
                "config" => "*0\r\n".to_owned(),
                _ => format!("-ERR unknown command '{name}', with args beginning with: \r\n"),
            };
            if stream.write_all(reply.as_bytes()).is_err() {
                return;
            }
        }
    })
}

fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

/// Names of commands, from arrays of bulk strings.
#[derive(Default)]
struct Requests(Vec<u8>);

impl Requests {
    /// The name of the next command, in lower case. None when the other side is gone.
    fn next(&mut self, stream: &mut TcpStream) -> Option<String> {
        loop {
            if let Some((name, length)) = self.first() {
                self.0.drain(..length);
                return Some(name);
            }
            let mut bytes = [0; 4096];
            match stream.read(&mut bytes) {
                Ok(read) if read > 0 => self.0.extend(&bytes[..read]),
                _ => return None,
            }
        }
    }

    /// The first request: its name, and its length in bytes. Of the load, the name is enough.
    fn first(&self) -> Option<(String, usize)> {
        let mut at = 0;
        let mut line = || {
            let length = self.0[at..].windows(2).position(|pair| pair == b"\r\n")?;
            let text = String::from_utf8_lossy(&self.0[at..at + length]).to_lowercase();
            at += length + 2;
            Some(text)
        };
        let count: usize = line()?.strip_prefix('*')?.parse().ok()?;
        let name = line().and_then(|_| line())?;
        if name != "get" && name != "set" {
            (1..count).try_for_each(|_| line().and_then(|_| line()).map(drop))?;
        }
        Some((name, at))
    }
}

/// Hands what comes on `stream` to `address`, and back, until one of them is gone.
pub fn relay(stream: TcpStream, address: SocketAddr) {
    let Ok(server) = TcpStream::connect(address) else { return };
    let back = (server.try_clone().unwrap(), stream.try_clone().unwrap());
    thread::spawn(move || pass_on(back.0, back.1));
    pass_on(stream, server);
}

fn pass_on(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(std::net::Shutdown::Both);
}

/// A proxy in front of `address` that notes when each SET comes by. Its port, and the notes.
pub fn recorder(address: SocketAddr) -> (u16, Arc<Mutex<Vec<Instant>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let notes: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let kept = Arc::clone(&notes);
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let Ok(server) = TcpStream::connect(address) else { return };
            let (mut there, mut here) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            let notes = Arc::clone(&kept);
            thread::spawn(move || {
                let mut bytes = [0; 4096];
                while let Some(read) = here.read(&mut bytes).ok().filter(|read| *read > 0) {
                    let now = Instant::now();
                    // Requests are small and far between: each comes by itself.
                    if bytes.starts_with(b"*3\r\n$3\r\nSET") {
                        notes.lock().unwrap().push(now);
                    }
                    if there.write_all(&bytes[..read]).is_err() {
                        return;
                    }
                }
                let _ = there.shutdown(std::net::Shutdown::Both);
            });
            thread::spawn(move || pass_on(server, client));
        }
    });
    (port, notes)
}
