//! The options of each command as plain values, with defaults filled in.
//!
//! Owns the shapes that `commands` reads; `arguments` fills them. What only another part
//! can judge stays text: connection strings, snapshot ids, the contents of files.

mod change_capture;
mod copying;
mod inspection;
mod notify;
mod sentinel;
mod steps;
mod streaming;
mod traffic;
mod work_dir;

pub use change_capture::{
    APPLY_JOBS_MAX, Ack, ApplyJobs, CdcSettings, FollowOptions, NewTables, OnConflict, Plugin,
    ProgressTracking,
};
pub use copying::{CloneOptions, CopySettings, SchemaSettings, SplitSettings, StartMode};
pub use inspection::{
    CheckOptions, CompareOptions, CompareRows, CompareSubject, DemoOptions, Fixes, ListCommand,
    ListScope, PingOptions, ReportOptions, SnapshotOptions, StatusOptions, StatusView, TableChoice,
    TableListing,
};
pub use notify::{NoWebhookUrl, NotifySettings, WebhookUrl};
pub use sentinel::{NewEndpos, SentinelCommand, SentinelField, SentinelPlace};
pub use steps::{CopyStep, DumpOptions, DumpSubject, RestoreCommand, RestoreOptions, RestoreStep};
pub use streaming::{
    ApplyOptions, ApplyTo, ApplyUntil, FileOrPipe, ReceiveOptions, StreamCommand, TransformOptions,
};
pub use traffic::{
    ByMirror, CutoverOptions, Fence, FinalizeOptions, MigrationPlace, OnTimeout, ProxyCommand,
    ProxyControl, ProxyRun, TlsFiles,
};
pub use work_dir::WorkDir;
