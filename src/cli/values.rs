//! Grammars of values that flags share.

use crate::report::{FORMATS, Format};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// A whole number in `min..=max`.
pub fn whole(text: &str, min: u64, max: u64) -> Result<u64, String> {
    let range = || format!("expected a whole number from {min} to {max}");
    match text.parse::<u64>() {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        _ => Err(range()),
    }
}

/// A percentage as a share: `5%` is 0.05.
pub fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').and_then(|percent| percent.trim().parse::<f64>().ok());
    let share = number.map(|percent| percent / 100.0).filter(|share| *share > 0.0 && *share < 1.0);
    share.ok_or_else(|| "expected a percentage above 0% and below 100%, such as 5%".to_owned())
}

/// A time: `5`, `0.5`, `5s`, `500ms`, `2m`. Without a unit it is in seconds.
pub fn time(text: &str) -> Result<Duration, String> {
    let split = text.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds = match unit {
        "" | "s" => 1.0,
        "ms" => 1e-3,
        "us" => 1e-6,
        "m" => 60.0,
        "h" => 3600.0,
        _ => f64::NAN,
    } * number.parse().unwrap_or(f64::NAN);
    // The upper bound keeps sums of times within 64 bits of nanoseconds.
    let time = if seconds <= 86_400.0 * 365.0 { Duration::try_from_secs_f64(seconds).ok() } else { None };
    // Less than half a nanosecond is rounded to none.
    time.filter(|time| !time.is_zero())
        .ok_or_else(|| "expected a time above zero, such as 5, 0.5, 500ms or 2m".to_owned())
}

/// Keep-alive probes of TCP, `SECONDS[,INTERVAL[,COUNT]]`: after how much silence the first is sent, how far apart the
/// next ones are, and how many without an answer end the connection. What is left out is for the system to say.
pub fn keepalive(text: &str) -> Result<(Duration, Option<Duration>, Option<u32>), String> {
    // Linux takes no more: MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL and MAX_TCP_KEEPCNT.
    const SECONDS_MAX: u64 = 32_767;
    const COUNT_MAX: u64 = 127;
    let refused = || {
        format!(
            "expected SECONDS[,INTERVAL[,COUNT]], such as 60 or 60,10,3: two times in whole seconds from 1 to \
             {SECONDS_MAX}, and a number of probes from 1 to {COUNT_MAX}"
        )
    };
    let mut fields = text.split(',');
    let mut next = |max| fields.next().map(|field| whole(field, 1, max).map_err(|_| refused())).transpose();
    let (idle, interval, count) = (next(SECONDS_MAX)?, next(SECONDS_MAX)?, next(COUNT_MAX)?);
    if fields.next().is_some() {
        return Err(refused());
    }
    let count = count.map(|count| u32::try_from(count).expect("it is at most COUNT_MAX"));
    Ok((Duration::from_secs(idle.ok_or_else(refused)?), interval.map(Duration::from_secs), count))
}

/// So many a second: `1000`, `0.5`, `1k`, `2.5M`, each with or without `/s`.
pub fn rate(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    // `m` alone would be a thousandth to some and a minute to others.
    let (number, factor) = match number.strip_suffix(['k', 'K']) {
        Some(number) => (number, 1e3),
        None => number.strip_suffix('M').map_or((number, 1.0), |number| (number, 1e6)),
    };
    let plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let rate = if plain { number.parse().unwrap_or(f64::NAN) * factor } else { f64::NAN };
    // One in eleven days to one in a nanosecond: the time between two then fits into a Duration and is above zero.
    if (1e-6..=1e9).contains(&rate) {
        Ok(rate)
    } else {
        Err("expected a rate above zero, such as 1000, 0.5, 1k or 1000/s".to_owned())
    }
}

