package llmtest

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// send writes the response, or what is left of it.
func (f Fault) send(w http.ResponseWriter, r *http.Request, response string) {
	if f.Body != "" {
		response = strings.ReplaceAll(f.Body, "{{key}}", strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	} else if f.Status != 0 && f.Status != http.StatusOK {
		response = ""
	}
	for k, v := range f.Header {
		w.Header().Set(k, v)
	}
	switch f.Wire {
	case WireReset, WireClosed:
		drop(w, f.Wire == WireReset)
		return
	case WireSilent:
		<-r.Context().Done()
		return
	case WireCutLength, WireStalled:
		w.Header().Set("Content-Length", strconv.Itoa(len(response)))
		response = response[:len(response)/2]
	case WireCutChunked:
		response = response[:len(response)/2]
	}
	if f.Status != 0 {
		w.WriteHeader(f.Status)
	}
	_, _ = io.WriteString(w, response)
	switch f.Wire {
	case WireStalled:
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	case WireCutChunked:
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// drop ends the connection without an answer, with a reset or in peace.
func drop(w http.ResponseWriter, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
