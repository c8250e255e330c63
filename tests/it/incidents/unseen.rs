//! What no channel sees: a program that itself removes things outside of the project. Nothing of that is called undone.
