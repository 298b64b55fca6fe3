// Package exposition writes names, labels and help of metrics as Prometheus'
// text format wants them. It has escapes of its own, which are not Go's: only a
// backslash, a line end and, in a label, a quote are written otherwise.
package exposition

import "strings"

var (
	labels = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
	help   = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
)

// Help is a text as it stands behind # HELP and the name.
func Help(text string) string { return help.Replace(text) }

// Labels is a set of labels, given as names and values in turn:
// {verdict="late"}.
func Labels(pairs ...string) string {
	b := []byte{'{'}
	for i := 0; i+1 < len(pairs); i += 2 {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, pairs[i]...), `="`...)
		b = append(append(b, labels.Replace(pairs[i+1])...), '"')
	}
	return string(append(b, '}'))
}
