package scenario

import (
	"fmt"
	"strings"
	"time"
)

// A Script is a file of commands, each with the lines that stand indented
// below it.
type Script struct {
	Name     string
	lines    []string
	commands []*command
}

type command struct {
	script *Script
	line   int // of the command, from 1
	name   string
	args   []string
	rest   string // the arguments as they stand there
	block  []string
	from   int // index of the block's first line
	to     int // index behind its last
}

// Waits is for how long the script has the clock of delivery go on in all.
func (s *Script) Waits() (total time.Duration) {
	for _, c := range s.commands {
		if c.name == "wait" {
			d, _ := time.ParseDuration(c.rest) // a mistake is found when it is played
			total += d
		}
	}
	return total
}

// Parse reads a script.
func Parse(name string, text []byte) (*Script, error) {
	s := &Script{Name: name, lines: strings.Split(strings.TrimRight(strings.TrimPrefix(string(text), "\ufeff"), "\n"), "\n")}
	for i := 0; i < len(s.lines); {
		line := s.lines[i]
		switch {
		case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
			i++
			continue
		case indented(line):
			return nil, fmt.Errorf("%s:%d: stands below no command", name, i+1)
		}
		line, _, _ = strings.Cut(line, " # ")
		args, err := fields(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
		c := &command{script: s, line: i + 1, name: args[0], args: args[1:], rest: strings.TrimSpace(strings.TrimPrefix(line, args[0])), from: i + 1}
		i++
		for i < len(s.lines) && (indented(s.lines[i]) || strings.TrimSpace(s.lines[i]) == "" && continues(s.lines[i:])) {
			i++
		}
		c.to = i
		c.block = outdent(s.lines[c.from:c.to])
		s.commands = append(s.commands, c)
	}
	return s, nil
}

func indented(line string) bool {
	return strings.TrimSpace(line) != "" && (line[0] == ' ' || line[0] == '\t')
}

// continues reports whether indented lines follow the blank ones.
func continues(lines []string) bool {
	for _, l := range lines {
		if strings.TrimSpace(l) != "" {
			return indented(l)
		}
	}
	return false
}

// outdent takes the first line's indent from all lines.
func outdent(lines []string) []string {
	if len(lines) == 0 {
		return nil
	}
	indent := lines[0][:len(lines[0])-len(strings.TrimLeft(lines[0], " \t"))]
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = strings.TrimRight(strings.TrimPrefix(l, indent), " \t")
	}
	return out
}

// fields splits a line at blanks that are not inside quotes or braces.
func fields(line string) ([]string, error) {
	var out []string
	start, quoted, depth := -1, false, 0
	for i, r := range line + " " {
		switch {
		case quoted:
			quoted = r != '"' || line[i-1] == '\\'
		case r == '"':
			quoted = true
		case r == '{' || r == '[':
			depth++
		case r == '}' || r == ']':
			depth--
		case (r == ' ' || r == '\t') && depth == 0:
			if start >= 0 {
				out = append(out, line[start:i])
			}
			start = -1
			continue
		}
		if start < 0 {
			start = i
		}
	}
	if quoted || depth != 0 {
		return nil, fmt.Errorf("a quote or brace is not closed")
	}
	return out, nil
}

// errorf is an error at the command's place.
func (c *command) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s: %w", c.script.Name, c.line, c.name, fmt.Errorf(format, args...))
}

// text is the script with the blocks of some commands replaced.
func (s *Script) text(blocks map[*command][]string) []byte {
	var b strings.Builder
	at := 0
	for _, c := range s.commands {
		block, ok := blocks[c]
		if !ok {
			continue
		}
		for ; at < c.from; at++ {
			b.WriteString(s.lines[at] + "\n")
		}
		for _, l := range block {
			b.WriteString("  " + l + "\n")
		}
		at = c.to
	}
	for ; at < len(s.lines); at++ {
		b.WriteString(s.lines[at] + "\n")
	}
	return []byte(b.String())
}
