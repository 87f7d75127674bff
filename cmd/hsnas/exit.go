package main

import (
	"context"
	"errors"
	"fmt"

	"hsnas/internal/config"
	"hsnas/pipeline"
)

// Exit codes of the program.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2   // the command line, a configuration file or an input of the user's is wrong
	exitDifferent   = 3   // hsnas diff: the runs differ, which is no fault and no misuse
	exitInterrupted = 130 // as shells report an interrupt
)

// errDifferent is what diff returns when it has printed differences. It is no message.
var errDifferent = errors.New("the runs differ")

// exitStatus is how another program that did the command's work ended. It has said why.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// reported says whether there is nothing left to say about err.
func reported(err error) bool {
	var status exitStatus
	return err == nil || errors.Is(err, errDifferent) || errors.As(err, &status)
}

// exitCode returns the code that tells scripts what kind of error err is.
func exitCode(err error) int {
	var usage *config.Error
	var field *config.FieldError
	var status exitStatus
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errDifferent):
		return exitDifferent
	case errors.As(err, &status):
		return int(status)
	case errors.Is(err, pipeline.ErrInterrupted) || errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &usage) || errors.As(err, &field):
		return exitUsage
	}
	return exitFailure
}
