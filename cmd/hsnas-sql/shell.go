package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"hsnas/cmd/hsnas-sql/statements"
)

// shell runs the statements of standard input as they come. On a terminal it prompts,
// and goes on after a statement that is wrong; a script ends there.
func shell(ctx context.Context, p *printer, stdin io.Reader, stderr io.Writer) error {
	file, isFile := stdin.(*os.File)
	talk := isFile && term.IsTerminal(int(file.Fd()))
	if talk {
		fmt.Fprintln(stderr, "SHOW ALL TABLES; lists the views. A statement ends with a semicolon, quit ends this.")
	}
	in := bufio.NewReader(stdin)
	pending := ""
	for {
		if talk {
			fmt.Fprint(stderr, prompt(pending))
		}
		line, err := in.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		ended := err != nil
		if talk && statements.Blank(pending) && isQuit(line) {
			return nil
		}
		whole, rest := statements.Split(pending + line)
		if ended {
			whole, rest = append(whole, rest), ""
		}
		pending = rest
		for _, s := range whole {
			err := p.one(ctx, s)
			if err != nil && (!talk || ctx.Err() != nil) {
				return err
			}
			if err != nil {
				fmt.Fprintln(stderr, err)
			}
		}
		if ended {
			return nil
		}
	}
}

func prompt(pending string) string {
	if statements.Blank(pending) {
		return "hsnas> "
	}
	return "   ... "
}

func isQuit(line string) bool {
	word := strings.ToLower(strings.TrimSpace(line))
	return word == "quit" || word == "exit" || word == "\\q" || word == ".quit"
}
