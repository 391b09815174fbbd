//! Whatever is killed whenever, going on ends exact.

mod fault_matrix;
mod parts_of_two_moments;
