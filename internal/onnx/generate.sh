#!/bin/sh
# Regenerates onnx.pb.go. Needs protoc (Debian: protobuf-compiler); the Go plugin is built
# from the version that go.mod names.
set -eu
cd "$(dirname "$0")"
bin=$(mktemp -d)
trap 'rm -r "$bin"' EXIT
GOBIN=$bin go install google.golang.org/protobuf/cmd/protoc-gen-go
protoc --plugin="$bin/protoc-gen-go" --go_out=. --go_opt=paths=source_relative onnx.proto
