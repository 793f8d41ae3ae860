//! When requests arrived: as the kernel received them. A thread that had no core when they came reads them late; the queue
//! that they wait in began without it.

use crate::units::Nanos;
use mio::net::TcpStream;
use std::io;

#[cfg(target_os = "linux")]
mod system {
    use super::{Nanos, TcpStream, io};
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
    use nix::sys::time::TimeSpec;
    use std::io::IoSliceMut;
    use std::os::fd::AsRawFd;
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    /// A clock that was set meanwhile is not believed.
    const AGE_MAX: Duration = Duration::from_secs(1);

    /// What `stream` receives has the time of its arrival: from now on where the kernel notes such times already, and a
    /// moment later where nobody had asked for any.
    pub fn note(stream: &TcpStream) -> io::Result<()> {
        Ok(setsockopt(stream, sockopt::ReceiveTimestampns, &true)?)
    }

    /// Reads once: how many bytes, and how long ago the last of them had arrived.
    pub fn read(stream: &mut TcpStream, input: &mut [u8]) -> io::Result<(usize, Nanos)> {
        let mut control = nix::cmsg_space!(TimeSpec);
        let mut slices = [IoSliceMut::new(input)];
        let received = recvmsg::<()>(stream.as_raw_fd(), &mut slices, Some(&mut control), MsgFlags::empty())?;
        let stamp = received.cmsgs()?.find_map(|message| match message {
            ControlMessageOwned::ScmTimestampns(at) => Some(Duration::from(at)),
            _ => None,
        });
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let age = stamp.map_or(Duration::ZERO, |stamp| now.saturating_sub(stamp));
        Ok((received.bytes, age.min(AGE_MAX).into()))
    }
}

/// Other systems do not tell: what is read arrives as it is read.
#[cfg(not(target_os = "linux"))]
mod system {
    use super::{Nanos, TcpStream, io};
    use std::io::Read;

    pub fn note(_: &TcpStream) -> io::Result<()> {
        Ok(())
    }

    pub fn read(stream: &mut TcpStream, input: &mut [u8]) -> io::Result<(usize, Nanos)> {
        Ok((stream.read(input)?, Nanos::ZERO))
    }
}

pub use system::{note, read};

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::TcpListener;
    use std::thread::sleep;
    use std::time::Duration;

    #[test]
    fn what_is_read_late_has_arrived_before() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        // It blocks, so that what was sent is waited for.
        let mut stream = TcpStream::from_std(listener.accept().unwrap().0);
        note(&stream).unwrap();
        let mut input = [0; 100];
        let mut age = |late: u64| {
            peer.write_all(b"PING\r\n").unwrap();
            sleep(Duration::from_millis(late));
            let (bytes, age) = read(&mut stream, &mut input).unwrap();
            assert_eq!(&input[..bytes], b"PING\r\n");
            age
        };
        // The kernel begins to note times in its own time, and a clock that is being set runs a little slower or faster.
        let noted = |millis: u64| Nanos(millis * 990_000);
        assert!((0..1000).any(|_| age(1) >= noted(1)), "times of arrival are noted");
        assert!(age(30) >= noted(30));
        assert!(age(10) >= noted(10));
        drop(peer);
        assert_eq!(read(&mut stream, &mut input).unwrap().0, 0, "the end is told, too");
    }
}
