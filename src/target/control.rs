//! Control connections: what rbench says to a server beside the load. The `redis` crate speaks; the socket under it is
//! ours, made just as those of the load are.

use super::access::{Access, TlsAccess};
use super::bounded::Bounded;
use super::directory::Node;
use super::question::Answer;
use super::reply::{one_line, refusal};
use super::resolve::Endpoint;
use super::server::Credentials;
use super::sockets::SocketOptions;
use super::tls;
use redis::aio::{MultiplexedConnection, PubSub};
use redis::{AsyncConnectionConfig, Cmd, Pipeline, RedisConnectionInfo, RedisError, Value};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, UnixStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

/// Why a control connection came to nothing.
#[derive(Debug, Error)]
pub enum ControlError {
    /// Nobody there.
    #[error("{0}")]
    Unreachable(String),
    #[error("no connection in time")]
    ConnectTimeout,
    /// The connection stands, and no answer comes.
    #[error("no answer in time")]
    Mute,
    #[error("{0}")]
    Tls(String),
    #[error("{0}")]
    Refused(String),
    #[error("{0}")]
    PasswordNeeded(String),
    #[error("database {number}: {reply}")]
    Database { number: u32, reply: String },
    #[error("it does not speak the Redis protocol: {0}")]
    NotRedis(String),
    /// The connection broke, or the server hung up.
    #[error("{0}")]
    Broken(String),
}

/// A control connection. Every wait on it ends at its deadline.
pub struct Control {
    pub connection: MultiplexedConnection,
    /// Both ends of the socket, as this machine sees them. None for a socket in the file system.
    pub ends: Option<Ends>,
    pub deadline: Instant,
    driver: JoinHandle<()>,
}

/// The addresses of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    pub local: SocketAddr,
    pub peer: SocketAddr,
}

/// A stream of either kind, encrypted or not.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// More than any answer to rbench's questions; a server that never ends its answer must not fill memory.
const BYTES_MAX: u64 = 16 << 20;

impl Control {
    /// Connects to `endpoint`, which goes by the name `host`, before `deadline`.
    pub async fn open(
        access: &Access,
        host: Option<&str>,
        endpoint: &Endpoint,
        deadline: Instant,
    ) -> Result<Control, ControlError> {
        let tls = access.tls_to(host, endpoint).map_err(|error| ControlError::Tls(error.to_string()))?;
        let (wire, ends) = connect(endpoint, &access.server.sockets, tls, deadline).await?;
        let patience = deadline.saturating_duration_since(Instant::now());
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(patience));
        let settings = silent();
        let opened = MultiplexedConnection::new_with_config(&settings, Bounded::new(wire, BYTES_MAX), config);
        let (connection, driver) = before(deadline, opened).await?;
        let driver = tokio::spawn(driver);
        Ok(Control { connection, ends, deadline, driver })
    }

    /// Connects to `node`, logs in, and chooses the database of the run, all within `patience`.
    pub async fn enter(access: &Access, node: &Node, patience: Duration) -> Result<Control, ControlError> {
        let deadline = Instant::now() + patience;
        let mut control = Control::open(access, node.host.as_deref(), &node.endpoints[0], deadline).await?;
        control.log_in(access.server.credentials.as_ref()).await?;
        let number = access.server.database;
        if number != 0 {
            let replies = control.ask(redis::pipe().cmd("SELECT").arg(number)).await?;
            if let Some(reply) = replies.first().and_then(refusal) {
                return Err(ControlError::Database { number, reply });
            }
        }
        Ok(control)
    }

    /// Asks all that is in `questions` in one round trip. Error replies are among the answers.
    pub async fn ask(&mut self, questions: &mut Pipeline) -> Result<Vec<Value>, ControlError> {
        before(self.deadline, questions.ignore_errors().query_async(&mut self.connection)).await
    }

    /// The same, in types of ours.
    pub async fn answers(&mut self, questions: &[&[&str]]) -> Result<Vec<Answer>, ControlError> {
        let mut pipe = redis::pipe();
        for question in questions {
            let (name, arguments) = question.split_first().expect("a question has a name");
            arguments.iter().fold(pipe.cmd(name), |pipe, argument| pipe.arg(*argument));
        }
        Ok(self.ask(&mut pipe).await?.iter().map(Answer::of).collect())
    }

    /// Hangs up, and returns when the socket is closed: whoever connects next may need its place.
    pub async fn close(self, patience: Duration) {
        drop(self.connection);
        // Late or never, there is nothing more to be done about it.
        let _ = timeout(patience, self.driver).await;
    }

    /// The median of how long `count` PINGs took, one after the other, all within `patience`.
    pub async fn round_trip(&mut self, count: usize, patience: Duration) -> Result<Duration, ControlError> {
        self.deadline = Instant::now() + patience;
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            let sent = Instant::now();
            self.ask(redis::pipe().cmd("PING")).await?;
            times.push(sent.elapsed());
        }
        times.sort_unstable();
        Ok(times[count / 2])
    }

    /// Logs in with `credentials`, when there are some.
    pub async fn log_in(&mut self, credentials: Option<&Credentials>) -> Result<(), ControlError> {
        let Some(credentials) = credentials else { return Ok(()) };
        let mut questions = redis::pipe();
        questions.add_command(auth(credentials));
        match self.ask(&mut questions).await?.first().and_then(refusal) {
            Some(reply) => Err(ControlError::Refused(reply)),
            None => Ok(()),
        }
    }
}

