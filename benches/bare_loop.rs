//! The floor: what write, wait and read cost when nothing else is done. Nothing is parsed beyond counting bytes, and
//! nothing is recorded.
//!
//! It sends what `rbench -t set -d 30` sends, so the two are to be compared; `scripts/compare-with-redis-benchmark`
//! does so:
//!
//! ```text
//! cargo bench --bench bare_loop -- HOST:PORT CLIENTS REQUESTS PIPELINE
//! ```

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use rbench::units::Seed;
use rbench::workload::suite::{self, Spelling};
use rbench::workload::{Batch, Fillings, Test, ValueData, ValueSize, Values};
use rustix::time::{ClockId, clock_gettime};
use std::io::{self, Read, Write};
use std::time::Instant;

const USAGE: &str = "arguments: HOST:PORT CLIENTS REQUESTS PIPELINE";

/// The server's answer to every SET.
const REPLY_BYTES: usize = b"+OK\r\n".len();

fn main() {
    // Cargo adds `--bench` of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [address, clients, requests, pipeline] = &arguments[..] else {
        // `cargo bench` runs every benchmark without arguments. This one has no server of its own to talk to.
        println!("bare_loop: nothing to do; {USAGE}");
        return;
    };
    let number = |text: &str| text.parse::<usize>().ok().filter(|&number| number > 0).expect(USAGE);
    let (clients, requests, pipeline) = (number(clients), number(requests), number(pipeline));
    let streams = (0..clients).map(|_| connect(address)).collect::<io::Result<_>>().expect("cannot connect");
    let (begun, connecting) = (Instant::now(), cpu_ns());
    run(streams, requests, pipeline).expect("the loop broke");
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{requests} requests, {seconds:.3} seconds, {:.1} ns of processor time each",
        (cpu_ns() - connecting) / requests as f64
    );
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let stream = std::net::TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(TcpStream::from_std(stream))
}

fn run(mut streams: Vec<TcpStream>, requests: usize, pipeline: usize) -> io::Result<()> {
    let set = suite::named("set").expect("the suite has SET");
    let values = Values::new(&ValueSize::of(30), &ValueData::default(), Seed(0));
    let test = Test::of_suite(set, 30, &Spelling::default());
    let mut batch = Batch::new(&test, pipeline, Fillings::of(None, values), Seed(0));
    let mut buffer = vec![0; 1 << 16];
    let mut missing = vec![0; streams.len()];
    let (mut unsent, mut unanswered) = (requests, requests * REPLY_BYTES);

    let mut send = |stream: &mut TcpStream, missing: &mut usize| -> io::Result<()> {
        let count = pipeline.min(unsent);
        if count > 0 {
            unsent -= count;
            *missing = count * REPLY_BYTES;
            // An empty socket buffer takes a batch whole, unless it is far deeper than those compared here.
            let bytes = batch.fill(0, count);
            assert_eq!(stream.write(bytes)?, bytes.len(), "the pipeline is too deep for a loop as bare as this");
        }
        Ok(())
    };

    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    for (index, stream) in streams.iter_mut().enumerate() {
        poll.registry().register(stream, Token(index), Interest::READABLE)?;
        send(stream, &mut missing[index])?;
    }
    while unanswered > 0 {
        poll.poll(&mut events, None)?;
        for event in &events {
            let index = event.token().0;
            let read = match streams[index].read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => read,
                // Told of bytes that an earlier read took along.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            };
            unanswered -= read;
            missing[index] -= read;
            if missing[index] == 0 {
                send(&mut streams[index], &mut missing[index])?;
            }
        }
    }
    Ok(())
}

/// The processor time of this process, in nanoseconds.
fn cpu_ns() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
