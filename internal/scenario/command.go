package scenario

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/stream"
)

// commands are what a script can do. An answer is compared with the lines below
// the command; nil has none.
var commands map[string]func(*run, *command) (answer []string, err error)

func init() {
	commands = map[string]func(*run, *command) ([]string, error){
		"day":   (*run).setDay,
		"event": (*run).event,
		"batch": (*run).batch,
		"raw":   (*run).raw,
		"tick":  (*run).tickOnce,
		"erase": (*run).erase,
		"idle": func(r *run, c *command) ([]string, error) {
			d, err := time.ParseDuration(c.rest)
			if err != nil {
				return nil, err
			}
			return nil, r.idle(d)
		},
		"redeliver":    func(r *run, _ *command) ([]string, error) { return nil, r.redeliver() },
		"checkpoint":   func(r *run, _ *command) ([]string, error) { return nil, r.replica.Checkpoint() },
		"crash":        func(r *run, _ *command) ([]string, error) { return nil, r.crash() },
		"restart":      (*run).restart,
		"alertmanager": (*run).replace,
		"rules":        (*run).replace,
		"inject":       (*run).inject,
		"silence":      (*run).silence,
		"expire":       (*run).expire,
		"wait": func(_ *run, c *command) ([]string, error) {
			d, err := time.ParseDuration(c.rest)
			time.Sleep(d)
			return nil, err
		},
		"at":       (*run).at,
		"live":     (*run).live,
		"range":    (*run).series,
		"users":    (*run).users,
		"signals":  (*run).signals,
		"get":      (*run).get,
		"ledger":   (*run).ledger,
		"alerts":   (*run).alerts,
		"webhooks": (*run).webhooks,
	}
}

func names() []string { return slices.Sorted(maps.Keys(commands)) }

func (r *run) setDay(c *command) ([]string, error) {
	if _, err := time.Parse(time.DateOnly, c.rest); err != nil {
		return nil, fmt.Errorf("give a date such as 2026-01-05")
	}
	r.day = c.rest
	return nil, nil
}

func (r *run) event(c *command) ([]string, error) {
	posts, err := r.posts(c.line, c.args)
	if err != nil {
		return nil, err
	}
	return nil, r.send(posts...)
}

// batch sends the events below it in one message, with [@STAMP].
func (r *run) batch(c *command) ([]string, error) {
	var whole post
	if len(c.args) > 0 {
		var err error
		if whole.stamp, err = r.instant(strings.TrimPrefix(c.args[0], "@")); err != nil {
			return nil, err
		}
	}
	for i, l := range c.block {
		args, err := fields(l)
		if err != nil {
			return nil, err
		}
		posts, err := r.posts(c.line+1+i, args)
		if err != nil {
			return nil, err
		}
		for _, p := range posts {
			whole.time = max(whole.time, p.time)
			whole.data = append(append(whole.data, p.data...), '\n')
		}
	}
	return nil, r.send(whole)
}

// raw sends the text below it as it stands, with [@STAMP].
func (r *run) raw(c *command) ([]string, error) {
	stamp := r.now
	if len(c.args) > 0 {
		var err error
		if stamp, err = r.instant(strings.TrimPrefix(c.args[0], "@")); err != nil {
			return nil, err
		}
	}
	if stamp == 0 {
		return nil, fmt.Errorf("comes before any event: there is no time yet, give @STAMP")
	}
	return nil, r.send(post{stamp: stamp, time: stamp, data: []byte(strings.Join(c.block, "\n"))})
}

// erase reads: [@STAMP] user_id=ID, or anonymous_id=ID.
func (r *run) erase(c *command) ([]string, error) {
	var e stream.Erasure
	for _, arg := range c.args {
		field, id, _ := strings.Cut(arg, "=")
		switch {
		case strings.HasPrefix(arg, "@"):
			at, err := r.instant(arg[1:])
			if err != nil {
				return nil, err
			}
			r.now = max(r.now, at)
		case field == "user_id" && id != "":
			e.UserID = id
		case field == "anonymous_id" && id != "":
			e.AnonymousID = id
		default:
			return nil, fmt.Errorf("%s is no part of it: give user_id=ID or anonymous_id=ID", arg)
		}
	}
	r.log.Erase(r.now, e)
	r.last = r.now
	return nil, r.read(r.mode.Single)
}

// tickOnce reads: [TIME] [to=TIME].
func (r *run) tickOnce(c *command) ([]string, error) {
	var t stream.Tick
	for i, arg := range c.args {
		to, states := strings.CutPrefix(arg, "to=")
		ms, err := r.instant(to)
		switch {
		case err != nil:
			return nil, err
		case !states:
			r.now = max(r.now, ms)
			continue
		case i == 0:
			r.now = max(r.now, ms-stream.MaxAhead.Milliseconds())
		}
		t.To = ms
	}
	if err := r.tick(r.now, t); err != nil {
		return nil, err
	}
	return nil, r.read(true)
}

// restart starts the service again, with the configuration below it if there
// is one.
func (r *run) restart(c *command) ([]string, error) {
	if err := r.replica.Checkpoint(); err != nil {
		return nil, err
	}
	if err := r.crash(); err != nil || len(c.block) == 0 {
		return nil, err
	}
	return nil, r.configure(c, strings.Join(c.block, "\n")+"\n")
}

// replace replaces the file of the receivers or the rules. A service that has been started
// has the old one.
func (r *run) replace(c *command) ([]string, error) {
	return nil, os.WriteFile(filepath.Join(r.dir, c.name+".yml"), []byte(strings.Join(c.block, "\n")+"\n"), 0o600)
}

// inject reads: webhook RECEIVER down | up | STATUS [xN].
func (r *run) inject(c *command) ([]string, error) {
	if len(c.args) < 3 || c.args[0] != "webhook" {
		return nil, fmt.Errorf("give: webhook RECEIVER down, up, or STATUS [xN]")
	}
	times := 1
	if len(c.args) > 3 {
		n, err := strconv.Atoi(strings.TrimPrefix(c.args[3], "x"))
		if err != nil {
			return nil, fmt.Errorf("%q is not xN", c.args[3])
		}
		times = n
	}
	r.receivers.inject(c.args[1], c.args[2], times)
	return nil, nil
}

// webhooks lists the calls since it was last asked: none is none.
func (r *run) webhooks(*command) ([]string, error) {
	r.deliver()
	lines := []string{}
	calls := r.receivers.take()
	// Alerts do not wait for each other: what they were decided at orders them.
	slices.SortStableFunc(calls, func(a, b call) int { return cmp.Or(cmp.Compare(a.asOf(), b.asOf()), cmp.Compare(a.name(), b.name())) })
	for _, c := range calls {
		lines = append(lines, r.showCall(c))
	}
	return lines, nil
}
