//! Profiles, those that come with the program and those of one's own.

mod support;

use support::{Measured, RedisServer, Scratch, measure, measure_on, rbench};

/// The names that the program lists.
fn names() -> Vec<String> {
    let list = rbench(&["--profile", "list"]).succeeded().stdout;
    let name = |line: &str| line.split_once("  ").expect("a name, and what it is").0.trim().to_owned();
    list.lines().map(name).collect()
}

#[track_caller]
fn embedded(line: &str) -> Measured {
    measure(&format!("--embedded {line}").split_whitespace().map(str::to_owned).collect::<Vec<_>>()).ended(0)
}

/// A run of a profile on the embedded server, with other flags behind it.
#[track_caller]
fn run(profile: &str, flags: &str) -> Measured {
    let measured = embedded(&format!("--profile {profile} {flags}"));
    assert_eq!(measured.document["config"]["profile"], profile);
    measured
}

fn texts(value: &serde_json::Value, name: &str) -> Vec<String> {
    let text = |value: &serde_json::Value| value[name].as_str().expect("a text").to_owned();
    value.as_array().expect("a list").iter().map(text).collect()
}

#[test]
fn every_profile_is_listed_and_runs() {
    let names = names();
    for name in [
        "blog-benchmark",
        "session-store",
        "cache-aside",
        "counter",
        "queue",
        "leaderboard",
        "ycsb-a",
        "ycsb-b",
        "ycsb-c",
        "ycsb-d",
        "ycsb-e",
        "ycsb-f",
        "write-heavy-mset",
        "large-values",
        "connection-storm",
        "idle-keepalive",
    ] {
        assert!(names.iter().any(|known| known == name), "{name} is not listed");
    }
    for name in &names {
        // As it is but for how much there is of it.
        let measured = run(name, "-n 60 -r 500");
        assert_eq!(measured.ran.stderr, "", "{name}");
        for result in measured.document["results"].as_array().expect("results") {
            assert_eq!(result["completed"], 60, "{name}: {result:#}");
            assert_eq!(result["errors"]["by_kind"], serde_json::json!({}), "{name}");
            assert_eq!(result["errors"]["by_reply_code"], serde_json::json!({}), "{name}");
        }
    }
}

/// The flags that the names stand for.
#[test]
fn a_profile_does_what_its_name_says() {
    let config = |name: &str| run(name, "-n 1 -r 100 --seed 1").document["config"].clone();
    let blog = config("blog-benchmark");
    assert_eq!((&blog["clients"], &blog["data_bytes"]), (&100.into(), &30.into()));
    assert_eq!(texts(&blog["tests"], "title"), ["SET", "GET", "MSET (10 keys)"]);
    assert_eq!(config("connection-storm")["keep_alive"], false);
    assert_eq!(config("idle-keepalive")["arrivals"]["shape"], serde_json::json!({ "fixed": 100.0 }));
    let [a, b, c] = ["ycsb-a", "ycsb-b", "ycsb-c"].map(config);
    assert_eq!(texts(&a["tests"], "title"), ["MIX get:50,set:50"]);
    assert_eq!(texts(&b["tests"], "title"), ["MIX get:95,set:5"]);
    assert_eq!(texts(&c["tests"], "title"), ["GET"]);
    assert_eq!(config("cache-aside")["key_distribution"], "zipf:0.99");
}

#[test]
fn flags_go_before_a_profile() {
    let config = |flags: &str| run("ycsb-a", &format!("-n 1 -r 100 --seed 1 {flags}")).document["config"].clone();
    let plain = config("");
    assert_eq!((&plain["value_size"], &plain["clients"]), (&"1000".into(), &50.into()));
    assert_eq!(config("-d 7")["value_size"], "7", "-d does not go with --value-size");
    assert_eq!(config("-c 3")["clients"], 3);
    assert_eq!(config("--keys sequential")["key_distribution"], "sequential");
    assert_eq!(texts(&config("-t incr")["tests"], "title"), ["INCR"], "-t does not go with --mix");
    assert_eq!(texts(&config("--mix get:1,incr:1")["tests"], "title"), ["MIX get:1,incr:1"]);
    assert_eq!(texts(&config("--command PING")["tests"], "title"), ["PING"]);
    assert_eq!(texts(&config("echo x")["tests"], "title"), ["echo x"]);
    // Before it and behind it.
    assert_eq!(embedded("-c 3 --profile ycsb-a -n 1 -r 100").document["config"]["clients"], 3);
    let timed = run("ycsb-a", "-r 100 --duration 50ms").document["config"].clone();
    assert_eq!(timed["stop"], serde_json::json!({ "after_duration_ns": 50_000_000 }), "it does not go with requests");
    assert_eq!(
        texts(&run("leaderboard", "-n 1 -r 10 -t ping_mbulk").document["config"]["tests"], "title"),
        ["PING_MBULK"]
    );
}

#[test]
fn a_file_is_a_profile() {
    let (server, scratch) = (RedisServer::start(), Scratch::new());
    let path = scratch.path("mine.toml");
    let text = "about = 'mine'\nclients = 3\nrequests = 300\nkey-space = 50\nverify = true\nspin = false\n\
                prefill = true\n\
                [[command]]\nrun = 'GET mine:__key__'\n\
                [[command]]\nrun = \"SET mine:__key__ __data__\"\nweight = 2\n";
    std::fs::write(&path, text.replace("prefill = true", "prefill = 1")).unwrap();
    let name = path.to_str().unwrap();
    let measured = measure_on(&server, &format!("--profile {name}")).ended(0);
    assert_eq!(measured.document["config"]["profile"], name);
    assert_eq!(measured.result()["completed"], 300);
    let weights: Vec<_> = measured.result()["commands"].as_array().unwrap().iter().map(|one| &one["weight"]).collect();
    assert_eq!(weights, [1, 2]);
    assert_eq!(server.calls_of("get") + server.calls_of("set"), 350, "and fifty keys that were filled");

    for (text, told) in [
        ("client = 3", "'client' is no flag"),
        ("host = 'elsewhere'", "'host' is no flag"),
        ("profile = 'ycsb-a'", "'profile' is no flag"),
        ("clients = 'many'", "--clients"),
        ("clients = 3\nclients = 4", "line 2"),
        ("clients = [[1]]", "'clients' must be"),
        ("spin = 2", "'spin' must be true or false"),
        ("[[command]]\nrun = 'SET'\nweigh = 2", "weigh"),
    ] {
        std::fs::write(&path, text).unwrap();
        rbench(&["--embedded", "--profile", name]).failed(2, &[name, told]);
    }
    rbench(&["--profile", "nosuch"]).failed(2, &["nosuch", "ycsb-a"]);
    rbench(&["--profile", "no/such.toml"]).failed(2, &["no/such.toml"]);
}
