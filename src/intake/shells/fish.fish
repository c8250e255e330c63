# fr: records what runs at this prompt. Put this into ~/.config/fish/config.fish:   fr init fish | source
# A line is reported before it runs (fish_preexec) and after it ended (fish_postexec). Prints nothing.

set -g __fr_bin @FR@

# Not twice in one shell; not inside an agent that reports its commands itself.
if status is-interactive; and not set -q CLAUDE_CODE_SESSION_ID; and test -x $__fr_bin; and test "$__fr_pid" != $fish_pid
    set -g __fr_pid $fish_pid
    set -g __fr_session shell-$fish_pid-(date +%s)
    set -g __fr_call 0
    set -g __fr_open 0
    set -gx FR_SHELL_TOP $fish_pid

    function __fr_preexec --on-event fish_preexec
        test -x $__fr_bin; or return 0
        set -g __fr_call (math $__fr_call + 1)
        set -g __fr_open 1
        printf '%s' $argv[1] | $__fr_bin hook shell before $__fr_session $__fr_call >/dev/null 2>&1
        return 0
    end

    function __fr_postexec --on-event fish_postexec
        set -l code $status
        test "$__fr_open" = 1; or return $code
        set -g __fr_open 0
        if test -x $__fr_bin
            $__fr_bin hook shell after $__fr_session $__fr_call $code $CMD_DURATION </dev/null >/dev/null 2>&1
        end
        return $code
    end
end
