package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/tidewatch/tidewatch/internal/send"
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
	args := []string{"-every", every.String()}
	for _, q := range questions {
		args = append(args, q.kind+"="+q.path)
	}
	return s.beside(ctx, args...)
}

// beside starts a process that asks what its arguments say.
func (s *service) beside(ctx context.Context, args ...string) (*asking, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{"-ask", s.url}, args...)...)
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
		line := lines.Text()
		gap := strings.LastIndexByte(line, ' ')
		kind, text := line[:gap], line[gap+1:]
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
	ended := until(in)
	c, err := dial(url)
	if err != nil {
		return err
	}
	defer c.Close()
	w := bufio.NewWriter(out)
	for i := 0; ; i++ {
		kind, path, _ := strings.Cut(questions[i%len(questions)], "=")
		took, err := c.time(path)
		if err != nil {
			return err
		}
		fmt.Fprintln(w, kind, took)
		select {
		case <-time.After(every):
		case <-ended:
			return w.Flush()
		}
	}
}

// until closes what it returns when in ends.
func until(in io.Reader) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, in) // however it ends
		close(ended)
	}()
	return ended
}

// A client is one connection whose thread blocks in the kernel: what it measures
// is the service, not how this process wakes its own goroutines.
type client struct {
	*os.File
	in *bufio.Reader
	// now is what the watermark was at a time.
	now, seen time.Time
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
	return &client{File: f, in: bufio.NewReader(f)}, nil
}

// relative is a point in a path that lies so far before the watermark, at a multiple of a
// length of time: {now-24h/2m0s}.
var relative = regexp.MustCompile(`\{now(?:-([^}/]+))?(?:/([^}]+))?\}`)

// time is how long the answer to a path takes.
func (c *client) time(path string) (time.Duration, error) {
	if relative.MatchString(path) {
		if err := c.update(); err != nil {
			return 0, err
		}
		path = relative.ReplaceAllStringFunc(path, func(point string) string {
			part := relative.FindStringSubmatch(point)
			back, _ := time.ParseDuration(part[1]) // 0 without one
			apart, _ := time.ParseDuration(part[2])
			return fmt.Sprint(c.now.Add(-back).Truncate(apart).Unix())
		})
	}
	began := time.Now()
	_, err := c.get(path)
	return time.Since(began), err
}

// update asks for the watermark, once a second.
func (c *client) update() error {
	if time.Since(c.seen) < time.Second {
		return nil
	}
	body, err := c.get("/api/v1/ledger")
	if err != nil {
		return err
	}
	var answer struct{ Data send.Status }
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("read ledger: %w", err)
	}
	c.seen = time.Now()
	c.now = cmp.Or(answer.Data.Watermark, &c.seen).Truncate(time.Second)
	return nil
}

func (c *client) get(path string) (body []byte, err error) {
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path); err != nil {
		return nil, err
	}
	r, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	body, err = io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, r.Status, body)
	}
	return body, err
}
