# Prints the last word of a command line after zsh has completed it: a zsh of its own, at
# a terminal of its own, in which Tab is pressed.
#
# Usage: zsh -f checks/complete.zsh LINE
zmodload zsh/zpty
zpty inner zsh -f -i
# Reads what the inner shell says until it says that it is ready.
ready() { local said; while zpty -r inner said; do [[ $said == *"it is ready"* ]] && return; done; exit 1 }
zpty -w inner 'PROMPT= RPROMPT=; setopt no_beep no_always_last_prompt'
zpty -w inner 'autoload -Uz compinit && compinit -u -D && source <(hsnas completion zsh)'
zpty -w inner 'finish() { print -r -- "$BUFFER" >buffer; print "it is"" ready" }; zle -N finish; bindkey "^X" finish; bindkey "^I" complete-word; print "it is"" ready"'
ready
zpty -w -n inner "$1"$'\t\x18'
ready
zpty -d inner
words=($(<buffer))
print -r -- "${words[-1]}"
