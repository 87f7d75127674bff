package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// candidate completes a word.
type candidate struct{ text, note string }

// typed is what a command line says up to the word that is completed.
type typed struct {
	command  *cli.Command // nil before there is one
	commands []*cli.Command
	flags    []cli.Flag
	argument int               // arguments so far
	awaits   cli.Flag          // whose value comes next
	values   map[string]string // of flags, by their first name
}

// complete returns what completes the last of the words behind the program's name,
// and whether names of files do.
func complete(app *cli.App, words []string) (found []candidate, files bool) {
	word := ""
	if len(words) > 0 {
		word, words = words[len(words)-1], words[:len(words)-1]
	}
	t := typed{commands: app.Commands, flags: app.Flags, values: map[string]string{}}
	for _, w := range words {
		t.read(w)
	}
	flag, value, inline := strings.Cut(word, "=")
	switch {
	case t.awaits != nil:
		found, files = t.valuesOf(kindOf(t.awaits))
	case strings.HasPrefix(word, "-") && inline:
		if f := t.flag(flag); f != nil {
			found, files = t.valuesOf(kindOf(f))
			word = value
			return prefixed(flag+"=", matching(found, word)), files
		}
	case strings.HasPrefix(word, "-"):
		found = t.flagNames()
	case len(t.commands) > 0 && t.argument == 0:
		found = commandNames(t.commands)
	default:
		found, files = t.arguments(word == "")
	}
	return matching(found, word), files
}

// read takes in a word before the one that is completed.
func (t *typed) read(word string) {
	flag, value, inline := strings.Cut(word, "=")
	switch {
	case t.awaits != nil:
		t.values[t.awaits.Names()[0]] = word
		t.awaits = nil
	case strings.HasPrefix(word, "-"):
		f := t.flag(flag)
		if f == nil || !takesValue(f) {
			return
		}
		if inline {
			t.values[f.Names()[0]] = value
			return
		}
		t.awaits = f
	default:
		for _, c := range t.commands {
			if c.HasName(word) && t.argument == 0 {
				t.command, t.commands, t.flags = c, c.Subcommands, c.Flags
				return
			}
		}
		t.argument++
	}
}

// flag finds the flag of a word, nil where there is none.
func (t *typed) flag(word string) cli.Flag {
	name := strings.TrimLeft(word, "-")
	for _, f := range t.flags {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}

func takesValue(f cli.Flag) bool {
	d, ok := f.(cli.DocGenerationFlag)
	return ok && d.TakesValue()
}

// flagNames are the flags that can still be given: one that has a value is not
// offered again, unless it takes several.
func (t *typed) flagNames() []candidate {
	out := []candidate{}
	for _, f := range t.flags {
		name := f.Names()[0]
		_, given := t.values[name]
		if d, ok := f.(cli.DocGenerationSliceFlag); given && !(ok && d.IsSliceFlag()) {
			continue
		}
		note := ""
		if d, ok := f.(cli.DocGenerationFlag); ok {
			note = plain(d.GetUsage())
		}
		if name != "help" {
			out = append(out, candidate{"--" + name, note})
		}
	}
	return append(out, candidate{"--help", "show help"})
}

func commandNames(commands []*cli.Command) []candidate {
	var out []candidate
	for _, c := range commands {
		if !c.Hidden && c.Name != "help" {
			out = append(out, candidate{c.Name, plain(c.Usage)})
		}
	}
	return out
}

// arguments completes an argument; where a command takes none, its flags are all that
// can follow.
func (t *typed) arguments(empty bool) (found []candidate, files bool) {
	kinds := []string{}
	if t.command != nil {
		kinds = capitals.FindAllString(t.command.ArgsUsage, -1)
	}
	switch {
	case len(kinds) > 0:
		return t.valuesOf(kinds[min(t.argument, len(kinds)-1)])
	case empty && t.command != nil:
		return t.flagNames(), false
	}
	return nil, false
}

// quoted is the name that a flag's usage gives its value, capitals those that a
// command's usage gives its arguments.
var (
	quoted   = regexp.MustCompile("`([^`]+)`")
	capitals = regexp.MustCompile(`[A-Z]{2,}`)
)

// kindOf is what a flag's usage calls its value.
func kindOf(f cli.Flag) string {
	if d, ok := f.(cli.DocGenerationFlag); ok {
		if m := quoted.FindStringSubmatch(d.GetUsage()); m != nil {
			return m[1]
		}
	}
	return ""
}

// plain is a usage without the marks in it.
func plain(usage string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(usage, "`", "")), " ")
}

func matching(found []candidate, word string) []candidate {
	return slices.DeleteFunc(found, func(c candidate) bool { return !strings.HasPrefix(c.text, word) })
}

func prefixed(before string, found []candidate) []candidate {
	for i := range found {
		found[i].text = before + found[i].text
	}
	return found
}
