package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"hsnas/internal/llm"
)

// key says whether there is a key, and nothing about it.
func (h Host) key(needed bool) Check {
	c := Check{Name: "api-key", State: OK, Needed: needed, Found: llm.KeyVariable + " is set"}
	if h.Getenv(llm.KeyVariable) == "" {
		c.State, c.Found = Missing, llm.KeyVariable+" is not set"
		c.Advice = "set it for label.source live and batch-api; recorded answers and batch files need none"
		return c
	}
	if _, err := llm.NewLive(h.only(llm.KeyVariable), llm.Options{}); err != nil {
		c.State, c.Found, c.Advice = Warning, err.Error(), "" // which says what to do, and nothing of the key
		if needed {
			c.State = Missing
		}
	}
	return c
}

// only is an environment of one variable.
func (h Host) only(name string) func(string) string {
	return func(other string) string {
		if other != name {
			return ""
		}
		return h.Getenv(name)
	}
}

// service says which service would be asked, and asks it only when told to.
func (h Host) service(ctx context.Context, network bool) Check {
	c := Check{Name: "service", State: OK}
	live, err := llm.NewLive(func(name string) string {
		if name == llm.KeyVariable {
			return "none" // the address is all that is asked for
		}
		return h.Getenv(name)
	}, llm.Options{})
	if err != nil {
		c.State, c.Found = Missing, err.Error()
		return c
	}
	address, err := url.Parse(live.Endpoint())
	if err != nil {
		c.State, c.Found = Missing, llm.URLVariable+" is not a URL"
		return c
	}
	host := address.Scheme + "://" + address.Host // a path may be a secret
	where := "as " + llm.URLVariable + " says"
	if h.Getenv(llm.URLVariable) == "" {
		where = "as " + llm.URLVariable + " is not set"
	}
	if !network {
		c.Found = fmt.Sprintf("%s, %s; not asked, as that takes --network", host, where)
		return c
	}
	status, err := reach(ctx, host)
	if err != nil {
		c.State, c.Found = Missing, fmt.Sprintf("%s, %s, does not answer: %v", host, where, err)
		c.Advice = "start it, or check the network, HTTPS_PROXY and " + llm.URLVariable
		return c
	}
	c.Found = fmt.Sprintf("%s, %s, answers (%s)", host, where, status)
	return c
}

// patience is how long a service or a program is waited for.
const patience = 10 * time.Second

// reach asks a server for its front page, without the key: any answer will do.
func reach(ctx context.Context, address string) (status string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, address, nil)
	if err != nil {
		return "", err
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err // without the URL
		}
		return "", err
	}
	return answer.Status, answer.Body.Close()
}
