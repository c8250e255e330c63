# fr: records what runs at this prompt. Put this into ~/.zshrc:   eval "$(fr init zsh)"
# A line is reported before it runs (preexec) and after it ended (precmd). Prints nothing, changes no option and no $?.

__fr_bin=@FR@

# $1 the call, $2 the line. Where fr is killed, it is this shell that would say so.
__fr_report() {
    emulate -L zsh
    setopt no_monitor no_notify
    [[ -x $__fr_bin ]] || return 0
    { print -rn -- "$2" | "$__fr_bin" hook shell before "$__fr_session" "$1" } >/dev/null 2>&1
    return 0
}

# $1 the exit code, $2 the call.
__fr_end() {
    emulate -L zsh
    setopt no_monitor no_notify
    (( __fr_open )) || return 0
    __fr_open=0
    [[ -x $__fr_bin ]] || return 0
    local -i took=$(( (EPOCHREALTIME - __fr_began) * 1000 ))
    { "$__fr_bin" hook shell after "$__fr_session" "$2" "$1" "$took" </dev/null } >/dev/null 2>&1
    return 0
}

__fr_preexec() {
    emulate -L zsh
    (( __fr_call += 1 ))
    __fr_open=1
    # $1 is the line as typed; it is empty where there is no history, then $3 is the line with aliases expanded.
    __fr_report "$__fr_call" "${1:-$3}"
    __fr_began=$EPOCHREALTIME
    return 0
}

__fr_precmd() {
    __fr_end "$?" "$__fr_call"
}

__fr_start() {
    emulate -L zsh
    # Not twice in one shell (it may stand in ~/.zshrc and in ~/.zshenv).
    [[ ${__fr_pid-} != $$ && -x $__fr_bin ]] || return 0
    zmodload zsh/datetime 2>/dev/null || return 0
    typeset -g __fr_pid=$$ __fr_session="shell-$$-$EPOCHSECONDS"
    typeset -gi __fr_call=0 __fr_open=0 __fr_whole=0
    typeset -gF __fr_began=0
    # What tells one agent's commands from another's, and Codex's calls from each other. A shell inside a line that was
    # reported keeps still, unless an agent has come between: the line only named the agent.
    local layer="${CODEX_TOOL_CALL_ID-}/${CODEX_THREAD_ID-}/${GEMINI_CLI-}/${OPENCODE_PID-}/${OR_APP_NAME-}"
    layer+="/${COPILOT_AGENT_SESSION_ID-}/${CURSOR_VERSION-}/${CLAUDE_CODE_SESSION_ID-}"
    if [[ -o interactive && -z ${ZSH_EXECUTION_STRING-} ]]; then
        export FR_SHELL_TOP="$$ $layer"
        typeset -ga preexec_functions precmd_functions
        preexec_functions+=(__fr_preexec)
        precmd_functions+=(__fr_precmd)
    elif [[ -o interactive || ( -z ${CLAUDE_CODE_SESSION_ID-} && ${FR_SHELL_TOP-} != *" $layer" ) ]]; then
        # A script, `zsh -c` or `zsh -i -c`: reported once, as a whole, by the outermost shell.
        # In ~/.zshenv $0 is still the shell; without a script the commands come from stdin, where nobody sees them.
        local line=${ZSH_EXECUTION_STRING:-zsh ${${ZSH_SCRIPT:+${(q)ZSH_SCRIPT}}:--s}${@:+ ${(j: :)${(q)@}}}}
        # Codex restores its snapshot and then replaces this process by the zsh of the command, which reports itself.
        [[ ${+CODEX_THREAD_ID} = 1 && $line == *"exec '"*"zsh' -c '"* \
            && ( $line == __CODEX_SNAPSHOT_OVERRIDE* || $line == "if . '"*/shell_snapshots/* ) ]] && return 0
        # Codex and Claude Code make a snapshot in a shell that reads the start-up files and prints what they set:
        # nobody's command (agents.md 3).
        [[ ${+CLAUDECODE} = 1 && ${AI_AGENT-} == claude-code_*_harness ]] && return 0
        [[ ${+CLAUDECODE} = 1 && $line == SNAPSHOT_FILE=*/shell-snapshots/snapshot-*'"# Snapshot file"'* ]] && return 0
        [[ $line == 'if [[ -n "${ZDOTDIR-}" ]]'*"print '# Snapshot file'"*__codex_snapshot_command* ]] && return 0
        export FR_SHELL_TOP="$$ $layer"
        __fr_report whole "$line"
        [[ -o interactive ]] && __fr_whole=1
        __fr_began=$EPOCHREALTIME
    fi
    return 0
}

__fr_start "$@"
# The end of a whole is reported only where the shell is interactive, as Aider starts it: a trap keeps `zsh -c` from
# replacing itself by its last command. Not in a function: there it would be the function's own.
if [[ ${__fr_whole-} = 1 && -z $(trap | grep "' EXIT$") ]] && ! (( ${+functions[TRAPEXIT]} )); then
    __fr_whole=0
    __fr_open=1
    trap '__fr_end "$?" whole' EXIT
fi
