package scenario

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
)

// The documents' scenarios answer what they say; -rewrite writes it into them.
func TestDocuments(t *testing.T) {
	const path = "../../docs/users.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	opening, closing := []byte("```scenario\n"), []byte("```\n")
	var out []byte
	for n := 1; ; n++ {
		before, rest, found := bytes.Cut(text, opening)
		if out = append(out, before...); !found {
			if n < 4 {
				t.Fatalf("%s has %d scenarios", path, n-1)
			}
			break
		}
		block, after, closed := bytes.Cut(rest, closing)
		if !closed {
			t.Fatalf("scenario %d of %s has no end", n, path)
		}
		text = after
		s, err := Parse(fmt.Sprintf("%s, scenario %d", path, n), block)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				result, err := s.Run(dir, Modes[0])
				if err != nil {
					t.Fatal(err)
				}
				if *rewrite {
					block = result.Rewritten()
					return
				}
				for _, text := range result.Mismatches {
					t.Error(text)
				}
			})
		})
		out = append(append(append(out, opening...), block...), closing...)
	}
	if *rewrite {
		if err := os.WriteFile(path, out, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
