package document

import (
	"fmt"
	"strings"
	"testing"
)

// show writes a node as one line, with the line of every value.
func show(n Node) string {
	switch {
	case n.Mapped():
		m := n.Entries()
		var all []string
		for _, key := range m.Keys {
			value, _ := m.Get(key)
			all = append(all, key+": "+show(value))
		}
		return "{" + strings.Join(all, ", ") + "}"
	case n.List():
		var all []string
		for _, item := range n.Items() {
			all = append(all, show(item))
		}
		return "[" + strings.Join(all, ", ") + "]"
	case n.Null():
		return "null"
	}
	return n.Value()
}

// Aliases and merge keys are what YAML says they are.
func TestExpansion(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "null"},
		{"a comment", "# nothing\n", "null"},
		{"a mark of byte order", "\ufeffa: 1\n", "{a: 1}"},
		{"an alias", "a: &x [1, 2]\nb: *x\n", "{a: [1, 2], b: [1, 2]}"},
		{"a merge", "a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}\n", "{a: {p: 1, q: 2}, b: {q: 3, p: 1}}"},
		{"a merge after the key", "a: &x {p: 1}\nb: {p: 2, <<: *x}\n", "{a: {p: 1}, b: {p: 2}}"},
		{"a merge in place", "labels: {<<: {team: growth}, severity: page}\n", "{labels: {severity: page, team: growth}}"},
		{"several, the first wins", "a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc: {<<: [*x, *y]}\n", "{a: {p: 1}, b: {p: 2, q: 2}, c: {p: 1, q: 2}}"},
		{"a merge in what is merged", "a: &x {p: 1}\nb: &y {<<: *x, q: 2}\nc: {<<: *y, r: 3}\n", "{a: {p: 1}, b: {q: 2, p: 1}, c: {r: 3, q: 2, p: 1}}"},
		{"quoted, it is a key", "a: {'<<': 1}\n", "{a: {<<: 1}}"},
		{"a key by alias", "a: &x p\nb: {*x : 1}\n", "{a: p, b: {p: 1}}"},
		{"an anchor that is used within what is merged", "a: &x {p: &y 1, q: *y}\nb: {<<: *x}\n", "{a: {p: 1, q: 1}, b: {p: 1, q: 1}}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Parse("x.yaml", []byte(c.text))
			if got := show(d.Root()); got != c.want || d.Err() != nil {
				t.Errorf("got %s, %v, want %s", got, d.Err(), c.want)
			}
		})
	}
}

