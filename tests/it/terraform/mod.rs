//! Terraform as people run it: real terraform, real backends, files as the real resources. Each test is an incident.

/// Runs each test on each backend, as `module::backend::test`.
macro_rules! on_each {
    ($name:ident [$($backend:ident)*] $tests:tt) => {
        mod $name {
            use super::*;
            $(on_each!(@one $backend $tests);)*
        }
    };
    ([$($backend:ident)*] $tests:tt) => {
        $(on_each!(@one $backend $tests);)*
    };
    (@one $backend:ident ($($test:ident)*)) => {
        mod $backend {
            use crate::terraform::{backends::Backend, scene};
            $(#[test]
            fn $test() {
                if scene::terraform().is_some() && let Some(backend) = Backend::$backend() {
                    super::$test(scene::Scene::on(backend));
                }
            })*
        }
    };
}

pub mod backends;
mod changed;
mod declared;
mod destroyed;
mod kept;
mod moved;
pub mod scene;
pub use scene::terraform;
mod saved;
mod seen;
mod states;
mod verbs;
mod workspaces;
