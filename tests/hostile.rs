//! Servers that are broken, or mean harm: each ends in a counted error within its timeout, and none takes our memory.

mod support;

use socket2::SockRef;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;
use support::fake::{fake_server, play, stay_mute};
use support::{Measured, measure, rbench};

/// The most memory that the program may use, whatever the other side sends to 50 clients.
const MEMORY: u64 = 64 << 20;
/// Far more than the timeouts of these tests, and far less than the defaults.
const SOON: Duration = Duration::from_secs(20);

/// Runs a load of 50 clients against a server on `port` that has half a second for each reply.
#[track_caller]
fn suffer(port: u16, line: &str) -> Measured {
    let line = format!("-p {port} -n 1000 -c 50 -t get --timeout 500ms --connect-timeout 500ms {line}");
    let measured = measure(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    let ran = &measured.ran;
    assert!(ran.elapsed < SOON, "{ran:?}");
    assert!(ran.peak_bytes < MEMORY, "{} MB: {ran:?}", ran.peak_bytes >> 20);
    measured
}

/// A server that does `with` each connection of the load ends the run with an error of this kind.
#[track_caller]
fn ends_with(kind: &str, with: impl Fn(TcpStream) + Copy + Send + 'static) {
    ends_with_one_of(&[kind], with);
}

/// What could become a reply, in a century or with the memory of the whole world, may be told for nonsense or for late.
#[track_caller]
fn ends_in_time(with: impl Fn(TcpStream) + Copy + Send + 'static) {
    ends_with_one_of(&["protocol", "reply_timeout"], with);
}

#[track_caller]
fn ends_with_one_of(kinds: &[&str], with: impl Fn(TcpStream) + Copy + Send + 'static) {
    let measured = suffer(play(with), "").ended(1);
    assert!(kinds.iter().any(|kind| measured.errors(kind) >= 1), "{:#}", measured.result());
    assert_eq!(measured.ran.stderr.lines().count(), 1, "{}", measured.ran.stderr);
}

/// Sends `bytes`, and hears what comes until the other side has enough.
fn say(mut stream: TcpStream, bytes: &[u8]) {
    let _ = stream.write_all(bytes);
    stay_mute(stream);
}

/// Sends `first`, and then `again` for as long as somebody takes it.
fn say_for_ever(mut stream: TcpStream, first: &[u8], again: &[u8]) {
    let again = again.repeat(65536 / again.len());
    let mut sent = stream.write_all(first);
    while sent.is_ok() {
        sent = stream.write_all(&again);
    }
}

#[test]
fn a_length_that_no_memory_has_is_no_reply() {
    ends_in_time(|stream| say_for_ever(stream, b"$9223372036854775807\r\n", b"x"));
    ends_in_time(|stream| say_for_ever(stream, b"$9223372036854775806\r\n", b"x"));
    ends_in_time(|stream| say_for_ever(stream, b"$18446744073709551617\r\n", b"x"));
    ends_with("protocol", |stream| say(stream, b"$-2\r\n"));
    ends_with("protocol", |stream| say(stream, b"$1x\r\n"));
}

#[test]
fn an_array_that_no_memory_has_is_no_reply() {
    ends_in_time(|stream| say_for_ever(stream, b"*9223372036854775807\r\n", b":1\r\n"));
    ends_with("protocol", |stream| say(stream, b"*-2\r\n"));
}

/// Servers may send half a gigabyte. It passes through, and is not kept; half a second is not enough for all of it.
#[test]
fn a_long_value_is_not_kept() {
    ends_in_time(|stream| say_for_ever(stream, b"$536870912\r\n", b"x"));
}

#[test]
fn an_array_without_end_is_not_kept() {
    ends_in_time(|stream| say_for_ever(stream, b"*1000000000\r\n", b"$5\r\nhello\r\n"));
}

#[test]
fn a_line_without_end_is_no_reply() {
    ends_in_time(|stream| say_for_ever(stream, b"+", b"x"));
    ends_in_time(|stream| say_for_ever(stream, b"-", b"x"));
    ends_in_time(|stream| say_for_ever(stream, b":", b"1"));
    ends_in_time(|stream| say_for_ever(stream, b"$", b"0"));
}

#[test]
fn nesting_without_end_is_no_reply() {
    ends_in_time(|stream| say_for_ever(stream, b"", b"*1\r\n"));
    ends_in_time(|stream| say_for_ever(stream, b"", b"*2\r\n"));
}

#[test]
fn garbage_is_no_reply() {
    ends_with("protocol", |stream| say(stream, b"\x00\xff\x16\x03\x01\r\n"));
    ends_with("protocol", |stream| say_for_ever(stream, b"", b"\xde\xad\xbe\xef"));
    ends_with("protocol", |stream| say(stream, b"<html>\r\n"));
    ends_with("protocol", |stream| say(stream, b"\r\n\r\n"));
    ends_with("protocol", |stream| say(stream, b"$3\r\nVXKX\r\n"));
}

#[test]
fn a_reply_that_nobody_asked_for_is_an_error() {
    ends_with("protocol", |stream| say(stream, b"+OK\r\n+OK\r\n"));
    ends_with("protocol", |stream| say_for_ever(stream, b"", b"$-1\r\n"));
}

#[test]
fn a_server_that_says_nothing_is_left() {
    ends_with("reply_timeout", stay_mute);
}

/// Half of a reply is none, and time counts from the request, not from the last byte.
#[test]
fn a_reply_that_never_ends_is_left_in_time() {
    ends_with("reply_timeout", |stream| say(stream, b"$3\r\nVX"));
    ends_with("reply_timeout", |mut stream| {
        let _ = stream.write_all(b"$1000000\r\n");
        while stream.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
}

#[test]
fn a_server_that_does_not_read_is_left() {
    let port = play(|stream| {
        // Held open for longer than the program has patience.
        thread::sleep(SOON);
        drop(stream);
    });
    let measured = suffer(port, "-d 100000 -P 16 -t set -c 5").ended(1);
    assert!(measured.errors("reply_timeout") >= 1, "{:#}", measured.result());
}

#[test]
fn a_server_that_hangs_up_is_counted() {
    ends_with("eof", drop);
}

#[test]
fn a_server_that_slams_the_door_is_counted() {
    ends_with("reset", |stream| {
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        drop(stream);
    });
}

/// Slow, but sound.
#[test]
fn a_reply_may_come_byte_by_byte() {
    let port = play(|mut stream| {
        stream.set_nodelay(true).unwrap();
        loop {
            for byte in b"$3\r\nVXK\r\n" {
                if stream.write_all(&[*byte]).is_err() {
                    return;
                }
                thread::yield_now();
            }
            if !stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {
                return;
            }
        }
    });
    assert_eq!(suffer(port, "--timeout 5s").ended(0).number("completed"), 1000);
}

#[test]
fn large_replies_are_not_kept_either() {
    let port = play(|mut stream| {
        let reply = [&b"$2000000\r\n"[..], &[b'x'; 2_000_000], b"\r\n"].concat();
        while stream.write_all(&reply).is_ok() {
            if !stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {
                return;
            }
        }
    });
    assert_eq!(suffer(port, "-n 200 --timeout 30s").ended(0).number("completed"), 200);
}

#[test]
fn an_error_reply_of_any_length_is_one_line() {
    let port = play(|stream| {
        let line = [b"-ERR \x1b[31m\x07", &[b'x'; 30_000][..], b"\r\n"].concat();
        say(stream, &line);
    });
    let measured = suffer(port, "");
    assert_eq!(measured.ran.code, Some(1));
    let stderr = &measured.ran.stderr;
    assert!(stderr.lines().count() == 1 && stderr.len() < 2000, "{} bytes", stderr.len());
    assert!(stderr.trim_end().chars().all(|letter| !letter.is_control()), "{stderr:?}");
}

#[test]
fn codes_that_a_server_makes_up_do_not_fill_our_memory() {
    let port = play(|mut stream| {
        let mut number = 0u64;
        let address = u64::from(stream.peer_addr().map_or(0, |address| address.port()));
        loop {
            number += 1;
            if stream.write_all(format!("-E{address}X{number} no\r\n").as_bytes()).is_err()
                || !stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0)
            {
                return;
            }
        }
    });
    let measured = suffer(port, "-n 20000 --on-error continue").went_on();
    assert_eq!(measured.errors("reply"), 20_000);
    assert!(measured.result()["errors"]["by_reply_code"].as_object().unwrap().len() < 100);
}

/// Whoever goes on, goes on in the same memory, and not for ever.
#[test]
fn a_server_that_is_always_broken_is_given_up() {
    let port = play(|stream| say_for_ever(stream, b"$9223372036854775807\r\n", b"x"));
    let measured = suffer(port, "--on-error reconnect --give-up 1s").ended(1);
    assert!(measured.errors("protocol") + measured.errors("reply_timeout") >= 50, "{:#}", measured.result());
}

#[test]
fn a_mute_server_is_given_up() {
    let measured = suffer(play(stay_mute), "--on-error reconnect --give-up 2s").ended(1);
    assert!(measured.errors("reply_timeout") >= 50, "{:#}", measured.result());
    assert!(measured.number("unknown") >= 50);
}

/// What is said to the connection that asks who the server is.
#[test]
fn whoever_asks_is_not_drowned_in_the_answer() {
    for (begin, again) in [
        (&b"+"[..], &b"x"[..]),
        (b"$9223372036854775807\r\n", b"x"),
        (b"$2000000000\r\n", b"x"),
        (b"*9223372036854775807\r\n", b":1\r\n"),
        (b"*2147483647\r\n", b":1\r\n"),
        (b"%1000000000\r\n", b":1\r\n"),
        (b"", b"*1\r\n"),
        (b"", b":1\r\n"),
        (b"", b"x"),
    ] {
        let port = fake_server(move |stream| say_for_ever(stream, begin, again)).to_string();
        let ran = rbench(&["-p", &port, "-t", "get", "--connect-timeout", "500ms", "--timeout", "500ms"]);
        let what = format!("{:?}, then {:?}", String::from_utf8_lossy(begin), String::from_utf8_lossy(again));
        assert!(matches!(ran.code, Some(1 | 3)), "{what}: {ran:?}");
        assert!(ran.elapsed < SOON, "{what}: {ran:?}");
        assert!(ran.peak_bytes < MEMORY, "{what}: {} MB", ran.peak_bytes >> 20);
        assert_eq!(ran.stderr.lines().count(), 1, "{what}: {}", ran.stderr);
    }
}