// Elements join the list that is there, or are it.
func TestExtend(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a list", "a: [1]\nb: 2\n", "{a: [1, x], b: 2}"},
		{"an empty list", "a: []\n", "{a: [x]}"},
		{"by alias", "b: &b [1]\na: *b\n", "{b: [1], a: [1, x]}"},
		{"nothing behind the key", "a:\nb: 2\n", "{a: [x], b: 2}"},
		{"no such key", "b: 2\n", "{b: 2, a: [x]}"},
		{"no mapping", "[1]\n", "[1]"},
		{"an empty file", "", "null"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Parse("x.yaml", []byte(c.text))
			if err := d.Extend("a", []any{"x"}); err != nil {
				t.Fatal(err)
			}
			data, err := d.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			again := Parse("x.yaml", data)
			if got := show(again.Root()); got != c.want || again.Err() != nil {
				t.Errorf("got %s, %v, want %s", got, again.Err(), c.want)
			}
			if err := d.Extend("a", nil); err != nil || show(d.Root()) != c.want {
				t.Errorf("with nothing more: %s, %v", show(d.Root()), err)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"syntax", "a: 1\nb: [\n", "x.yaml:2: is no YAML, did not find expected node content: correct the syntax there"},
		{"a tab", "a:\n  b: 1\n\tc: 2\nd: 3\n", "x.yaml:3: is no YAML, found a tab character that violates indentation: correct the syntax there"},
		{"a template without quotes", "a:\n  b: 1\n  c: {{ $value }} is low\nd: 3\n", "x.yaml:3: is no YAML, did not find expected key: correct the syntax there"},
		{"less indented than its neighbours", "a:\n  - b: 1\n    c: 2\n   d: 3\n", "x.yaml:4: is no YAML, did not find expected '-' indicator: correct the syntax there"},
		{"a second colon", "a: 1\nb: {c: d: e}\nf: 2\n", "x.yaml:2: is no YAML, did not find expected ',' or '}': correct the syntax there"},
		{"syntax of the first line", "\ta: 1\n", "x.yaml:1: is no YAML, found character that cannot start any token: correct the syntax there"},
		{"a stray bracket in the first line", "\ufeffa: ]\n", "x.yaml:1: is no YAML, did not find expected node content: correct the syntax there"},
		{"two documents", "a: 1\n---\nb: 1\n", "x.yaml:2: begins a second document: put all into one, without a line of ---"},
		{"a broken second one", "a: 1\n---\nb: [\n", "x.yaml:3: is no YAML, did not find expected node content: correct the syntax there"},
		{"twice", "a:\n  b: 1\n  b: 2\n", "x.yaml:3: a.b: is given twice: keep one"},
		{"two merges", "a: &x {}\nb:\n  <<: *x\n  <<: *x\n", "x.yaml:4: b.<<: is given twice: keep one"},
		{"twice in what is repeated", "a: &x {p: 1, p: 2}\nb: *x\nc: {<<: *x}\n", "x.yaml:1: a.p: is given twice: keep one"},
		{"a list as a key", "a: {[1]: 2}\n", "x.yaml:1: a: a list is no key: write a word"},
		{"a merge of a text", "a: {<<: b}\n", `x.yaml:1: a.<<: "b" is no mapping to merge: name a mapping, as in <<: *a`},
		{"a merge of texts", "a: {<<: [b]}\n", `x.yaml:1: a.<<: "b" is no mapping to merge: name mappings, as in <<: [*a, *b]`},
		{"a list in itself", "a: &x [*x]\n", "x.yaml:1: a[0]: *x stands for what it is a part of: write the value out"},
		{"a merge of itself", "a: &x\n  <<: *x\n", "x.yaml:2: a: *x stands for what it is a part of: write the value out\n" +
			`x.yaml:2: a.<<: nothing is no mapping to merge: name a mapping, as in <<: *a`},
		{"no such anchor", "a: *x\n", "x.yaml:1: is no YAML, unknown anchor 'x' referenced: correct the syntax there"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Parse("x.yaml", []byte(c.text)).Err()
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

// A few lines of aliases of aliases name more than any memory holds.
func TestRepeatsAreBounded(t *testing.T) {
	text := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 20 {
		one := fmt.Sprintf("*a%d", i)
		text += fmt.Sprintf("a%d: &a%[1]d [%s]\n", i+1, strings.Join([]string{one, one, one, one, one, one, one, one, one, one}, ", "))
	}
	err := Parse("x.yaml", []byte(text)).Err()
	want := "repeats too much: aliases stand for more than 100000 values: write fewer"
	if err == nil || !strings.HasSuffix(err.Error(), want) || strings.Count(err.Error(), "\n") > 0 {
		t.Errorf("got %v, want one problem: %s", err, want)
	}
}

func TestReading(t *testing.T) {
	d := Parse("x.yaml", []byte("title: [a]\nlimits: {latness: 1, size: 3}\nempty:\nnumber: 11\nyes: perhaps\nlist: {}\nwhole: text\n"))
	m := d.Root().Mapping("title", "limits", "empty", "number", "yes", "list", "whole", "absent")
	limits, _ := m.Get("limits")
	limits.Mapping("lateness", "size").Missing("has no lateness", "give it")
	empty, _ := m.Get("empty")
	if got := empty.Entries(); len(got.Keys) != 0 || len(empty.Items()) != 0 {
		t.Errorf("nothing has entries: %v", got)
	}
	yes, _ := m.Get("yes")
	yes.Bool()
	whole, _ := m.Get("whole")
	whole.Entries()
	whole.Warn("text", "is short", "write more")
	if got := m.Text("title") + m.Text("absent"); got != "" {
		t.Errorf("text %q", got)
	}
	if got := m.Integer("number", 1, 10, 7) + m.Integer("absent", 1, 10, 7); got != 14 {
		t.Errorf("integers %d", got)
	}
	m.List("list")
	m.Missing("has no more", "give it")
	const want = `x.yaml:1: title: a list is no text: give a text, or leave the key out
x.yaml:1: has no more: give it
x.yaml:2: limits.latness: is no key here: did you mean lateness? The keys are lateness, size
x.yaml:4: number: "11" is no whole number from 1 to 10: give one
x.yaml:5: yes: "perhaps" is neither yes nor no: write true or false
x.yaml:6: list: a mapping is no list: write one - for each element, or [a, b]
x.yaml:7: whole: "text" is no mapping: write keys with their values`
	if err := d.Err(); err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	if w := d.Warnings(); len(w) != 1 || w[0].Error() != "x.yaml:7: whole: text is short: write more" {
		t.Errorf("warnings %v", w)
	}
}

// A comma in braces ends a text.
func TestCommas(t *testing.T) {
	d := Parse("x.yaml", []byte("title: {en: Plays, likes and more, zh: 播放}\nlikes:\n"))
	m := d.Root().Mapping("title")
	title, _ := m.Get("title")
	title.Mapping("en", "zh")
	const want = `x.yaml:1: title.likes and more: is no key here, and has no value: a text with a comma in it stands in quotes; the keys are en, zh
x.yaml:2: likes: is no key here: the keys are title`
	if err := d.Err(); err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// What another parser gets has no aliases, and not what was removed.
func TestBytes(t *testing.T) {
	d := Parse("x.yaml", []byte("a: &x {own: 1, theirs: 2}\nb: {<<: *x}\n"))
	for _, key := range []string{"a", "b"} {
		n, _ := d.Root().Entries().Get(key)
		m := n.Entries()
		if key == "b" {
			m.Remove("own")
		}
	}
	got, err := d.Bytes()
	if want := "a: {own: 1, theirs: 2}\nb: {theirs: 2}\n"; err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("a: &x {p: [1, ~]}\nb: {<<: [*x], q: *x}\n"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("? [a]\n: b\n--- \n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d := Parse("x.yaml", data)
		text := show(d.Root())
		if d.Err() != nil {
			return
		}
		plain, err := d.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		again := Parse("x.yaml", plain)
		if got := show(again.Root()); again.Err() != nil || got != text {
			t.Errorf("%q reads %s, written anew as %q it reads %s, %v", data, text, plain, got, again.Err())
		}
	})
}
