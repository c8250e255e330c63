# fr: records what runs at this prompt. Put this into ~/.zshrc:   eval "$(fr init zsh)"
# A line is reported before it runs (preexec) and after it ended (precmd). Prints nothing, changes no option and no $?.

__fr_bin=@FR@

__fr_preexec() {
    emulate -L zsh
    [[ -x $__fr_bin ]] || return 0
    (( __fr_call += 1 ))
    __fr_open=1
    # $1 is the line as typed; it is empty where there is no history, then $3 is the line with aliases expanded.
    print -rn -- "${1:-$3}" | "$__fr_bin" hook shell before "$__fr_session" "$__fr_call" >/dev/null 2>&1
    __fr_began=$EPOCHREALTIME
    return 0
}

__fr_precmd() {
    local __fr_code=$?
    emulate -L zsh
    (( __fr_open )) || return 0
    __fr_open=0
    [[ -x $__fr_bin ]] || return 0
    local -i took=$(( (EPOCHREALTIME - __fr_began) * 1000 ))
    "$__fr_bin" hook shell after "$__fr_session" "$__fr_call" "$__fr_code" "$took" </dev/null >/dev/null 2>&1
    return 0
}

__fr_start() {
    emulate -L zsh
    # Not twice in one shell; not inside an agent that reports its commands itself.
    [[ ${__fr_pid-} != $$ && -z ${CLAUDE_CODE_SESSION_ID-} && -x $__fr_bin ]] || return 0
    zmodload zsh/datetime 2>/dev/null || return 0
    typeset -g __fr_pid=$$ __fr_session="shell-$$-$EPOCHSECONDS"
    typeset -gi __fr_call=0 __fr_open=0
    typeset -gF __fr_began=0
    if [[ -o interactive && -z ${ZSH_EXECUTION_STRING-} ]]; then
        export FR_SHELL_TOP=$$
        typeset -ga preexec_functions precmd_functions
        preexec_functions+=(__fr_preexec)
        precmd_functions+=(__fr_precmd)
    elif [[ -z ${FR_SHELL_TOP-} || -o interactive ]]; then
        # A script or `zsh -c` (from ~/.zshenv): reported once, as a whole, by the outermost shell.
        export FR_SHELL_TOP=$$
        local line=${ZSH_EXECUTION_STRING:-zsh ${(j: :)${(q)@}}}
        print -rn -- "$line" | "$__fr_bin" hook shell before "$__fr_session" 1 >/dev/null 2>&1
    fi
    return 0
}

__fr_start "$0" "$@"
