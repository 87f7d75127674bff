// Package onnx builds and reads ONNX models: the protobuf types of the part of the public
// schema that hsnas uses, a graph builder, and a reader that checks what it reads.
//
// Everything is written for opset 17 and IR version 8, which runtimes since 2022 load. The
// builder infers no shapes: the caller, who knows them, says each output's. The bytes of a
// model depend on the calls that built it and on nothing else.
package onnx

//go:generate ./generate.sh

// Opset is the version of ONNX's own operator set that graphs are written in.
const Opset = 17

// IRVersion is the version of the file format that models declare.
const IRVersion = 8

// MicrosoftDomain holds ONNX Runtime's own operators; its version is 1.
const MicrosoftDomain = "com.microsoft"

const microsoftVersion = 1

// MLDomain holds ONNX's operators of classical models, ensembles of trees among them, in
// the version that belongs to opset 17.
const MLDomain = "ai.onnx.ml"

const mlVersion = 3

// domains are the operator sets beside ONNX's own that hsnas writes and reads, in the order
// that models declare them.
var domains = []struct {
	name    string
	version int64
}{{MicrosoftDomain, microsoftVersion}, {MLDomain, mlVersion}}

// domainVersion is the version of an operator set beside ONNX's own, 0 for one that hsnas
// does not know.
func domainVersion(name string) int64 {
	for _, d := range domains {
		if d.name == name {
			return d.version
		}
	}
	return 0
}

// Producer is what models name as the program that wrote them.
const Producer = "hsnas"