/// A name and the addresses to take for it, `NAME=ADDRESS[,ADDRESS...]`. Brackets around IPv6 may be left out, because no
/// port follows.
pub fn addresses(text: &str) -> Result<(String, Vec<IpAddr>), String> {
    let (name, list) = text.split_once('=').ok_or("expected NAME=ADDRESS[,ADDRESS...], such as redis=10.0.0.1")?;
    if !names_a_host(name) {
        return Err(format!("'{name}' is no host name; expected NAME=ADDRESS[,ADDRESS...]"));
    }
    let address = |text: &str| {
        let found = match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(inner) => inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            None => text.parse().ok(),
        };
        found
            .ok_or_else(|| format!("'{text}' is no address; expected numbers, such as 10.0.0.1 or ::1, without a port"))
    };
    Ok((name.to_owned(), list.split(',').map(address).collect::<Result<_, _>>()?))
}

/// Hosts with their ports, `HOST[:PORT][,HOST[:PORT]...]`, IPv6 in brackets. `default_port` is that of a host without.
pub fn host_ports(text: &str, default_port: u16) -> Result<Vec<(String, u16)>, String> {
    // Who writes a whole URI here may have put a password into it, so nothing of it is repeated.
    if text.contains('@') {
        return Err("expected HOST:PORT[,HOST:PORT...] without a login; there are other flags for that".to_owned());
    }
    text.split(',').map(|item| host_port(item, default_port)).collect()
}

fn host_port(text: &str, default_port: u16) -> Result<(String, u16), String> {
    let refused = |why: &str| format!("'{text}': {why}; expected HOST:PORT, an IPv6 HOST in brackets");
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or_else(|| refused("a bracket is not closed"))?;
            // The zone of `fe80::1%eth0` is this machine's affair.
            let number = host.split_once('%').filter(|(_, zone)| names_a_host(zone)).map_or(host, |(number, _)| number);
            if number.parse::<Ipv6Addr>().is_err() {
                return Err(refused("no IPv6 address in the brackets"));
            }
            let port = if rest.is_empty() { None } else { Some(rest.strip_prefix(':').unwrap_or_default()) };
            (host, port)
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    if !host.contains(':') && !names_a_host(host) {
        return Err(refused("no host"));
    }
    let port = match port {
        Some(port) => {
            whole(port, 1, u16::MAX.into()).map_err(|_| refused("the port must be a number from 1 to 65535"))?
        }
        None => default_port.into(),
    };
    Ok((host.to_owned(), u16::try_from(port).expect("it is at most 65535")))
}

/// Whether text could name a host, by the letters in it.
fn names_a_host(text: &str) -> bool {
    let odd = |letter: char| letter.is_whitespace() || letter.is_control() || ",:;=/?#@[]\\".contains(letter);
    !text.is_empty() && !text.contains(odd)
}

/// A time that may be none at all.
pub fn time_or_none(text: &str) -> Result<Duration, String> {
    if text == "0" { Ok(Duration::ZERO) } else { time(text) }
}

/// The name of a report.
pub fn format(text: &str) -> Result<&'static Format, String> {
    let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
    Format::named(text).ok_or_else(|| format!("known formats: {}", names.join(", ")))
}

