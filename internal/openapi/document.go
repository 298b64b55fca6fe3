// Package openapi holds exchanges over HTTP to an OpenAPI document: that request and
// answer are as it says. Tests use it. A schema of the document is what JSON Schema makes
// of it; x-itemSchema is that of each item of NDJSON and of server-sent events.
package openapi

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// A Document describes an API.
type Document struct {
	root       any
	operations []operation // in the order of their names
	compiler   *jsonschema.Compiler
	schemas    map[string]*jsonschema.Schema // by place
}

// base is the address of the document among schemas.
const base = "openapi.json"

// Parse reads a document, and every schema in it.
func Parse(text []byte) (*Document, error) {
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read document: %w", err)
	}
	d := &Document{root: root, compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}}
	d.compiler.AssertFormat()
	d.compiler.AssertContent()
	if err := d.compiler.AddResource(base, root); err != nil {
		return nil, fmt.Errorf("read document: %w", err)
	}
	d.operations = d.find()
	return d, d.compile(place{"", root})
}

// compile reads all schemas at and below a place.
func (d *Document) compile(at place) error {
	switch v := at.value.(type) {
	case map[string]any:
		if d.follow(at).value == nil {
			return fmt.Errorf("%s refers to nothing", at.pointer)
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			below := at.key(key)
			schema := key == "schema" || key == itemSchema || strings.HasPrefix(below.pointer, "/components/schemas/")
			if !schema {
				if err := d.compile(below); err != nil {
					return err
				}
			} else if _, err := d.schema(below); err != nil {
				return err
			}
		}
	case []any:
		for i := range v {
			if err := d.compile(place{fmt.Sprintf("%s/%d", at.pointer, i), v[i]}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *Document) schema(at place) (*jsonschema.Schema, error) {
	if s := d.schemas[at.pointer]; s != nil {
		return s, nil
	}
	s, err := d.compiler.Compile(base + "#" + at.pointer)
	if err != nil {
		return nil, fmt.Errorf("read schema %s: %w", at.pointer, err)
	}
	d.schemas[at.pointer] = s
	return s, nil
}

// fits checks a value, named what, by the schema at a place.
func (d *Document) fits(what string, value any, at place) error {
	s, err := d.schema(at)
	if err == nil {
		err = s.Validate(value)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Operations are all of them, as "GET /path", in order.
func (d *Document) Operations() (list []string) {
	for _, o := range d.operations {
		list = append(list, o.String())
	}
	return list
}

// An operation is a method of a path.
type operation struct {
	method, path string
	at           place
	item         place // of the path
}

func (o operation) String() string { return o.method + " " + o.path }

// find is all operations.
func (d *Document) find() (list []operation) {
	paths := place{"", d.root}.key("paths")
	for path := range paths.object() {
		item := paths.key(path)
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			if at := item.key(strings.ToLower(method)); at.value != nil {
				list = append(list, operation{method, path, at, item})
			}
		}
	}
	slices.SortFunc(list, func(a, b operation) int { return strings.Compare(a.String(), b.String()) })
	return list
}

// A place is a value in the document and the JSON pointer to it.
type place struct {
	pointer string
	value   any
}

func (p place) object() map[string]any {
	m, _ := p.value.(map[string]any)
	return m
}

func (p place) list() []any {
	l, _ := p.value.([]any)
	return l
}

func (p place) text() string {
	s, _ := p.value.(string)
	return s
}

// How a key is written in a pointer.
var (
	escape   = strings.NewReplacer("~", "~0", "/", "~1")
	unescape = strings.NewReplacer("~1", "/", "~0", "~")
)

// key is the value of a key, nil without it.
func (p place) key(name string) place {
	return place{p.pointer + "/" + escape.Replace(name), p.object()[name]}
}

// follow is the place to which one refers, itself if it is no reference.
func (d *Document) follow(p place) place {
	ref, ok := p.object()["$ref"].(string)
	if !ok {
		return p
	}
	to := place{"", d.root}
	for key := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		to = to.key(unescape.Replace(key))
	}
	return d.follow(to)
}
