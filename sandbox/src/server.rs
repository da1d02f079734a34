//! The thread and the listeners of a sandbox.
//!
//! Owns: start and stop, binding, what all listeners share.
//! Leaves to others: what is around each request (`handle`), the control interface (`control`), the state (`store`).
//! A newcomer gets wrong: the runtime is the sandbox's own, on its own thread, so that a busy client cannot slow the
//! simulators down and a panic there cannot take the client along.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::{Router, middleware};
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::connection::{Connection, CuttableListener};
use super::context::Shared;
use super::control;
use super::error::SandboxError;
use super::handle;
use super::options::{Options, Ports};
use super::page::picture_cache::PictureCache;
use super::running::Running;
use super::server_state::ServerState;
use super::simulator::Simulator;
use super::store::Store;
use super::world::World;

/// How long requests in flight may take to end when the sandbox stops.
const PATIENCE: Duration = Duration::from_millis(500);

/// The entry: starts the simulators of a world.
pub struct Sandbox;

impl Sandbox {
    /// Starts every simulator of `world`, each behind its own loopback listener, on a thread and a runtime of its own.
    pub fn start(world: World, options: Options) -> Result<Running, SandboxError> {
        start(world, &options)
    }
}

fn start(world: World, options: &Options) -> Result<Running, SandboxError> {
    let shared = Arc::new(Shared::default());
    let simulators = world.simulators(&shared);
    let (store, lock) = match &options.state {
        Some(folder) => Some(Store::open(folder, &world.name, &world.digest)?).unzip(),
        None => (None, None),
    };
    let resumed = match &store {
        Some(store) => store.load(&simulators)?,
        None => false,
    };
    // A state that was not taken up may be half loaded: make the simulators anew.
    let simulators = if resumed { simulators } else { world.simulators(&shared) };
    dial_in(&world, &shared, &simulators)?;

    let (page_listener, page) = listen("page", options.ports, 0)?;
    let mut listeners = Vec::new();
    let mut addresses = BTreeMap::new();
    for (simulator, place) in simulators.iter().zip(1..) {
        let (listener, base) = listen(simulator.name(), options.ports, place)?;
        let address = format!("{base}{}", simulator.base_path());
        if addresses.insert(simulator.name().to_owned(), address).is_some() {
            return Err(SandboxError::SameName { world: world.name, name: simulator.name().to_owned() });
        }
        listeners.push((Arc::clone(simulator), listener));
    }
    shared.addresses.set(addresses).expect("the addresses are set only here");

    let (stop, stopped) = watch::channel(false);
    let server = Arc::new(ServerState {
        world: world.name,
        about: world.about,
        simulators,
        shared,
        pictures: PictureCache::default(),
        told: Mutex::default(),
        edition: Uuid::new_v4(),
        stopped: stopped.clone(),
        store,
    });
    if !resumed {
        server.shared.mark_changed();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("sandbox")
        .enable_all()
        .build()
        .map_err(SandboxError::Runtime)?;
    let served = Arc::clone(&server);
    let thread = std::thread::Builder::new()
        .name("sandbox".into())
        .spawn(move || {
            runtime.block_on(serve_all(served, page_listener, listeners, stopped));
            runtime.shutdown_timeout(PATIENCE);
        })
        .map_err(SandboxError::Runtime)?;
    Ok(Running { server, page, resumed, stop, thread: Some(thread), _lock: lock })
}

fn dial_in(world: &World, shared: &Shared, simulators: &[Arc<dyn Simulator>]) -> Result<(), SandboxError> {
    for simulator in simulators {
        shared.switches.declare(simulator.name(), simulator.switches());
    }
    for (simulator, settings) in &world.switches {
        for (name, value) in settings {
            let set = shared.switches.set(simulator, name, value);
            set.map_err(|e| SandboxError::Setting { world: world.name.clone(), fault: e.to_string() })?;
        }
    }
    for fault in &world.faults {
        if let Some(name) = fault.on.simulator.as_ref().filter(|name| simulators.iter().all(|s| s.name() != *name)) {
            let fault = format!("a fault is for the simulator {name}, which there is not");
            return Err(SandboxError::Setting { world: world.name.clone(), fault });
        }
        shared.faults.add(fault.clone());
    }
    Ok(())
}

fn listen(simulator: &str, ports: Ports, place: u16) -> Result<(TcpListener, String), SandboxError> {
    let port = match ports {
        Ports::Free => 0,
        Ports::From(first) => first.saturating_add(place),
    };
    let fail = |source| SandboxError::Listen { simulator: simulator.to_owned(), port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(fail)?;
    listener.set_nonblocking(true).map_err(fail)?;
    let address = listener.local_addr().map_err(fail)?;
    Ok((listener, format!("http://{address}")))
}

async fn serve_all(
    server: Arc<ServerState>,
    page: TcpListener,
    simulators: Vec<(Arc<dyn Simulator>, TcpListener)>,
    stopped: watch::Receiver<bool>,
) {
    server.flush();
    let mut servers = JoinSet::new();
    servers.spawn(serve(control::router(Arc::clone(&server)), page, stopped.clone()));
    for (simulator, listener) in simulators {
        let name: Arc<str> = simulator.name().into();
        let base_path = simulator.base_path().to_owned();
        let inner = simulator.router();
        let router = if base_path.is_empty() { inner } else { Router::new().nest(&base_path, inner) };
        let state = (Arc::clone(&server), name);
        let observed = router.layer(middleware::from_fn_with_state(state, handle::handle));
        servers.spawn(serve(observed, listener, stopped.clone()));
    }
    let mut until = stopped;
    let _ = until.wait_for(|stop| *stop).await;
    let _ = tokio::time::timeout(PATIENCE, async { while servers.join_next().await.is_some() {} }).await;
}

async fn serve(router: Router, listener: TcpListener, mut stopped: watch::Receiver<bool>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => CuttableListener(listener),
        Err(error) => return tracing::error!(%error, "a simulator could not take its listener over"),
    };
    let service = router.into_make_service_with_connect_info::<Connection>();
    let stop = async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(stop).await {
        tracing::error!(%error, "a simulator stopped serving");
    }
}
