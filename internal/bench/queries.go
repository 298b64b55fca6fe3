package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// A question is a kind of query and a path that asks one.
type question struct{ kind, path string }

// liveQuestions are for live values.
var liveQuestions = []question{
	{"live", "/api/v1/kpis/ctr?window=5m&by=channel"},
	{"live", "/api/v1/kpis/active_users?window=1h"},
	{"live", "/api/v1/kpis/plays?window=1m&by=region"},
	{"live", "/api/v1/kpis/completion_rate?window=5m"},
	{"live", "/api/v1/kpis/gmv_paid?window=1h"},
}

// allQuestions are these, and ones for what is over, sealed and not, of a stream
// that begins at a time and whose lateness is full, and for the metrics.
func allQuestions(began time.Time) []question {
	after := func(d time.Duration) string { return url.QueryEscape(began.Add(d).UTC().Format(time.RFC3339)) }
	span := "from=" + after(time.Minute) + "&to=" + after(11*time.Minute)
	var out []question
	for i, q := range liveQuestions {
		out = append(out, q, question{"at", q.path + "&at=" + after([]time.Duration{100 * time.Second, 10 * time.Minute}[i%2])},
			question{"range", strings.Replace(q.path, "?", "/range?", 1) + "&" + span}, question{"metrics", "/metrics"})
	}
	return out
}

// An asking is a process beside the service that asks: clients share the machine
// with it, not its scheduler.
type asking struct {
	cmd *exec.Cmd
	in  io.Closer
	out io.Reader
}

func (s *service) ask(ctx context.Context, every time.Duration, questions []question) (*asking, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	args := []string{"-ask", s.url, "-every", every.String()}
	for _, q := range questions {
		args = append(args, q.kind+"="+q.path)
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &asking{cmd, in, out}, cmd.Start()
}

// stop ends the process and returns how long the answers took, by kind.
func (a *asking) stop() (map[string][]time.Duration, error) {
	if err := a.in.Close(); err != nil {
		return nil, err
	}
	took := map[string][]time.Duration{}
	lines := bufio.NewScanner(a.out)
	for lines.Scan() {
		kind, text, _ := strings.Cut(lines.Text(), " ")
		d, err := time.ParseDuration(text)
		if err != nil {
			return nil, err
		}
		took[kind] = append(took[kind], d)
	}
	return took, a.cmd.Wait()
}

// ask asks one question after the other until in ends, then writes how long each
// took.
func ask(url string, questions []string, every time.Duration, in io.Reader, out io.Writer) error {
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, in) // however it ends
		close(ended)
	}()
	c, err := dial(url)
	if err != nil {
		return err
	}
	defer c.Close()
	w := bufio.NewWriter(out)
	for i := 0; ; i++ {
		kind, path, _ := strings.Cut(questions[i%len(questions)], "=")
		began := time.Now()
		if err := c.get(path); err != nil {
			return err
		}
		fmt.Fprintln(w, kind, time.Since(began))
		select {
		case <-time.After(every):
		case <-ended:
			return w.Flush()
		}
	}
}

// A client is one connection whose thread blocks in the kernel: what it measures
// is the service, not how this process wakes its own goroutines.
type client struct {
	*os.File
	in *bufio.Reader
}

func dial(url string) (*client, error) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	f, err := conn.(*net.TCPConn).File()
	if err != nil {
		return nil, err
	}
	// Fd makes it block, but not for ever.
	if err := syscall.SetsockoptTimeval(int(f.Fd()), syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Sec: 10}); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &client{f, bufio.NewReader(f)}, nil
}

func (c *client) get(path string) error {
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path); err != nil {
		return err
	}
	r, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, r.Status, body)
	}
	return err
}
