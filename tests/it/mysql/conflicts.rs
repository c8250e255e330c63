//! Rows that somebody changed between the command and its undo.

use super::scene::Scene;

const T: &str = "create table t (id int primary key, a varchar(9), b varchar(9)); insert into t values (1, 'a', 'b'), (2, 'a', 'b'), (3, 'a', 'b')";

#[test]
fn what_others_changed_is_a_conflict_and_there_are_ways_out() {
    let rows = |scene: &Scene| scene.sql("select group_concat(id, a, b order by id) from t");
    for (policy, code, wanted) in [
        ("abort", 4, "1XY,2XY,3Xtheirs"),
        ("skip", 3, "1ab,2ab,3Xtheirs"),
        ("merge", 4, "1XY,2XY,3Xtheirs"),
        ("force", 0, "1ab,2ab,3ab"),
        ("side-by-side", 3, "1ab,2ab,3Xtheirs"),
    ] {
        let Some(scene) = Scene::new(T) else { return };
        scene.agent("mysql -u root DB -e \"UPDATE t SET a = 'X', b = 'Y'\"").ok();
        scene.sql("update t set b = 'theirs' where id = 3");
        let done = scene.env.fr(&["undo", "--yes", "--on-conflict", policy, "1"]);
        assert_eq!((done.code, rows(&scene).as_str()), (code, wanted), "{policy} {done:?}");
        if policy == "side-by-side" {
            assert_eq!(scene.sql("select group_concat(id, a, b) from t_fr_1"), "3ab");
        }
    }
    // They changed another column than the command did.
    let Some(scene) = Scene::new(T) else { return };
    scene.agent("mysql -u root DB -e \"UPDATE t SET a = 'X'\"").ok();
    scene.sql("update t set b = 'theirs' where id = 3");
    let done = scene.env.fr(&["undo", "--yes", "--on-conflict", "merge", "1"]);
    assert_eq!((done.code, rows(&scene).as_str()), (0, "1ab,2ab,3atheirs"), "{done:?}");
}
