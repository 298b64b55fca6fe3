package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// An Exchange is a request and its answer. Target is the path with the parameters.
type Exchange struct {
	Method, Target string
	Status         int
	Header         http.Header // of the answer
	Body           []byte      // not compressed
}

// Check says how an exchange is other than described, and which operation it is of. Of
// a method that the path does not have it is another of the path's. What is asked must be
// described as far as it is answered.
func (d *Document) Check(x Exchange) (of string, err error) {
	u, err := url.Parse(x.Target)
	if err != nil {
		return "", fmt.Errorf("read target: %w", err)
	}
	o, values, ok := d.of(x.Method, u.EscapedPath())
	if !ok {
		return "", fmt.Errorf("%s is not described", u.Path)
	}
	if o.method != x.Method && x.Status != http.StatusMethodNotAllowed {
		return "", fmt.Errorf("%s %s is not described, and answered with %d", x.Method, u.Path, x.Status)
	}
	var asked error
	if x.Status < http.StatusBadRequest {
		asked = d.asked(o, values, u.Query())
	}
	if err := errors.Join(asked, d.answered(o, x)); err != nil {
		return o.String(), fmt.Errorf("%s %s: %w", x.Method, x.Target, err)
	}
	return o.String(), nil
}

// of is the operation of a path, with the values in it. Paths without values go first.
func (d *Document) of(method, path string) (found operation, values map[string]string, ok bool) {
	least := -1
	for _, o := range d.operations {
		v, fits := match(o.path, path)
		if fits && (least < 0 || len(v) < least || len(v) == least && o.method == method) {
			found, values, least = o, v, len(v)
		}
	}
	return found, values, least >= 0
}

// match finds the values of a path's template.
func match(template, path string) (values map[string]string, ok bool) {
	names, parts := strings.Split(template, "/"), strings.Split(path, "/")
	if len(names) != len(parts) {
		return nil, false
	}
	values = map[string]string{}
	for i, name := range names {
		part, err := url.PathUnescape(parts[i])
		if err != nil {
			return nil, false
		}
		if strings.HasPrefix(name, "{") {
			values[strings.Trim(name, "{}")] = part
		} else if name != part {
			return nil, false
		}
	}
	return values, true
}

// asked checks the parameters of a request.
func (d *Document) asked(o operation, path map[string]string, query url.Values) error {
	var errs []error
	left, free := maps.Clone(query), false
	for _, p := range slices.Concat(d.each(o.item.key("parameters")), d.each(o.at.key("parameters"))) {
		name, schema := p.key("name").text(), p.key("schema")
		var texts []string
		switch p.key("in").text() {
		case "path":
			texts = []string{path[name]}
		case "query":
			if texts = query[name]; d.follow(schema).key("type").value == "object" {
				free = true
				continue
			}
			delete(left, name)
		default:
			continue
		}
		if len(texts) == 0 {
			if p.key("required").value == true {
				errs = append(errs, fmt.Errorf("parameter %s is required, and missing", name))
			}
			continue
		}
		errs = append(errs, d.fits("parameter "+name, d.value(texts, d.follow(schema), p.key("explode").value != false), schema))
	}
	if !free {
		for name := range left {
			errs = append(errs, fmt.Errorf("parameter %s is not described", name))
		}
	}
	return errors.Join(errs...)
}

// value is what the texts of a parameter are to its schema.
func (d *Document) value(texts []string, schema place, explode bool) any {
	switch schema.key("type").value {
	case "array":
		if !explode {
			texts = strings.Split(strings.Join(texts, ","), ",")
		}
		list := make([]any, len(texts))
		for i, text := range texts {
			list[i] = text
		}
		return list
	case "boolean":
		if b, err := strconv.ParseBool(texts[0]); err == nil {
			return b
		}
	case "integer":
		if _, err := strconv.ParseInt(texts[0], 10, 64); err == nil {
			return json.Number(texts[0])
		}
	}
	return texts[0]
}

// answered checks an answer.
func (d *Document) answered(o operation, x Exchange) error {
	answer := d.follow(o.at.key("responses").key(strconv.Itoa(x.Status)))
	if answer.value == nil {
		return fmt.Errorf("status %d is not described: %s", x.Status, x.Body)
	}
	if err := d.headers(answer.key("headers"), x.Header); err != nil {
		return err
	}
	content := answer.key("content")
	if content.value == nil {
		if len(x.Body) > 0 {
			return fmt.Errorf("status %d has a body: %s", x.Status, x.Body)
		}
		return nil
	}
	media, _, err := mime.ParseMediaType(x.Header.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("read Content-Type of status %d: %w", x.Status, err)
	}
	at := content.key(media)
	if at.value == nil {
		return fmt.Errorf("%s is not described of status %d", media, x.Status)
	}
	return d.body(media, at, x.Body)
}

// headers checks those that are described.
func (d *Document) headers(described place, got http.Header) error {
	for name := range described.object() {
		h := d.follow(described.key(name))
		texts := got.Values(name)
		if len(texts) == 0 {
			if h.key("required").value == true {
				return fmt.Errorf("header %s is required, and missing", name)
			}
			continue
		}
		if err := d.fits("header "+name, texts[0], h.key("schema")); err != nil {
			return err
		}
	}
	return nil
}

// body checks a body, and its items if they are described.
func (d *Document) body(media string, at place, text []byte) error {
	var items func([]byte) ([]any, error)
	switch media {
	case "application/json":
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			return fmt.Errorf("read body: %w: %s", err, text)
		}
		if err := d.fits("body", v, at.key("schema")); err != nil {
			return fmt.Errorf("%w: %s", err, text)
		}
		return nil
	case "application/x-ndjson":
		items = lines
	case "text/event-stream":
		items = events
	}
	if err := d.fits("body", string(text), at.key("schema")); err != nil || items == nil {
		return err
	}
	list, err := items(text)
	if err != nil {
		return err
	}
	for _, item := range list {
		if err := d.fits("item", item, at.key(itemSchema)); err != nil {
			return fmt.Errorf("%w: %v", err, item)
		}
	}
	return nil
}

// each is what a list has, references followed.
func (d *Document) each(list place) (out []place) {
	for i, v := range list.list() {
		out = append(out, d.follow(place{fmt.Sprintf("%s/%d", list.pointer, i), v}))
	}
	return out
}
