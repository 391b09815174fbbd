//! Whatever is killed whenever, going on ends exact.

mod fault_matrix;
