# Completion of hsnas for fish: hsnas completion fish > ~/.config/fish/completions/hsnas.fish
function __hsnas_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l program (string replace -r '^~' $HOME -- $words[1])
    for line in (command $program __complete $words[2..-1] "$word" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path "$word"
            case :nothing
            case '*'
                echo $line
        end
    end
end
complete -c hsnas -f -a '(__hsnas_complete)'
