package scenario

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A post is a message of events on its way to the stream.
type post struct {
	stamp int64 // 0: when the newest event happened, but not before now
	time  int64 // of the newest event
	data  []byte
}

var repeat = regexp.MustCompile(`^x(\d+)(?:/(\S+))?$`)

// posts reads the arguments of an event:
//
//	TIME [@STAMP] [xN[/EVERY]] TYPE FIELD=VALUE...
//
// With xN there are N of them, EVERY apart; a # in a value is the number of the
// event. Its id is made of the line, so that it is the same in every run.
func (r *run) posts(line int, args []string) ([]post, error) {
	if len(args) < 2 {
		return nil, fmt.Errorf("an event is TIME [@STAMP] [xN[/EVERY]] TYPE and any number of FIELD=VALUE")
	}
	at, err := r.instant(args[0])
	if err != nil {
		return nil, err
	}
	args = args[1:]
	var stamp int64
	if text, ok := strings.CutPrefix(args[0], "@"); ok {
		if stamp, err = r.instant(text); err != nil {
			return nil, err
		}
		args = args[1:]
	}
	n, every := 1, time.Duration(0)
	m := repeat.FindStringSubmatch(args[0])
	if m != nil {
		n, _ = strconv.Atoi(m[1])
		if m[2] != "" {
			if every, err = time.ParseDuration(m[2]); err != nil {
				return nil, err
			}
		}
		args = args[1:]
	}
	if len(args) == 0 {
		return nil, fmt.Errorf("the event has no type")
	}
	var out []post
	for i := range n {
		p := post{stamp: stamp, time: at + int64(i)*every.Milliseconds()}
		id := "line" + strconv.Itoa(line)
		if m != nil {
			id += "." + strconv.Itoa(i+1)
		}
		p.data, err = event(id, p.time, args, m != nil, i+1)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// event is the JSON text of an event.
func event(id string, at int64, args []string, numbered bool, n int) ([]byte, error) {
	fields := []string{"id=" + id, "time=" + strconv.FormatInt(at, 10), "type=" + args[0]}
	given := map[string]bool{}
	var b bytes.Buffer
	for i, f := range append(args[1:len(args):len(args)], fields...) {
		k, v, ok := strings.Cut(f, "=")
		if !ok {
			return nil, fmt.Errorf("%q is not FIELD=VALUE", f)
		}
		if i >= len(args)-1 && given[k] {
			continue // the script's own id, time or type
		}
		given[k] = true
		if numbered && i < len(args)-1 {
			v = strings.ReplaceAll(v, "#", strconv.Itoa(n))
		}
		if !json.Valid([]byte(v)) {
			quoted, _ := json.Marshal(v)
			v = string(quoted)
		}
		name, _ := json.Marshal(k)
		b.WriteByte(',')
		b.Write(name)
		b.WriteByte(':')
		b.WriteString(v)
	}
	b.WriteByte('}')
	out := b.Bytes()
	out[0] = '{'
	return out, nil
}

// instant reads a time: 10:00:05.5 on the script's day, 2026-01-05T10:00:05 in
// its zone, epoch milliseconds, or +5s from now, -5s before now.
func (r *run) instant(text string) (int64, error) {
	if text[0] == '+' || text[0] == '-' {
		d, err := time.ParseDuration(text)
		return r.now + d.Milliseconds(), err
	}
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		return ms, nil
	}
	if strings.Contains(text, "T") {
		t, err := time.ParseInLocation("2006-01-02T15:04:05", text, r.config.Location)
		return t.UnixMilli(), err
	}
	t, err := time.ParseInLocation("2006-01-02 15:04:05", r.day+" "+text, r.config.Location)
	if err != nil {
		return 0, fmt.Errorf("%q is no time: give 10:00:05, 2026-01-05T10:00:05 or +5s", text)
	}
	return t.UnixMilli(), nil
}
