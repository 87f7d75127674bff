package llm

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
)

const batchOK = `{"id":"r1","custom_id":"a","response":{"status_code":200,"request_id":"q","body":{"model":"m","choices":[{"message":{"role":"assistant","content":"yes"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1}}},"error":null}`

func TestBatch(t *testing.T) {
	lines := []string{
		strings.Replace(batchOK, `"custom_id":"a"`, `"custom_id":"z"`, 1), "", batchOK, batchOK,
		strings.Replace(strings.Replace(batchOK, `"custom_id":"a"`, `"custom_id":"cut"`, 1), `"stop"`, `"length"`, 1),
		`{"custom_id":"failed","response":{"status_code":500,"body":{"error":{"message":"oops"}}},"error":null}`,
		`{"custom_id":"expired","response":null,"error":{"code":"batch_expired","message":"This request could not be executed before the completion window expired."}}`,
		`{"custom_id":"odd","response":{"status_code":200,"body":"hm"},"error":null}`,
	}
	b, err := NewBatch("out.jsonl", strings.NewReader(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ id, answer, want string }{
		{"a", "yes", ""},
		{"z", "yes", ""},
		{"cut", "yes", `request cut: the answer was cut at the token limit (finish_reason "length"); set a higher max_tokens or max_completion_tokens`},
		{"failed", "", "request failed: out.jsonl:6: the service failed with status 500: oops"},
		{"expired", "", "request expired: out.jsonl:7: the service failed: This request could not be executed before the completion window expired."},
		{"odd", "", "request odd: out.jsonl:8: the body is not a chat completion: json: cannot unmarshal string into Go value of type llm.completion"},
		{"b", "", "request b: out.jsonl holds no answer"},
	}
	for _, tt := range tests {
		a, err := b.Do(context.Background(), Request{CustomID: tt.id, Messages: []Message{{"user", "q"}}})
		if a.Answer != tt.answer || (err == nil) != (tt.want == "") || err != nil && err.Error() != tt.want {
			t.Errorf("%s: %q, %v; want %q, %s", tt.id, a.Answer, err, tt.answer, tt.want)
		}
	}
}

func TestBatchRefuses(t *testing.T) {
	tests := []struct{ text, want string }{
		{batchOK + "\n" + batchOK[:50], "out.jsonl:2: not a line of a batch response file: unexpected end of JSON input"},
		{`{"response":{}}`, `out.jsonl:1: "custom_id" is missing; expected a line of a batch response file`},
		{`{"custom_id":"a","method":"POST"}`, `out.jsonl:1: a has neither "response" nor "error"; is this the request file?`},
		{batchOK + "\n" + strings.Replace(batchOK, "yes", "no", 1), "out.jsonl:2: a is answered twice, and differently (first on line 1); keep one of them"},
	}
	for _, tt := range tests {
		_, err := NewBatch("out.jsonl", strings.NewReader(tt.text))
		if err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

func FuzzBatch(f *testing.F) {
	f.Add(batchOK)
	f.Add(batchOK + "\n{")
	f.Add(`{"custom_id":"a","response":{"body":null},"error":null}`)
	f.Add(`{"custom_id":"a","error":{}}`)
	f.Fuzz(func(t *testing.T, text string) {
		b, err := NewBatch("f", strings.NewReader(text))
		if err != nil {
			return
		}
		for id := range b.answers {
			if _, err := b.Do(context.Background(), Request{CustomID: id}); err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("message of several lines: %q", err)
			}
		}
	})
}

func TestBatchLine(t *testing.T) {
	r := Request{CustomID: "k-demos1-test-0", Messages: []Message{{"user", "a \"b\"\n<é, 𝄞: \x7f\u2028>"}}, Sampling: Sampling{Model: "m"}}
	const want = `{"custom_id": "k-demos1-test-0", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "m", "messages": [{"role": "user", "content": "a \"b\"\n<\u00e9, \ud834\udd1e: \u007f\u2028>"}]}}` + "\n"
	if got := string(r.BatchLine()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var back struct{ Body struct{ Messages []Message } }
	if err := json.Unmarshal(r.BatchLine(), &back); err != nil || back.Body.Messages[0] != r.Messages[0] {
		t.Error(back, err)
	}
}

// TestKeys: golden, as keys outlive the program in journals.
func TestKeys(t *testing.T) {
	zero := 0.0
	base := Request{CustomID: "x", Messages: []Message{{"user", "q"}}}
	// printf '/v1/chat/completions\n1\n{"messages":[{"role":"user","content":"q"}]}' | sha256sum
	const want = "2481101a1d9347e72426ffdafc6232852b415ca5e29d3e4d1c561a3c21cad484"
	if got := base.Key(); got != want {
		t.Errorf("key %s, want %s", got, want)
	}
	other := base
	other.CustomID = "y"
	if other.Key() != want || base.PromptKey() != want {
		t.Error("the custom_id is part of the key, or the prompt's key differs")
	}
	seen := map[string]bool{want: true}
	for i, change := range []func(*Request){
		func(r *Request) { r.Sample = 2 }, func(r *Request) { r.Ask = 2 }, func(r *Request) { r.Endpoint = "http://h/v1/chat/completions" },
		func(r *Request) { r.Model = "m" }, func(r *Request) { r.Temperature = &zero }, func(r *Request) { r.MaxTokens = 1 },
		func(r *Request) { r.MaxCompletionTokens = 1 }, func(r *Request) { r.Messages = []Message{{"system", "q"}} },
	} {
		r := base
		change(&r)
		if seen[r.Key()] {
			t.Errorf("change %d leaves the key as it was", i)
		}
		seen[r.Key()] = true
	}
}
