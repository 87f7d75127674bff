package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"hsnas/internal/config"
)

// gather returns the arguments of a command, and sets the flags that stand behind the
// first of them: the library ends its flags there.
func gather(c *cli.Context) ([]string, error) {
	words := c.Args().Slice()
	var args []string
	for i := 0; i < len(words); i++ {
		name, value, hasValue := strings.Cut(strings.TrimLeft(words[i], "-"), "=")
		if words[i] == "-" || !strings.HasPrefix(words[i], "-") {
			args = append(args, words[i])
			continue
		}
		if words[i] == "--" {
			return append(args, words[i+1:]...), nil
		}
		flag := flagNamed(c.Command, name)
		if flag == nil {
			return nil, onUsageError(c, fmt.Errorf("flag provided but not defined: -%s", name), true)
		}
		if _, isBool := flag.(*cli.BoolFlag); isBool && !hasValue {
			value = "true"
		} else if !hasValue {
			if i++; i == len(words) {
				return nil, config.Errorf("", 0, "%s: flag needs an argument: --%s", c.Command.Name, name)
			}
			value = words[i]
		}
		if err := c.Set(name, value); err != nil {
			return nil, config.Errorf("", 0, "%s: invalid value %q for flag --%s", c.Command.Name, value, name)
		}
	}
	return args, nil
}

func flagNamed(c *cli.Command, name string) cli.Flag {
	for _, f := range c.Flags {
		for _, n := range f.Names() {
			if n == name {
				return f
			}
		}
	}
	return nil
}
