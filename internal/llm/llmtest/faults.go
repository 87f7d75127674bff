package llmtest

import (
	"net/http"
	"regexp"
)

// Wire says what becomes of a response on its way.
type Wire int

// The ways of a response.
const (
	WireWhole      Wire = iota
	WireReset           // the connection is reset
	WireClosed          // the connection is closed without an answer
	WireSilent          // nothing comes until the client gives up
	WireStalled         // half of the body comes, and nothing more until the client gives up
	WireCutLength       // half of the Content-Length comes
	WireCutChunked      // a chunked body ends in the middle
)

// Edit replaces all matches of a pattern; the zero value replaces nothing.
type Edit struct{ Pattern, With string }

func (e Edit) apply(text string) string {
	if e.Pattern == "" {
		return text
	}
	return regexp.MustCompile(e.Pattern).ReplaceAllString(text, e.With)
}

// Fault is one way in which a service fails. The zero value is none.
type Fault struct {
	Name     string
	Status   int // 0 is 200
	Header   map[string]string
	Body     string // in place of the completion; {{key}} stands for the client's key
	Content  Edit   // of the answer's content, when that is well-formed text
	Response Edit   // of the completion's JSON
	Wire     Wire
}

// charges says that a whole completion arrives, which costs money.
func (f Fault) charges() bool {
	return f.Wire == WireWhole && f.Body == "" && (f.Status == 0 || f.Status == http.StatusOK) && !f.broken()
}

// broken says that what arrives is no longer JSON.
func (f Fault) broken() bool { return f.Response == trailing }

// trailing leaves text behind the completion.
var trailing = Edit{`$`, ` {"x"`}

const (
	contentField = `"content":"(?:[^"\\]|\\.)*"`

	errorBody = `{"error":{"message":"The server had an error","type":"server_error","code":null}}`
	rateBody  = `{"error":{"message":"Rate limit reached for requests","type":"requests","code":"rate_limit_exceeded"}}`
	quotaBody = `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}`
	page      = "<!DOCTYPE html>\n<html><body>Bad gateway</body></html>"
)

func status(name string, code int, body string) Fault {
	return Fault{Name: name, Status: code, Body: body}
}

func limited(name string, header, value string) Fault {
	return Fault{Name: name, Status: 429, Body: rateBody, Header: map[string]string{header: value}}
}

func content(name, pattern, with string) Fault {
	return Fault{Name: name, Content: Edit{pattern, with}}
}

func response(name, pattern, with string) Fault {
	return Fault{Name: name, Response: Edit{pattern, with}}
}

