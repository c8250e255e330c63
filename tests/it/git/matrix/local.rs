//! Rows that change the local side.

use super::{Row, come_back};

macro_rules! tables {
    ($($name:ident { $($before:literal => $line:literal;)* })*) => { $(
        #[test]
        fn $name() {
            come_back(&[$(Row { before: $before, line: $line }),*]);
        }
    )* };
}

tables! {
    branches {
        "" => "git branch -D topic dev";
        "" => "git branch -d merged";
        "" => "git branch --delete --force topic";
        "" => "git branch -dr origin/topic";
        "" => "git branch -m main trunk";
        "" => "git branch -M main topic";
        "" => "git branch -m old/branch other";
        "" => "git branch -C topic dev";
        "" => "git branch -c topic copy";
        "" => "git branch -f merged HEAD~2";
        "" => "git branch --forc topic main";
        "" => "git branch new";
        "" => "git branch -u origin/dev topic";
        "" => "git branch --unset-upstream main";
        "" => "git branch --format='%(refname:short)' | grep -v -e main -e solo | xargs -n1 git branch -D";
        "" => "git for-each-ref --format='delete %(refname)' refs/tags | git update-ref --stdin";
        "" => "git update-ref -d refs/heads/main";
        "" => "git update-ref refs/heads/topic HEAD";
        "" => "git update-ref -d --no-deref refs/remotes/origin/main";
        "" => "git symbolic-ref HEAD refs/heads/dev";
        "" => "git symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/dev";
        "git symbolic-ref refs/heads/alias refs/heads/topic" => "git symbolic-ref -d refs/heads/alias";
        "git symbolic-ref refs/heads/alias refs/heads/topic" => "git update-ref refs/heads/alias main";
        "git pack-refs --all" => "git branch -D topic";
        "git pack-refs --all" => "git tag -d v1 light";
        "" => "git pack-refs --all && git branch -qD topic";
    }
    tags_notes_and_replacements {
        "" => "git tag -d v1 light";
        "" => "git tag -f light HEAD~3";
        "" => "git tag -fa v1 -m again HEAD~1";
        "" => "git tag new";
        "" => "git notes remove HEAD";
        "" => "git notes add -f -m other HEAD";
        "" => "git notes append -m other HEAD";
        "" => "git notes --ref=mine add -m mine";
        "git notes --ref=mine add -m mine" => "git notes merge mine -s union";
        "git update-ref -d refs/heads/solo; git commit --allow-empty -qm x; git notes add -m n; git reset -q --soft HEAD~1; git reflog expire --expire=now --all; git gc -q --prune=now" => "git notes prune";
        "" => "git replace HEAD~1 HEAD~2";
        "git replace HEAD~1 HEAD~2" => "git replace -d $(git rev-parse HEAD~1)";
        "" => "git replace --graft HEAD";
    }
    resets {
        "" => "git reset --hard";
        "" => "git reset --har HEAD~2";
        "" => "git reset -q --hard @{u}";
        "" => "git reset --hard origin/dev";
        "git checkout -q -f" => "git reset --keep HEAD~1";
        "git checkout -qf; printf 'x\\n' >> a.txt; git add a.txt; printf 'y\\n' >> secret" => "git reset --merge";
        "" => "git reset --soft HEAD~1";
        "" => "git reset HEAD~1";
        "" => "git reset";
        "" => "git reset -- staged.txt";
        "" => "git reset -p < /dev/null; git reset -q old/y";
        "" => "git nuke HEAD~1";
        "" => "git wipe";
        "" => "git -c alias.x='reset --hard HEAD~1' x";
        "" => "git -c alias.x='!git reset -q --hard HEAD~1; git clean -ffdxq' x";
        "" => "git -C src -C .. reset --hard HEAD~1";
        "" => "cd / && git --git-dir=$OLDPWD/.git --work-tree=$OLDPWD reset --hard HEAD~1";
        "" => "GIT_DIR=$PWD/.git GIT_WORK_TREE=$PWD git -C / reset --hard HEAD~1";
        "" => "export GIT_DIR=$PWD/.git; cd src; GIT_WORK_TREE=.. git reset --hard HEAD~1";
        "" => "git --work-tree=. --git-dir .git reset --hard HEAD~1";
    }
    checkouts {
        "" => "git checkout .";
        "" => "git checkout -- src/lib.py";
        "" => "git checkout HEAD~2 -- .";
        "" => "git checkout -f topic";
        "" => "git checkout -f -B dev HEAD~1";
        "" => "git checkout -q -b fresh";
        "" => "git checkout --detach HEAD";
        "" => "git checkout --orphan empty";
        "" => "git co -f dev";
        "" => "git switch --discard-changes topic";
        "" => "git switch -f -C topic main";
        "" => "git switch -c fresh2";
        "" => "git restore .";
        "" => "git restore --staged .";
        "" => "git restore -SW old/y staged.txt";
        "" => "git restore --source=HEAD~2 --staged --worktree .";
        "" => "git restore -s HEAD~3 -- docs";
        "" => "git checkout-index -a -f";
        "" => "git read-tree HEAD~1";
        "" => "git read-tree --reset -u HEAD~2";
        "" => "git read-tree --empty";
        "" => "git sparse-checkout set docs";
        "git checkout -qf; git sparse-checkout set docs" => "git sparse-checkout disable";
        "" => "git sparse-checkout set --no-cone '/a.txt'";
        "" => "git checkout -p < /dev/null; yes | git checkout -p";
        "" => "printf 'src/lib.py\\0old/y' | git checkout --pathspec-from-file=- --pathspec-file-nul";
    }
    the_index {
        "" => "git rm -rf old";
        "" => "git rm --cached a.txt staged.txt -f";
        "" => "git mv a.txt docs/moved.txt";
        "" => "git mv -f a.txt secret";
        "" => "git add -A";
        "" => "git add -N un.txt";
        "" => "git add -f .env build";
        "" => "git stage -u";
        "" => "git update-index --assume-unchanged a.txt";
        "" => "git update-index --skip-worktree a.txt";
        "" => "git update-index --force-remove a.txt";
        "" => "git update-index --add --cacheinfo 100644,$(git hash-object -w run.sh),new.sh";
        "" => "git update-index --index-version 4 --chmod=+x a.txt";
        "" => "git apply -R ../back.patch";
        "git checkout -qf" => "git apply --index -R ../back.patch";
        "" => "git apply --cached -R ../back.patch";
        "git checkout -qf" => "git apply -R --directory=nosuch ../back.patch; git apply -R --3way ../back.patch";
        "" => "rm .git/index";
        "" => "GIT_INDEX_FILE=.git/index git reset -q";
        "cp .git/index ../other-index" => "GIT_INDEX_FILE=$PWD/../other-index git read-tree HEAD~2 && git reset -q";
    }
    cleaning {
        "" => "git clean -fd";
        "" => "git clean -fdx";
        "" => "git clean -ffdx";
        "" => "git clean -xdf build";
        "" => "git clean --force -X";
        "" => "git clean -fd -e un.txt";
        "" => "git -c clean.requireForce=false clean -d";
        "" => "cd un && git clean -fdx ..";
        "" => "git submodule foreach --recursive git clean -fdx";
    }
    stashes {
        "" => "git stash drop";
        "" => "git stash drop stash@{1}";
        "" => "git stash drop 2";
        "" => "git stash clear";
        "" => "git stash";
        "" => "git stash push -u -m wip";
        "" => "git stash push -a";
        "" => "git stash push --staged";
        "" => "git stash push --keep-index -- src";
        "" => "git stash save old-style";
        "git checkout -qf" => "git stash pop";
        "git checkout -qf" => "git stash pop --index stash@{1}";
        "git checkout -qf; printf 'conflict\\n' > old/x; git commit -qam c" => "git stash pop";
        "git checkout -qf" => "git stash apply stash@{1}";
        "git checkout -qf" => "git stash branch from-stash stash@{1}";
        "" => "git stash store -m stored $(git stash create)";
        "" => "git reflog delete --rewrite --updateref refs/stash@{0}";
        "" => "git reflog expire --expire=now refs/stash";
    }
    commits {
        "" => "git commit -qm 'staged only'";
        "" => "git commit -qam all";
        "" => "git commit -q --amend --no-edit";
        "" => "git commit -q --amend -m other -- src/lib.py";
        "" => "git commit -q --allow-empty -m empty";
        "" => "git commit -q --fixup HEAD -a";
        "git checkout -qf" => "git revert --no-edit HEAD";
        "git checkout -qf" => "git cherry-pick feature";
        "git checkout -qf" => "git cherry-pick -n feature";
        "git checkout -qf" => "git cherry-pick topic~1";
        "git checkout -qf; git cherry-pick topic~1" => "git cherry-pick --abort";
        "git checkout -qf; git cherry-pick topic~1 feature" => "git cherry-pick --skip";
        "git checkout -qf; git cherry-pick topic~1 feature" => "git cherry-pick --quit";
        "git checkout -qf; git cherry-pick topic~1; git add -A" => "git -c core.editor=true cherry-pick --continue";
        "git checkout -qf; git revert --no-edit HEAD~3" => "git revert --abort";
        "git checkout -qf; git format-patch -q -o .. feature~1..feature" => "git am ../0001-feature.patch";
        "git checkout -qf; git format-patch -q -o .. topic~2..topic" => "git am ../0001-topic-conflicts.patch ../0002-topic2.patch";
        "git checkout -qf; git format-patch -q -o .. topic~2..topic; git am ../000*.patch" => "git am --abort";
        "git checkout -qf; git format-patch -q -o .. topic~2..topic; git am ../000*.patch" => "git am --skip";
        "git checkout -qf; git format-patch -q -o .. topic~2..topic; git am ../000*.patch" => "git am --quit";
        "git checkout -qf; git pull -q --no-rebase" => "git commit --amend -qm x";
    }
    merges {
        "git checkout -qf" => "git merge -q --no-edit feature";
        "git checkout -qf" => "git merge --no-commit --no-ff feature";
        "git checkout -qf" => "git merge --squash feature";
        "git checkout -qf" => "git merge topic";
        "git checkout -qf; git merge topic" => "git merge --abort";
        "git checkout -qf; git merge topic" => "git merge --quit";
        "git checkout -qf; git merge topic" => "git reset --hard";
        "git checkout -qf; git merge topic" => "git checkout --theirs a.txt && git add a.txt && git commit -qm merged";
        "git checkout -qf; git merge topic" => "git rerere clear; git rerere forget a.txt; git checkout -m a.txt";
        "git checkout -qf" => "git merge -s ours -m x topic";
        "" => "git merge --autostash feature -m x";
        "git checkout -qf" => "git pull -q --no-rebase --no-edit";
        "git checkout -qf; git commit -q --allow-empty -m mine" => "git pull -q --rebase";
        "" => "git pull -q --rebase --autostash";
        "git checkout -qf" => "git -c pull.ff=only pull";
    }
    rebases {
        "git checkout -qf" => "git rebase topic";
        "git checkout -qf" => "git rebase -q feature";
        "git checkout -qf" => "git rebase --onto HEAD~3 HEAD~1";
        "git checkout -qf" => "git rebase --onto main~2 main~1 dev";
        "git checkout -qf" => "GIT_SEQUENCE_EDITOR='sed -i 1d' git rebase -i HEAD~2";
        "git checkout -qf" => "GIT_SEQUENCE_EDITOR='sed -i s/pick/edit/' git rebase -i HEAD~2";
        "git checkout -qf" => "git -c sequence.editor=true rebase -i --root";
        "" => "git rebase --autostash topic";
        "git checkout -qf; git rebase topic" => "git rebase --abort";
        "git checkout -qf; git rebase topic" => "git rebase --skip";
        "git checkout -qf; git rebase topic" => "git rebase --quit";
        "git checkout -qf; git rebase topic; git add -A" => "git -c core.editor=true rebase --continue";
        "git rebase --autostash topic" => "git rebase --abort";
        "git rebase --autostash topic" => "git rebase --quit";
        "git checkout -qf" => "git rebase -x 'rm -rf docs' HEAD~1";
        "git checkout -qf" => "git rebase --apply topic";
        "git checkout -qf; git rebase --apply topic" => "git rebase --abort";
        "git checkout -qf; git checkout -q topic" => "git rebase --update-refs main";
    }
    bisecting {
        "git checkout -qf" => "git bisect start HEAD HEAD~4";
        "git checkout -qf; git bisect start HEAD HEAD~4" => "git bisect reset";
        "git checkout -qf; git bisect start HEAD HEAD~4" => "git bisect good";
        "git checkout -qf; git bisect start HEAD HEAD~4" => "git bisect run true";
        "git checkout -qf; git bisect start HEAD HEAD~4" => "git bisect skip";
    }
    rewriting {
        "git checkout -qf" => "FILTER_BRANCH_SQUELCH_WARNING=1 git filter-branch -f --tree-filter 'rm -f secret' -- --all";
        "git checkout -qf" => "FILTER_BRANCH_SQUELCH_WARNING=1 git filter-branch -f --index-filter 'git rm -q --cached --ignore-unmatch secret' HEAD";
        "git checkout -qf" => "git fast-export --all | sed s/four/4444/ | git fast-import --quiet --force";
        "git checkout -qf" => "git replay --onto topic feature~1..feature | git update-ref --stdin";
    }
    keeping {
        "" => "git gc -q --prune=now";
        "" => "git prune --expire=now";
        "" => "git reflog expire --expire=now --all";
        "" => "git reflog expire --expire=now --expire-unreachable=now --all && git gc -q --prune=now";
        "" => "git reflog delete HEAD@{1}";
        "" => "git reflog expire --expire=now main";
        "" => "git repack -adq && git prune --expire=now";
        "git repack -adq; git branch -qD topic; git update-ref -d refs/remotes/origin/topic; git reflog expire --expire=now --all" => "git repack -adq";
        "" => "git -c gc.pruneExpire=now maintenance run --task=gc";
        "" => "git branch -qD topic && git reflog expire --expire=now --all && git gc -q --prune=now";
        "" => "git stash clear; git gc -q --prune=now";
        "" => "git rerere gc; git rerere clear; rm -rf .git/rr-cache";
        "" => "git -c gc.rerereUnresolved=now -c gc.rerereResolved=now rerere gc";
        "" => "git maintenance register --config-file ../maint; git maintenance start --scheduler=crontab; git config maintenance.auto false";
        "" => "rm -rf .git/objects/pack/* .git/objects/??";
    }
    worktrees {
        "" => "git worktree remove --force ../wt";
        "" => "git worktree add -q ../clone dev";
        "" => "git worktree add -q -B topic ../clone main";
        "" => "git worktree move ../wt ../moved";
        "rm -rf ../wt" => "git worktree prune";
        "" => "rm -rf ../wt && git worktree prune";
        "" => "git worktree lock --reason why ../wt";
        "git worktree lock ../wt" => "git worktree unlock ../wt";
        "" => "git -C ../wt reset -q --hard";
        "" => "git -C ../wt checkout -q -f --detach main";
        "" => "cd ../wt && git clean -fdx && git checkout -f .";
        "git -C ../wt config extensions.worktreeConfig true; git -C ../wt config --worktree a.b c" => "git -C ../wt config --worktree --unset a.b";
        "git -C ../wt stash -q" => "git -C ../wt stash drop";
    }
    submodules {
        "" => "git submodule update --force";
        "git -C sub checkout -q -f work" => "git submodule update --force";
        "git -C sub checkout -q -f work" => "git submodule update";
        "" => "git submodule deinit -f sub";
        "" => "git submodule deinit --all --force";
        "git submodule deinit -f sub" => "git submodule update --init";
        "" => "git submodule add -q ../lib.git more";
        "" => "git rm -rf sub";
        "" => "git rm --cached sub";
        "" => "git submodule foreach 'git checkout -qf . && git clean -qfdx && git branch -qD work'";
        "" => "git submodule foreach --recursive git reset -q --hard";
        "" => "git submodule set-url sub ../other.git";
        "git config submodule.sub.url x" => "git submodule sync";
        "" => "git -C sub reset --hard HEAD~1";
        "" => "cd sub && git branch -D work && git checkout -f .";
        "" => "git reset --hard --recurse-submodules";
        "" => "git checkout -f --recurse-submodules HEAD~4";
        "git -C sub checkout -q -f work" => "git -c submodule.recurse=true reset --hard HEAD";
        "git config --global submodule.recurse true" => "git reset --hard";
        "rm sub/.git; mv .git/modules/sub sub/.git; git config -f sub/.git/config --unset core.worktree" => "git submodule update --force";
        "" => "rm -rf sub .git/modules/sub";
        "git submodule absorbgitdirs" => "git submodule update --remote --force";
        "git submodule deinit -f sub; rm -rf .git/modules" => "git submodule update --init";
        "git submodule deinit -f sub; rm -rf .git/modules" => "git submodule init; git submodule update";
        "git submodule deinit -f sub; rm -rf .git/modules; echo git submodule -q update --init > ../s.sh" => "sh ../s.sh";
        "git submodule deinit -f sub; rm -rf .git/modules; git config submodule.sub.url $PWD/../lib.git" => "git pull -q --no-rebase --no-edit --recurse-submodules; git submodule update --checkout";
        "" => "git -C ../wt submodule update --init";
        "git submodule deinit -f sub; rm -rf .git/modules; (cd ../lib; git submodule -q add $PWD/../remote.git inner; git commit -qm inner; git push -q ../lib.git HEAD:main); git -C ../lib.git symbolic-ref HEAD refs/heads/main; git clone -q ../lib.git ../third; git update-index --cacheinfo 160000,$(git -C ../lib rev-parse HEAD),sub; rm -rf ../third" => "git submodule update --init --recursive";
    }
    embedded_submodules {
        "rm sub/.git; mv .git/modules/sub sub/.git; git config -f sub/.git/config --unset core.worktree; rmdir .git/modules" => "git submodule absorbgitdirs";
        "rm sub/.git; mv .git/modules/sub sub/.git; git config -f sub/.git/config --unset core.worktree; rmdir .git/modules" => "git rm -qrf sub";
        "rm sub/.git; mv .git/modules/sub sub/.git; git config -f sub/.git/config --unset core.worktree; rmdir .git/modules" => "git submodule deinit -f sub";
        "rm sub/.git; mv .git/modules/sub sub/.git; git config -f sub/.git/config --unset core.worktree; rmdir .git/modules" => "git submodule deinit -f --all; git rm -qf sub; git commit -qm gone";
        "rm sub/.git; mv .git/modules/sub sub/.git; git config -f sub/.git/config --unset core.worktree; rmdir .git/modules" => "git reset -q --hard --recurse-submodules";
        "rm sub/.git; mv .git/modules/sub sub/.git; git config -f sub/.git/config --unset core.worktree; rmdir .git/modules" => "git checkout -q -f --recurse-submodules HEAD~4";
        "rm sub/.git; mv .git/modules/sub sub/.git; git config -f sub/.git/config --unset core.worktree; rmdir .git/modules; echo git submodule absorbgitdirs > ../s.sh" => "sh ../s.sh";
        "rm sub/.git; mv .git/modules/sub sub/.git; git config -f sub/.git/config --unset core.worktree; rmdir .git/modules; (cd sub; git clone -q ../../remote.git inner; printf '[submodule \"inner\"]\\n\\tpath = inner\\n\\turl = ../remote.git\\n' > .gitmodules; git add .gitmodules inner; git commit -qm inner); git add sub" => "git submodule absorbgitdirs";
        "rm sub/.git; mv .git/modules/sub sub/.git; git config -f sub/.git/config --unset core.worktree; rmdir .git/modules; (cd sub; git clone -q ../../remote.git inner; printf '[submodule \"inner\"]\\n\\tpath = inner\\n\\turl = ../remote.git\\n' > .gitmodules; git add .gitmodules inner; git commit -qm inner); git add sub" => "git rm -qrf sub";
    }
    configuration {
        "" => "git config custom.key other --replace-all";
        "" => "git config --unset-all custom.key";
        "" => "git config --remove-section custom";
        "" => "git config --rename-section custom renamed";
        "" => "git config set new.key value";
        "" => "git config --add custom.key third";
        "" => "git config --global user.email other@example.org";
        "" => "git config --global --unset user.email";
        "" => "git config -f .gitmodules submodule.sub.url elsewhere";
        "" => "git config --file ../outside.conf a.b c; git config unset alias.co";
        "" => "git config core.hooksPath /tmp/x";
        "" => "git remote remove origin";
        "" => "git remote rename origin upstream";
        "" => "git remote set-url origin git@evil:x.git";
        "" => "git remote set-url --push origin ../third.git";
        "" => "git remote add other ../third.git";
        "" => "git remote set-head origin dev";
        "" => "git remote set-branches origin dev";
        "git -C ../remote.git branch -qD theirs; git fetch -q; git -C ../remote.git branch -qD dev topic" => "git remote prune origin";
        "" => "git remote update";
        "" => "git fetch -q";
        "git fetch -q; git -C ../remote.git branch -qD dev topic" => "git fetch -q --prune origin";
        "" => "git fetch -q -f origin theirs:topic";
        "" => "git fetch -q --depth=1 origin main";
        "" => "git fetch -q origin '+refs/heads/*:refs/heads/x/*'";
        "" => "git init -q --template=/dev/null fresh";
        "" => "git clone -q ../remote.git clone2";
        "" => "git bundle create -q x.bundle main; git archive -o x.tar HEAD; git format-patch -1 -q";
    }
    environment {
        "" => "GIT_NAMESPACE=ns git update-ref refs/namespaces/ns/refs/heads/a HEAD";
        "" => "GIT_OBJECT_DIRECTORY=.git/objects git branch -D topic";
        "mkdir -p o/objects src/o/objects; GIT_OBJECT_DIRECTORY=o/objects GIT_ALTERNATE_OBJECT_DIRECTORIES=.git/objects git add un.txt" => "cd src; GIT_OBJECT_DIRECTORY=o/objects GIT_ALTERNATE_OBJECT_DIRECTORIES=.git/objects git reset -q --hard; rm -rf ../o";
        "cp .git/index ../wt/other-index" => "GIT_INDEX_FILE=$PWD/../wt/other-index git read-tree HEAD~2";
        "cp .git/index other-index" => "cd src; GIT_INDEX_FILE=other-index git rm -q --cached app.py";
        "" => "GIT_INDEX_FILE=new-index git add a.txt src";
        "cp .git/index other-index" => "export GIT_INDEX_FILE=other-index; git reset -q HEAD~1; git rm -qf --cached a.txt";
        "" => "env GIT_DIR=.git git branch -D topic";
        "" => "git --bare --git-dir=.git branch -D topic";
        "" => "git --no-pager -p branch -D topic";
        "" => "git --exec-path=$(git --exec-path) branch -D topic";
        "" => "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=alias.zap GIT_CONFIG_VALUE_0='branch -D' git zap topic";
        "" => "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=alias.zap GIT_CONFIG_VALUE_0='!rm -rf docs; git branch -D' git zap topic";
        "printf '[alias]\\n\\tzip = branch -D\\n' >> ~/.gitconfig" => "git zip topic";
        "printf '#!/bin/sh\\ngit branch -D topic\\nrm -rf docs\\n' > ../git-foo; chmod +x ../git-foo" => "PATH=$PATH:$PWD/.. git foo";
        "printf '#!/bin/sh\\nset -e\\ngit reset -q --hard HEAD~1\\ngit branch -D topic\\n' > ../s.sh" => "sh ../s.sh";
        "printf 'all:\\n\\tgit reset -q --hard HEAD~1; git stash drop\\n' > Makefile" => "make";
        "" => "rm -rf .git";
        "printf 'rm -rf .git sub\n' > ../s.sh" => "sh ../s.sh";
        "printf 'rm -rf .git; git init -q\n' > ../s.sh; git gc -q --prune=now" => "sh ../s.sh; true";
        "" => "rm -rf .git/refs .git/packed-refs";
        "" => "echo 'ref: refs/heads/nowhere' > .git/HEAD";
    }
}
