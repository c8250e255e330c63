# fr: records what runs at this prompt. Put this into ~/.bashrc:   eval "$(fr init bash)"
# A line is reported before it runs (PS0) and after it ended (PROMPT_COMMAND). DEBUG traps are not touched, only
# where there is none a small one stands by for lines that stay out of the history.
# Every command below is safe under set -u and set -e, and prints nothing.

__fr_start() {
    # Not twice in one shell; not inside an agent that reports its commands itself; PS0 came with bash 4.4.
    [[ ${__fr_pid-} != "$$" && -z ${CLAUDE_CODE_SESSION_ID-} && -x $__fr_bin ]] || return 0
    (( BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404 )) || return 0
    __fr_pid=$$ __fr_call=0 __fr_open=0 __fr_hidden=0 __fr_began=0 __fr_none='' __fr_history=''
    printf -v __fr_session 'shell-%s-%(%s)T' "$$" -1
    if [[ $- == *i* && -z ${BASH_EXECUTION_STRING+x} ]]; then
        export FR_SHELL_TOP=$$
        __fr_hook_prompt
    elif [[ -z ${FR_SHELL_TOP-} || $- == *i* ]]; then
        # A script or `bash -c`: reported once, as a whole, by the outermost shell. No traps: they would keep
        # `bash -c` from replacing itself by its last command, and a kill meant for that would hit only bash.
        export FR_SHELL_TOP=$$
        local line=${BASH_EXECUTION_STRING-}
        [[ -n $line ]] || printf -v line '%q ' bash "$0" "$@"
        __fr_report 1 "$line" || :
    fi
    return 0
}

# Prints nothing, fails never.
__fr_report() {
    [[ -x $__fr_bin ]] || return 0
    "$__fr_bin" hook shell before "$__fr_session" "$1" <<<"$2" >/dev/null 2>&1 || :
}

__fr_hook_prompt() {
    local version=$(( BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] ))
    if (( version >= 501 )); then
        # Each element sees the command's own $? (bash 5.1). A high index outlives a later PROMPT_COMMAND=….
        PROMPT_COMMAND[900]='eval "$__fr_standby"; __fr_after'
    else
        PROMPT_COMMAND="__fr_after${PROMPT_COMMAND:+;$PROMPT_COMMAND};eval \"\$__fr_standby\""
    fi
}

# Once, at the first prompt. Not in a function: those neither see nor inherit a DEBUG trap.
__fr_standby='[[ -n $(trap -p DEBUG) ]] || trap '\''[[ ${__fr_hidden-} != 1 ]] || __fr_debug "$_"'\'' DEBUG; __fr_standby='

# In PS0: arithmetic runs in this shell, so it can count and take the time; the substitution waits for the recorder.
__fr_ps0='${__fr_none:$((__fr_call+=1,__fr_began=${EPOCHREALTIME/[.,]/}+0,__fr_open=1,__fr_hidden=(HISTCMD==__fr_history),0)):0}$({ (( __fr_hidden )) && __fr_traps=$(trap -p DEBUG); __fr_before; } >/dev/null 2>&1)'
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
    if [[ " ${PROMPT_COMMAND[*]-} " != *"$BASH_COMMAND"* ]]; then
        (( __fr_call += 1 )) || :
        __fr_open=1
        __fr_report "$__fr_call" "$BASH_COMMAND"
    fi
    : "$1"
}

# The prompt comes back: report how the line ended, then see that the hooks still stand.
__fr_after() {
    local code=$? now
    if [[ $__fr_open == 1 ]]; then
        __fr_open=0
        now=${EPOCHREALTIME-}
        now=${now/[.,]/}
        [[ -n $now ]] || now=$(( SECONDS * 1000000 ))
        if [[ -x $__fr_bin ]]; then
            "$__fr_bin" hook shell after "$__fr_session" "$__fr_call" "$code" \
                "$(( (now - __fr_began) / 1000 ))" </dev/null >/dev/null 2>&1 || :
        fi
    fi
    if shopt -q promptvars; then
        __fr_hidden=0
        [[ ${PS0-} == *__fr_before* ]] || PS0=${PS0-}$__fr_ps0
    else
        # Nothing is expanded in prompts: PS0 would be printed as it stands. The trap takes all lines.
        PS0=${PS0-}
        PS0=${PS0/"$__fr_ps0"/}
        __fr_hidden=1
    fi
    if [[ -z $__fr_standby && ${PROMPT_COMMAND[900]-} == *__fr_standby* ]]; then
        PROMPT_COMMAND[900]=__fr_after
    fi
    __fr_history=$HISTCMD
    # Older bash hands our status on to the rest of PROMPT_COMMAND; under set -e a failure would end the shell.
    [[ $- == *e* ]] || return "$code"
}

__fr_bin=@FR@
__fr_start "$@"
