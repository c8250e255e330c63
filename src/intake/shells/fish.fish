# fr: records what runs at this prompt. Put this into ~/.config/fish/config.fish:   fr init fish | source
# A line is reported before it runs (fish_preexec) and after it ended (fish_postexec). Prints nothing.

set -g __fr_bin @FR@

# The arguments of call and line. Where fr is killed, it is this shell that would say so.
function __fr_report
    test -x $__fr_bin; or return 0
    begin
        printf '%s' $argv[2] | $__fr_bin hook shell before $__fr_session $argv[1]
    end >/dev/null 2>&1
    return 0
end

# The exit code, the call, the milliseconds.
function __fr_end
    test "$__fr_open" = 1; or return 0
    set -g __fr_open 0
    test -x $__fr_bin; or return 0
    begin
        $__fr_bin hook shell after $__fr_session $argv[2] $argv[1] $argv[3] </dev/null
    end >/dev/null 2>&1
    return 0
end

function __fr_prompt
    function __fr_preexec --on-event fish_preexec
        set -g __fr_call (math $__fr_call + 1)
        set -g __fr_open 1
        __fr_report $__fr_call $argv[1]
        return 0
    end

    function __fr_postexec --on-event fish_postexec
        set -l code $status
        __fr_end $code $__fr_call $CMD_DURATION
        return $code
    end
end

# A script, `fish -c` or `fish -i -c`: reported as a whole. fish does not replace itself by its last command, so the
# end can be told as well.
function __fr_whole
    set -g __fr_open 1
    set -g __fr_began (date +%s%3N)
    __fr_report whole $argv[1]
    function __fr_exit --on-event fish_exit
        __fr_end $status whole (math (date +%s%3N) - $__fr_began)
    end
end

# The command of -c; nothing where there is none. fish keeps it to itself, so it is read from the kernel.
function __fr_command_string
    set -l next 0
    for word in $argv[2..-1]
        if test $next = 1
            printf '%s' $word
            return 0
        end
        switch $word
            case '--command=*'
                string replace -- --command= '' $word
                return 0
            case --command
                set next 1
            case '--*'
            case '-*c'
                set next 1
            case '-c*'
                string sub -s 3 -- $word
                return 0
            case '-*'
            case '*'
                return 1
        end
    end
    return 1
end

function __fr_start
    # Not twice in one shell.
    test -x $__fr_bin; and test "$__fr_pid" != $fish_pid; or return 0
    set -g __fr_pid $fish_pid
    set -g __fr_session shell-$fish_pid-(date +%s)
    set -g __fr_call 0
    set -g __fr_open 0
    # What tells one agent's commands from another's, and Codex's calls from each other. A shell inside a line that was
    # reported keeps still, unless an agent has come between: the line only named the agent.
    set -l layer "$CODEX_TOOL_CALL_ID/$CODEX_THREAD_ID/$GEMINI_CLI/$OPENCODE_PID/$OR_APP_NAME"
    set layer "$layer/$COPILOT_AGENT_SESSION_ID/$CURSOR_VERSION/$CLAUDE_CODE_SESSION_ID"
    set -l words (string split0 </proc/$fish_pid/cmdline 2>/dev/null)
    set -l line (__fr_command_string $words | string collect)
    if status is-interactive; and test -z "$line"
        set -gx FR_SHELL_TOP "$fish_pid $layer"
        __fr_prompt
        return 0
    end
    if not status is-interactive
        set -q CLAUDE_CODE_SESSION_ID; and return 0
        string match -q -- "* $layer" "$FR_SHELL_TOP"; and return 0
    end
    set -gx FR_SHELL_TOP "$fish_pid $layer"
    test -n "$line"; or set line (string join ' ' -- (string escape -- $words))
    __fr_whole $line
end

__fr_start
