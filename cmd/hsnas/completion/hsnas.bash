# Completion of hsnas for bash: source <(hsnas completion bash)
_hsnas() {
	local program=${1/#\~/$HOME} words=() word typed answers=() i
	for ((i = 0; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		# Bash takes --task=x and cuda:1 apart, which are one word each.
		if ((${#words[@]} > 1)) && [[ $word == [=:]* || ${words[-1]} == *[=:] ]]; then
			words[-1]+=$word
		else
			words+=("$word")
		fi
	done
	word=${COMP_WORDS[COMP_CWORD]}
	[[ $word == [=:] ]] && word=
	# What of the last word stands before the part that bash replaces.
	typed=${words[-1]%"$word"}
	mapfile -t answers < <("$program" __complete "${words[@]:1}" 2>/dev/null)
	COMPREPLY=()
	for word in "${answers[@]}"; do
		case $word in
		:files) compopt -o default ;;
		:nothing) ;;
		*)
			word=${word%%$'\t'*}
			COMPREPLY+=("${word#"$typed"}")
			;;
		esac
	done
}
complete -F _hsnas hsnas
