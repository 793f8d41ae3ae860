//! The control connection: one round trip in which a server lets us in and says who it is.

use super::facts::ServerFacts;
use super::resolve::Endpoint;
use super::server::Server;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, RedisError, Value,
};
use std::io;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, timeout_at};

/// Why a control connection came to nothing.
#[derive(Debug)]
pub enum ControlError {
    Unreachable(String),
    ConnectTimeout,
    Mute,
    Refused(String),
    PasswordNeeded(String),
    Database(String),
    NotRedis(String),
}

/// Connects to `endpoint`, gets in with the credentials of `server`, and asks for its facts, all before `deadline`.
pub async fn introduce(endpoint: &Endpoint, server: &Server, deadline: Instant) -> Result<ServerFacts, ControlError> {
    reach(endpoint, deadline).await?;
    let asked = timeout_at(deadline, ask(endpoint, server, deadline));
    let replies = match asked.await {
        Err(_) => return Err(ControlError::Mute),
        Ok(Err(error)) if error.is_timeout() => return Err(ControlError::Mute),
        Ok(Err(error)) if error.kind() == redis::ErrorKind::Parse => {
            return Err(ControlError::NotRedis(one_line(&error.to_string())));
        }
        // Some proxies hang up on what they do not know, CONFIG among it. The load itself may still get through.
        Ok(Err(error)) => return Ok(ServerFacts { reason: Some(one_line(&error.to_string())), ..Default::default() }),
        Ok(Ok(replies)) => replies,
    };
    read(replies, server)
}

/// A bare connection first, because it tells apart what the client library calls one thing: nobody there, and nobody
/// who answers.
async fn reach(endpoint: &Endpoint, deadline: Instant) -> Result<(), ControlError> {
    let connected: Result<io::Result<()>, _> = match endpoint {
        Endpoint::Tcp(address) => timeout_at(deadline, TcpStream::connect(address)).await.map(|done| done.map(drop)),
        Endpoint::Unix(path) => timeout_at(deadline, UnixStream::connect(path)).await.map(|done| done.map(drop)),
    };
    match connected {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(ControlError::Unreachable(in_words(&error))),
        Err(_) => Err(ControlError::ConnectTimeout),
    }
}

/// What the system says of an error, without its number.
pub fn in_words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

/// The first line of what a server said, fit to be followed by words of ours.
fn one_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim_end_matches([' ', '.']).to_owned()
}

/// The replies to AUTH (when there are credentials), SELECT (when it is not database 0), and the questions.
async fn ask(endpoint: &Endpoint, server: &Server, deadline: Instant) -> Result<Vec<Value>, RedisError> {
    let address = match endpoint {
        Endpoint::Tcp(address) => ConnectionAddr::Tcp(address.ip().to_string(), address.port()),
        Endpoint::Unix(path) => ConnectionAddr::Unix(path.clone()),
    };
    let settings = RedisConnectionInfo::default().set_skip_set_lib_name();
    let client = Client::open(address.into_connection_info()?.set_redis_settings(settings))?;
    let patience = deadline.saturating_duration_since(Instant::now());
    let config =
        AsyncConnectionConfig::new().set_connection_timeout(Some(patience)).set_response_timeout(Some(patience));
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    let mut pipe = redis::pipe();
    // The library would authenticate by itself, but does not pass on in which words it was refused.
    if let Some(credentials) = &server.credentials {
        let auth = pipe.cmd("AUTH");
        if let Some(user) = &credentials.user {
            auth.arg(user);
        }
        auth.arg(credentials.password.expose());
    }
    if server.database != 0 {
        pipe.cmd("SELECT").arg(server.database);
    }
    pipe.cmd("CONFIG").arg("GET").arg("save");
    pipe.cmd("CONFIG").arg("GET").arg("appendonly");
    pipe.cmd("INFO");
    pipe.ignore_errors().query_async(&mut connection).await
}

fn read(replies: Vec<Value>, server: &Server) -> Result<ServerFacts, ControlError> {
    let mut replies = replies.into_iter();
    let mut next = || replies.next().unwrap_or(Value::Nil);
    if server.credentials.is_some()
        && let Some(reply) = refusal(&next())
    {
        return Err(ControlError::Refused(reply));
    }
    let selected = if server.database != 0 { refusal(&next()) } else { None };
    let (save, appendonly, info) = (next(), next(), next());
    if let Some(reply) = [&save, &appendonly, &info].into_iter().find_map(refusal)
        && reply.starts_with("NOAUTH")
    {
        return Err(ControlError::PasswordNeeded(reply));
    }
    if let Some(reply) = selected {
        return Err(ControlError::Database(reply));
    }
    let mut facts = text(&info).map(|text| ServerFacts::from_info(&text)).unwrap_or_default();
    facts.reason = [&save, &appendonly, &info].into_iter().find_map(refusal);
    facts.config_save = setting(&save);
    facts.config_appendonly = setting(&appendonly);
    Ok(facts)
}

/// The server's words when it refused.
fn refusal(reply: &Value) -> Option<String> {
    match reply {
        Value::ServerError(error) => {
            Some(one_line(&format!("{} {}", error.code(), error.details().unwrap_or_default())))
        }
        _ => None,
    }
}

/// The value of a reply to CONFIG GET with one name: a pair, or a map in RESP3.
fn setting(reply: &Value) -> Option<String> {
    match reply {
        Value::Array(pair) => text(pair.get(1)?),
        Value::Map(pairs) => text(&pairs.first()?.1),
        _ => None,
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text.clone()),
        _ => None,
    }
}