// Faults lists the ways in which services are known to fail, each by a name of
// its own. Predictions stand under any key.
func Faults() []Fault {
	return []Fault{
		status("400", 400, `{"error":{"message":"This model's maximum context length is 8192 tokens","type":"invalid_request_error","code":"context_length_exceeded"}}`),
		status("401 with the key", 401, `{"error":{"message":"Incorrect API key provided: {{key}}","type":"invalid_request_error","code":"invalid_api_key"}}`),
		status("402", 402, `{"error":{"message":"Insufficient balance","code":402}}`),
		status("403 page with the key", 403, "<html>Bearer {{key}} may not</html>"),
		status("404", 404, `{"error":{"message":"The model does not exist","code":"model_not_found"}}`),
		status("405", 405, ""),
		status("408", 408, errorBody),
		status("409", 409, errorBody),
		status("410", 410, ""),
		status("413", 413, page),
		status("415", 415, `{"detail":"Unsupported media type"}`),
		status("422", 422, `{"error":{"message":"inputs must have less than 4096 tokens","type":"validation"}}`),
		status("424", 424, `{"error":{"message":"Request failed during generation","type":"generation"}}`),
		status("425", 425, ""),
		status("429 rate limit", 429, rateBody),
		limited("429 Retry-After in seconds", "Retry-After", "2"),
		limited("429 Retry-After as a date", "Retry-After", "Fri, 31 Dec 1999 23:59:59 GMT"),
		limited("429 retry-after-ms", "Retry-After-Ms", "15.5"),
		limited("429 Retry-After garbage", "Retry-After", "soon"),
		limited("429 Retry-After for days", "Retry-After", "1e9"),
		status("429 quota", 429, quotaBody),
		status("429 page", 429, page),
		status("451", 451, errorBody),
		status("498", 498, errorBody),
		status("499", 499, ""),
		status("500", 500, errorBody),
		status("500 empty", 500, ""),
		status("501", 501, errorBody),
		status("502 page", 502, page),
		limited503(),
		status("504", 504, page),
		status("505", 505, ""),
		status("520", 520, page),
		status("522", 522, page),
		status("524", 524, page),
		status("529", 529, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`),
		{Name: "redirect", Status: 307, Header: map[string]string{"Location": "http://127.0.0.1:1/v1/chat/completions"}},
		status("202 empty", 202, ""),
		status("204", 204, ""),
		status("200 page", 200, page),
		status("200 empty", 200, " "),
		status("200 error", 200, errorBody),
		status("200 error of a gateway", 200, `{"error":{"message":"Provider returned error {{key}}","code":502}}`),
		status("200 quota of a gateway", 200, `{"error":{"message":"No credits","code":402}}`),
		status("200 other JSON", 200, `{"status":"warming up"}`),
		status("200 list", 200, `[]`),
		status("200 null", 200, `null`),
		{Name: "trailing garbage", Response: trailing},
		{Name: "silent", Wire: WireSilent},
		{Name: "stalled", Wire: WireStalled},
		{Name: "cut", Wire: WireCutLength},
		{Name: "cut chunk", Wire: WireCutChunked},
		{Name: "reset", Wire: WireReset},
		{Name: "closed", Wire: WireClosed},
		response("empty choices", `"choices":\[.*\],"usage"`, `"choices":[],"usage"`),
		response("no choices", `"choices":\[.*\],"usage"`, `"usage"`),
		response("length", `"stop"`, `"length"`),
		response("content filter", `"stop"`, `"content_filter"`),
		response("empty content", contentField, `"content":""`),
		response("null content", contentField, `"content":null`),
		response("refusal", contentField, `"content":null,"refusal":"I cannot"`),
		response("content of another type", contentField, `"content":24.1`),
		response("usage of another type", `"usage":\{.*?\}`, `"usage":{"prompt_tokens":"10","completion_tokens":"5"}`),
		response("no usage", `,"usage":\{.*?\}`, ``),
		response("other model", `"m-1"`, `"another-model"`),
		response("unknown fields", `"object"`, `"x_groq":{"id":1},"object"`),
		content("id beyond", `"id": 1,`, `"id": 71,`),
		content("id from zero", `"id": 1,`, `"id": 0,`),
		content("id twice", `"id": 2,`, `"id": 1,`),
		content("id missing", `\{"id": 1, [^}]*\}, `, ``),
		content("too many", `\]\}$`, `, {"id": 99, "prediction": 0.1}]}`),
		content("id as text", `"id": 1,`, `"id": "1",`),
		content("number as text", `: (0\.\d+)\}`, `: "$1"}`),
		content("number in words", `: 0\.\d+\}`, `: "about a half"}`),
		content("number as null", `: 0\.\d+\}`, `: null}`),
		content("range", `: 0\.\d+\}`, `: "0.24-0.25"}`),
		content("NaN", `: 0\.\d+\}`, `: NaN}`),
		content("infinite", `: 0\.\d+\}`, `: 1e999}`),
		content("out of range", `: 0\.\d+\}`, `: 24.5}`),
		content("negative", `: 0\.`, `: -0.`),
		content("prose", `(?s)^(.*)$`, "Here are my predictions:\n$1"),
		content("prose behind", `(?s)^(.*)$`, "$1\nI hope that helps."),
		content("prose alone", `(?s)^.*$`, "I cannot predict this."),
		content("fence", `(?s)^(.*)$`, "```json\n$1\n```"),
		content("other key", `"prediction"`, `"value"`),
		content("list alone", `^\{"predictions": (\[.*\])\}$`, `$1`),
		content("torn JSON", `\]\}$`, ``),
		content("two objects", `(?s)^(.*)$`, "$1$1"),
		content("blanks", `(?s)^.*$`, "  \n "),
	}
}

func limited503() Fault {
	return Fault{Name: "503 Retry-After", Status: 503, Body: errorBody, Header: map[string]string{"Retry-After": "1"}}
}

// Named returns the fault of that name; one that is not listed is a fault of the
// test.
func Named(name string) Fault {
	for _, f := range Faults() {
		if f.Name == name {
			return f
		}
	}
	panic("llmtest: no fault is named " + name)
}
