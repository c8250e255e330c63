# fr: records what runs at this prompt. Put this into ~/.bashrc:   eval "$(fr init bash)"
# A line is reported before it runs (PS0) and after it ended (PROMPT_COMMAND). DEBUG traps are not touched, only
# where there is none a small one stands by for lines that stay out of the history.
# Every command below is safe under set -u and set -e, and prints nothing.

__fr_start() {
    # Not twice in one shell (it may stand in ~/.bashrc and in BASH_ENV); PS0 came with bash 4.4.
    [[ ${__fr_pid-} != "$$" && -x $__fr_bin ]] || return 0
    (( BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404 )) || return 0
    __fr_pid=$$ __fr_call=0 __fr_open=0 __fr_hidden=0 __fr_began=0 __fr_none='' __fr_x=x __fr_history=''
    __fr_seen=0 __fr_lost=0
    printf -v __fr_session 'shell-%s-%(%s)T' "$$" -1
    # What tells one agent's commands from another's, and Codex's calls from each other. A shell inside a line that was
    # reported keeps still, unless an agent has come between: the line only named the agent.
    local layer="${CODEX_TOOL_CALL_ID-}/${CODEX_THREAD_ID-}/${GEMINI_CLI-}/${OPENCODE_PID-}/${OR_APP_NAME-}"
    layer+="/${COPILOT_AGENT_SESSION_ID-}/${CURSOR_VERSION-}/${CLAUDE_CODE_SESSION_ID-}"
    if [[ $- == *i* && -z ${BASH_EXECUTION_STRING+x} ]]; then
        export FR_SHELL_TOP="$$ $layer"
        __fr_hook_prompt
    elif [[ $- == *i* || ( -z ${CLAUDE_CODE_SESSION_ID-} && ${FR_SHELL_TOP-} != *" $layer" ) ]]; then
        __fr_whole "$layer" "$@"
    fi
    return 0
}

