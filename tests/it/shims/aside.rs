//! `fr restore` of a line whose captures are partly its own and partly those of what it executed.

use super::World;

#[test]
fn what_a_line_and_its_parts_had_captured_is_put_beside_the_present() {
    let world = World::with_git();
    let out = world.outside(&["a.log", "b.log", "keep.txt"]);
    world.env.write("notes.txt", "old notes\n");
    world.env.write("more.txt", "more\n");
    // The words tell of the notes, the execution of the logs; the notes are removed again by a name that no word tells.
    let line =
        format!("rm more.txt; echo new > notes.txt; rm $(ls {}/*.log); rm $(echo notes.txt)", out.display());
    world.env.claude_runs(&line).ok();
    let story = world.story();
    assert!(story.iter().any(|line| line.starts_with("+rm")), "nothing was recorded as a part: {story:?}");
    let present = crate::fs_compare::tree(&world.env.project);
    let left = World::files(&out);
    let aside = world.env.root().join("aside");
    let restored = world.env.fr(&["restore", "1", "--to", aside.to_str().unwrap()]).ok();
    for (name, text) in
        [("a.log", "a.log"), ("b.log", "b.log"), ("notes.txt", "old notes\n"), ("more.txt", "more\n")]
    {
        let found = crate::fs_compare::tree(&aside);
        let named = found.keys().filter(|path| path.file_name() == Some(name.as_ref()));
        let all: Vec<String> = named.map(|path| std::fs::read_to_string(aside.join(path)).unwrap()).collect();
        // What a part had captured in the middle of the line is not the state before the line.
        assert!(!all.is_empty() && all.iter().all(|found| found == text), "{name}: {all:?}: {restored:?}");
    }
    crate::fs_compare::assert_same(&present, &crate::fs_compare::tree(&world.env.project));
    assert_eq!(World::files(&out), left, "the present is left alone");
    // One target of a part alone.
    let one = world.env.root().join("one");
    let target = format!("path:{}", out.join("a.log").display());
    world.env.fr(&["restore", "1", "--target", &target, "--to", one.to_str().unwrap()]).ok();
    assert_eq!(World::files(&one), [("a.log".to_owned(), "a.log".to_owned())]);
    world.undo(&1.into()).ok();
    assert_eq!(world.env.read("notes.txt"), "old notes\n");
}
