//! Safe file system calls: nothing in here follows a symbolic link that it was not told to follow, and every path is
//! resolved beneath a directory that is held open. Backup tools that checked path *strings* before acting on them were
//! the commonest hole of their class (tar-rs CVE-2026-33056, borg CVE-2026-62268), so the check is the kernel's.

mod beneath;
mod holes;
mod list;
mod meta;
mod stat;
mod swap;

pub use beneath::{
    is_name, make_dirs_beneath, open_absolute, open_beneath, open_file, open_path, split_parent,
};
pub use holes::data_extents;
pub use list::list_dir;
pub use meta::{
    get_xattrs, own_ids, remove_xattr, set_mode, set_mtime, set_mtime_at, set_owner, set_owner_at, set_xattr,
};
pub use stat::{FileKind, Stat, coarse_now_ns, file_system_magic, stat_at, stat_fd};
pub use swap::{
    create_new, link_beside, make_dir, make_fifo, make_symlink, move_between, move_new, read_link,
    remove_dir, remove_file, swap_in, sync_dir, sync_file_system,
};
