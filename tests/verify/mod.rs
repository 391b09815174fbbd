//! Whether source and target are equal, and what of it is told.

mod data;
