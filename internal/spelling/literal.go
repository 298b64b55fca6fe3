package spelling

import "strings"

var literal = strings.NewReplacer(`\`, `\\`, ",", `\,`, "~", `\~`)

// Literal writes a value of a field so that a query of the API reads it as that one, and
// not as several or as a regular expression.
func Literal(value string) string { return literal.Replace(value) }
