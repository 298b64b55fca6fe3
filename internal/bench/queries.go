package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// queries is a process beside the service that asks live values: clients share
// the machine with it, not its scheduler.
type queries struct {
	cmd *exec.Cmd
	in  io.Closer
	out io.Reader
}

func startQueries(ctx context.Context, url string) (*queries, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-query", url)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &queries{cmd, in, out}, cmd.Start()
}

// stop ends the process and returns how long each query took.
func (q *queries) stop() ([]time.Duration, error) {
	if err := q.in.Close(); err != nil {
		return nil, err
	}
	var took []time.Duration
	lines := bufio.NewScanner(q.out)
	for lines.Scan() {
		d, err := time.ParseDuration(lines.Text())
		if err != nil {
			return nil, err
		}
		took = append(took, d)
	}
	return took, q.cmd.Wait()
}

// query asks one live value after the other until in ends, then writes how long
// each took.
func query(ctx context.Context, url string, in io.Reader, out io.Writer) error {
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, in) // however it ends
		close(ended)
	}()
	if err := ready(ctx, url); err != nil {
		return err
	}
	c, err := dial(url)
	if err != nil {
		return err
	}
	defer c.Close()
	paths := []string{"ctr?window=5m&by=channel", "active_users?window=1h", "plays?window=1m&by=region", "completion_rate?window=5m", "gmv_paid?window=1h"}
	var took []time.Duration
	for i := 0; ; i++ {
		began := time.Now()
		if err := c.get("/api/v1/kpis/" + paths[i%len(paths)]); err != nil {
			return err
		}
		took = append(took, time.Since(began))
		select {
		case <-time.After(10 * time.Millisecond):
			continue
		case <-ended:
		}
		break
	}
	w := bufio.NewWriter(out)
	for _, d := range took {
		fmt.Fprintln(w, d)
	}
	return w.Flush()
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
