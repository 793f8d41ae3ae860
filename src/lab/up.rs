//! How a lab comes up: everybody is started, and found to do what the others need of him, by asking, not by waiting.

use super::address::claim;
use super::process::spawn;
use super::programs::{Programs, Version};
use super::state::{self, State, make_private, refused, write_private};
use super::topology::{Network, PODS, Place, Ports, Topology};
use super::{Kind, Lab, LabError, Options, bury, config, registry};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// How often to begin anew when another program takes an address between our look and our listening.
const ATTEMPTS: usize = 5;

impl Lab {
    /// Starts a lab, and returns when a write has gone through each of its proxies, the sentinels know each other, and
    /// the proxies know who is the master. Everything ends with the value, or with the future when that is dropped.
    ///
    /// # Errors
    /// [`LabError`], when everything that was started has ended again.
    pub async fn up(options: &Options) -> Result<Lab, LabError> {
        options.check()?;
        let programs = Programs::find()?;
        let mut attempt = 1;
        loop {
            let mut lab = Lab::begin(options)?;
            match lab.come_up(&programs).await {
                Ok(()) => return Ok(lab),
                Err(LabError::AddressInUse { .. }) if attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// A lab with nobody in it yet.
    fn begin(options: &Options) -> Result<Lab, LabError> {
        let Options { proxies, down_after, min_replicas, .. } = *options;
        let wanted = Topology { network: Network(0), ports: Ports::shifted_by(0), proxies, down_after, min_replicas };
        let (topology, claim) = claim(wanted, registry::is_spoken_for)?;
        let home = registry::enter(topology.network, options.directory.as_deref())?;
        let lab = Lab {
            directory: home.directory,
            state: State::new(topology, home.made),
            password: options.password.clone(),
            children: BTreeMap::new(),
            ends_with_us: true,
            claim: Some(claim),
        };
        if let Some(password) = &lab.password {
            state::write_password(&lab.directory, password)?;
        }
        lab.state.write(&lab.directory)?;
        Ok(lab)
    }

    async fn come_up(&mut self, programs: &Programs) -> Result<(), LabError> {
        let places = self.topology().places();
        let (redis, others) = places.split_at(PODS);
        let (sentinels, proxies) = others.split_at(PODS);
        for place in redis {
            self.launch(place, programs)?;
        }
        for place in redis {
            self.wait_for_answer(place).await?;
        }
        self.wait_for(&redis[0], "no two replicas in step", Lab::has_replicas).await?;
        for place in sentinels.iter().chain(proxies) {
            self.launch(place, programs)?;
        }
        for place in sentinels {
            self.wait_for_answer(place).await?;
        }
        for place in sentinels {
            self.wait_for(place, "no agreement with the other sentinels", Lab::agrees).await?;
        }
        for place in proxies {
            self.wait_for(place, "no write went through it", Lab::takes_writes).await?;
            // Until its first checks have ended it sends connections anywhere.
            self.wait_for(place, "no sure knowledge of who is the master", Lab::knows_the_master).await?;
        }
        self.claim = None;
        Ok(())
    }

    /// Starts the program of a member, in the directory and with the configuration that it may have left.
    pub(super) fn launch(&mut self, place: &Place, programs: &Programs) -> Result<(), LabError> {
        let (name, topology, password) = (place.name(), self.state.topology, self.password.as_ref());
        let directory = self.directory.join(&name);
        let binds_source = programs.redis.version >= Version(7, 0, 0);
        let (program, file, config) = match place.kind {
            Kind::Redis => {
                (&programs.redis, "redis.conf", config::redis(&topology, place.index, password, binds_source))
            }
            Kind::Sentinel => (&programs.redis, "sentinel.conf", config::sentinel(&topology, place.index, password)),
            Kind::Haproxy => (&programs.haproxy, "haproxy.cfg", config::haproxy(&topology, place.index, password)),
        };
        let file: PathBuf = directory.join(file);
        // A redis that followed another, and every sentinel, has written down what it knows.
        if !file.exists() {
            make_private(&directory).map_err(|error| refused(&directory, &error))?;
            write_private(&file, &config)?;
        }
        let file = OsString::from(file);
        let arguments: Vec<OsString> = match place.kind {
            Kind::Redis => vec![file],
            Kind::Sentinel => vec![file, "--sentinel".into()],
            Kind::Haproxy => vec!["-db".into(), "-f".into(), file],
        };
        let spawned = spawn(&program.path, &arguments, &directory);
        let (child, process) = spawned.map_err(|cause| LabError::Spawn { name: name.clone(), cause })?;
        if let Some(mut before) = self.children.insert(name.clone(), child) {
            let _ = before.wait();
        }
        self.state.processes.insert(name.clone(), process);
        let written = self.state.write(&self.directory);
        if written.is_err() {
            // Nobody would find it, and so nobody could end it.
            self.state.processes.remove(&name);
            self.children.remove(&name).into_iter().for_each(bury);
        }
        written
    }
}