/// What `--help` says of formats.
pub fn formats_help() -> String {
    let about: Vec<String> = FORMATS.iter().map(|format| format!("{}: {}", format.name, format.about)).collect();
    format!("How to print results [default: {}]\n{}", FORMATS[0].name, about.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;

    #[test]
    fn whole_numbers_are_whole_and_in_range() {
        assert_eq!(whole("100", 1, 100), Ok(100));
        for junk in ["0", "101", "-1", "1e3", "10k", "", " 5", "99999999999999999999"] {
            assert!(whole(junk, 1, 100).is_err(), "{junk:?}");
        }
    }

    #[test]
    fn times_have_units() {
        for (text, millis) in [("5", 5000), ("0.5", 500), ("500ms", 500), ("2m", 120_000), ("1h", 3_600_000)] {
            assert_eq!(time(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for junk in ["0", "-1", "abc", "5x", "", "nan", "inf", "1e300", "0.0000000001", "0.0001us", "8761h"] {
            assert!(time(junk).is_err(), "{junk:?}");
        }
    }

    #[test]
    fn keepalive_has_a_time_and_perhaps_an_interval_and_a_count() {
        let seconds = Duration::from_secs;
        for (text, expected) in [
            ("60", (seconds(60), None, None)),
            ("60,10", (seconds(60), Some(seconds(10)), None)),
            ("32767,1,127", (seconds(32_767), Some(seconds(1)), Some(127))),
        ] {
            assert_eq!(keepalive(text), Ok(expected), "{text}");
        }
        for junk in
            ["", "0", "60,", "60,,3", "60,0", "60,10,0", "60,10,128", "60,10,3,1", "32768", "0.5", "60s", "60, 10"]
        {
            let error = keepalive(junk).unwrap_err();
            assert!(error.contains("SECONDS[,INTERVAL[,COUNT]]"), "{junk:?}: {error}");
        }
    }

    #[test]
    fn rates_are_by_the_second() {
        for (text, expected) in [
            ("1000", 1e3),
            ("1000/s", 1e3),
            ("1k", 1e3),
            ("1.5K/s", 1.5e3),
            ("2M", 2e6),
            ("0.5", 0.5),
            (".5/s", 0.5),
            ("0.000001", 1e-6),
        ] {
            assert_eq!(rate(text), Ok(expected), "{text}");
        }
        for junk in [
            "",
            "0",
            "-1",
            "+1",
            "k",
            "/s",
            ".",
            "1/m",
            "1m",
            "1kk",
            "1e3",
            "1 k",
            "nan",
            "inf",
            "infinity",
            "0.0000001",
            "1001M",
        ] {
            assert!(rate(junk).is_err(), "{junk:?}");
        }
    }

    #[test]
    fn a_name_may_have_several_addresses() {
        let expect = |list: &[&str]| list.iter().map(|text| text.parse::<IpAddr>().unwrap()).collect::<Vec<_>>();
        for (text, name, list) in [
            ("redis=10.0.0.1", "redis", &["10.0.0.1"][..]),
            ("redis.test=10.0.0.1,::1,[::2]", "redis.test", &["10.0.0.1", "::1", "::2"]),
        ] {
            assert_eq!(addresses(text), Ok((name.to_owned(), expect(list))), "{text}");
        }
        for (junk, what) in [
            ("", "NAME=ADDRESS"),
            ("redis", "NAME=ADDRESS"),
            ("=10.0.0.1", "'' is no host name"),
            ("redis:6379=10.0.0.1", "'redis:6379' is no host name"),
            ("redis=", "'' is no address"),
            ("redis=10.0.0.1,", "'' is no address"),
            ("redis=10.0.0.1:6379", "'10.0.0.1:6379' is no address"),
            ("redis=10.0.0.1, 10.0.0.2", "' 10.0.0.2' is no address"),
            ("redis=[10.0.0.1]", "'[10.0.0.1]' is no address"),
            ("redis=other", "'other' is no address"),
        ] {
            let error = addresses(junk).unwrap_err();
            assert!(error.contains(what), "{junk:?}: {error}");
        }
    }

    #[test]
    fn hosts_have_ports_or_that_of_all() {
        for (text, expected) in [
            ("h", &[("h", 26379)][..]),
            ("h:1", &[("h", 1)]),
            ("a:1,b,10.0.0.1:65535", &[("a", 1), ("b", 26379), ("10.0.0.1", 65_535)]),
            ("[::1]:1,[::1],[fe80::1%eth0]:2", &[("::1", 1), ("::1", 26379), ("fe80::1%eth0", 2)]),
        ] {
            let expected: Vec<_> = expected.iter().map(|(host, port)| ((*host).to_owned(), *port)).collect();
            assert_eq!(host_ports(text, 26379), Ok(expected), "{text}");
        }
        for (junk, what) in [
            ("", "'': no host"),
            ("a,,b", "'': no host"),
            (":1", "':1': no host"),
            ("a b", "'a b': no host"),
            ("redis://h", "'redis://h': the port"),
            ("redis://:p,w@h", "without a login"),
            ("a:", "'a:': the port"),
            ("a:0", "'a:0': the port"),
            ("a:65536", "'a:65536': the port"),
            ("::1", "'::1': no host"),
            ("fe80::1", "in brackets"),
            ("[::1", "a bracket is not closed"),
            ("[h]:1", "no IPv6 address in the brackets"),
            ("[::1%]", "no IPv6 address in the brackets"),
            ("[::1]1", "'[::1]1': the port"),
        ] {
            let error = host_ports(junk, 26379).unwrap_err();
            assert!(error.contains(what), "{junk:?}: {error}");
        }
    }

    /// Texts of the letters that the grammars know, and any others.
    fn anything() -> impl Strategy<Value = String> {
        let pieces = [
            "0",
            "1",
            "9",
            "65536",
            "99999999999999999999",
            ".",
            "-",
            "+",
            "e",
            "E",
            "s",
            "ms",
            "us",
            "m",
            "h",
            "k",
            "M",
            "/s",
            ",",
            ":",
            "=",
            "[",
            "]",
            "::1",
            "%",
            "a",
            "nan",
            "inf",
            " ",
            "ü",
            "\0",
        ];
        prop_oneof![
            any::<String>(),
            proptest::collection::vec(select(pieces.to_vec()), 0..8).prop_map(|pieces| pieces.concat()),
        ]
    }

    proptest! {
        #[test]
        fn whatever_the_text_a_value_keeps_its_promise(text in anything()) {
            if let Ok(number) = whole(&text, 3, 70_000) {
                prop_assert!((3..=70_000).contains(&number));
            }
            if let Ok(time) = time(&text) {
                prop_assert!(!time.is_zero() && time <= Duration::from_secs(86_400 * 365));
            }
            if let Ok(rate) = rate(&text) {
                prop_assert!(!Duration::from_secs_f64(1.0 / rate).is_zero());
            }
            if let Ok((idle, interval, count)) = keepalive(&text) {
                prop_assert!(!idle.is_zero() && interval.is_none_or(|interval| !interval.is_zero()) && count != Some(0));
            }
            if let Ok((name, list)) = addresses(&text) {
                prop_assert!(!name.is_empty() && !list.is_empty());
            }
            if let Ok(list) = host_ports(&text, 1) {
                prop_assert_eq!(list.len(), text.split(',').count());
                prop_assert!(list.iter().all(|(host, port)| !host.is_empty() && *port > 0));
            }
        }

        #[test]
        fn a_whole_number_is_read_as_it_was_written(number: u64) {
            prop_assert_eq!(whole(&number.to_string(), 0, u64::MAX), Ok(number));
        }

        #[test]
        fn a_time_is_read_as_it_was_written(count in 1u64..1_000_000, unit in select(vec![("us", 1), ("ms", 1_000), ("s", 1_000_000), ("", 1_000_000)])) {
            let (unit, micros) = unit;
            prop_assert_eq!(time(&format!("{count}{unit}")), Ok(Duration::from_micros(count * micros)));
        }

        #[test]
        fn hosts_and_ports_are_read_as_they_were_written(
            list in proptest::collection::vec((prop_oneof!["[a-z0-9.-]{1,9}", any::<Ipv6Addr>().prop_map(|address| address.to_string())], 1u16..), 1..5)
        ) {
            let write = |(host, port): &(String, u16)| match host.contains(':') {
                true => format!("[{host}]:{port}"),
                false => format!("{host}:{port}"),
            };
            let text = list.iter().map(write).collect::<Vec<_>>().join(",");
            prop_assert_eq!(host_ports(&text, 26379), Ok(list));
        }

        #[test]
        fn addresses_are_read_as_they_were_written(name in "[a-z0-9.-]{1,9}", list in proptest::collection::vec(any::<IpAddr>(), 1..5)) {
            let text = list.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(",");
            prop_assert_eq!(addresses(&format!("{name}={text}")), Ok((name, list)));
        }
    }
}
