package llm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/sashabaranov/go-openai"
)

const (
	// maxOutput bounds an output file: 50,000 answers, each with room.
	maxOutput = 4 << 30
	// transfer is the least time that a file may take up or down.
	transfer = 30 * time.Minute
	// pages bounds the listing of batches, 100 on a page.
	pages    = 100
	pageSize = 100
)

// batchCalls are the service's calls on files and batches, each tried again on the
// schedule of a live client.
type batchCalls struct {
	live   *Live // judges what fails, and knows the options
	client *openai.Client
}

func newBatchCalls(live *Live, base, key string) *batchCalls {
	c := openai.DefaultConfig(key)
	c.BaseURL, c.HTTPClient = base, batchDoer{&http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	return &batchCalls{live: live, client: openai.NewClientWithConfig(c)}
}

// batchDoer notes status and Retry-After and bounds what is read. It implements
// openai.HTTPDoer.
type batchDoer struct{ client *http.Client }

func (d batchDoer) Do(req *http.Request) (*http.Response, error) {
	x := req.Context().Value(exchangeKey{}).(*exchange)
	resp, err := d.client.Do(req)
	if err != nil {
		return nil, err
	}
	x.status, x.asked = resp.StatusCode, retryAfter(resp.Header, time.Now())
	if x.status >= 300 && x.status < 400 {
		resp.Body.Close()
		return nil, errRedirect
	}
	limit := int64(maxBody)
	if strings.HasSuffix(req.URL.Path, "/content") && x.status == http.StatusOK {
		limit = maxOutput
	}
	resp.Body = &bounded{body: resp.Body, left: limit, limit: limit}
	return resp, nil
}

// bounded is a body that may not go on for ever.
type bounded struct {
	body        io.ReadCloser
	left, limit int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("the response is larger than %d MiB", b.limit>>20)
	}
	return n, err
}

func (b *bounded) Close() error { return b.body.Close() }

// do calls f until it succeeds or trying again is pointless. what says in messages
// what was being done.
func (c *batchCalls) do(ctx context.Context, what string, timeout time.Duration, f func(context.Context) error) error {
	o := c.live.options
	s := &schedule{first: o.FirstPause, longest: o.LongestPause, jitter: c.live.jitter, pause: o.Pause}
	tries := 0
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		tries++
		x := &exchange{}
		timed, cancel := context.WithTimeout(context.WithValue(ctx, exchangeKey{}, x), timeout)
		defer cancel()
		err := f(timed)
		s.asked = x.asked
		if err != nil {
			err = c.live.judge(x, err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(s), backoff.WithMaxTries(uint(o.Tries)), backoff.WithMaxElapsedTime(0))
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var e *Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: %w", what, err)
	}
	if tries > 1 {
		return fmt.Errorf("%s: tried %d times, the last time: %s", what, tries, e.Msg)
	}
	return fmt.Errorf("%s: %s", what, e.Msg)
}

// upload sends an input file and returns its id.
func (c *batchCalls) upload(ctx context.Context, name string, input []byte) (id string, err error) {
	err = c.do(ctx, "upload of the batch's input", max(transfer, c.live.options.Timeout), func(ctx context.Context) error {
		file, err := c.client.CreateFileBytes(ctx, openai.FileBytesRequest{Name: name, Bytes: input, Purpose: openai.PurposeBatch})
		if err == nil && file.ID == "" {
			err = errors.New("the service named no file")
		}
		id = file.ID
		return err
	})
	return id, err
}

// inputMark is the key of a batch's metadata under which the checksum of its input
// is found again.
const inputMark = "hsnas_input_sha256"

// create makes a batch. A try whose answer was lost may have made it: before a
// further one the batch is looked for. An interrupt does not cut it short.
func (c *batchCalls) create(ctx context.Context, file, input string, find func(context.Context) (openai.Batch, bool, error)) (b openai.Batch, err error) {
	longer, cancel := overtime(ctx, c.live.options.Grace)
	defer cancel()
	tries := 0
	err = c.do(longer, "creation of the batch", c.live.options.Timeout, func(ctx context.Context) error {
		if tries++; tries > 1 {
			found, ok, err := find(ctx)
			if b = found; err != nil || ok {
				return err
			}
		}
		got, err := c.client.CreateBatch(ctx, openai.CreateBatchRequest{
			InputFileID: file, Endpoint: openai.BatchEndpointChatCompletions, CompletionWindow: "24h",
			Metadata: map[string]any{inputMark: input},
		})
		if err == nil && got.ID == "" {
			err = errors.New("the service named no batch")
		}
		b = got.Batch
		return err
	})
	return b, err
}

// retrieve returns the state of a batch.
func (c *batchCalls) retrieve(ctx context.Context, id string) (b openai.Batch, err error) {
	err = c.do(ctx, "state of the batch "+id, c.live.options.Timeout, func(ctx context.Context) error {
		got, err := c.client.RetrieveBatch(ctx, id)
		b = got.Batch
		return err
	})
	return b, err
}

// list calls visit with the batches of the account, the newest first, page by page.
func (c *batchCalls) list(ctx context.Context, visit func(openai.Batch)) error {
	var after *string
	for range pages {
		var page openai.ListBatchResponse
		err := c.do(ctx, "list of the batches", c.live.options.Timeout, func(ctx context.Context) (err error) {
			page, err = c.client.ListBatch(ctx, after, new(pageSize))
			return err
		})
		if err != nil {
			return err
		}
		for _, b := range page.Data {
			visit(b)
		}
		if !page.HasMore || len(page.Data) == 0 {
			return nil
		}
		after = new(page.Data[len(page.Data)-1].ID)
	}
	return nil
}

// rows calls visit with every row of an output file or an error file. It starts
// again where the transfer broke off, or where a line is none, as what is cut looks
// the same: visit sees rows again. The last try leaves out the lines that cannot be
// read, and returns what is wrong with them.
func (c *batchCalls) rows(ctx context.Context, file string, visit func(batchLine)) (unread []string, err error) {
	tries := 0
	err = c.do(ctx, "download of "+file, max(transfer, c.live.options.Timeout), func(ctx context.Context) error {
		tries++
		unread = nil
		content, err := c.client.GetFileContent(ctx, file)
		if err != nil {
			return err
		}
		defer content.Close()
		var first error
		err = eachLine(file, content, func(number int, text []byte) error {
			l, err := parseBatchLine(file, number, text)
			if err == nil {
				visit(l)
				return nil
			}
			first = cmp.Or(first, err)
			unread = append(unread, excerpt(c.live.redact(err.Error())))
			return nil
		})
		if err == nil && tries < c.live.options.Tries {
			err = first
		}
		return err
	})
	return unread, err
}
