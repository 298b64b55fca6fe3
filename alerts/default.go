package alerts

import _ "embed"

// DefaultRules is the rule file that comes with the product.
//
//go:embed default.yml
var DefaultRules []byte
