//! The server over real connections, its replies byte for byte.

use super::Server;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

fn start() -> Server {
    Server::start(([127, 0, 0, 1], 0).into()).unwrap()
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    // A reply that never comes fails the test and doesn't hang it.
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Reads as many bytes as are expected, so that one too few is a timeout and a different one a difference.
fn expect(stream: &mut TcpStream, expected: &str) {
    let mut received = vec![0; expected.len()];
    let mut count = 0;
    while count < received.len() && String::from_utf8_lossy(&received[..count]) == expected[..count] {
        match stream.read(&mut received[count..]) {
            Ok(0) | Err(_) => break,
            Ok(more) => count += more,
        }
    }
    assert_eq!(String::from_utf8_lossy(&received[..count]), expected);
}

/// Sends each request inline and expects its reply, and nothing after the last one.
fn converse(exchanges: &[(&str, &str)]) {
    let server = start();
    let mut stream = connect(&server);
    for (request, reply) in exchanges {
        stream.write_all(format!("{request}\r\n").as_bytes()).unwrap();
        expect(&mut stream, reply);
    }
    expect_no_more(stream);
}

fn expect_no_more(mut stream: TcpStream) {
    stream.shutdown(Shutdown::Write).unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

#[test]
fn strings() {
    converse(&[
        ("GET k", "$-1\r\n"),
        ("SET k v", "+OK\r\n"),
        ("get k", "$1\r\nv\r\n"),
        ("SET k w NX", "$-1\r\n"),
        ("SET k w XX GET", "$1\r\nv\r\n"),
        ("SET n 1 NX", "+OK\r\n"),
        ("SET k w NX XX", "-ERR syntax error\r\n"),
        ("SET k w EX 0", "-ERR invalid expire time in 'set' command\r\n"),
        ("SET k w EX x", "-ERR value is not an integer or out of range\r\n"),
        ("SETNX k v", ":0\r\n"),
        ("GETSET k v", "$1\r\nw\r\n"),
        ("APPEND k alue", ":5\r\n"),
        ("STRLEN k", ":5\r\n"),
        ("GETRANGE k 1 -2", "$3\r\nalu\r\n"),
        ("SETRANGE k 6 s", ":7\r\n"),
        ("GET k", "$7\r\nvalue\0s\r\n"),
        ("GETDEL k", "$7\r\nvalue\0s\r\n"),
        ("MSET a 1 b 2", "+OK\r\n"),
        ("MSET a 1 b", "-ERR wrong number of arguments for 'mset' command\r\n"),
        ("MGET a k b", "*3\r\n$1\r\n1\r\n$-1\r\n$1\r\n2\r\n"),
        ("INCR c", ":1\r\n"),
        ("DECR c", ":0\r\n"),
        ("INCRBY c 41", ":41\r\n"),
        ("DECRBY c 50", ":-9\r\n"),
        ("SET c 9223372036854775807", "+OK\r\n"),
        ("INCR c", "-ERR increment or decrement would overflow\r\n"),
        ("SET c x", "+OK\r\n"),
        ("INCR c", "-ERR value is not an integer or out of range\r\n"),
        ("INCRBYFLOAT f 0.1", "$3\r\n0.1\r\n"),
        ("LPUSH l x", ":1\r\n"),
        ("GET l", WRONG_TYPE),
        ("INCR l", WRONG_TYPE),
        ("SET l v", "+OK\r\n"),
    ]);
}

#[test]
fn keys_and_their_time_to_live() {
    converse(&[
        ("SET k v EX 100", "+OK\r\n"),
        ("TTL k", ":100\r\n"),
        ("PERSIST k", ":1\r\n"),
        ("PERSIST k", ":0\r\n"),
        ("TTL k", ":-1\r\n"),
        ("PTTL missing", ":-2\r\n"),
        ("EXPIRE k 100", ":1\r\n"),
        ("EXPIRE k 50 GT", ":0\r\n"),
        ("SET k w KEEPTTL", "+OK\r\n"),
        ("TTL k", ":100\r\n"),
        ("SET k v", "+OK\r\n"),
        ("TTL k", ":-1\r\n"),
        ("SET k v PXAT 1", "+OK\r\n"),
        ("GET k", "$-1\r\n"),
        ("SETEX k 10 v", "+OK\r\n"),
        ("PSETEX k 0 v", "-ERR invalid expire time in 'psetex' command\r\n"),
        ("EXISTS k k missing", ":2\r\n"),
        ("TYPE k", "+string\r\n"),
        ("TYPE missing", "+none\r\n"),
        ("PEXPIRE k -1", ":1\r\n"),
        ("DBSIZE", ":0\r\n"),
        ("RANDOMKEY", "$-1\r\n"),
        ("SET a 1", "+OK\r\n"),
        ("RANDOMKEY", "$1\r\na\r\n"),
        ("SET b 1", "+OK\r\n"),
        ("SCAN 0 COUNT 1", "*2\r\n$1\r\n1\r\n*1\r\n$1\r\nb\r\n"),
        ("SCAN 1 COUNT 1", "*2\r\n$1\r\n0\r\n*1\r\n$1\r\na\r\n"),
        ("SCAN 0 MATCH b* TYPE string", "*2\r\n$1\r\n0\r\n*1\r\n$1\r\nb\r\n"),
        ("KEYS ?", "*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
        ("DEL a missing", ":1\r\n"),
        ("UNLINK b", ":1\r\n"),
        ("EXPIRE a 1", ":0\r\n"),
    ]);
}

#[test]
fn lists() {
    converse(&[
        ("RPUSH l b c", ":2\r\n"),
        ("LPUSH l a z", ":4\r\n"),
        ("LRANGE l 0 -1", "*4\r\n$1\r\nz\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n"),
        ("LRANGE l 1 1", "*1\r\n$1\r\na\r\n"),
        ("LRANGE missing 0 1", "*0\r\n"),
        ("LRANGE missing x 1", "-ERR value is not an integer or out of range\r\n"),
        ("LINDEX l -1", "$1\r\nc\r\n"),
        ("LINDEX l 4", "$-1\r\n"),
        ("LLEN l", ":4\r\n"),
        ("LPOP l", "$1\r\nz\r\n"),
        ("RPOP l 2", "*2\r\n$1\r\nc\r\n$1\r\nb\r\n"),
        ("LPOP l -1", "-ERR value is out of range, must be positive\r\n"),
        ("LPOP l 0", "*0\r\n"),
        ("LPOP l 9", "*1\r\n$1\r\na\r\n"),
        ("EXISTS l", ":0\r\n"),
        ("LPOP l", "$-1\r\n"),
        ("LPOP l 1", "*-1\r\n"),
        ("RPUSH l a b c", ":3\r\n"),
        ("LTRIM l 1 1", "+OK\r\n"),
        ("LRANGE l 0 -1", "*1\r\n$1\r\nb\r\n"),
        ("LTRIM l 5 9", "+OK\r\n"),
        ("EXISTS l", ":0\r\n"),
    ]);
}

#[test]
fn sets() {
    converse(&[
        ("SADD s a a b", ":2\r\n"),
        ("SADD s b", ":0\r\n"),
        ("SCARD s", ":2\r\n"),
        ("SISMEMBER s a", ":1\r\n"),
        ("SISMEMBER s c", ":0\r\n"),
        ("SMEMBERS s", "*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
        ("SREM s a c", ":1\r\n"),
        ("SRANDMEMBER s", "$1\r\nb\r\n"),
        ("SRANDMEMBER s -2", "*2\r\n$1\r\nb\r\n$1\r\nb\r\n"),
        ("SRANDMEMBER s 2", "*1\r\n$1\r\nb\r\n"),
        ("SPOP s", "$1\r\nb\r\n"),
        ("EXISTS s", ":0\r\n"),
        ("SPOP s", "$-1\r\n"),
        ("SPOP s 3", "*0\r\n"),
        ("SADD s a", ":1\r\n"),
        ("SPOP s 3", "*1\r\n$1\r\na\r\n"),
        ("SET k v", "+OK\r\n"),
        ("SADD k a", WRONG_TYPE),
    ]);
}

#[test]
fn hashes() {
    converse(&[
        ("HSET h a 1 b 2", ":2\r\n"),
        ("HSET h a 3", ":0\r\n"),
        ("HSET h a", "-ERR wrong number of arguments for 'hset' command\r\n"),
        ("HSET h a 1 b", "-ERR wrong number of arguments for 'hset' command\r\n"),
        ("HGET h a", "$1\r\n3\r\n"),
        ("HGET h c", "$-1\r\n"),
        ("HMGET h b c", "*2\r\n$1\r\n2\r\n$-1\r\n"),
        ("HGETALL h", "*4\r\n$1\r\na\r\n$1\r\n3\r\n$1\r\nb\r\n$1\r\n2\r\n"),
        ("HGETALL missing", "*0\r\n"),
        ("HINCRBY h a 2", ":5\r\n"),
        ("HSET h t x", ":1\r\n"),
        ("HINCRBY h t 2", "-ERR hash value is not an integer\r\n"),
        ("HEXISTS h a", ":1\r\n"),
        ("HLEN h", ":3\r\n"),
        ("HDEL h a b t x", ":3\r\n"),
        ("EXISTS h", ":0\r\n"),
    ]);
}

#[test]
fn sorted_sets() {
    converse(&[
        ("ZADD z 1 a 2 b", ":2\r\n"),
        ("ZADD z XX CH 3 a 4 c", ":1\r\n"),
        ("ZADD z NX 9 a 4 c", ":1\r\n"),
        ("ZADD z GT 2 a", ":0\r\n"),
        ("ZADD z INCR 0.5 a", "$3\r\n3.5\r\n"),
        ("ZADD z NX INCR 1 a", "$-1\r\n"),
        ("ZADD z NX XX 1 a", "-ERR XX and NX options at the same time are not compatible\r\n"),
        ("ZADD z x a", "-ERR value is not a valid float\r\n"),
        ("ZADD z 1 a 2", "-ERR syntax error\r\n"),
        ("ZADD empty XX 1 a", ":0\r\n"),
        ("EXISTS empty", ":0\r\n"),
        ("ZSCORE z a", "$3\r\n3.5\r\n"),
        ("ZSCORE z x", "$-1\r\n"),
        ("ZRANK z a", ":1\r\n"),
        ("ZRANGE z 0 -1", "*3\r\n$1\r\nb\r\n$1\r\na\r\n$1\r\nc\r\n"),
        ("ZRANGE z 0 0 REV WITHSCORES", "*2\r\n$1\r\nc\r\n$1\r\n4\r\n"),
        ("ZINCRBY z -4 c", "$1\r\n0\r\n"),
        ("ZPOPMIN z", "*2\r\n$1\r\nc\r\n$1\r\n0\r\n"),
        ("ZPOPMAX z 5", "*4\r\n$1\r\na\r\n$3\r\n3.5\r\n$1\r\nb\r\n$1\r\n2\r\n"),
        ("ZPOPMIN z", "*0\r\n"),
        ("ZADD z inf a", ":1\r\n"),
        ("ZINCRBY z -inf a", "-ERR resulting score is not a number (NaN)\r\n"),
        ("ZREM z a", ":1\r\n"),
        ("EXISTS z", ":0\r\n"),
    ]);
}

#[test]
fn streams() {
    converse(&[
        ("XADD s 5-1 f v", "$3\r\n5-1\r\n"),
        ("XADD s 5-* f w", "$3\r\n5-2\r\n"),
        ("XADD s 5-2 f v", "-ERR The ID specified in XADD is equal or smaller than the target stream top item\r\n"),
        ("XADD s 0-0 f v", "-ERR The ID specified in XADD must be greater than 0-0\r\n"),
        ("XADD s x f v", "-ERR Invalid stream ID specified as stream command argument\r\n"),
        ("XADD s * f", "-ERR wrong number of arguments for 'xadd' command\r\n"),
        ("XADD s * f v g", "-ERR wrong number of arguments for 'xadd' command\r\n"),
        ("XADD no NOMKSTREAM * f v", "$-1\r\n"),
        ("XLEN s", ":2\r\n"),
        ("XRANGE s - + COUNT 1", "*1\r\n*2\r\n$3\r\n5-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n"),
        ("XRANGE s 5-2 5", "*1\r\n*2\r\n$3\r\n5-2\r\n*2\r\n$1\r\nf\r\n$1\r\nw\r\n"),
        ("XADD s MAXLEN ~ 1 6 f v", "$3\r\n6-0\r\n"),
        ("XLEN s", ":1\r\n"),
        ("TYPE s", "+stream\r\n"),
    ]);
}

#[test]
fn the_connection_itself() {
    converse(&[
        ("PING", "+PONG\r\n"),
        ("PING 'a b'", "$3\r\na b\r\n"),
        ("ECHO x", "$1\r\nx\r\n"),
        ("SELECT 15", "+OK\r\n"),
        ("SELECT 16", "-ERR DB index is out of range\r\n"),
        ("SET k v", "+OK\r\n"),
        ("SELECT 0", "+OK\r\n"),
        ("EXISTS k", ":0\r\n"),
        ("FLUSHALL", "+OK\r\n"),
        ("SELECT 15", "+OK\r\n"),
        ("EXISTS k", ":0\r\n"),
        (
            "AUTH secret",
            "-ERR AUTH <password> called without any password configured for the default user. Are you sure your \
             configuration is correct?\r\n",
        ),
        ("AUTH someone secret", "-WRONGPASS invalid username-password pair or user is disabled.\r\n"),
        ("CLIENT GETNAME", "$-1\r\n"),
        ("CLIENT SETNAME me", "+OK\r\n"),
        ("CLIENT GETNAME", "$2\r\nme\r\n"),
        ("CLIENT ID", ":1\r\n"),
        ("CLIENT NONSENSE", "-ERR unknown subcommand 'NONSENSE'. Try CLIENT HELP.\r\n"),
        ("CONFIG GET save", "*2\r\n$4\r\nsave\r\n$0\r\n\r\n"),
        ("CONFIG GET nonsense", "*0\r\n"),
        ("COMMAND", "*0\r\n"),
        ("COMMAND INFO", "*0\r\n"),
        ("COMMAND INFO Set x", "*2\r\n*6\r\n$3\r\nset\r\n:-3\r\n*1\r\n+write\r\n:1\r\n:1\r\n:1\r\n*-1\r\n"),
        ("COMMAND GETKEYS get a", "*1\r\n$1\r\na\r\n"),
        ("COMMAND GETKEYS mset a 1 b 2", "*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
        ("COMMAND GETKEYS mget a b", "*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
        ("COMMAND GETKEYS ping", "-ERR The command has no key arguments\r\n"),
        ("COMMAND GETKEYS get", "-ERR Invalid number of arguments specified for command\r\n"),
        ("COMMAND GETKEYS x", "-ERR Invalid command specified\r\n"),
        ("COMMAND GETKEYS", "-ERR wrong number of arguments for 'command|getkeys' command\r\n"),
        ("WAIT 0 0", ":0\r\n"),
        ("GET", "-ERR wrong number of arguments for 'get' command\r\n"),
        ("foo a b", "-ERR unknown command 'foo', with args beginning with: 'a' 'b' \r\n"),
        ("RESET", "+RESET\r\n"),
        ("HELLO 4", "-NOPROTO unsupported protocol version\r\n"),
        ("QUIT", "+OK\r\n"),
    ]);
}

#[test]
fn resp3_has_its_own_nulls_maps_and_doubles() {
    converse(&[
        (
            "HELLO 3 SETNAME me",
            "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.2.0\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1\r\n\
             $4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n",
        ),
        ("GET k", "_\r\n"),
        ("LPOP k 1", "_\r\n"),
        ("HSET h a 1", ":1\r\n"),
        ("HGETALL h", "%1\r\n$1\r\na\r\n$1\r\n1\r\n"),
        ("SMEMBERS s", "~0\r\n"),
        ("ZADD z 1.5 a", ":1\r\n"),
        ("ZSCORE z a", ",1.5\r\n"),
        ("ZRANGE z 0 -1 WITHSCORES", "*1\r\n*2\r\n$1\r\na\r\n,1.5\r\n"),
        ("ZPOPMIN z", "*2\r\n$1\r\na\r\n,1.5\r\n"),
        ("CONFIG GET save", "%1\r\n$4\r\nsave\r\n$0\r\n\r\n"),
        (
            "HELLO 2 AUTH default x",
            "*14\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.2.0\r\n$5\r\nproto\r\n:2\r\n",
        ),
        (
            "",
            "$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n",
        ),
        ("GET k", "$-1\r\n"),
    ]);
}

#[test]
fn transactions() {
    converse(&[
        ("EXEC", "-ERR EXEC without MULTI\r\n"),
        ("MULTI", "+OK\r\n"),
        ("SET k v", "+QUEUED\r\n"),
        ("INCR k", "+QUEUED\r\n"),
        ("GET k", "+QUEUED\r\n"),
        ("EXEC", "*3\r\n+OK\r\n-ERR value is not an integer or out of range\r\n$1\r\nv\r\n"),
        ("MULTI", "+OK\r\n"),
        ("MULTI", "-ERR MULTI calls can not be nested\r\n"),
        ("NONSENSE", "-ERR unknown command 'NONSENSE', with args beginning with: \r\n"),
        ("EXEC", "-EXECABORT Transaction discarded because of previous errors.\r\n"),
        ("MULTI", "+OK\r\n"),
        ("DEL k", "+QUEUED\r\n"),
        ("DISCARD", "+OK\r\n"),
        ("EXISTS k", ":1\r\n"),
    ]);
}

#[test]
fn a_watched_key_that_changes_breaks_the_transaction() {
    let server = start();
    let (mut watcher, mut writer) = (connect(&server), connect(&server));
    for (change, result) in [("SET other 1", "*1\r\n+PONG\r\n"), ("SET k 1", "*-1\r\n"), ("FLUSHALL", "*-1\r\n")] {
        watcher.write_all(b"WATCH k\r\nMULTI\r\nPING\r\n").unwrap();
        expect(&mut watcher, "+OK\r\n+OK\r\n+QUEUED\r\n");
        writer.write_all(format!("{change}\r\n").as_bytes()).unwrap();
        expect(&mut writer, "+OK\r\n");
        watcher.write_all(b"EXEC\r\n").unwrap();
        expect(&mut watcher, result);
    }
}

#[test]
fn info_counts_calls_until_it_is_told_to_forget() {
    let server = start();
    let mut stream = connect(&server);
    let mut info = |before: &str, section: &str| {
        stream.write_all(format!("{before}INFO {section}\r\nECHO end\r\n").as_bytes()).unwrap();
        let (mut text, mut chunk) = (String::new(), [0; 4096]);
        while !text.ends_with("$3\r\nend\r\n") {
            let count = stream.read(&mut chunk).unwrap();
            text.push_str(std::str::from_utf8(&chunk[..count]).unwrap());
        }
        text
    };
    let text = info("SET k v\r\nSET k\r\nLPOP k\r\nGET k\r\nGET x\r\n", "everything");
    for line in [
        "redis_version:7.2.0",
        "redis_mode:standalone",
        "role:master",
        "connected_clients:1",
        &format!("tcp_port:{}", server.address().port()),
        "db0:keys=1,expires=0,avg_ttl=0",
        "keyspace_hits:1",
        "keyspace_misses:1",
        "cmdstat_set:calls=1,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0",
        "cmdstat_lpop:calls=1,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=1",
    ] {
        assert!(text.contains(&format!("\r\n{line}\r\n")), "{line} is not in {text}");
    }
    assert!(!info("", "").contains("cmdstat_"));
    let text = info("CONFIG RESETSTAT\r\n", "commandstats");
    assert!(!text.contains("cmdstat_set") && text.contains("cmdstat_info:calls=1,"), "{text}");
}

#[test]
fn client_list_names_every_client() {
    let server = start();
    let (mut first, mut second) = (connect(&server), connect(&server));
    for (stream, name) in [(&mut first, "one"), (&mut second, "two")] {
        stream.write_all(format!("CLIENT SETNAME {name}\r\n").as_bytes()).unwrap();
        expect(stream, "+OK\r\n");
    }
    first.write_all(b"CLIENT LIST\r\nQUIT\r\n").unwrap();
    let mut text = String::new();
    first.read_to_string(&mut text).unwrap();
    assert!(text.contains(" name=one ") && text.contains(" name=two "), "{text}");
    assert!(text.contains(&format!(" addr={} ", second.local_addr().unwrap())), "{text}");
}

#[test]
fn a_malformed_request_is_answered_and_ends_the_connection() {
    let server = start();
    let mut stream = connect(&server);
    stream.write_all(b"PING\r\n*1\r\n!4\r\nPING\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert_eq!(text, "+PONG\r\n-ERR Protocol error: expected '$', got '!'\r\n");
}

/// The bytes and the end of the stream may be told in one event; the replies still come first.
#[test]
fn a_client_that_closes_its_side_still_gets_its_replies() {
    let server = start();
    for _ in 0..100 {
        let mut stream = connect(&server);
        stream.write_all(&b"PING\r\n".repeat(1000)).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert_eq!(text, "+PONG\r\n".repeat(1000));
    }
}

#[test]
fn a_large_value_survives_many_reads_and_many_writes() {
    let server = start();
    let mut stream = connect(&server);
    let value: Vec<u8> = (0..32 << 20).map(|index: u32| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    stream.write_all(format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${}\r\n", value.len()).as_bytes()).unwrap();
    stream.write_all(&value).unwrap();
    stream.write_all(b"\r\nGET k\r\nPING\r\n").unwrap();
    expect(&mut stream, &format!("+OK\r\n${}\r\n", value.len()));
    let mut received = vec![0; value.len()];
    stream.read_exact(&mut received).unwrap();
    assert!(received == value, "the value came back changed");
    expect(&mut stream, "\r\n+PONG\r\n");
}

/// The client sends until nobody takes it any more: without a limit on unsent replies it could send for ever. Then it
/// reads, and every reply must be there.
#[test]
fn a_client_that_does_not_read_is_not_read_from() {
    let server = start();
    let mut stream = connect(&server);
    stream.write_all(format!("SET k {}\r\n", "x".repeat(10_000)).as_bytes()).unwrap();
    expect(&mut stream, "+OK\r\n");
    stream.set_nonblocking(true).unwrap();
    let batch = b"GET k\r\n".repeat(1000);
    let (mut sent, mut idle) = (0, 0);
    // Another client's PING says when the server has had its turn with this one.
    let mut other = connect(&server);
    while idle < 50 {
        match stream.write(&batch[sent % 7..]) {
            Ok(count) => {
                sent += count;
                idle = 0;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => idle += 1,
            Err(error) => panic!("{error}"),
        }
        assert!(sent < 200 << 20, "the server takes requests without end");
        other.write_all(b"PING\r\n").unwrap();
        expect(&mut other, "+PONG\r\n");
    }
    stream.set_nonblocking(false).unwrap();
    let reply_bytes = "$10000\r\n".len() + 10_000 + 2;
    let expected = sent / 7 * reply_bytes;
    let mut chunk = vec![0; 1 << 20];
    let mut received = 0;
    while received < expected {
        let count = stream.read(&mut chunk).unwrap();
        assert!(count > 0, "the connection ended {} bytes early", expected - received);
        received += count;
    }
    assert_eq!(received, expected);
}

#[test]
fn a_reset_connection_leaves_the_others_alone() {
    let server = start();
    let mut survivor = connect(&server);
    for _ in 0..50 {
        let stream = connect(&server);
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        (&stream).write_all(b"PING\r\n*1\r\n$4\r\nPI").unwrap();
    }
    survivor.write_all(b"PING\r\n").unwrap();
    expect(&mut survivor, "+PONG\r\n");
}

#[test]
fn a_thousand_clients_are_served() {
    let server = start();
    let mut streams: Vec<TcpStream> = (0..1000).map(|_| connect(&server)).collect();
    for stream in &mut streams {
        stream.write_all(b"INCR c\r\n").unwrap();
    }
    let last = (1..=1000).map(|_| String::new()).zip(&mut streams).map(|(mut text, stream)| {
        stream.shutdown(Shutdown::Write).unwrap();
        stream.read_to_string(&mut text).unwrap();
        text.trim_matches([':', '\r', '\n']).parse::<u32>().unwrap()
    });
    assert_eq!(last.max(), Some(1000));
}

#[test]
fn stopping_frees_the_port_and_ends_the_connections() {
    let server = start();
    let address = server.address();
    let mut stream = connect(&server);
    stream.write_all(b"PING\r\n").unwrap();
    expect(&mut stream, "+PONG\r\n");
    let stopper = server.stopper();
    std::thread::spawn(move || stopper.stop());
    server.wait().unwrap();
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    Server::start(address).unwrap().stop().unwrap();
}

#[test]
fn debug_sleep_takes_its_time() {
    let server = start();
    let mut sleeper = connect(&server);
    let begun = std::time::Instant::now();
    sleeper.write_all(b"PING\r\nDEBUG SLEEP 0.05\r\nDEBUG SLEEP -1\r\n").unwrap();
    expect(&mut sleeper, "+PONG\r\n+OK\r\n-ERR value is out of range\r\n");
    assert!(begun.elapsed() >= Duration::from_millis(50));
}

fn behaving(spec: &str) -> Server {
    Server::behaving(([127, 0, 0, 1], 0).into(), Some(spec.parse().unwrap())).unwrap()
}

#[test]
fn replies_that_are_held_back_keep_their_order() {
    let server = behaving("delay:20ms:0.5,delay:5ms:0.5");
    let mut stream = connect(&server);
    let requests: String = (0..100).map(|number| format!("ECHO {number}\r\nSELECT 0\r\n")).collect();
    stream.write_all(requests.as_bytes()).unwrap();
    let replies: Vec<String> = (0..100).map(|number: u32| number.to_string()).collect();
    let replies: String = replies.iter().map(|text| format!("${}\r\n{text}\r\n+OK\r\n", text.len())).collect();
    expect(&mut stream, &replies);
    // What nobody can read is answered in its order, too.
    stream.write_all(b"PING\r\n*1\r\n%\r\n").unwrap();
    expect(&mut stream, "+PONG\r\n-ERR Protocol error: expected '$', got '%'\r\n");
    expect_no_more(stream);
}

/// Also to a client that has said all it has to say.
#[test]
fn replies_take_their_time() {
    let server = behaving("service:const:20ms,delay:10ms");
    let mut stream = connect(&server);
    let begun = std::time::Instant::now();
    stream.write_all(b"PING\r\nPING\r\n").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    expect(&mut stream, "+PONG\r\n");
    assert!(begun.elapsed() >= Duration::from_millis(30));
    expect(&mut stream, "+PONG\r\n");
    assert!(begun.elapsed() >= Duration::from_millis(50));
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn housekeeping_waits_for_nobody_and_never_fails() {
    let server = behaving("service:const:1m,error:ERR:1");
    let mut waiting = connect(&server);
    waiting.write_all(b"PING\r\n").unwrap();
    let mut stream = connect(&server);
    stream.write_all(b"HELLO 2\r\nCONFIG GET save\r\nDBSIZE\r\nSCAN 0\r\nCLIENT SETNAME x\r\nNOSUCH\r\n").unwrap();
    let mut reply = vec![0; 4096];
    let mut length = 0;
    while !reply[..length].ends_with(b"with args beginning with: \r\n") {
        length += stream.read(&mut reply[length..]).unwrap();
    }
    assert!(!String::from_utf8_lossy(&reply).contains("told to fail"));
    let server = behaving("drop:1");
    let mut stream = connect(&server);
    stream.write_all(b"SELECT 1\r\n").unwrap();
    expect(&mut stream, "+OK\r\n");
}

#[test]
fn a_request_that_fails_is_not_executed() {
    let server = behaving("error:READONLY:1");
    let mut stream = connect(&server);
    stream.write_all(b"SET k v\r\nMULTI\r\nDBSIZE\r\n").unwrap();
    let failed = "-READONLY rbench was told to fail\r\n";
    expect(&mut stream, &format!("{failed}{failed}:0\r\n"));
    stream.write_all(b"INFO commandstats\r\n").unwrap();
    let mut reply = String::new();
    stream.shutdown(Shutdown::Write).unwrap();
    stream.read_to_string(&mut reply).unwrap();
    assert!(reply.contains("cmdstat_set:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,"), "{reply}");
}

#[test]
fn a_request_that_is_dropped_ends_the_connection_after_the_replies_before_it() {
    // Drawn with the seed: the third request is the first that is dropped.
    let server = behaving("drop:0.3,delay:10ms,seed:2");
    let mut stream = connect(&server);
    stream.write_all(b"INCR n\r\nINCR n\r\nINCR n\r\nINCR n\r\n").unwrap();
    let mut replies = String::new();
    stream.read_to_string(&mut replies).unwrap();
    assert_eq!(replies, ":1\r\n:2\r\n");
}

/// A client that asks faster than it is answered is not read from for ever.
#[test]
fn a_server_holds_back_only_so_much() {
    let server = behaving("delay:300ms");
    let mut stream = connect(&server);
    let mut writer = stream.try_clone().unwrap();
    const REQUESTS: usize = 600_000;
    let writing = std::thread::spawn(move || {
        let batch = "PING\r\n".repeat(1000);
        (0..REQUESTS / 1000).for_each(|_| writer.write_all(batch.as_bytes()).unwrap());
        writer.shutdown(Shutdown::Write).unwrap();
    });
    let mut replies = Vec::new();
    stream.read_to_end(&mut replies).unwrap();
    assert_eq!(replies.len(), REQUESTS * "+PONG\r\n".len());
    writing.join().unwrap();
}