# A script, `bash -c` or `bash -i -c`: reported once, as a whole, by the outermost shell.
__fr_whole() {
    local layer=$1 line=${BASH_EXECUTION_STRING-}
    shift
    if [[ -z $line ]]; then
        # Commands that come from stdin are seen by nobody: `bash -s` says so.
        local script=$0
        [[ $- != *s* && ( $# != 0 || ${0##*/} != bash ) ]] || script=-s
        printf -v line ' %q' bash "$script" "$@"
        line=${line# }
    fi
    # Codex restores its snapshot and then replaces this process by the bash of the command, which reports itself.
    [[ ${CODEX_THREAD_ID+x} && $line == *"exec '"*"bash' -c '"* \
        && ( $line == __CODEX_SNAPSHOT_OVERRIDE* || $line == "if . '"*/shell_snapshots/* ) ]] && return
    # Claude Code names the shells that it starts for itself. Codex and Claude Code make a snapshot in a shell that reads the start-up files and prints what they set: nobody's
    # command (agents.md 3).
    [[ ${CLAUDECODE+x} && ${AI_AGENT-} == claude-code_*_harness ]] && return
    [[ ${CLAUDECODE+x} && $line == SNAPSHOT_FILE=*/shell-snapshots/snapshot-*'"# Snapshot file"'* ]] && return
    [[ $line == 'if [ -z "${BASH_ENV-}" ]'*"echo '# Snapshot file'"*__codex_snapshot_command* ]] && return
    export FR_SHELL_TOP="$$ $layer"
    __fr_report whole "$line" || :
    # The end is reported only where the shell is interactive, as Aider starts it. Elsewhere a trap would keep
    # `bash -c` from replacing itself by its last command, and a kill meant for that would hit only bash.
    if [[ $- == *i* && -z $(trap -p EXIT) ]]; then
        __fr_open=1 __fr_began=${EPOCHREALTIME-0} __fr_began=${__fr_began/[.,]/}
        trap '__fr_end "$?" whole' EXIT
    fi
}

# Prints nothing, fails never. In a substitution: bash counts what runs for a prompt among the jobs, and prompts show
# them (powerline); and it would say so where fr is killed.
__fr_report() {
    [[ ! -x $__fr_bin ]] || : "$(exec "$__fr_bin" hook shell before "$__fr_session" "$1" <<<"$2" >/dev/null 2>&1)"
}

# $1 the exit code, $2 the call.
__fr_end() {
    local now
    [[ $__fr_open == 1 ]] || return 0
    __fr_open=0
    now=${EPOCHREALTIME-}
    now=${now/[.,]/}
    [[ -n $now ]] || now=$(( SECONDS * 1000000 ))
    [[ -x $__fr_bin ]] || return 0
    : "$(exec "$__fr_bin" hook shell after "$__fr_session" "$2" "$1" "$(( (now - __fr_began) / 1000 ))" \
        </dev/null >/dev/null 2>&1)"
}

__fr_hook_prompt() {
    # Others may still write PROMPT_COMMAND or PS0: either of the two puts the other back.
    PROMPT_COMMAND="__fr_after;eval \"\$__fr_standby\"${PROMPT_COMMAND:+;$PROMPT_COMMAND}"
    if (( BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501 )); then
        __fr_ps0=$__fr_ps0_heal$__fr_ps0
    else
        # Its own end sees nobody's status; the first command needs to hand on the line's.
        PROMPT_COMMAND=${PROMPT_COMMAND/';eval "$__fr_standby"'/}';eval "$__fr_standby"'
    fi
    __fr_hook_ps0
}

# Once, at a prompt. Not in a function: those neither see nor inherit a DEBUG trap. bash-preexec takes the trap at the
# first prompt, and would run what it finds there as its own.
__fr_standby='[[ ${PROMPT_COMMAND[*]-} == *__bp_install* ]] || { [[ -n $(trap -p DEBUG) ]] || trap '\''[[ ${__fr_hidden-} != 1 ]] || __fr_debug "$_"'\'' DEBUG; __fr_standby=; }'

# In PS0: arithmetic runs in this shell, so it can count and take the time; the substitution waits for the recorder.
__fr_ps0='${__fr_none:$((__fr_call+=1,__fr_began=${EPOCHREALTIME/[.,]/}+0,__fr_open=1,__fr_hidden=(HISTCMD==__fr_history),0)):0}$({ (( __fr_hidden )) && __fr_traps=$(trap -p DEBUG); __fr_before; } >/dev/null 2>&1)'
# Also in PS0: where the last prompt came without us, somebody has written PROMPT_COMMAND anew. This expands to nothing.
__fr_ps0_heal='${__fr_none:$((__fr_lost=!__fr_seen,__fr_seen=0)):0}${__fr_x/[x"${PROMPT_COMMAND[__fr_lost?900:0]:=__fr_after}"]/}'
if [[ -z ${EPOCHREALTIME-} ]]; then
    __fr_ps0=${__fr_ps0/'${EPOCHREALTIME/[.,]/}+0'/SECONDS*1000000}
fi

# Runs in the subshell of PS0.
__fr_before() {
    set +eux
    if (( __fr_hidden )); then
        # The line did not enter the history (HISTCONTROL, HISTIGNORE, set +o history): the trap takes it.
        [[ $__fr_traps == *__fr_debug* ]] && return
        exec "$__fr_bin" hook shell before "$__fr_session" "$__fr_call" hidden </dev/null
    fi
    local line
    line=$(HISTTIMEFORMAT='' builtin history 1)
    # "  501* the line": the number, a mark, a blank.
    line=${line#"${line%%[![:space:]]*}"}
    line=${line#*[* ] }
    [[ -x $__fr_bin ]] && exec "$__fr_bin" hook shell before "$__fr_session" "$__fr_call" <<<"$line"
}

# Only for lines that are not in the history: one simple command at a time. $1 is $_, which must survive.
__fr_debug() {
    # Not what runs for a prompt, ours and others'.
    case $BASH_COMMAND in
        __fr_after | 'eval "$__fr_standby"' | '__fr_standby=' | '[['*__bp_install*) ;;
        *)
            if [[ " ${PROMPT_COMMAND[*]-} " != *"$BASH_COMMAND"* ]]; then
                (( __fr_call += 1 )) || :
                __fr_open=1
                __fr_report "$__fr_call" "$BASH_COMMAND"
            fi
            ;;
    esac
    : "$1"
}

# The prompt comes back: report how the line ended, then see that the hooks still stand.
__fr_after() {
    local code=$? told
    told=$code
    __fr_seen=1
    if (( BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501 )); then
        # Behind others in one element, as once beside bash-preexec 0.4, a success may be theirs.
        [[ $code != 0 ]] || __fr_alone || told=unknown
        __fr_stand
    fi
    __fr_end "$told" "$__fr_call"
    if shopt -q promptvars; then
        __fr_hidden=0
        __fr_hook_ps0
    else
        # Nothing is expanded in prompts: PS0 would be printed as it stands. The trap takes all lines.
        PS0=${PS0-}
        PS0=${PS0/"$__fr_ps0"/}
        __fr_hidden=1
    fi
    __fr_history=$HISTCMD
    # Older bash hands our status on to the rest of PROMPT_COMMAND; under set -e a failure would end the shell.
    [[ $- == *e* ]] || return "$code"
}

__fr_hook_ps0() {
    [[ ${PS0-} == *__fr_before* ]] || PS0=${PS0-}$__fr_ps0
}

# Since bash 5.1 each element of PROMPT_COMMAND sees the command's own $? and PIPESTATUS: so stand alone in one. And in
# front: what trusts the DEBUG trap (bash-preexec, undistract-me) must be the last to run before the prompt.
__fr_stand() {
    local at
    # bash-preexec of today wants to be in front as well; those of old rewrite the first element at the first prompt.
    [[ ${PROMPT_COMMAND[*]-} != *__bp_install* ]] && ! __fr_alone __fr_after || return 0
    for at in "${!PROMPT_COMMAND[@]}"; do
        case ${PROMPT_COMMAND[at]} in
            '__fr_after;eval "$__fr_standby"') unset "PROMPT_COMMAND[at]" ;;
            '__fr_after;eval "$__fr_standby";'*)
                PROMPT_COMMAND[at]=${PROMPT_COMMAND[at]#'__fr_after;eval "$__fr_standby";'}
                ;;
        esac
    done
    PROMPT_COMMAND=(__fr_after "${PROMPT_COMMAND[@]}")
}

# True where the status that reaches us is the line's own: nothing else runs before us in our element, or it hands the
# status on, as bash-preexec does since 0.6. With $1, only where the element is all ours.
__fr_alone() {
    local element
    for element in "${PROMPT_COMMAND[@]}"; do
        case $element in
            __fr_after | '__bp_precmd_invoke_cmd "$_"'*) return 0 ;;
            __fr_after*) [[ -n ${1-} ]] || return 0 ;;
        esac
    done
    return 1
}

__fr_bin=@FR@
__fr_start "$@"
