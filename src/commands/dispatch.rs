//! From what was asked for to the file that does it.

use super::{
    CommandError, check, clone, compare, completions, copy, cutover, demo, dump, follow, generate,
    list, ping, proxy, restore, sentinel, snapshot, status, stream, version,
};
use crate::base::Side;
use crate::base::cause::chain;
use crate::cli::invocation::{LogSettings, Verbosity};
use crate::cli::options::StreamCommand;
use crate::cli::{Command, ExitCode, Invocation};
use crate::report;
use crate::report::notify::{About, Notifier};
use crate::worker::death_watch;

/// Runs one command to its end, prints its error if it has one, and says how the process ends.
pub fn run(invocation: Invocation) -> ExitCode {
    let is_quiet = invocation.logging.verbosity == Verbosity::Quiet;
    let notifier = notifier(&invocation.command);
    let ended = report::logging::start(&invocation.logging, notifier.as_ref())
        .map_err(CommandError::usage)
        .and_then(|()| dispatch(invocation));
    let problem = ended
        .as_ref()
        .err()
        .map(|error| chain(error.source.as_ref()));
    let code = match ended {
        Ok(code) => code,
        Err(error) if error.transient && death_watch::is_supervised() => {
            tracing::warn!("{}", chain(error.source.as_ref()));
            ExitCode::Transient
        }
        // Nothing is wrong, and cron writes a mail for each line.
        Err(error) if error.code == ExitCode::Busy && is_quiet => error.code,
        Err(error) => {
            report::errors::print(error.source.as_ref(), error.hint.as_deref());
            error.code
        }
    };
    if let Some(notifier) = notifier {
        notifier.end(code, problem.as_deref());
    }
    code
}

/// Who is told what becomes of it, if anybody is to be.
fn notifier(command: &Command) -> Option<Notifier> {
    let (name, settings, work_dir) = match command {
        Command::Clone(it) => ("clone", &it.notify, &it.work_dir),
        Command::Follow(it) => ("follow", &it.notify, &it.work_dir),
        Command::Cutover(it) => ("cutover", &it.place.notify, &it.place.work_dir),
        Command::Rollback(it) => ("rollback", &it.place.notify, &it.place.work_dir),
        Command::Finalize(it) => ("finalize", &it.place.notify, &it.place.work_dir),
        _ => return None,
    };
    let host = nix::unistd::gethostname().ok();
    let about = About {
        command: name,
        work_dir: work_dir.dir.clone(),
        host: host.map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
    };
    Notifier::start(settings, about)
}

fn dispatch(invocation: Invocation) -> Result<ExitCode, CommandError> {
    let output = invocation.output;
    match invocation.command {
        Command::Clone(options) => clone::run(&options, &invocation.logging, &output),
        Command::Follow(options) => follow::run(&options, &invocation.logging, &output),
        Command::Snapshot(options) => snapshot::run(&options),
        Command::Copy { step, options } => copy::run(step, &options, &invocation.logging, &output),
        Command::Dump(options) => dump::run(&options),
        Command::Restore(command) => restore::run(&command, &invocation.logging, &output),
        Command::List(command) => list::run(&command, output.json),
        Command::Compare { subject, options } => {
            compare::run(subject, &options, &invocation.logging, &output)
        }
        Command::Stream(stream) => run_stream(stream, &invocation.logging),
        Command::Sentinel(command) => sentinel::run(command, output.json),
        Command::Ping(options) => ping::run(&options, output.json),
        Command::Check(options) => check::run(&options, &invocation.logging, &output),
        Command::Status(options) => status::run(&options, &output),
        Command::Report(options) => super::report::run(&options),
        Command::Proxy(command) => proxy::run(&command, output.json),
        Command::Cutover(options) => cutover::run(&options, Side::Target, output.json),
        Command::Rollback(options) => cutover::run(&options, Side::Source, output.json),
        Command::Finalize(options) => cutover::finalize(&options, output.json),
        Command::Demo(options) => demo::command(options),
        Command::Completions(shell) => completions::run(shell),
        Command::Version => version::run(output.json),
        Command::Generate(dir) => generate::run(&dir),
    }
}

fn run_stream(command: StreamCommand, logging: &LogSettings) -> Result<ExitCode, CommandError> {
    match command {
        StreamCommand::Setup(options) => stream::setup(&options),
        StreamCommand::Cleanup(options) => stream::cleanup(&options),
        StreamCommand::Prune(options) => stream::prune(&options),
        StreamCommand::Prefetch(options) => stream::prefetch(&options, logging),
        StreamCommand::Catchup(options) => stream::catchup(&options, logging),
        StreamCommand::Replay(options) => stream::replay(&options, logging),
        StreamCommand::Receive(options) => stream::receive(&options),
        StreamCommand::Transform(options) => stream::transform(&options),
        StreamCommand::Apply(options) => stream::apply(&options),
    }
}