/// A connection that listens to the channels of `endpoint`.
pub async fn listen(
    access: &Access,
    host: Option<&str>,
    endpoint: &Endpoint,
    credentials: Option<&Credentials>,
    deadline: Instant,
) -> Result<PubSub, ControlError> {
    let tls = access.tls_to(host, endpoint).map_err(|error| ControlError::Tls(error.to_string()))?;
    let (wire, _) = connect(endpoint, &access.server.sockets, tls, deadline).await?;
    let mut settings = silent();
    if let Some(credentials) = credentials {
        settings = settings.set_password(credentials.password.expose());
        if let Some(user) = &credentials.user {
            settings = settings.set_username(user);
        }
    }
    before(deadline, PubSub::new(&settings, wire)).await
}

/// The library would log in by itself, but does not pass on in which words it was refused; and it would introduce
/// itself by name, which not every server and proxy takes.
fn silent() -> RedisConnectionInfo {
    RedisConnectionInfo::default().set_skip_set_lib_name()
}

pub fn auth(credentials: &Credentials) -> Cmd {
    let mut command = redis::cmd("AUTH");
    if let Some(user) = &credentials.user {
        command.arg(user);
    }
    command.arg(credentials.password.expose());
    command
}

/// Waits for `what`, but not beyond `deadline`.
async fn before<T>(deadline: Instant, what: impl Future<Output = Result<T, RedisError>>) -> Result<T, ControlError> {
    match timeout_at(deadline, what).await {
        Err(_) => Err(ControlError::Mute),
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) if error.is_timeout() => Err(ControlError::Mute),
        Ok(Err(error)) if error.kind() == redis::ErrorKind::Parse => {
            Err(ControlError::NotRedis(one_line(&error.to_string())))
        }
        Ok(Err(error)) => Err(ControlError::Broken(one_line(&error.to_string()))),
    }
}

type Connected = (Pin<Box<dyn Wire>>, Option<Ends>);

async fn connect(
    endpoint: &Endpoint,
    options: &SocketOptions,
    tls: Option<TlsAccess>,
    deadline: Instant,
) -> Result<Connected, ControlError> {
    let unreachable = |error: io::Error| {
        let bind = options.bind.filter(|_| error.kind() == io::ErrorKind::AddrNotAvailable);
        let from = bind.map_or(String::new(), |bind| format!(" (--bind {bind} is no address of this machine?)"));
        ControlError::Unreachable(format!("{}{from}", in_words(&error)))
    };
    let address = match endpoint {
        Endpoint::Unix(path) => {
            let stream = timeout_at(deadline, UnixStream::connect(path)).await;
            let stream = stream.map_err(|_| ControlError::ConnectTimeout)?.map_err(unreachable)?;
            return Ok((Box::pin(stream), None));
        }
        Endpoint::Tcp(address) => address,
    };
    let socket = TcpSocket::from_std_stream(options.socket(address).map_err(unreachable)?.into());
    let stream = timeout_at(deadline, socket.connect(*address)).await;
    let stream = stream.map_err(|_| ControlError::ConnectTimeout)?.map_err(unreachable)?;
    let ends = || Some(Ends { local: stream.local_addr().ok()?, peer: stream.peer_addr().ok()? });
    let ends = ends();
    let Some(TlsAccess { config, name }) = tls else { return Ok((Box::pin(stream), ends)) };
    match timeout_at(deadline, TlsConnector::from(config).connect(name, stream)).await {
        Err(_) => Err(ControlError::Tls(tls::MUTE.to_owned())),
        Ok(Err(error)) => Err(ControlError::Tls(tls::handshake_in_words(&error))),
        Ok(Ok(stream)) => Ok((Box::pin(stream), ends)),
    }
}

/// What the system says of an error, without its number.
pub fn in_words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
