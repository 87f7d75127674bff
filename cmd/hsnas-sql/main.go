// Command hsnas-sql answers SQL about the artifacts of runs with DuckDB. It is a module
// of its own, as DuckDB is large; `hsnas sql` hands over to it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"hsnas/internal/config"
	"hsnas/internal/tabular"
)

const usage = `hsnas sql - ask the artifacts of runs in SQL

  hsnas sql --run RUN [--run RUN ...] [--json | --csv | --jsonl] [STATEMENT]

Each artifact is a view, named after its path: label/predictions.parquet is
label_predictions, or label.predictions. The manifest is manifest.stages, artifacts,
inputs and params. With several runs every view has the column run before the others.
Files are held against their checksums in the manifest, then read into memory; after
that the database can neither read nor write files, load extensions or use the network.
Without STATEMENT, statements are read from standard input, each up to its semicolon.
RUN is a name, or the path of a run directory. SHOW ALL TABLES lists the views.
`

// Exit codes, those of hsnas.
const (
	exitFailure     = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program: it returns the exit code and reports an error as one line.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	err := answer(ctx, args, stdin, stdout, stderr)
	var fault *config.Error
	switch {
	case err == nil:
		return 0
	case errors.Is(err, flag.ErrHelp):
		_, _ = io.WriteString(stdout, usage)
		return 0
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "hsnas sql: interrupted")
		return exitInterrupted
	}
	fmt.Fprintln(stderr, "hsnas sql:", err)
	if errors.As(err, &fault) {
		return exitUsage
	}
	return exitFailure
}

// options are the command line.
type options struct {
	runs      []string
	format    tabular.Format
	statement string // "" to read them from standard input
}

func answer(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	runs, err := openRuns(o.runs)
	if err != nil {
		return err
	}
	db, err := openDatabase(ctx, runs)
	if err != nil {
		return err
	}
	defer db.Close()
	p := &printer{db: db, out: stdout, format: o.format, width: tabular.Width(stdout)}
	if o.statement != "" {
		return p.all(ctx, o.statement)
	}
	return shell(ctx, p, stdin, stderr)
}

// parse reads the flags, which may stand behind the statement too.
func parse(args []string) (options, error) {
	o := options{format: tabular.Text}
	flags := flag.NewFlagSet("sql", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Func("run", "", func(name string) error { o.runs = append(o.runs, name); return nil })
	formats := 0
	for name, format := range map[string]tabular.Format{"json": tabular.JSON, "csv": tabular.CSV, "jsonl": tabular.Lines} {
		flags.BoolFunc(name, "", func(string) error { o.format = format; formats++; return nil })
	}
	isComment := func(arg string) bool { return strings.HasPrefix(arg, "--") && strings.ContainsAny(arg, " \n") }
	if i := slices.IndexFunc(args, isComment); i >= 0 { // a statement that begins with a comment is no flag
		o.statement, args = args[i], slices.Delete(slices.Clone(args), i, i+1)
	}
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return o, err
			}
			return o, config.Errorf("", 0, "%v; see hsnas sql --help", err)
		}
		if args = flags.Args(); len(args) == 0 {
			break
		}
		if o.statement != "" {
			return o, config.Errorf("", 0, "expected one statement, found another: %q; put it in quotes", args[0])
		}
		o.statement, args = args[0], args[1:]
	}
	if len(o.runs) == 0 {
		return o, config.Errorf("", 0, "sql needs --run RUN; see hsnas sql --help")
	}
	if formats > 1 {
		return o, config.Errorf("", 0, "give one of --json, --csv and --jsonl")
	}
	return o, nil
}
