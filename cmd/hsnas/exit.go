package main

import (
	"context"
	"errors"

	"hsnas/internal/config"
	"hsnas/pipeline"
)

// Exit codes of the program.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2   // the command line, a configuration file or an input of the user's is wrong
	exitInterrupted = 130 // as shells report an interrupt
)

// exitCode returns the code that tells scripts what kind of error err is.
func exitCode(err error) int {
	var usage *config.Error
	var field *config.FieldError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, pipeline.ErrInterrupted) || errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &usage) || errors.As(err, &field):
		return exitUsage
	}
	return exitFailure
}
